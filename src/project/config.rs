//! Config as it is written, in a folder tree, in a property file or in a model, before precedence settles it.

use std::collections::BTreeMap;

use super::fields::{Reader, unknown_key};
use super::yaml::{Key, Yaml, YamlValue};
use crate::diagnostic::{Code, Diagnostic, Span};

/// One setting's value and the place that gave it.
#[derive(Debug, Clone)]
pub struct Setting {
    pub value: serde_json::Value,
    pub span: Span,
}

/// The settings of one place, by key without `+`.
pub type ConfigPatch = BTreeMap<String, Setting>;

/// `models:`, `seeds:` or `tests:` of the project file: settings per folder, the deepest wins.
#[derive(Debug, Clone, Default)]
pub struct FolderConfig {
    pub settings: ConfigPatch,
    pub folders: BTreeMap<String, FolderConfig>,
}

/// Which keys a config may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigOf {
    Model,
    Seed,
    Test,
}

impl ConfigOf {
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            ConfigOf::Model => &[
                "materialized",
                "schema",
                "alias",
                "unique_key",
                "deletes",
                "deleted_column",
                "incremental_strategy",
                "incremental_predicates",
                "predicates",
                "merge_update_columns",
                "merge_exclude_columns",
                "on_schema_change",
                "full_refresh",
                "enabled",
                "tags",
                "description",
                "meta",
            ],
            ConfigOf::Seed => {
                &["schema", "alias", "enabled", "tags", "description", "meta", "column_types", "delimiter"]
            }
            ConfigOf::Test => &["enabled", "severity", "where", "tags", "meta", "name", "description"],
        }
    }

    pub fn what(self) -> &'static str {
        match self {
            ConfigOf::Model => "model config",
            ConfigOf::Seed => "seed config",
            ConfigOf::Test => "test config",
        }
    }
}

impl FolderConfig {
    /// The patches that apply to a file in `folders`, the outermost first.
    pub fn along<'c>(&'c self, folders: &[&str]) -> Vec<&'c ConfigPatch> {
        let mut patches = vec![&self.settings];
        let mut place = self;
        for folder in folders {
            match place.folders.get(*folder) {
                Some(inner) => {
                    patches.push(&inner.settings);
                    place = inner;
                }
                None => break,
            }
        }
        patches
    }
}

impl Reader {
    /// A `config:` map.
    pub fn config(&mut self, yaml: &Yaml, of: ConfigOf) -> ConfigPatch {
        let Some(fields) = self.fields(yaml, of.what(), of.keys()) else { return ConfigPatch::new() };
        fields.entries().iter().map(|(key, value)| (key.name.clone(), self.setting(key, value))).collect()
    }

    fn setting(&self, key: &Key, value: &Yaml) -> Setting {
        let range = match value.value {
            YamlValue::Null | YamlValue::List(_) | YamlValue::Map(_) => &key.range,
            YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) => &value.range,
        };
        Setting { value: value.to_json(), span: self.span(range) }
    }

    /// The tree under `models:` of the project file, whose first level is the project's name.
    pub fn folder_config(&mut self, yaml: &Yaml, project: &str, of: ConfigOf) -> FolderConfig {
        let mut tree = FolderConfig::default();
        let Some(fields) = self.open_fields(yaml, of.what()) else { return tree };
        for (key, value) in fields.entries() {
            if key.name == project {
                let inner = self.folder(value, of);
                tree.settings.extend(inner.settings);
                tree.folders = inner.folders;
            } else if is_setting(&key.name, of) {
                tree.settings.insert(key.name.trim_start_matches('+').to_owned(), self.setting(key, value));
            } else {
                let diagnostic =
                    Diagnostic::error(Code::UnknownKey, format!("{} has no key \"{}\"", of.what(), key.name))
                        .at(self.span(&key.range))
                        .hint(format!("settings of folders stand under the project's name, \"{project}\""));
                self.report(diagnostic);
            }
        }
        tree
    }

    fn folder(&mut self, yaml: &Yaml, of: ConfigOf) -> FolderConfig {
        let mut tree = FolderConfig::default();
        let Some(fields) = self.open_fields(yaml, of.what()) else { return tree };
        for (key, value) in fields.entries() {
            if is_setting(&key.name, of) {
                tree.settings.insert(key.name.trim_start_matches('+').to_owned(), self.setting(key, value));
            } else if !key.name.starts_with('+') && matches!(value.value, YamlValue::Map(_)) {
                tree.folders.insert(key.name.clone(), self.folder(value, of));
            } else {
                let diagnostic = unknown_key(&key.name, of.what(), of.keys()).at(self.span(&key.range));
                self.report(diagnostic);
            }
        }
        tree
    }
}

fn is_setting(key: &str, of: ConfigOf) -> bool {
    of.keys().contains(&key.strip_prefix('+').unwrap_or(key))
}
