//! Data tests of YAML become nodes: their kind and arguments checked, their subject looked up, dbt's names given.

use std::path::Path;

use super::config::Settled;
use super::custom_test::{self, literal, relocate};
use super::jinja::{Engine, Plan, scan};
use super::model::{Surroundings, own_patch};
use super::record::{Noted, Subject, record};
use super::resolve::look_up_noted;
use super::test_name::{self, TestKindName, generic_names};
use super::test_rules::{self, TestRules};
use super::{Check, CustomTest, Manifest, TestIdentity, TestKind, TestNode, TestSubject, ephemeral_cte};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{
    ColumnDecl, ConfigOf, ConfigPatch, Project, Reader, TestDecl, TextScope, Written, Yaml, has_template, unknown_key,
};

const KINDS: &[&str] = &["not_null", "unique", "accepted_values", "relationships"];

/// The package of the tests that come with the tool.
const OWN_PACKAGE: &str = "dbt";

/// What a test of a YAML file stands under.
pub(super) struct Place<'a> {
    pub subject: NodeName,
    /// `person`, or `svp_labors` for a source table.
    pub label: String,
    /// How a template refers to the subject: `ref('person')`.
    pub call: String,
    /// What dbt puts before the names of tests of sources.
    pub prefix: &'static str,
    /// The column above the test; tests of a whole table name it as `column_name`.
    pub column: Option<&'a ColumnDecl>,
}

/// What the tests of a project are settled with.
#[derive(Clone, Copy)]
pub(super) struct Tests<'a> {
    pub manifest: &'a Manifest,
    pub engine: &'a Engine,
    pub around: &'a Surroundings<'a>,
}

/// A test, and whether it takes part.
pub(super) struct SettledTest {
    pub node: TestNode,
    pub is_on: bool,
}

/// Settles one test; [`None`] when its mistakes were reported.
pub(super) fn settle(
    tests: Tests<'_>,
    (place, test): (&Place<'_>, &TestDecl),
    diagnostics: &mut Diagnostics,
) -> Option<SettledTest> {
    let column_name = column_text(place, test);
    let names = generic_names(place, test, column_name.as_deref());
    let name = names.short.as_str();
    let mut settled = settled(tests.around, test, (name, None));
    // The tests of what is switched off rest with it.
    let is_off = tests.manifest.disabled.contains_key(&place.subject) || settled.disabled().is_some();
    let found = match is_custom(tests.engine, test) {
        _ if is_off => Some(resting(place, test)),
        true => custom(tests, (place, test), &mut settled, diagnostics),
        false => generic(tests, (place, test), settled.text("where"), diagnostics),
    };
    let rules = test_rules::settle(&mut settled, tests.around.environment, name);
    let severity = settled.severity();
    let is_on = !is_off && settled.disabled().is_none();
    diagnostics.append(std::mem::take(&mut settled.mistakes));
    let (kind, mut depends_on) = found?;
    depends_on.sort();
    depends_on.dedup();
    let node = TestNode {
        name: NodeName::test(name),
        identity: Some(identity((place, test), names.full, column_name)),
        package: tests.around.project.package_of(&test.file.path).to_owned(),
        kind,
        severity,
        rules,
        description: test.description.clone(),
        folders: tests.around.project.folders_of(&test.file.path),
        tags: settled.tags(),
        config: settled.to_json(),
        depends_on,
        declared_at: test.kind.span.clone(),
    };
    Some(SettledTest { node, is_on })
}

/// A test that is switched off: what it refers to is not looked up.
fn resting(place: &Place<'_>, test: &TestDecl) -> Found {
    let template = custom_test::template(place, test, &place.call);
    let name = TestKindName::of(test).name.to_owned();
    (TestKind::Custom(CustomTest { template, subject: place.subject.clone(), name }), Vec::new())
}

/// What dbt knows the test by.
fn identity((place, test): (&Place<'_>, &TestDecl), name: String, column: Option<String>) -> TestIdentity {
    let kind = TestKindName::of(test);
    let written = test.arguments.iter().map(|(key, value)| (key.value.clone(), value.to_json()));
    let mut arguments: serde_json::Map<String, serde_json::Value> = written.collect();
    if let Some(column) = column {
        arguments.insert("column_name".to_owned(), column.into());
    }
    arguments.insert("model".to_owned(), format!("{{{{ get_where_subquery({}) }}}}", place.call).into());
    TestIdentity {
        hash: test_name::hash(&name, kind, &arguments),
        name,
        kind: kind.name.to_owned(),
        namespace: kind.namespace.map(str::to_owned),
        arguments,
    }
}

/// The project's tree, then what the test's own block says of itself, then the line of YAML.
fn settled(around: &Surroundings<'_>, test: &TestDecl, (name, own): (&str, Option<&ConfigPatch>)) -> Settled {
    let mut settled = Settled::default();
    settled.lay(&test_rules::defaults(&test.kind.span));
    around.lay(&mut settled, &tree(around.project, &test.file.path, name));
    if let Some(own) = own {
        settled.check_keys(own, (ConfigOf::Test, around.project.flavour));
        settled.lay(own);
    }
    around.lay(&mut settled, &[&test.config]);
    settled
}

/// What the project file says of the tests of a file.
fn tree<'p>(project: &'p Project, file: &Path, name: &str) -> Vec<&'p ConfigPatch> {
    let folders = project.folders_of(file);
    let folders = folders.iter().map(String::as_str);
    let path: Vec<&str> = [project.package_of(file)].into_iter().chain(folders).chain([name]).collect();
    project.test_config.along(&path)
}

