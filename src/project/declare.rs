//! What YAML files declare: sources with their tables, properties of models and seeds, and data tests; as written.

use std::sync::Arc;

use super::config::ConfigPatch;
use super::config_keys::ConfigOf;
use super::declare_crosswalk::CrosswalkDecl;
use super::declare_properties::{ConstraintDecl, ExposureDecl, FILE_KEYS, GroupDecl, MacroDecl, property_keys};
use super::declare_snapshot::SnapshotDecl;
use super::declare_source::SourceDecl;
use super::declare_unit_test::UnitTestDecl;
use super::fields::{Fields, Reader};
use super::yaml::{Yaml, YamlValue};
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::ident::Ident;

/// A text and its place.
#[derive(Debug, Clone)]
pub struct Written<T> {
    pub value: T,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub struct ColumnDecl {
    pub name: Written<Ident>,
    pub data_type: Option<String>,
    pub description: String,
    pub constraints: Vec<ConstraintDecl>,
    /// Whether contracts and tests quote the name; unimig quotes every name that needs it.
    pub quote: Option<bool>,
    pub tags: Vec<String>,
    pub meta: serde_json::Value,
    pub tests: Vec<TestDecl>,
}

/// An item of `data_tests:`.
#[derive(Debug, Clone)]
pub struct TestDecl {
    /// `not_null`, or with a `dbt.` before it as dbt allows.
    pub kind: Written<String>,
    pub name: Option<Written<String>>,
    pub arguments: Vec<(Written<String>, Yaml)>,
    pub config: ConfigPatch,
    pub description: String,
    pub file: Arc<SourceFile>,
}

/// What a property file says about a model or seed.
#[derive(Debug, Clone)]
pub struct PropertyDecl {
    pub name: Written<String>,
    pub description: String,
    pub config: ConfigPatch,
    pub columns: Vec<ColumnDecl>,
    pub tests: Vec<TestDecl>,
    pub constraints: Vec<ConstraintDecl>,
    /// A date, as written.
    pub deprecation_date: Option<Written<String>>,
}

/// What a YAML file of the project declares.
#[derive(Debug, Default)]
pub struct Declarations {
    pub sources: Vec<SourceDecl>,
    pub models: Vec<PropertyDecl>,
    pub seeds: Vec<PropertyDecl>,
    pub snapshots: Vec<SnapshotDecl>,
    /// Of singular tests.
    pub tests: Vec<PropertyDecl>,
    pub analyses: Vec<PropertyDecl>,
    pub exposures: Vec<ExposureDecl>,
    pub groups: Vec<GroupDecl>,
    pub macros: Vec<MacroDecl>,
    pub unit_tests: Vec<UnitTestDecl>,
    /// Of the crosswalk folders, which have files of their own.
    pub crosswalks: Vec<CrosswalkDecl>,
}

impl Declarations {
    /// Adds what another file declares.
    pub fn extend(&mut self, other: Self) {
        let Self {
            sources,
            models,
            seeds,
            snapshots,
            tests,
            analyses,
            exposures,
            groups,
            macros,
            unit_tests,
            crosswalks,
        } = other;
        self.crosswalks.extend(crosswalks);
        self.snapshots.extend(snapshots);
        self.tests.extend(tests);
        self.sources.extend(sources);
        self.models.extend(models);
        self.seeds.extend(seeds);
        self.analyses.extend(analyses);
        self.exposures.extend(exposures);
        self.groups.extend(groups);
        self.macros.extend(macros);
        self.unit_tests.extend(unit_tests);
    }
}

/// Settings of a test that may stand outside of `config:`, as in older projects.
const TEST_SETTINGS: &[&str] = &[
    "severity",
    "where",
    "enabled",
    "tags",
    "meta",
    "warn_if",
    "error_if",
    "fail_calc",
    "limit",
    "store_failures",
    "store_failures_as",
    "database",
    "schema",
    "alias",
];

impl Reader {
    /// Reads the file's declarations from its tree.
    pub fn declarations(&mut self, yaml: &Yaml) -> Declarations {
        let mut declared = Declarations::default();
        let Some(fields) = self.fields(yaml, "property file", FILE_KEYS) else {
            return declared;
        };
        self.declarations_beside(&fields, &mut declared);
        if let Some(sources) = fields.get("sources") {
            declared.sources = self.list(sources).iter().filter_map(|item| self.source(item)).collect();
        }
        if let Some(models) = fields.get("models") {
            declared.models =
                self.list(models).iter().filter_map(|item| self.property(item, ConfigOf::Model)).collect();
        }
        if let Some(seeds) = fields.get("seeds") {
            declared.seeds = self.list(seeds).iter().filter_map(|item| self.property(item, ConfigOf::Seed)).collect();
        }
        if let Some(snapshots) = fields.get("snapshots") {
            declared.snapshots = self.list(snapshots).iter().filter_map(|item| self.snapshot(item)).collect();
        }
        if let Some(tests) = fields.get("unit_tests") {
            declared.unit_tests = self.list(tests).iter().filter_map(|item| self.unit_test(item)).collect();
        }
        for key in ["data_tests", "tests"] {
            if let Some(tests) = fields.get(key) {
                let tests = self.list(tests).iter().filter_map(|item| self.property(item, ConfigOf::Test));
                declared.tests.extend(tests.collect::<Vec<_>>());
            }
        }
        declared
    }

