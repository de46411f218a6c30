//! What YAML files declare: sources with their tables, properties of models and seeds, and data tests; as written.

use std::sync::Arc;

use super::config::{ConfigOf, ConfigPatch};
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

/// A source system of `sources/*.yml`.
#[derive(Debug, Clone)]
pub struct SourceDecl {
    pub name: Written<String>,
    pub connection: Option<Written<String>>,
    pub schema: Option<Ident>,
    pub stg_schema: Option<Ident>,
    pub cdc: Option<CdcDecl>,
    pub tags: Vec<String>,
    /// A map, or nothing.
    pub meta: serde_json::Value,
    pub tables: Vec<TableDecl>,
}

/// A table of a source.
#[derive(Debug, Clone)]
pub struct TableDecl {
    pub name: Written<Ident>,
    pub identifier: Option<Ident>,
    pub description: String,
    pub key: Vec<Ident>,
    pub cdc: Option<CdcDecl>,
    /// Over and above the source's.
    pub tags: Vec<String>,
    pub meta: serde_json::Value,
    pub columns: Vec<ColumnDecl>,
    pub tests: Vec<TestDecl>,
}

/// `cdc:` as written; what a strategy needs is checked when the table's is settled.
#[derive(Debug, Clone)]
pub struct CdcDecl {
    pub strategy: Written<String>,
    pub columns: Vec<Ident>,
    pub window: Option<Written<String>>,
}

#[derive(Debug, Clone)]
pub struct ColumnDecl {
    pub name: Written<Ident>,
    pub data_type: Option<String>,
    pub description: String,
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
}

/// What a YAML file of the project declares.
#[derive(Debug, Default)]
pub struct Declarations {
    pub sources: Vec<SourceDecl>,
    pub models: Vec<PropertyDecl>,
    pub seeds: Vec<PropertyDecl>,
}

const TEST_SETTINGS: &[&str] = &["severity", "where", "enabled", "tags", "meta"];

impl Reader {
    /// Reads the file's declarations from its tree.
    pub fn declarations(&mut self, yaml: &Yaml) -> Declarations {
        let mut declared = Declarations::default();
        let Some(fields) = self.fields(yaml, "property file", &["version", "sources", "models", "seeds"]) else {
            return declared;
        };
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
        declared
    }

    fn source(&mut self, yaml: &Yaml) -> Option<SourceDecl> {
        const KEYS: &[&str] =
            &["name", "description", "connection", "schema", "stg_schema", "cdc", "tables", "tags", "meta"];
        let fields = self.fields(yaml, "source", KEYS)?;
        let name = self.required(&fields, "name").and_then(|name| self.written_text(name));
        let connection = fields.get("connection").and_then(|value| self.written_text(value));
        let schema = fields.get("schema").and_then(|value| self.ident(value));
        let stg_schema = fields.get("stg_schema").and_then(|value| self.ident(value));
        let cdc = fields.get("cdc").and_then(|value| self.cdc(value));
        let tables = match self.required(&fields, "tables") {
            Some(tables) => self.list(tables).iter().filter_map(|table| self.table(table)).collect(),
            None => Vec::new(),
        };
        let (tags, meta) = (self.tags(&fields), Self::meta(&fields));
        Some(SourceDecl { name: name?, connection, schema, stg_schema, cdc, tags, meta, tables })
    }

    fn table(&mut self, yaml: &Yaml) -> Option<TableDecl> {
        const KEYS: &[&str] =
            &["name", "identifier", "description", "key", "cdc", "columns", "data_tests", "tests", "tags", "meta"];
        let fields = self.fields(yaml, "source table", KEYS)?;
        let name = self.required(&fields, "name").and_then(|name| self.written_ident(name));
        let identifier = fields.get("identifier").and_then(|value| self.ident(value));
        let key = fields.get("key").map(|value| self.idents(value)).unwrap_or_default();
        if key.is_empty()
            && fields.get("key").is_none_or(|key| matches!(&key.value, YamlValue::List(list) if list.is_empty()))
        {
            let mut diagnostic = self.missing_key(&fields, "key").hint(KEY_HINT);
            if let Some(name) = &name {
                diagnostic.message = format!("source table \"{}\" needs the key \"key\"", name.value.as_str());
                diagnostic.span = Some(name.span.clone());
            }
            self.report(diagnostic);
        }
        let cdc = fields.get("cdc").and_then(|value| self.cdc(value));
        let description = self.description(&fields);
        let columns = self.columns(&fields);
        let tests = self.tests(&fields);
        let (tags, meta) = (self.tags(&fields), Self::meta(&fields));
        Some(TableDecl { name: name?, identifier, description, key, cdc, tags, meta, columns, tests })
    }

