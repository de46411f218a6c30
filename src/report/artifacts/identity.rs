//! dbt's names for nodes: `unique_id`, `fqn`, paths, and the quoted relation.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::ident::{NodeName, Relation};
use crate::manifest::Manifest;
use crate::project::Environment;

/// dbt's identity of a node: `model.unipacc.person`, `source.unipacc.svp.labors`.
pub fn unique_id(manifest: &Manifest, name: &NodeName) -> String {
    manifest.unique_id(name)
}

/// The identities of all nodes, each found once.
pub(super) struct Ids<'a>(HashMap<&'a NodeName, String>);

impl<'a> Ids<'a> {
    pub fn of(manifest: &'a Manifest) -> Self {
        let names: Vec<&NodeName> = manifest.names().chain(manifest.unit_tests.keys()).collect();
        Self(names.into_par_iter().map(|name| (name, manifest.unique_id(name))).collect())
    }

    pub fn get<'i>(&'i self, name: &'i NodeName) -> &'i str {
        self.0.get(name).map_or(name.as_str(), String::as_str)
    }
}

/// The project, the folders below its resource folder, the name.
pub(super) fn fqn<'a>(package: &'a str, folders: &'a [String], name: &'a str) -> Vec<&'a str> {
    [package].into_iter().chain(folders.iter().map(String::as_str)).chain([name]).collect()
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

/// What a file held when it was read.
#[derive(Serialize)]
pub(super) struct Checksum<'a> {
    pub name: &'static str,
    pub checksum: Cow<'a, str>,
}

impl Checksum<'_> {
    /// Of a file's text, without the white space around it.
    pub fn of(content: &[u8]) -> Self {
        let content = std::str::from_utf8(content).map_or(content, |text| text.trim().as_bytes());
        Self { name: "sha256", checksum: hex(&Sha256::digest(content)).into() }
    }

    /// Of a node that has no file of its own.
    pub fn none() -> Self {
        Self { name: "none", checksum: "".into() }
    }
}

/// dbt's `project_id`: a hash of the name that tells nothing of it.
pub(super) fn project_id(project: &str) -> String {
    hex(&Sha256::digest(project.as_bytes())[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