    pub(super) fn property(&mut self, yaml: &Yaml, of: ConfigOf) -> Option<PropertyDecl> {
        let what = match of {
            ConfigOf::Model => "model",
            ConfigOf::Seed => "seed",
            ConfigOf::Snapshot => "snapshot",
            ConfigOf::Analysis => "analysis",
            ConfigOf::Test | ConfigOf::UnitTest | ConfigOf::Source | ConfigOf::Exposure => "singular test",
        };
        let fields = self.fields(yaml, what, property_keys(of))?;
        let name = self.required(&fields, "name").and_then(|name| self.written_text(name));
        let description = self.description(&fields);
        let mut config = fields.get("config").map(|value| self.config(value, of)).unwrap_or_default();
        self.side_settings(&fields, &mut config);
        let columns = self.columns(&fields);
        let tests = self.tests(&fields);
        let constraints = self.constraints(&fields);
        let deprecation_date = fields.get("deprecation_date").and_then(|value| self.written_text(value));
        Some(PropertyDecl { name: name?, description, config, columns, tests, constraints, deprecation_date })
    }

    pub(super) fn description(&mut self, fields: &Fields<'_>) -> String {
        fields.get("description").and_then(|value| self.scalar(value)).unwrap_or_default()
    }

    pub(super) fn columns(&mut self, fields: &Fields<'_>) -> Vec<ColumnDecl> {
        let Some(columns) = fields.get("columns") else { return Vec::new() };
        self.list(columns).iter().filter_map(|column| self.column(column)).collect()
    }

    fn column(&mut self, yaml: &Yaml) -> Option<ColumnDecl> {
        const KEYS: &[&str] = &[
            "name",
            "data_type",
            "description",
            "data_tests",
            "tests",
            "tags",
            "meta",
            "config",
            "constraints",
            "quote",
        ];
        let fields = self.fields(yaml, "column", KEYS)?;
        let name = self.required(&fields, "name").and_then(|name| self.written_ident(name));
        let config = match fields.get("config") {
            Some(config) => self.fields(config, "column config", &["tags", "meta"]),
            None => None,
        };
        let tags = config.as_ref().and_then(|config| config.get("tags")).or(fields.get("tags"));
        Some(ColumnDecl {
            name: name?,
            data_type: fields.get("data_type").and_then(|value| self.text(value)),
            description: self.description(&fields),
            constraints: self.constraints(&fields),
            quote: fields.get("quote").and_then(|value| self.boolean(value)),
            tags: tags.map(|tags| self.texts(tags)).unwrap_or_default(),
            meta: self.meta_of(&fields),
            tests: self.tests(&fields),
        })
    }

