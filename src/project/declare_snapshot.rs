//! `snapshots:` of a YAML file: what it says of a snapshot, and the relation of one that has no block.

use super::config_keys::ConfigOf;
use super::declare::{PropertyDecl, Written};
use super::fields::Reader;
use super::yaml::{Yaml, YamlValue};

/// One entry of `snapshots:`.
#[derive(Debug)]
pub struct SnapshotDecl {
    pub property: PropertyDecl,
    /// `ref('x')` or `source('a', 'b')`, as a template writes it.
    pub relation: Option<Written<String>>,
}

impl Reader {
    pub(super) fn snapshot(&mut self, yaml: &Yaml) -> Option<SnapshotDecl> {
        let mut relation = None;
        let mut rest = yaml.clone();
        if let YamlValue::Map(entries) = &mut rest.value {
            entries.retain(|(key, value)| {
                if key.name == "relation" {
                    relation = self.written_text(value);
                }
                key.name != "relation"
            });
        }
        let property = self.property(&rest, ConfigOf::Snapshot)?;
        Some(SnapshotDecl { property, relation })
    }
}
