//! Data tests of YAML become nodes: their kind and arguments checked, their subject looked up, dbt's names given.

use sha2::{Digest, Sha256};

use super::config::Settled;
use super::jinja::{Plan, scan};
use super::model::{Surroundings, own_patch};
use super::record::Noted;
use super::{Check, Manifest, TestKind, TestNode, TestSubject};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{Ident, NodeName};
use crate::project::{ConfigOf, ConfigPatch, Project, Reader, TestDecl, Written, Yaml, YamlValue, unknown_key};

const KINDS: &[&str] = &["not_null", "unique", "accepted_values", "relationships"];

/// The longest name that dbt leaves uncut.
const MAX_NAME_BYTES: usize = 63;

/// What a test of a YAML file stands under.
pub(super) struct Place<'a> {
    pub subject: NodeName,
    /// `person`, or `svp_labors` for a source table.
    pub label: String,
    /// What dbt puts before the names of tests of sources.
    pub prefix: &'static str,
    /// The column above the test; tests of a whole table name it as `column_name`.
    pub column: Option<&'a Ident>,
}

/// Settles one test; [`None`] when it is disabled or its mistakes were reported.
pub(super) fn settle(
    manifest: &Manifest,
    around: &Surroundings<'_>,
    (place, test): (&Place<'_>, &TestDecl),
    diagnostics: &mut Diagnostics,
) -> Option<TestNode> {
    let mut settled = Settled::default();
    around.lay(&mut settled, &around.project.test_config.along(&[&around.project.name]));
    around.lay(&mut settled, &[&test.config]);
    let severity = settled.severity();
    let filter = settled.text("where");
    let disabled = settled.disabled().is_some();
    diagnostics.append(std::mem::take(&mut settled.mistakes));
    if disabled {
        return None;
    }
    let mut arguments = Arguments::new(test);
    let check = arguments.check(manifest);
    let column = arguments.column(place);
    let mistakes = arguments.finish();
    let failed = mistakes.has_errors();
    diagnostics.append(mistakes);
    let (check, column) = (check?, column?);
    if failed {
        return None;
    }
    let subject = subject(manifest, place, test).map_err(|mistake| diagnostics.push(mistake)).ok()?;
    let mut depends_on = vec![subject.node.clone()];
    if let Check::Relationships { to, .. } = &check {
        depends_on.push(to.clone());
    }
    depends_on.sort();
    depends_on.dedup();
    let name = test.name.as_ref().map_or_else(|| generic_name(place, test, &column), |name| name.value.clone());
    Some(TestNode {
        name: NodeName::test(&name),
        package: around.project.package_of(&test.file.path).to_owned(),
        kind: TestKind::Generic { subject, column, check, filter },
        severity,
        folders: around.project.folders_of(&test.file.path),
        tags: settled.tags(),
        config: settled.to_json(),
        depends_on,
        declared_at: test.kind.span.clone(),
    })
}

fn subject(manifest: &Manifest, place: &Place<'_>, test: &TestDecl) -> Result<TestSubject, Diagnostic> {
    match manifest.read_relation(&place.subject) {
        Some(relation) => Ok(TestSubject { node: place.subject.clone(), relation: relation.clone() }),
        None => {
            let message = format!("ephemeral model \"{}\" cannot be tested", place.label);
            let hint = "nothing is built that a test could read: make it a view, or write a singular test";
            Err(Diagnostic::error(Code::BadValue, message).at(test.kind.span.clone()).hint(hint))
        }
    }
}

/// The arguments of a test being read; those that nothing took are mistakes.
struct Arguments<'t> {
    test: &'t TestDecl,
    reader: Reader,
    known: Vec<&'static str>,
}

impl<'t> Arguments<'t> {
    fn new(test: &'t TestDecl) -> Self {
        Self { test, reader: Reader::new(std::sync::Arc::clone(&test.file)), known: vec!["column_name"] }
    }

