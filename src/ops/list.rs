//! `ls`: the names that a selection means.

use serde::Serialize;

use crate::compile::CompileFacts;
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::ops::OpError;
use crate::ops::workspace::{Selection, Workspace};

/// One node, as `ls --output json` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct ListedNode {
    pub name: NodeName,
    pub resource_type: &'static str,
    pub materialized: Option<&'static str>,
    /// The relation that the node maintains, quoted as SQL needs it.
    pub relation: Option<String>,
    pub path: String,
    pub depends_on: Vec<NodeName>,
}

/// Every selected node, parents first.
pub fn list(workspace: &Workspace, selection: &Selection) -> Result<Vec<ListedNode>, OpError> {
    let compiled = workspace.compile(&CompileFacts::default())?;
    let selected = compiled.select(&workspace.manifest, selection, |_| true)?;
    let order = compiled.graph.topological_order().iter().filter(|name| selected.contains(*name));
    let listed = order.map(|name| {
        let depends_on = compiled.graph.parents(name).into_iter().cloned().collect();
        listed(&workspace.manifest, name, depends_on)
    });
    Ok(listed.collect())
}

fn listed(manifest: &Manifest, name: &NodeName, depends_on: Vec<NodeName>) -> ListedNode {
    ListedNode {
        name: name.clone(),
        resource_type: resource_type(manifest, name),
        materialized: manifest.models.get(name).map(|model| model.materialization.as_str()),
        relation: manifest.relation(name).map(ToString::to_string),
        path: path(manifest, name),
        depends_on,
    }
}

/// dbt's word for a kind of node; `stage` is ours.
pub fn resource_type(manifest: &Manifest, name: &NodeName) -> &'static str {
    if manifest.stages.contains_key(name) {
        "stage"
    } else if manifest.tables.contains_key(name) {
        "source"
    } else if manifest.seeds.contains_key(name) {
        "seed"
    } else if manifest.tests.contains_key(name) {
        "test"
    } else {
        "model"
    }
}

fn path(manifest: &Manifest, name: &NodeName) -> String {
    let path = if let Some(model) = manifest.models.get(name) {
        model.file.path.clone()
    } else if let Some(stage) = manifest.stages.get(name) {
        stage.declared_at.path().to_path_buf()
    } else if let Some(table) = manifest.tables.get(name) {
        table.declared_at.path().to_path_buf()
    } else if let Some(seed) = manifest.seeds.get(name) {
        seed.path.clone()
    } else if let Some(test) = manifest.tests.get(name) {
        test.declared_at.path().to_path_buf()
    } else {
        std::path::PathBuf::new()
    };
    path.display().to_string()
}