    pub(super) fn tests(&mut self, fields: &Fields<'_>) -> Vec<TestDecl> {
        let mut tests = Vec::new();
        for key in ["data_tests", "tests"] {
            if let Some(list) = fields.get(key) {
                tests.extend(self.list(list).iter().filter_map(|item| self.test(item)));
            }
        }
        tests
    }

    /// dbt's forms: `unique`, or a map from the kind to its arguments, or a map with the kind under `test_name`.
    fn test(&mut self, yaml: &Yaml) -> Option<TestDecl> {
        if let YamlValue::Text(kind) = &yaml.value {
            let kind = Written { value: kind.clone(), span: self.span(&yaml.range) };
            return Some(TestDecl::plain(kind, &self.file));
        }
        let fields = self.open_fields(yaml, "test")?;
        if let Some(kind) = fields.get("test_name") {
            let mut test = TestDecl::plain(self.written_text(kind)?, &self.file);
            for (key, value) in fields.entries().iter().filter(|(key, _)| key.name != "test_name") {
                self.test_entry(&key.name, &self.span(&key.range), (value, &mut test));
            }
            return Some(test);
        }
        let Some((kind, body)) = fields.entries().iter().find(|(key, _)| !TEST_SIDE_KEYS.contains(&key.name.as_str()))
        else {
            let diagnostic = Diagnostic::error(Code::WrongType, "a test needs a kind").at(self.span(&yaml.range));
            self.report(diagnostic);
            return None;
        };
        let kind = Written { value: kind.name.clone(), span: self.span(&kind.range) };
        let mut test = TestDecl::plain(kind, &self.file);
        self.test_body(body, &mut test);
        for (key, value) in fields.entries().iter().filter(|(key, _)| TEST_SIDE_KEYS.contains(&key.name.as_str())) {
            self.test_entry(&key.name, &self.span(&key.range), (value, &mut test));
        }
        Some(test)
    }

    fn test_body(&mut self, body: &Yaml, test: &mut TestDecl) {
        let Some(fields) = self.open_fields(body, "test") else { return };
        for (key, value) in fields.entries() {
            self.test_entry(&key.name, &self.span(&key.range), (value, test));
        }
    }

    fn test_entry(&mut self, key: &str, span: &Span, (value, test): (&Yaml, &mut TestDecl)) {
        match key {
            "arguments" => self.test_arguments(value, test),
            "config" => test.config.extend(self.config(value, ConfigOf::Test)),
            "name" => test.name = self.written_text(value),
            "description" => test.description = self.scalar(value).unwrap_or_default(),
            _ if TEST_SETTINGS.contains(&key) => {
                let setting = super::config::Setting { value: value.to_json(), span: self.span(&value.range) };
                test.config.insert(key.to_owned(), setting);
            }
            _ => test.arguments.push((Written { value: key.to_owned(), span: span.clone() }, value.clone())),
        }
    }

    fn test_arguments(&mut self, yaml: &Yaml, test: &mut TestDecl) {
        let Some(fields) = self.open_fields(yaml, "test arguments") else { return };
        for (key, value) in fields.entries() {
            let name = Written { value: key.name.clone(), span: self.span(&key.range) };
            test.arguments.push((name, value.clone()));
        }
    }

    pub fn written_text(&mut self, yaml: &Yaml) -> Option<Written<String>> {
        let value = self.scalar(yaml)?;
        Some(Written { value, span: self.span(&yaml.range) })
    }

    pub(super) fn written_ident(&mut self, yaml: &Yaml) -> Option<Written<Ident>> {
        let value = self.ident(yaml)?;
        Some(Written { value, span: self.span(&yaml.range) })
    }
}

impl TestDecl {
    fn plain(kind: Written<String>, file: &Arc<SourceFile>) -> Self {
        Self {
            kind,
            name: None,
            arguments: Vec::new(),
            config: ConfigPatch::new(),
            description: String::new(),
            file: Arc::clone(file),
        }
    }
}

/// Keys that may stand beside the kind rather than under it.
const TEST_SIDE_KEYS: &[&str] =
    &["name", "config", "description", "severity", "where", "arguments", "enabled", "tags", "meta"];
