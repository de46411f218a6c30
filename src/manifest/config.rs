//! Config after precedence: what a file says of itself, over its properties, over its folders, over the defaults.

use serde_json::Value;

use super::layer::laid;
use super::{Deletes, Materialization, MergeConfig, OnSchemaChange, TestSeverity};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{Ident, Relation};
use crate::project::{ConfigOf, ConfigPatch, Environment, Flavour, Setting, unknown_setting};

/// The settings of one node, the strongest patch last in.
#[derive(Debug, Clone, Default)]
pub(super) struct Settled {
    settings: ConfigPatch,
    tags: Vec<String>,
    pub mistakes: Diagnostics,
}

impl Settled {
    /// Lays `patch` over what is there, by the rules of [`super::layer`]; tags add up.
    pub fn lay(&mut self, patch: &ConfigPatch) {
        for (key, setting) in patch {
            if key == "tags" {
                let tags = self.texts(setting);
                self.tags.extend(tags);
            } else {
                let laid = laid(key, self.settings.get(key), setting);
                self.settings.insert(key.clone(), laid);
            }
        }
    }

    /// Keys that config does not have; only a model's own `config()` can bring some, YAML was checked when it was read.
    pub fn check_keys(&mut self, patch: &ConfigPatch, (of, flavour): (ConfigOf, Flavour)) {
        for (key, setting) in patch {
            if !of.keys().contains(&key.as_str()) {
                self.mistakes.push(unknown_setting(key, (of, flavour)).at(setting.span.clone()));
            }
        }
    }

