//! Reads typed values out of a YAML tree and notes every mistake of form instead of stopping at the first.

use std::ops::Range;
use std::sync::Arc;

use super::Flavour;
use super::yaml::{Key, Yaml, YamlValue};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::ident::Ident;

/// Keys of dbt that unimig does not know yet: the hint says so.
const DBT_KEYS: &[&str] = &[
    "begin",
    "concurrent_batches",
    "defined_in",
    "granularity",
    "lookback",
    "overrides",
    "policy_tags",
    "saved_queries",
    "static_analysis",
    "time_spine",
    "batch_size",
    "external",
    "latest_version",
    "metrics",
    "saved-queries",
    "semantic-models",
    "semantic_models",
    "sql_header",
    "tables_suffix",
    "versions",
    "exposure-paths",
    "function-paths",
    "restrict-access",
];

/// Keys that the design has and a later piece brings; a project that relies on them must not run without them.
const PLANNED_KEYS: &[&str] =
    &["cutover", "file-paths", "hostaddr", "obfuscate", "options", "sslpassword", "target_session_attrs"];

/// One file's tree being read, and the mistakes found so far.
#[derive(Debug)]
pub struct Reader {
    pub file: Arc<SourceFile>,
    /// Whose rules hold for keys that nothing knows.
    pub flavour: Flavour,
    pub diagnostics: Diagnostics,
}

/// The entries of one map, by key.
pub struct Fields<'y> {
    entries: &'y [(Key, Yaml)],
    /// Where the map begins, for keys that are missing.
    at: Range<usize>,
    /// What the map describes, for messages: `source table`.
    what: &'static str,
}

impl Reader {
    pub fn new(file: Arc<SourceFile>) -> Self {
        Self { file, flavour: Flavour::Unimig, diagnostics: Diagnostics::default() }
    }

    /// A reader for a file of a project.
    pub fn within(flavour: Flavour, file: Arc<SourceFile>) -> Self {
        Self { flavour, ..Self::new(file) }
    }