    fn find(&self, key: &str) -> Option<&'t Yaml> {
        self.test.arguments.iter().find(|(name, _)| name.value == key).map(|(_, value)| value)
    }

    fn required(&mut self, key: &'static str) -> Option<&'t Yaml> {
        self.known.push(key);
        let found = self.find(key);
        if found.is_none() {
            let message = format!("test \"{}\" needs the argument \"{key}\"", self.test.kind.value);
            self.reader.report(Diagnostic::error(Code::MissingKey, message).at(self.test.kind.span.clone()));
        }
        found
    }

    fn check(&mut self, manifest: &Manifest) -> Option<Check> {
        let kind = &self.test.kind;
        match kind.value.strip_prefix("dbt.").unwrap_or(&kind.value) {
            "not_null" => Some(Check::NotNull),
            "unique" => Some(Check::Unique),
            "accepted_values" => self.accepted_values(),
            "relationships" => self.relationships(manifest),
            other => {
                let diagnostic = Diagnostic::error(Code::UnknownTestKind, format!("test \"{other}\" does not exist"))
                    .at(kind.span.clone())
                    .did_you_mean(other, KINDS.iter().copied());
                self.reader.report(match diagnostic.hint {
                    Some(_) => diagnostic,
                    None => {
                        diagnostic.hint(format!("known tests: {}; others are SQL files in tests/", KINDS.join(", ")))
                    }
                });
                None
            }
        }
    }

    fn accepted_values(&mut self) -> Option<Check> {
        self.known.push("quote");
        let values = self.required("values")?;
        let quote = match self.find("quote") {
            Some(quote) => self.reader.boolean(quote)?,
            None => true,
        };
        let items = self.reader.list(values);
        let values = items.iter().filter_map(|item| self.reader.scalar(item)).collect();
        Some(Check::AcceptedValues { values, quote })
    }

    fn relationships(&mut self, manifest: &Manifest) -> Option<Check> {
        let (to, field) = (self.required("to"), self.required("field"));
        let (to, field) = (to?, field?);
        let field = self.reader.ident(field);
        let target = self.reader.text(to).and_then(|text| self.target(manifest, &text, to));
        let to = target?;
        let relation = manifest.read_relation(&to)?.clone();
        Some(Check::Relationships { to, relation, field: field? })
    }

    /// `ref('country')` or `source('svp', 'labors')`, with or without braces.
    fn target(&mut self, manifest: &Manifest, text: &str, yaml: &Yaml) -> Option<NodeName> {
        let code = if text.contains("{{") { text.to_owned() } else { format!("{{{{ {text} }}}}") };
        let found = scan(&code);
        let call = found.calls.first().map(|call| (&code[call.function.clone()], call));
        let literals: Vec<&str> =
            call.map(|(_, call)| call.literals.iter().map(|at| &code[at.clone()]).collect()).unwrap_or_default();
        let mistake = match (call.map(|(function, _)| function), literals.as_slice()) {
            (Some("ref"), [name]) => match manifest.find_ref(None, name) {
                Ok(node) => return Some(node),
                Err(diagnostic) => diagnostic.at(self.within(yaml, name)),
            },
            (Some("source"), [source, table]) => match manifest.find_source(source, table) {
                Ok(table) => return Some(table.name().clone()),
                Err(no) => no.diagnostic.at(self.within(yaml, &no.written)),
            },
            _ => Diagnostic::error(Code::BadValue, format!("\"{text}\" is neither a ref nor a source"))
                .at(self.reader.span(&yaml.range))
                .hint("write it as in \"to: ref('country')\""),
        };
        self.reader.report(mistake);
        None
    }

    /// The place of a name inside a YAML string.
    fn within(&self, yaml: &Yaml, name: &str) -> Span {
        let span = self.reader.span(&yaml.range);
        let quoted = [format!("'{name}'"), format!("\"{name}\"")];
        let offset = quoted.iter().find_map(|quoted| span.text().find(quoted.as_str()));
        match offset {
            Some(offset) => {
                let start = yaml.range.start + offset + 1;
                self.reader.span(&(start..start + name.len()))
            }
            None => span,
        }
    }

    fn column(&mut self, place: &Place<'_>) -> Option<Ident> {
        match (place.column, self.find("column_name")) {
            (_, Some(named)) => self.reader.ident(named),
            (Some(column), None) => Some(column.clone()),
            (None, None) => {
                let message =
                    format!("test \"{}\" of a whole table needs the argument \"column_name\"", self.test.kind.value);
                self.reader.report(Diagnostic::error(Code::MissingKey, message).at(self.test.kind.span.clone()));
                None
            }
        }
    }

    fn finish(mut self) -> Diagnostics {
        let is_known_kind = KINDS.contains(&self.test.kind.value.trim_start_matches("dbt."));
        for (Written { value: key, span }, _) in &self.test.arguments {
            if is_known_kind && !self.known.contains(&key.as_str()) {
                let what = format!("test \"{}\"", self.test.kind.value);
                let diagnostic = unknown_key(key, &what, &self.known).at(span.clone());
                self.reader.report(diagnostic);
            }
        }
        self.reader.diagnostics
    }
}

