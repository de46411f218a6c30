//! Artifacts of an earlier run, ours or dbt's, as `--state` gives them: what `state:`, `result:` and `source_status:`
//! compare with.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::macros::ChangedMacros;
use crate::ident::NodeName;

/// What is kept of an earlier run; each part is there when its file was.
#[derive(Debug, Clone, Default)]
pub struct Previous {
    pub manifest: Option<PreviousManifest>,
    /// The status of each node, by dbt's identity.
    pub results: Option<HashMap<String, String>>,
    /// When each source was last loaded, as far as was known then.
    pub freshness: Option<HashMap<String, String>>,
    /// The same from the project's own `sources.json`.
    pub freshness_now: Option<HashMap<String, String>>,
    /// The checksums of the project's seeds as they are now.
    pub seeds_now: HashMap<NodeName, String>,
    /// The project's macros that are not as the manifest has them.
    pub changed_macros: ChangedMacros,
}

/// `manifest.json`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PreviousManifest {
    #[serde(default)]
    pub nodes: HashMap<String, PreviousNode>,
    #[serde(default)]
    pub sources: HashMap<String, PreviousNode>,
    #[serde(default)]
    pub exposures: HashMap<String, PreviousNode>,
    #[serde(default)]
    pub unit_tests: HashMap<String, PreviousNode>,
    #[serde(default)]
    pub macros: HashMap<String, PreviousMacro>,
}

/// A node as an earlier manifest describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PreviousNode {
    pub fqn: Vec<String>,
    pub raw_code: Option<String>,
    pub checksum: Option<Value>,
    pub config: Map<String, Value>,
    /// Settings as they were written, without defaults.
    pub unrendered_config: Option<Map<String, Value>>,
    pub description: Option<String>,
    pub columns: Map<String, Value>,
    pub schema: Option<String>,
    pub identifier: Option<String>,
    pub alias: Option<String>,
    pub relation_name: Option<String>,
}

/// A macro as an earlier manifest describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PreviousMacro {
    pub macro_sql: String,
}

#[derive(Deserialize)]
struct Results<R> {
    results: Vec<R>,
}

#[derive(Deserialize)]
struct Outcome {
    unique_id: String,
    status: String,
}

#[derive(Deserialize)]
struct Loaded {
    unique_id: String,
    max_loaded_at: Option<String>,
}

impl PreviousManifest {
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// A node of any kind, by dbt's identity.
    pub fn node(&self, unique_id: &str) -> Option<&PreviousNode> {
        [&self.nodes, &self.sources, &self.exposures, &self.unit_tests].into_iter().find_map(|of| of.get(unique_id))
    }
}

/// The status of each node in a `run_results.json`.
pub fn results(text: &str) -> Result<HashMap<String, String>, serde_json::Error> {
    let document: Results<Outcome> = serde_json::from_str(text)?;
    Ok(document.results.into_iter().map(|outcome| (outcome.unique_id, outcome.status)).collect())
}

/// When each source of a `sources.json` was last loaded; sources whose check failed are left out.
pub fn freshness(text: &str) -> Result<HashMap<String, String>, serde_json::Error> {
    let document: Results<Loaded> = serde_json::from_str(text)?;
    let loaded = document.results.into_iter();
    Ok(loaded.filter_map(|source| Some((source.unique_id, source.max_loaded_at?))).collect())
}
