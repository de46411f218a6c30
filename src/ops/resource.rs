//! `--resource-type`: kinds of nodes, in dbt's words.

use crate::ident::NodeName;
use crate::manifest::Manifest;

/// What a node is; staging counts as a source, as that is what dbt calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceType {
    Source,
    Seed,
    Model,
    Test,
}

impl ResourceType {
    pub fn of(manifest: &Manifest, name: &NodeName) -> Self {
        if manifest.stages.contains_key(name) {
            Self::Source
        } else if manifest.seeds.contains_key(name) {
            Self::Seed
        } else if manifest.tests.contains_key(name) {
            Self::Test
        } else {
            Self::Model
        }
    }
}