/// dbt's rule: the kind, the table, then the values of all arguments in the order of their keys. Names over 63 bytes
/// are cut and end in a hash; dbt takes MD5, we take the first 32 digits of SHA-256.
fn generic_name(place: &Place<'_>, test: &TestDecl, column: &Ident) -> String {
    let mut arguments: Vec<(&str, Vec<String>)> = vec![("column_name", vec![column.as_str().to_owned()])];
    let others = test.arguments.iter().filter(|(key, _)| key.value != "column_name");
    arguments.extend(others.map(|(key, value)| (key.value.as_str(), parts(value, test))));
    arguments.sort();
    let flat: Vec<String> = arguments.into_iter().flat_map(|(_, parts)| parts).map(|part| plain(&part)).collect();
    let kind = test.kind.value.strip_prefix("dbt.").unwrap_or(&test.kind.value);
    let stem = format!("{}{kind}_{}", place.prefix, place.label);
    let full = format!("{stem}_{}", flat.join("__"));
    if full.len() <= MAX_NAME_BYTES {
        return full;
    }
    let digest = Sha256::digest(full.as_bytes());
    let hash: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let cut: String = stem.chars().take(30).collect();
    format!("{cut}_{hash}")
}

fn parts(value: &Yaml, test: &TestDecl) -> Vec<String> {
    match &value.value {
        YamlValue::List(items) => items.iter().flat_map(|item| parts(item, test)).collect(),
        YamlValue::Map(entries) => entries.iter().flat_map(|(_, item)| parts(item, test)).collect(),
        YamlValue::Text(text) => vec![text.clone()],
        // Python's spelling, as in dbt's names.
        YamlValue::Bool(value) => vec![if *value { "True" } else { "False" }.to_owned()],
        YamlValue::Null => vec!["None".to_owned()],
        YamlValue::Number(_) => vec![Span::new(&test.file, value.range.clone()).text().trim().to_owned()],
    }
}

/// Runs of anything but letters, digits and underscores become one underscore.
fn plain(part: &str) -> String {
    let mut name = String::with_capacity(part.len());
    let mut in_run = false;
    for letter in part.chars() {
        let keeps = letter.is_ascii_alphanumeric() || letter == '_';
        if keeps {
            name.push(letter);
        } else if !in_run {
            name.push('_');
        }
        in_run = !keeps;
    }
    name
}

/// What a singular test's config says, and whether it is enabled; from its own `config()` over the project's.
pub(super) fn singular_config(
    (plan, noted): (&Plan, &Noted),
    project: &Project,
    diagnostics: &mut Diagnostics,
) -> (Settled, bool) {
    let own: ConfigPatch = own_patch(plan, noted);
    let mut settled = Settled::default();
    for patch in project.test_config.along(&[&project.name]) {
        settled.lay(patch);
    }
    settled.check_keys(&own, (ConfigOf::Test, project.flavour));
    settled.lay(&own);
    let enabled = settled.disabled().is_none();
    diagnostics.append(std::mem::take(&mut settled.mistakes));
    (settled, enabled)
}
