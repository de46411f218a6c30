//! `target/*.json` in dbt's shapes, for the tools that read dbt's: one file here for each artifact.
//!
//! dbt's schemas forbid keys of others in most places. What dbt has no word for stands where they allow any key: in a
//! node's `config.unimig`, and in a result's `adapter_response`.

mod beside;
mod catalog;
mod config;
mod entry;
mod freshness;
mod identity;
mod macros;
mod manifest;
mod mistake;
mod node;
mod operation;
mod resource;
mod results;
mod source;
mod unit_test;
mod write;

use std::collections::BTreeMap;

use crate::compile::Compiled;
use crate::graph::Graph;
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::project::{Environment, Project};

pub use catalog::{CatalogColumn, CatalogTable, write_catalog};
pub use freshness::{Age, Measured, sources, write_sources};
pub use identity::unique_id;
pub use manifest::{entries, write_manifest};
pub use mistake::diagnostic;
pub use operation::{OperationResult, write_operation};
pub use results::{RunArguments, run_results, write_run_results};
pub use write::Unwritten;

/// Everything that a project's artifacts are made from.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    pub project: &'a Project,
    pub environment: &'a Environment,
    pub manifest: &'a Manifest,
    pub compiled: &'a BTreeMap<NodeName, Compiled>,
    /// Without the edges that only order a run.
    pub graph: &'a Graph,
}
