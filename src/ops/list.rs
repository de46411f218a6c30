//! `ls`: the nodes that a selection means, in the forms that `dbt ls` prints, and as names of ours.

use serde_json::{Map, Value, json};

use crate::compile::CompileFacts;
use crate::ident::NodeName;
use crate::manifest::{Manifest, ResourceType};
use crate::ops::OpError;
use crate::ops::workspace::{CompiledProject, Selection, Workspace};
use crate::report::artifacts;

/// What one line of the list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListForm<'k> {
    /// `bl.person`, which `--select` takes.
    Node,
    /// What `ref` or `source` takes: `person`, `svp.labors`.
    Name,
    /// The file, relative to the project folder.
    Path,
    /// dbt's selector: `shop.bl.person`, `source:shop.svp.labors`.
    Selector,
    /// A JSON object with these keys of the manifest, dbt's usual ones without any; `config.materialized` reaches into
    /// an object.
    Json(&'k [String]),
}

/// Keys that `dbt ls` prints.
const USUAL_KEYS: &[&str] = &[
    "alias",
    "name",
    "package_name",
    "depends_on",
    "tags",
    "config",
    "resource_type",
    "source_name",
    "original_file_path",
    "unique_id",
];

/// A line for every selected node, parents first.
pub fn list(workspace: &Workspace, selection: &Selection, form: ListForm<'_>) -> Result<Vec<String>, OpError> {
    let compiled = workspace.compile(&CompileFacts::default())?;
    let manifest = &workspace.manifest;
    let chosen = selection.choose(manifest, &compiled.graph, &compiled.places)?;
    Ok(match form {
        ListForm::Node => chosen.nodes.iter().map(ToString::to_string).collect(),
        ListForm::Name => chosen.nodes.iter().filter_map(|name| short_name(manifest, name)).collect(),
        ListForm::Path => chosen.nodes.iter().filter_map(|name| path(manifest, name)).collect(),
        ListForm::Selector => chosen.nodes.iter().filter_map(|name| selector(manifest, name)).collect(),
        ListForm::Json(keys) => objects(workspace, (&compiled, &chosen.nodes), keys),
    })
}

/// dbt's word for the kind of a node.
pub fn resource_type(manifest: &Manifest, name: &NodeName) -> &'static str {
    manifest.facts(name).map_or("", |facts| facts.resource_type.as_str())
}

fn short_name(manifest: &Manifest, name: &NodeName) -> Option<String> {
    let facts = manifest.facts(name)?;
    Some(match facts.source {
        Some(source) => format!("{source}.{}", facts.short_name),
        None => facts.short_name.to_owned(),
    })
}

fn path(manifest: &Manifest, name: &NodeName) -> Option<String> {
    Some(manifest.facts(name)?.path.display().to_string())
}

fn selector(manifest: &Manifest, name: &NodeName) -> Option<String> {
    let facts = manifest.facts(name)?;
    let (package, short) = (facts.package, facts.short_name);
    Some(match facts.resource_type {
        ResourceType::Source => format!("source:{package}.{}.{short}", facts.source.unwrap_or_default()),
        ResourceType::Exposure => format!("exposure:{package}.{short}"),
        ResourceType::UnitTest => format!("unit_test:{package}.{short}"),
        ResourceType::Analysis
        | ResourceType::Model
        | ResourceType::Seed
        | ResourceType::Snapshot
        | ResourceType::Test => facts.fqn.join("."),
    })
}

fn objects(workspace: &Workspace, (compiled, nodes): (&CompiledProject, &[NodeName]), keys: &[String]) -> Vec<String> {
    let manifest = &workspace.manifest;
    // What the identity alone can answer needs no description of the whole project.
    let ids = nodes.iter().map(|name| manifest.unique_id(name));
    if keys == ["unique_id"] {
        return ids.map(|id| json!({ "unique_id": id }).to_string()).collect();
    }
    let entries = artifacts::entries(workspace.describe(compiled), nodes);
    entries.iter().map(|entry| Value::Object(cut(entry, keys)).to_string()).collect()
}

fn cut(entry: &Map<String, Value>, keys: &[String]) -> Map<String, Value> {
    if keys.is_empty() {
        let usual = entry.iter().filter(|(key, _)| USUAL_KEYS.contains(&key.as_str()));
        return usual.map(|(key, value)| (key.clone(), value.clone())).collect();
    }
    let found = keys.iter().filter_map(|key| {
        let mut parts = key.split('.');
        let first = entry.get(parts.next()?)?;
        let value = parts.try_fold(first, |value, part| value.get(part))?;
        Some((key.clone(), value.clone()))
    });
    found.collect()
}
