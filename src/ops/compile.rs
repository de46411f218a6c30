//! `compile`: every template as plain SQL under `target/compiled`; without a server, unless a template asks one.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::compile::CompileFacts;
use crate::ident::NodeName;
use crate::manifest::{TestKind, TestNode};
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::defer::{Defer, defer_compiled};
use crate::ops::introspect;
use crate::ops::workspace::{CompiledProject, Selection, Workspace};
use crate::postgres::Lease;

/// A node's SQL and the file that holds it.
#[derive(Debug, Clone)]
pub struct CompiledNode {
    pub name: NodeName,
    pub path: PathBuf,
    pub sql: String,
}

/// Compiles the selected nodes and writes them out; `defer` has them read elsewhere what is not selected.
pub async fn compile(
    workspace: &Workspace,
    selection: &Selection,
    defer: Option<&Defer>,
) -> Result<Vec<CompiledNode>, OpError> {
    let select = |compiled: &CompiledProject| compiled.select(&workspace.manifest, selection, |_| true);
    let (mut compiled, selected) = workspace.compile_selected(&CompileFacts::default(), select)?;
    if defer.is_some() || introspect::asks(&compiled, |name| selected.contains(name)) {
        let connections = Connections::open(workspace, 1).await?;
        let session = connections.target.lease("compile").await?;
        let completed = complete(workspace, (&mut compiled, &selected), (&session, defer)).await;
        session.discard();
        connections.close().await?;
        completed?;
    }
    workspace.write_manifest(&compiled)?;
    write_compiled(workspace, &compiled, |name| selected.contains(name))
}

async fn complete(
    workspace: &Workspace,
    (compiled, selected): (&mut CompiledProject, &BTreeSet<NodeName>),
    (session, defer): (&Lease, Option<&Defer>),
) -> Result<(), OpError> {
    if introspect::asks(compiled, |name| selected.contains(name)) {
        introspect::complete(workspace, compiled, |name| selected.contains(name), session).await?;
    }
    match defer {
        Some(defer) => defer_compiled(workspace, defer, (compiled, &selected.iter().collect()), session).await,
        None => Ok(()),
    }
}

/// Writes the SQL of the wanted nodes, each at the path of its file; unchanged files are left alone.
pub fn write_compiled(
    workspace: &Workspace,
    compiled: &CompiledProject,
    is_wanted: impl Fn(&NodeName) -> bool,
) -> Result<Vec<CompiledNode>, OpError> {
    let folder = workspace.target_dir().join("compiled").join(&workspace.project.name);
    let nodes = nodes(workspace, compiled, &folder, &is_wanted);
    let fresh = make_folders(&nodes)?;
    let is_fresh = |node: &CompiledNode| node.path.parent().is_some_and(|parent| fresh.contains(parent));
    nodes.par_iter().try_for_each(|node| if is_fresh(node) { write_anew(node) } else { write_changed(node) })?;
    Ok(nodes)
}

/// The folders of all nodes, each made once; those that were not there hold nothing that could be the same.
fn make_folders(nodes: &[CompiledNode]) -> Result<HashSet<&Path>, OpError> {
    let folders: BTreeSet<&Path> = nodes.iter().filter_map(|node| node.path.parent()).collect();
    let mut fresh = HashSet::new();
    for folder in folders {
        if !folder.is_dir() {
            let failed = |source| OpError::File { doing: "write", path: folder.to_path_buf(), source };
            fs_err::create_dir_all(folder).map_err(failed)?;
            fresh.insert(folder);
        }
    }
    Ok(fresh)
}

fn nodes(
    workspace: &Workspace,
    compiled: &CompiledProject,
    folder: &Path,
    is_wanted: &impl Fn(&NodeName) -> bool,
) -> Vec<CompiledNode> {
    let manifest = &workspace.manifest;
    let written =
        compiled.compiled.iter().filter(|(name, node)| !node.later && is_wanted(name)).filter_map(|(name, node)| {
            let path = if let Some(model) = manifest.models.get(name) {
                model.file.path.clone()
            } else if let Some(stage) = manifest.stages.get(name) {
                stage.extraction.as_ref()?.path.clone()
            } else if let Some(analysis) = manifest.analyses.get(name) {
                analysis.file.path.clone()
            } else if let Some(test) = manifest.unit_tests.get(name) {
                // dbt's place: a folder with the name of the YAML file.
                test.declared_at.path().join("models").join(format!("{}.sql", test.test))
            } else {
                test_path(manifest.tests.get(name)?)
            };
            Some(CompiledNode { name: name.clone(), path: folder.join(path), sql: node.sql.text.clone() })
        });
    written.collect()
}

/// A singular test has a file of its own.
fn test_path(test: &TestNode) -> PathBuf {
    match &test.kind {
        TestKind::Singular { file } => file.path.clone(),
        TestKind::Generic { .. } | TestKind::Custom(_) => {
            Path::new("tests").join("generic").join(format!("{}.sql", test.short_name()))
        }
    }
}

fn write_changed(node: &CompiledNode) -> Result<(), OpError> {
    let is_same = |kept: &str| kept.strip_suffix('\n') == Some(node.sql.trim_end());
    if fs_err::read_to_string(&node.path).is_ok_and(|kept| is_same(&kept)) {
        return Ok(());
    }
    write_anew(node)
}

fn write_anew(node: &CompiledNode) -> Result<(), OpError> {
    let text = format!("{}\n", node.sql.trim_end());
    let failed = |source| OpError::File { doing: "write", path: node.path.clone(), source };
    fs_err::write(&node.path, text).map_err(failed)
}