    pub fn tags(&self) -> Vec<String> {
        let mut tags = self.tags.clone();
        tags.sort();
        tags.dedup();
        tags
    }

    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.get(key).filter(|setting| !setting.value.is_null())
    }

    /// Everything, for `config.get()`.
    pub fn to_json(&self) -> serde_json::Map<String, Value> {
        self.settings.iter().map(|(key, setting)| (key.clone(), setting.value.clone())).collect()
    }

    pub(super) fn bad(&mut self, setting: &Setting, message: String) -> &mut Diagnostic {
        self.mistakes.push(Diagnostic::error(Code::BadConfig, message).at(setting.span.clone()));
        self.mistakes.0.last_mut().expect("it was pushed above")
    }

    pub fn text(&mut self, key: &str) -> Option<String> {
        let setting = self.get(key)?.clone();
        match setting.value {
            Value::String(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.bad(&setting, format!("\"{key}\" must be text"));
                None
            }
        }
    }

    pub(super) fn texts(&mut self, setting: &Setting) -> Vec<String> {
        match &setting.value {
            Value::String(text) => vec![text.clone()],
            Value::Array(items) if items.iter().all(Value::is_string) => {
                items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Value::Null => Vec::new(),
            Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                self.bad(setting, "expected text or a list of texts".to_owned());
                Vec::new()
            }
        }
    }

    pub fn ident(&mut self, key: &str) -> Option<Ident> {
        let text = self.text(key)?;
        let setting = self.get(key)?.clone();
        match Ident::new(text) {
            Ok(ident) => Some(ident),
            Err(error) => {
                self.bad(&setting, error.to_string());
                None
            }
        }
    }

    fn idents(&mut self, key: &str) -> Vec<Ident> {
        let Some(setting) = self.get(key).cloned() else { return Vec::new() };
        let mut idents = Vec::new();
        for text in self.texts(&setting) {
            match Ident::new(text) {
                Ok(ident) => idents.push(ident),
                Err(error) => {
                    self.bad(&setting, error.to_string());
                }
            }
        }
        idents
    }

    /// A map whose keys the user chooses.
    pub fn map(&mut self, key: &str) -> serde_json::Map<String, Value> {
        let Some(setting) = self.get(key).cloned() else { return serde_json::Map::new() };
        match setting.value {
            Value::Object(entries) => entries,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                self.bad(&setting, format!("\"{key}\" must be a map"));
                serde_json::Map::new()
            }
        }
    }

    /// Where the node is switched off, if it is.
    pub fn disabled(&mut self) -> Option<Span> {
        let setting = self.get("enabled")?.clone();
        match &setting.value {
            Value::Bool(true) => None,
            Value::Bool(false) => Some(setting.span),
            Value::Null | Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.bad(&setting, "\"enabled\" must be true or false".to_owned());
                None
            }
        }
    }

    pub fn materialization(&mut self, default: Materialization) -> Materialization {
        let Some(text) = self.text("materialized") else {
            return match default {
                Materialization::Merge(_) => Materialization::Merge(self.merge()),
                Materialization::Incremental(_) => Materialization::Incremental(self.incremental()),
                Materialization::Table
                | Materialization::View
                | Materialization::MaterializedView(_)
                | Materialization::Snapshot(_)
                | Materialization::Ephemeral => default,
            };
        };
        match text.as_str() {
            "merge" => Materialization::Merge(self.merge()),
            "table" => Materialization::Table,
            "view" => Materialization::View,
            "incremental" => Materialization::Incremental(self.incremental()),
            "ephemeral" => Materialization::Ephemeral,
            "materialized_view" => Materialization::MaterializedView(self.materialized_view()),
            other => {
                self.bad_choice(
                    "materialized",
                    other,
                    &["merge", "table", "view", "materialized_view", "incremental", "ephemeral"],
                );
                default
            }
        }
    }

    fn merge(&mut self) -> MergeConfig {
        let unique_key = self.idents("unique_key");
        let deletes = match self.text("deletes").as_deref() {
            None | Some("keep") => Deletes::Keep,
            Some("hard") => Deletes::Hard,
            Some("soft") => match self.ident("deleted_column") {
                Some(column) => Deletes::Soft { column },
                None => {
                    self.soft_without_column();
                    Deletes::Keep
                }
            },
            Some(other) => {
                self.bad_choice("deletes", other, &["keep", "soft", "hard"]);
                Deletes::Keep
            }
        };
        match self.on_schema_change() {
            OnSchemaChange::Ignore | OnSchemaChange::Fail => {}
            OnSchemaChange::AppendNewColumns | OnSchemaChange::SyncAllColumns => {
                self.refuse(
                    "on_schema_change",
                    "the application's table is never altered: \"on_schema_change\" can't be so",
                );
            }
        }
        MergeConfig {
            unique_key,
            deletes,
            bad_rows: self.bad_rows(),
            foreign: self.foreign(),
            on_conflict: self.on_conflict(),
            triggers: self.triggers(),
        }
    }

    fn soft_without_column(&mut self) {
        if let Some(setting) = self.get("deletes").cloned() {
            self.bad(&setting, "soft deletes need \"deleted_column\"".to_owned()).hint =
                Some("name the timestamp column that marks a row as deleted".to_owned());
        }
    }

    pub(super) fn bad_choice(&mut self, key: &str, written: &str, choices: &[&str]) {
        let Some(setting) = self.get(key).cloned() else { return };
        let mut diagnostic = Diagnostic::error(Code::BadConfig, format!("\"{written}\" is no value of \"{key}\""))
            .at(setting.span)
            .did_you_mean(written, choices.iter().copied());
        if diagnostic.hint.is_none() {
            diagnostic = diagnostic.hint(format!("it is one of {}", choices.join(", ")));
        }
        self.mistakes.push(diagnostic);
    }

    pub fn severity(&mut self) -> TestSeverity {
        match self.text("severity").map(|text| text.to_lowercase()).as_deref() {
            None | Some("error") => TestSeverity::Error,
            Some("warn") => TestSeverity::Warn,
            Some(other) => {
                self.bad_choice("severity", other, &["error", "warn"]);
                TestSeverity::Error
            }
        }
    }

    /// PostgreSQL reads and writes one database at a time.
    fn check_database(&mut self, environment: &Environment) {
        let dbname = &environment.target.dbname;
        let Some(name) = self.text("database").filter(|name| !dbname.is_empty() && name != dbname) else { return };
        let Some(setting) = self.get("database").cloned() else { return };
        self.bad(&setting, format!("database \"{name}\" is not the target's, \"{dbname}\""));
    }

    /// dbt's rule for relations that unimig owns: a custom schema is appended to the target's.
    pub fn own_relation(&mut self, environment: &Environment, stem: &str) -> Option<Relation> {
        self.check_database(environment);
        let target = &environment.target.schema;
        let schema = match self.ident("schema") {
            Some(custom) => self.joined(target, &custom)?,
            None => target.clone(),
        };
        Some(Relation::new(schema, self.relation_name(stem)?))
    }

    /// A merged table belongs to the application, so its schema is taken as it is written.
    pub fn application_relation(&mut self, environment: &Environment, stem: &str) -> Option<Relation> {
        self.check_database(environment);
        let schema = self.ident("schema").unwrap_or_else(|| environment.target.schema.clone());
        Some(Relation::new(schema, self.relation_name(stem)?))
    }

    fn joined(&mut self, target: &Ident, custom: &Ident) -> Option<Ident> {
        match Ident::new(format!("{}_{}", target.as_str(), custom.as_str())) {
            Ok(schema) => Some(schema),
            Err(error) => {
                let setting = self.get("schema")?.clone();
                self.bad(&setting, error.to_string());
                None
            }
        }
    }

    fn relation_name(&mut self, stem: &str) -> Option<Ident> {
        if self.get("alias").is_some() {
            return self.ident("alias");
        }
        match Ident::new(stem) {
            Ok(name) => Some(name),
            Err(error) => {
                self.mistakes.push(
                    Diagnostic::error(Code::BadValue, error.to_string()).hint("rename the file, or give an alias"),
                );
                None
            }
        }
    }
}
