//! Config as it is written, in a folder tree, in a property file or in a model, before precedence settles it.

use std::collections::BTreeMap;

use super::config_keys::{ConfigOf, MAP_KEYS, canonical, unknown_setting};
use super::fields::Reader;
use super::yaml::{Key, Yaml, YamlValue};
use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::project::Project;

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
    /// What packages say of their own nodes in their project files, by package; it lies below everything here.
    pub packages: BTreeMap<String, FolderConfig>,
    /// The key that opens this folder.
    pub named_at: Option<Span>,
}

impl FolderConfig {
    /// The patches that apply to a node, the outermost first; its path begins with its package.
    pub fn along<'c>(&'c self, path: &[&str]) -> Vec<&'c ConfigPatch> {
        let package = path.first().and_then(|package| self.packages.get(*package));
        let mut patches = package.map(|package| package.along(path)).unwrap_or_default();
        patches.push(&self.settings);
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

impl FolderConfig {
    /// Folders at the first level that are neither the project nor a package.
    pub fn check_packages(&self, project: &Project, of: ConfigOf) -> Vec<Diagnostic> {
        let unknown = self.folders.iter().filter(|(name, _)| **name != project.name && !project.has_package(name));
        unknown
            .map(|(name, folder)| {
                let mut diagnostic =
                    Diagnostic::error(Code::UnknownKey, format!("{} has no key \"{name}\"", of.what()))
                        .hint(format!("settings of folders stand under the project's name, \"{}\"", project.name));
                diagnostic.span = folder.named_at.clone();
                diagnostic
            })
            .collect()
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
        if !of.keys().contains(&name) {
            let diagnostic = unknown_setting(&key.name, (of, self.flavour)).at(self.span(&key.range));
            let is_kept = diagnostic.severity == Severity::Warning;
            self.report(diagnostic);
            if !is_kept {
                return;
            }
        }
        patch.insert(name.to_owned(), self.setting(key, value));
    }

    fn setting(&self, key: &Key, value: &Yaml) -> Setting {
        let range = match value.value {
            YamlValue::Null | YamlValue::List(_) | YamlValue::Map(_) => &key.range,
            YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) => &value.range,
        };
        Setting { value: value.to_json(), span: self.span(range) }
    }

    /// The tree under `models:` of the project file, whose first level is the names of packages.
    pub fn folder_config(&mut self, yaml: &Yaml, of: ConfigOf) -> FolderConfig {
        self.folder(yaml, of).unwrap_or_default()
    }

    fn folder(&mut self, yaml: &Yaml, of: ConfigOf) -> Option<FolderConfig> {
        let mut tree = FolderConfig::default();
        let fields = self.open_fields(yaml, of.what())?;
        for (key, value) in fields.entries() {
            if is_folder(key, value, of) {
                let mut inner = self.folder(value, of)?;
                inner.named_at = Some(self.span(&key.range));
                tree.folders.insert(key.name.clone(), inner);
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