/// The column of a test, as its name spells it.
fn column_text(place: &Place<'_>, test: &TestDecl) -> Option<String> {
    let named = test.arguments.iter().find(|(key, _)| key.value == "column_name");
    match named {
        Some((_, value)) => value.to_json().as_str().map(str::to_owned),
        None => place.column.map(|column| match column.quote {
            Some(true) => format!("\"{}\"", column.name.value.as_str()),
            Some(false) | None => column.name.value.as_str().to_owned(),
        }),
    }
}

/// dbt's macro that narrows a test's relation, which a project may replace.
const NARROW: &str = "get_where_subquery";

/// Whether a macro of the project or of the named package defines the test; it then stands in for one of ours.
fn is_custom(engine: &Engine, test: &TestDecl) -> bool {
    let kind = TestKindName::of(test);
    let is_ours = kind.namespace.is_none() && KINDS.contains(&kind.name);
    engine.has_macro(kind.namespace, &format!("test_{}", kind.name))
        // Ours are macros too, where the project says how their relation is narrowed.
        || (is_ours && engine.has_macro(None, NARROW))
}

type Found = (TestKind, Vec<NodeName>);

fn generic(
    tests: Tests<'_>,
    (place, test): (&Place<'_>, &TestDecl),
    filter: Option<String>,
    diagnostics: &mut Diagnostics,
) -> Option<Found> {
    let mut arguments = Arguments::new(tests, test);
    let check = arguments.check(tests.manifest);
    let column = check.as_ref().and_then(|_| arguments.column(place));
    let mistakes = arguments.finish();
    let failed = mistakes.has_errors();
    diagnostics.append(mistakes);
    let (check, column) = (check?, column?);
    if failed {
        return None;
    }
    let subject = subject(tests.manifest, &place.subject)?;
    let mut depends_on = vec![subject.node.clone()];
    if let Check::Relationships { to, .. } = &check {
        depends_on.push(to.node.clone());
    }
    Some((TestKind::Generic { subject, column, check, filter }, depends_on))
}

/// What a query reads when it reads the node.
fn subject(manifest: &Manifest, node: &NodeName) -> Option<TestSubject> {
    if let Some(model) = manifest.models.get(node).filter(|_| manifest.is_ephemeral(node)) {
        let cte = Some(ephemeral_cte(&model.model));
        return Some(TestSubject { node: node.clone(), relation: model.relation.clone(), cte });
    }
    let relation = manifest.read_relation(node)?.clone();
    Some(TestSubject { node: node.clone(), relation, cte: None })
}

/// A test that is a macro: it is rendered once for what it refers to and what it says of itself.
fn custom(
    tests: Tests<'_>,
    (place, test): (&Place<'_>, &TestDecl),
    settled: &mut Settled,
    diagnostics: &mut Diagnostics,
) -> Option<Found> {
    let template = custom_test::template(place, test, &model_argument(tests.engine, place, settled.text("where")));
    let package = tests.around.project.package_of(&test.file.path);
    let plan = tests.engine.plan_in(package, &template);
    let this = Relation::new(tests.around.environment.target.schema.clone(), Ident::from_catalog("test"));
    let recording = record(tests.engine, &plan, Subject { this, config: settled.to_json() });
    let mut mistakes = recording.diagnostics;
    let depends_on = look_up_noted(tests.manifest, tests.engine, (&plan, &recording.noted), &mut mistakes);
    relocate(&mut mistakes, (&template, &test.kind.span));
    let failed = mistakes.has_errors();
    diagnostics.append(mistakes);
    if failed {
        return None;
    }
    let mut own = own_patch(&plan, &recording.noted);
    if !own.is_empty() {
        own.values_mut().for_each(|setting| setting.span = test.kind.span.clone());
        *settled = self::settled(tests.around, test, (&place.label, Some(&own)));
    }
    let kind = TestKindName::of(test);
    let custom = CustomTest { template, subject: place.subject.clone(), name: kind.name.to_owned() };
    Some((TestKind::Custom(custom), depends_on))
}

/// The tested relation, narrowed by `where`, as an expression; a project may have a say in how it is narrowed.
fn model_argument(engine: &Engine, place: &Place<'_>, filter: Option<String>) -> String {
    match filter {
        // dbt calls it whether there is a `where` or not.
        _ if engine.has_macro(None, NARROW) => format!("{NARROW}({})", place.call),
        None => place.call.clone(),
        Some(filter) => {
            let tail = literal(&format!(" where {filter}) dbt_subquery"));
            format!("'(select * from ' ~ {} ~ {tail}", place.call)
        }
    }
}

/// The arguments of a test being read; those that nothing took are mistakes.
struct Arguments<'t> {
    test: &'t TestDecl,
    engine: &'t Engine,
    /// For templates in arguments.
    scope: &'t TextScope,
    reader: Reader,
    known: Vec<&'static str>,
}

impl<'t> Arguments<'t> {
    fn new(tests: Tests<'t>, test: &'t TestDecl) -> Self {
        let reader = Reader::new(std::sync::Arc::clone(&test.file));
        Self { test, engine: tests.engine, scope: &tests.around.scope, reader, known: vec!["column_name"] }
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
        let kind = TestKindName::of(self.test);
        match kind.name {
            _ if kind.namespace.is_some_and(|namespace| namespace != OWN_PACKAGE) => self.unknown_kind(),
            "not_null" => Some(Check::NotNull),
            "unique" => Some(Check::Unique),
            "accepted_values" => self.accepted_values(),
            "relationships" => self.relationships(manifest),
            _ => self.unknown_kind(),
        }
    }

    fn unknown_kind(&mut self) -> Option<Check> {
        let kind = &self.test.kind;
        let written = kind.value.as_str();
        let known = KINDS.iter().copied().chain(self.engine.test_names());
        let diagnostic = Diagnostic::error(Code::UnknownTestKind, format!("test \"{written}\" does not exist"))
            .at(kind.span.clone())
            .did_you_mean(written, known);
        self.reader.report(match diagnostic.hint {
            Some(_) => diagnostic,
            None => diagnostic.hint(format!(
                "known tests: {}; define others with {{% test {}(model) %}} in macros/ or tests/generic/",
                KINDS.join(", "),
                TestKindName::of(self.test).name,
            )),
        });
        None
    }

    fn accepted_values(&mut self) -> Option<Check> {
        self.known.push("quote");
        let values = self.required("values")?;
        let quote = match self.find("quote") {
            Some(quote) => self.reader.boolean(quote)?,
            None => true,
        };
        if has_template(&values.to_json()) {
            return self.rendered_values(values).map(|values| Check::AcceptedValues { values, quote });
        }
        let items = self.reader.list(values);
        let values = items.iter().filter_map(|item| self.reader.scalar(item)).collect();
        Some(Check::AcceptedValues { values, quote })
    }

    /// A list that a template gives, or one with templates in it.
    fn rendered_values(&mut self, values: &Yaml) -> Option<Vec<String>> {
        let span = self.reader.span(&values.range);
        let rendered = match self.scope.render_value(&values.to_json(), &span) {
            Ok(rendered) => rendered,
            Err(diagnostic) => {
                self.reader.report(diagnostic);
                return None;
            }
        };
        let Some(items) = rendered.as_array() else {
            let message = format!("\"values\" must be a list, and the template gives {rendered}");
            self.reader.report(Diagnostic::error(Code::WrongType, message).at(span));
            return None;
        };
        Some(items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect())
    }

    fn relationships(&mut self, manifest: &Manifest) -> Option<Check> {
        let (to, field) = (self.required("to"), self.required("field"));
        let (to, field) = (to?, field?);
        let field = self.reader.ident(field);
        let target = self.reader.text(to).and_then(|text| self.target(manifest, &text, to));
        let to = target?;
        Some(Check::Relationships { to: subject(manifest, &to)?, field: field? })
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
            (Some(column), None) => Some(column.name.value.clone()),
            (None, None) => {
                let message =
                    format!("test \"{}\" of a whole table needs the argument \"column_name\"", self.test.kind.value);
                self.reader.report(Diagnostic::error(Code::MissingKey, message).at(self.test.kind.span.clone()));
                None
            }
        }
    }

    fn finish(mut self) -> Diagnostics {
        let is_known_kind = KINDS.contains(&TestKindName::of(self.test).name);
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

/// What a singular test's config says: its own over its YAML's, over the project's.
pub(super) fn singular_config(
    (plan, noted): (&Plan, &Noted),
    (around, name): (&Surroundings<'_>, &str),
    diagnostics: &mut Diagnostics,
) -> (Settled, TestRules, bool) {
    let own: ConfigPatch = own_patch(plan, noted);
    let project: &Project = around.project;
    let mut settled = Settled::default();
    settled.lay(&test_rules::defaults(&Span::whole(&plan.file)));
    around.lay(&mut settled, &tree(project, &plan.file.path, name));
    if let Some(property) = around.properties.get(name) {
        around.lay(&mut settled, &[&property.config]);
    }
    settled.check_keys(&own, (ConfigOf::Test, project.flavour));
    settled.lay(&own);
    let enabled = settled.disabled().is_none();
    let rules = test_rules::settle(&mut settled, around.environment, name);
    diagnostics.append(std::mem::take(&mut settled.mistakes));
    (settled, rules, enabled)
}
