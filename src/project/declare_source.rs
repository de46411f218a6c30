//! Sources as YAML files declare them: those that are staged from another database and those that are plain tables of
//! the target, as in dbt. Which of the two a source is depends on the profile, so it is settled later.

use super::config::ConfigPatch;
use super::config_keys::ConfigOf;
use super::declare::{ColumnDecl, TestDecl, Written};
use super::declare_capture::{CdcDecl, DeletesDecl, DriftDecl, QuarantineDecl};
use super::fields::{Fields, Reader};
use super::yaml::Yaml;
use super::{Quoting, config};
use crate::ident::Ident;

/// A source: a system of its own, or a schema of the target.
#[derive(Debug, Clone)]
pub struct SourceDecl {
    pub name: Written<String>,
    pub description: Option<Written<String>>,
    pub connection: Option<Written<String>>,
    /// May hold templates, like dbt's.
    pub database: Option<Written<String>>,
    pub schema: Option<Written<String>>,
    pub stg_schema: Option<Ident>,
    pub cdc: Option<CdcDecl>,
    pub deletes: Option<DeletesDecl>,
    pub drift: Option<DriftDecl>,
    pub checksum: Option<Written<String>>,
    pub quarantine: Option<QuarantineDecl>,
    pub properties: SourcePropertiesDecl,
    pub tables: Vec<TableDecl>,
}

/// A table of a source.
#[derive(Debug, Clone)]
pub struct TableDecl {
    pub name: Written<Ident>,
    pub identifier: Option<Written<String>>,
    pub description: Option<Written<String>>,
    pub key: Vec<Ident>,
    pub cdc: Option<CdcDecl>,
    pub deletes: Option<DeletesDecl>,
    pub drift: Option<DriftDecl>,
    pub checksum: Option<Written<String>>,
    pub quarantine: Option<QuarantineDecl>,
    pub properties: SourcePropertiesDecl,
    pub columns: Vec<ColumnDecl>,
    pub tests: Vec<TestDecl>,
}

/// What dbt lets a source say, and each of its tables say otherwise.
#[derive(Debug, Clone, Default)]
pub struct SourcePropertiesDecl {
    pub loader: Option<String>,
    pub quoting: Quoting,
    /// `enabled`, `tags`, `meta`, `freshness`, `loaded_at_field`, `loaded_at_query` and `event_time`, wherever they
    /// stand.
    pub config: ConfigPatch,
}

impl SourceDecl {
    /// Whether the declaration says things that make sense of a staged source only.
    pub fn speaks_of_staging(&self) -> bool {
        let of_table = |table: &TableDecl| {
            !table.key.is_empty()
                || table.cdc.is_some()
                || table.deletes.is_some()
                || table.drift.is_some()
                || table.quarantine.is_some()
        };
        self.connection.is_some()
            || self.stg_schema.is_some()
            || self.cdc.is_some()
            || self.deletes.is_some()
            || self.drift.is_some()
            || self.quarantine.is_some()
            || self.tables.iter().any(of_table)
    }
}

const DRIFT_OF_SOURCE: [&str; 6] = ["added", "dropped", "retyped", "renamed", "labels", "tables"];
const DRIFT_OF_TABLE: [&str; 5] = ["added", "dropped", "retyped", "renamed", "labels"];

const PROPERTY_KEYS: [&str; 7] =
    ["tags", "meta", "freshness", "loaded_at_field", "loaded_at_query", "enabled", "event_time"];

impl Reader {
    pub(super) fn source(&mut self, yaml: &Yaml) -> Option<SourceDecl> {
        const KEYS: &[&str] = &[
            "name",
            "description",
            "connection",
            "database",
            "schema",
            "stg_schema",
            "cdc",
            "deletes",
            "drift",
            "checksum",
            "quarantine",
            "tables",
            "tags",
            "meta",
            "config",
            "loader",
            "quoting",
            "freshness",
            "loaded_at_field",
            "loaded_at_query",
        ];
        let fields = self.fields(yaml, "source", KEYS)?;
        let name = self.required(&fields, "name").and_then(|name| self.written_text(name));
        let mut text = |key: &str| fields.get(key).and_then(|value| self.written_text(value));
        let (description, connection) = (text("description"), text("connection"));
        let (database, schema) = (text("database"), text("schema"));
        let stg_schema = fields.get("stg_schema").and_then(|value| self.ident(value));
        let cdc = fields.get("cdc").and_then(|value| self.cdc(value));
        let deletes = fields.get("deletes").and_then(|value| self.deletes(value));
        let drift = fields.get("drift").and_then(|value| self.drift(value, &DRIFT_OF_SOURCE));
        let checksum = fields.get("checksum").and_then(|value| self.written_text(value));
        let quarantine = fields.get("quarantine").and_then(|value| self.quarantine(value));
        let properties = self.source_properties(&fields);
        let tables = match fields.get("tables") {
            Some(tables) => self.list(tables).iter().filter_map(|table| self.source_table(table)).collect(),
            None => Vec::new(),
        };
        Some(SourceDecl {
            name: name?,
            description,
            connection,
            database,
            schema,
            stg_schema,
            cdc,
            deletes,
            drift,
            checksum,
            quarantine,
            properties,
            tables,
        })
    }

    fn source_table(&mut self, yaml: &Yaml) -> Option<TableDecl> {
        const KEYS: &[&str] = &[
            "name",
            "identifier",
            "description",
            "key",
            "cdc",
            "deletes",
            "drift",
            "checksum",
            "quarantine",
            "columns",
            "data_tests",
            "tests",
            "tags",
            "meta",
            "config",
            "loader",
            "quoting",
            "freshness",
            "loaded_at_field",
            "loaded_at_query",
        ];
        let fields = self.fields(yaml, "source table", KEYS)?;
        let name = self.required(&fields, "name").and_then(|name| self.written_ident(name));
        let mut text = |key: &str| fields.get(key).and_then(|value| self.written_text(value));
        let (identifier, description) = (text("identifier"), text("description"));
        let key = fields.get("key").map(|value| self.idents(value)).unwrap_or_default();
        let cdc = fields.get("cdc").and_then(|value| self.cdc(value));
        let deletes = fields.get("deletes").and_then(|value| self.deletes(value));
        let drift = fields.get("drift").and_then(|value| self.drift(value, &DRIFT_OF_TABLE));
        let checksum = fields.get("checksum").and_then(|value| self.written_text(value));
        let quarantine = fields.get("quarantine").and_then(|value| self.quarantine(value));
        let properties = self.source_properties(&fields);
        let columns = self.columns(&fields);
        let tests = self.tests(&fields);
        Some(TableDecl {
            name: name?,
            identifier,
            description,
            key,
            cdc,
            deletes,
            drift,
            checksum,
            quarantine,
            properties,
            columns,
            tests,
        })
    }

    /// dbt has moved these from beside the name into `config:`; both places are read, and `config:` wins.
    fn source_properties(&mut self, fields: &Fields<'_>) -> SourcePropertiesDecl {
        let mut config = ConfigPatch::new();
        for (key, value) in fields.entries().iter().filter(|(key, _)| PROPERTY_KEYS.contains(&key.name.as_str())) {
            let setting = config::Setting { value: value.to_json(), span: self.span(&key.range) };
            config.insert(key.name.clone(), setting);
        }
        if let Some(value) = fields.get("config") {
            config.extend(self.config(value, ConfigOf::Source));
        }
        SourcePropertiesDecl {
            loader: fields.get("loader").and_then(|value| self.scalar(value)),
            quoting: fields.get("quoting").map(|value| self.quoting(value)).unwrap_or_default(),
            config,
        }
    }
}
