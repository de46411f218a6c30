//! Config as it is written, in a folder tree, in a property file or in a model, before precedence settles it.

use std::collections::BTreeMap;

use super::config_keys::{ConfigOf, MAP_KEYS, canonical, unknown_setting};
use super::fields::Reader;
use super::yaml::{Key, Yaml, YamlValue};
use crate::diagnostic::{Code, Diagnostic, Span};

/// One setting's value and the place that gave it.
#[derive(Debug, Clone)]
pub struct Setting {
    pub value: serde_json::Value,
    pub span: Span,
}

/// The settings of one place, by [`canonical`] key.
pub type ConfigPatch = BTreeMap<String, Setting>;

/// `models:`, `seeds:` or `tests:` of the project file: settings per folder, the deepest wins.
#[derive(Debug, Clone, Default)]
pub struct FolderConfig {
    pub settings: ConfigPatch,
    pub folders: BTreeMap<String, FolderConfig>,
}

impl FolderConfig {
    /// The patches that apply to a node, the outermost first; its path begins with its package.
    pub fn along<'c>(&'c self, path: &[&str]) -> Vec<&'c ConfigPatch> {
        let mut patches = vec![&self.settings];
        let mut place = self;
        for folder in path {
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
        let Some(fields) = self.open_fields(yaml, of.what()) else { return ConfigPatch::new() };
        let mut patch = ConfigPatch::new();
        for (key, value) in fields.entries() {
            self.add_setting(&mut patch, (key, value), of);
        }
        patch
    }

    fn add_setting(&mut self, patch: &mut ConfigPatch, (key, value): (&Key, &Yaml), of: ConfigOf) {
        let name = canonical(&key.name);
        if of.keys().contains(&name) {
            patch.insert(name.to_owned(), self.setting(key, value));
        } else {
            let diagnostic = unknown_setting(&key.name, of).at(self.span(&key.range));
            self.report(diagnostic);
        }
    }

    fn setting(&self, key: &Key, value: &Yaml) -> Setting {
        let range = match value.value {
            YamlValue::Null | YamlValue::List(_) | YamlValue::Map(_) => &key.range,
            YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) => &value.range,
        };
        Setting { value: value.to_json(), span: self.span(range) }
    }

    /// The tree under `models:` of the project file, whose first level is the names of packages.
    pub fn folder_config(&mut self, yaml: &Yaml, project: &str, of: ConfigOf) -> FolderConfig {
        let Some(tree) = self.folder(yaml, of) else { return FolderConfig::default() };
        let fields = self.open_fields(yaml, of.what());
        for (key, _) in fields.iter().flat_map(|fields| fields.entries()) {
            if key.name != project && tree.folders.contains_key(&key.name) {
                let diagnostic =
                    Diagnostic::error(Code::UnknownKey, format!("{} has no key \"{}\"", of.what(), key.name))
                        .at(self.span(&key.range))
                        .hint(format!("settings of folders stand under the project's name, \"{project}\""));
                self.report(diagnostic);
            }
        }
        tree
    }

    fn folder(&mut self, yaml: &Yaml, of: ConfigOf) -> Option<FolderConfig> {
        let mut tree = FolderConfig::default();
        let fields = self.open_fields(yaml, of.what())?;
        for (key, value) in fields.entries() {
            if is_folder(key, value, of) {
                tree.folders.insert(key.name.clone(), self.folder(value, of)?);
            } else {
                self.add_setting(&mut tree.settings, (key, value), of);
            }
        }
        Some(tree)
    }
}

/// dbt's rule: a map without `+` is a folder. We also take it as a setting where the name is one that holds a map and
/// nothing in it looks like a folder's settings, since that is what its writer meant.
fn is_folder(key: &Key, value: &Yaml, of: ConfigOf) -> bool {
    let YamlValue::Map(entries) = &value.value else { return false };
    if key.name.starts_with('+') {
        return false;
    }
    let holds_a_map = MAP_KEYS.contains(&key.name.as_str()) && of.keys().contains(&key.name.as_str());
    !holds_a_map || entries.iter().any(|(inner, _)| inner.name.starts_with('+') && key.name != "grants")
}