    fn tags(&mut self, fields: &Fields<'_>) -> Vec<String> {
        fields.get("tags").map(|tags| self.texts(tags)).unwrap_or_default()
    }

    fn meta(fields: &Fields<'_>) -> serde_json::Value {
        fields.get("meta").map(Yaml::to_json).unwrap_or_default()
    }

    fn cdc(&mut self, yaml: &Yaml) -> Option<CdcDecl> {
        let fields = self.fields(yaml, "cdc", &["strategy", "columns", "window"])?;
        let strategy = self.required(&fields, "strategy").and_then(|value| self.written_text(value));
        let columns = fields.get("columns").map(|value| self.idents(value)).unwrap_or_default();
        let window = fields.get("window").and_then(|value| self.written_text(value));
        Some(CdcDecl { strategy: strategy?, columns, window })
    }

    fn property(&mut self, yaml: &Yaml, of: ConfigOf) -> Option<PropertyDecl> {
        const KEYS: &[&str] = &["name", "description", "config", "columns", "data_tests", "tests", "tags", "meta"];
        let what = match of {
            ConfigOf::Model => "model",
            ConfigOf::Seed => "seed",
            ConfigOf::Test => "test",
        };
        let fields = self.fields(yaml, what, KEYS)?;
        let name = self.required(&fields, "name").and_then(|name| self.written_text(name));
        let description = self.description(&fields);
        let mut config = fields.get("config").map(|value| self.config(value, of)).unwrap_or_default();
        for key in ["tags", "meta"] {
            if let Some(value) = fields.get(key) {
                let setting = super::config::Setting { value: value.to_json(), span: self.span(&value.range) };
                config.entry(key.to_owned()).or_insert(setting);
            }
        }
        let columns = self.columns(&fields);
        let tests = self.tests(&fields);
        Some(PropertyDecl { name: name?, description, config, columns, tests })
    }

    fn description(&mut self, fields: &Fields<'_>) -> String {
        fields.get("description").and_then(|value| self.scalar(value)).unwrap_or_default()
    }

    fn columns(&mut self, fields: &Fields<'_>) -> Vec<ColumnDecl> {
        let Some(columns) = fields.get("columns") else { return Vec::new() };
        self.list(columns).iter().filter_map(|column| self.column(column)).collect()
    }

    fn column(&mut self, yaml: &Yaml) -> Option<ColumnDecl> {
        const KEYS: &[&str] = &["name", "data_type", "description", "data_tests", "tests", "tags", "meta"];
        let fields = self.fields(yaml, "column", KEYS)?;
        let name = self.required(&fields, "name").and_then(|name| self.written_ident(name));
        let data_type = fields.get("data_type").and_then(|value| self.text(value));
        let description = self.description(&fields);
        let tests = self.tests(&fields);
        Some(ColumnDecl { name: name?, data_type, description, tests })
    }

    fn tests(&mut self, fields: &Fields<'_>) -> Vec<TestDecl> {
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
            "description" => {}
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

    fn written_ident(&mut self, yaml: &Yaml) -> Option<Written<Ident>> {
        let value = self.ident(yaml)?;
        Some(Written { value, span: self.span(&yaml.range) })
    }
}

impl TestDecl {
    fn plain(kind: Written<String>, file: &Arc<SourceFile>) -> Self {
        Self { kind, name: None, arguments: Vec::new(), config: ConfigPatch::new(), file: Arc::clone(file) }
    }
}

/// Keys that may stand beside the kind rather than under it.
const TEST_SIDE_KEYS: &[&str] =
    &["name", "config", "description", "severity", "where", "arguments", "enabled", "tags", "meta"];

const KEY_HINT: &str = "name the columns that identify a row, as in \"key: [id]\"";
