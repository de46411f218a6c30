//! dbt's names for nodes: `unique_id`, `fqn`, paths, and the quoted relation.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ident::{NodeName, Relation};
use crate::manifest::Manifest;
use crate::project::Environment;

/// dbt's identity of a node: `model.unipacc.person`, `source.unipacc.svp.labors`.
pub fn unique_id(manifest: &Manifest, name: &NodeName) -> String {
    manifest.unique_id(name)
}

/// The project, the folders below its resource folder, the name.
pub(super) fn fqn(package: &str, folders: &[String], name: &str) -> Vec<String> {
    [package.to_owned()].into_iter().chain(folders.iter().cloned()).chain([name.to_owned()]).collect()
}

/// A file's path below its resource folder, which is what dbt calls `path`.
pub(super) fn inner_path(folders: &[String], file: &Path) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    folders.iter().cloned().chain([name]).collect::<Vec<_>>().join("/")
}

/// dbt writes a relation with its database and with every part quoted.
pub(super) fn relation_name(environment: &Environment, relation: &Relation) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let parts = [environment.target.dbname.as_str(), relation.schema.as_str(), relation.name.as_str()];
    parts.map(quoted).join(".")
}

/// dbt's `checksum` of a file's text, without the white space around it.
pub(super) fn checksum(content: &[u8]) -> Value {
    let content = std::str::from_utf8(content).map_or(content, |text| text.trim().as_bytes());
    let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "name": "sha256", "checksum": digest })
}

/// For nodes that have no file of their own.
pub(super) fn no_checksum() -> Value {
    json!({ "name": "none", "checksum": "" })
}

/// dbt's `project_id`: a hash of the name that tells nothing of it.
pub(super) fn project_id(project: &str) -> String {
    Sha256::digest(project.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