    pub fn span(&self, range: &Range<usize>) -> Span {
        Span::new(&self.file, range.clone())
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn wrong_type(&mut self, yaml: &Yaml, wanted: &str) {
        let message = format!("expected {wanted}, found {}", yaml.value.kind());
        let span = self.span(&yaml.range);
        self.report(Diagnostic::error(Code::WrongType, message).at(span));
    }

    /// The map's entries after a check that every key is one of `known`.
    pub fn fields<'y>(&mut self, yaml: &'y Yaml, what: &'static str, known: &[&'static str]) -> Option<Fields<'y>> {
        #[cfg(test)]
        super::schema::recorded::note(what, known);
        let fields = self.open_fields(yaml, what)?;
        for (key, _) in fields.entries {
            if !known.contains(&key.name.as_str()) {
                self.unknown_key(key, what, known);
            }
        }
        Some(fields)
    }

    /// The entries of a map whose keys are names that the user chooses.
    pub fn open_fields<'y>(&mut self, yaml: &'y Yaml, what: &'static str) -> Option<Fields<'y>> {
        match &yaml.value {
            YamlValue::Map(entries) => Some(Fields { entries, at: yaml.range.clone(), what }),
            YamlValue::Null => Some(Fields { entries: &[], at: yaml.range.clone(), what }),
            YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) | YamlValue::List(_) => {
                self.wrong_type(yaml, "a map");
                None
            }
        }
    }

    pub fn unknown_key(&mut self, key: &Key, what: &str, known: &[&'static str]) {
        let diagnostic = unknown_key(&key.name, what, known).at(self.span(&key.range));
        self.report(diagnostic);
    }

    /// The items of a list; nothing at all is the empty list.
    pub fn list<'y>(&mut self, yaml: &'y Yaml) -> &'y [Yaml] {
        match &yaml.value {
            YamlValue::List(items) => items,
            YamlValue::Null => &[],
            YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) | YamlValue::Map(_) => {
                self.wrong_type(yaml, "a list");
                &[]
            }
        }
    }

    pub fn text(&mut self, yaml: &Yaml) -> Option<String> {
        match &yaml.value {
            YamlValue::Text(text) => Some(text.clone()),
            YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::List(_) | YamlValue::Map(_) => {
                self.wrong_type(yaml, "text");
                None
            }
        }
    }

    /// Text, or a number or boolean as the file spells it.
    pub fn scalar(&mut self, yaml: &Yaml) -> Option<String> {
        match &yaml.value {
            YamlValue::Text(text) => Some(text.clone()),
            YamlValue::Bool(_) | YamlValue::Number(_) => Some(self.span(&yaml.range).text().trim().to_owned()),
            YamlValue::Null | YamlValue::List(_) | YamlValue::Map(_) => {
                self.wrong_type(yaml, "text");
                None
            }
        }
    }

    pub fn boolean(&mut self, yaml: &Yaml) -> Option<bool> {
        match &yaml.value {
            YamlValue::Bool(value) => Some(*value),
            YamlValue::Null | YamlValue::Text(_) | YamlValue::Number(_) | YamlValue::List(_) | YamlValue::Map(_) => {
                self.wrong_type(yaml, "true or false");
                None
            }
        }
    }

    /// A name that PostgreSQL can hold.
    pub fn ident(&mut self, yaml: &Yaml) -> Option<Ident> {
        let text = self.text(yaml)?;
        match Ident::new(text) {
            Ok(ident) => Some(ident),
            Err(error) => {
                let span = self.span(&yaml.range);
                self.report(Diagnostic::error(Code::BadValue, error.to_string()).at(span));
                None
            }
        }
    }

    /// One name, or a list of names.
    pub fn idents(&mut self, yaml: &Yaml) -> Vec<Ident> {
        match &yaml.value {
            YamlValue::List(items) => items.iter().filter_map(|item| self.ident(item)).collect(),
            YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) | YamlValue::Map(_) => {
                self.ident(yaml).into_iter().collect()
            }
        }
    }

    /// One text, or a list of texts.
    pub fn texts(&mut self, yaml: &Yaml) -> Vec<String> {
        match &yaml.value {
            YamlValue::List(items) => items.iter().filter_map(|item| self.scalar(item)).collect(),
            YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) | YamlValue::Map(_) => {
                self.scalar(yaml).into_iter().collect()
            }
        }
    }

    pub fn missing_key(&mut self, fields: &Fields<'_>, key: &str) -> Diagnostic {
        Diagnostic::error(Code::MissingKey, format!("{} needs the key \"{key}\"", fields.what))
            .at(self.span(&fields.at))
    }

    /// The value of a key that must be there.
    pub fn required<'y>(&mut self, fields: &Fields<'y>, key: &str) -> Option<&'y Yaml> {
        let found = fields.get(key);
        if found.is_none() {
            let diagnostic = self.missing_key(fields, key);
            self.report(diagnostic);
        }
        found
    }
}

impl<'y> Fields<'y> {
    /// The value of a key; a key without a value counts as absent.
    pub fn get(&self, key: &str) -> Option<&'y Yaml> {
        self.entries
            .iter()
            .find(|(name, _)| name.name == key)
            .map(|(_, value)| value)
            .filter(|value| value.value != YamlValue::Null)
    }

    pub fn entries(&self) -> &'y [(Key, Yaml)] {
        self.entries
    }
}

/// A key that nothing knows: the nearest known one, word of dbt's and planned keys, or the list of known ones.
pub fn unknown_key(key: &str, what: &str, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::UnknownKey, format!("{what} has no key \"{key}\""));
    let bare = key.trim_start_matches('+');
    if DBT_KEYS.contains(&bare) {
        return diagnostic.hint(format!("dbt's \"{bare}\" is not supported yet"));
    }
    if PLANNED_KEYS.contains(&bare) {
        return diagnostic.hint(format!("\"{bare}\" is not supported yet"));
    }
    let diagnostic = diagnostic.did_you_mean(bare, known.iter().copied());
    match diagnostic.hint {
        Some(_) => diagnostic,
        None => diagnostic.hint(format!("known keys: {}", known.join(", "))),
    }
}
