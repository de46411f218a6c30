//! `--defer`: what is not built here is read where an earlier manifest says that it stands.
//!
//! A model, seed or snapshot that the run does not build and that the target does not have is read from the relation of
//! the state's manifest; with `--favor-state`, also when the target has it. SQL is changed after it was compiled, so that
//! names which `ref` gave and names which were written out are treated alike.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tokio_postgres::types::Type;

use crate::compile::{CompiledSql, Elsewhere};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::graph::previous::PreviousManifest;
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::Manifest;
use crate::ops::OpError;
use crate::ops::selection::{read_manifest, state_folder};
use crate::ops::workspace::{CompiledProject, Workspace};
use crate::plan::{Action, Plan};
use crate::postgres::{Lease, PostgresError};

const EXISTING: &str = include_str!("defer.sql");

/// Where what is not built here is read.
#[derive(Debug, Clone)]
pub struct Defer {
    /// The folder with the `manifest.json`.
    pub state: PathBuf,
    pub favor: Favor,
}

/// What is read when both places have a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Favor {
    Target,
    State,
}

/// The plan, reading elsewhere what it does not build.
pub async fn defer(workspace: &Workspace, defer: &Defer, mut plan: Plan, session: &Lease) -> Result<Plan, OpError> {
    let built = plan.steps.iter().map(|step| &step.name).collect();
    let (elsewhere, moved) = elsewhere(workspace, defer, &built, session).await?;
    for step in &mut plan.steps {
        redirect(&mut step.action, &elsewhere, &moved);
    }
    Ok(plan)
}

/// Compiled nodes, reading elsewhere what is not among them.
pub async fn defer_compiled(
    workspace: &Workspace,
    defer: &Defer,
    (compiled, names): (&mut CompiledProject, &BTreeSet<&NodeName>),
    session: &Lease,
) -> Result<(), OpError> {
    let (elsewhere, _) = elsewhere(workspace, defer, names, session).await?;
    for (name, node) in &mut compiled.compiled {
        // What a source is asked is not about the target.
        if names.contains(name) && !workspace.manifest.stages.contains_key(name) {
            node.sql = elsewhere.apply(&node.sql);
        }
    }
    Ok(())
}

/// What is read in another place, for statements that build these nodes and no others.
async fn elsewhere(
    workspace: &Workspace,
    defer: &Defer,
    built: &BTreeSet<&NodeName>,
    session: &Lease,
) -> Result<(Elsewhere, BTreeMap<Relation, Relation>), OpError> {
    let folder = state_folder(&defer.state, &workspace.project.root)?;
    let Some(previous) = read_manifest(&folder)? else {
        let message = format!("--defer needs a manifest.json, and \"{}\" has none", folder.display());
        let hint = "--state or --defer-state names a folder with the artifacts of a run that built everything";
        return Err(OpError::Project(Diagnostics(vec![Diagnostic::error(Code::MissingState, message).hint(hint)])));
    };
    let mut moved = candidates(&workspace.manifest, &previous, built);
    match defer.favor {
        Favor::State => {}
        Favor::Target => {
            let existing = existing(session, moved.keys()).await?;
            moved.retain(|here, _| !existing.contains(here));
        }
    }
    let mut elsewhere = Elsewhere::default();
    for (here, there) in &moved {
        tracing::info!(%here, %there, "read from the deferred state");
        elsewhere.move_to(here, there);
    }
    Ok((elsewhere, moved))
}

/// What is not built and stood somewhere else: where it would stand here, and where it stood.
fn candidates(
    manifest: &Manifest,
    previous: &PreviousManifest,
    built: &BTreeSet<&NodeName>,
) -> BTreeMap<Relation, Relation> {
    let names = manifest.models.keys().chain(manifest.seeds.keys()).filter(|name| !built.contains(name));
    let moved = names.filter_map(|name| {
        let here = manifest.relation(name)?.clone();
        let old = previous.node(&manifest.unique_id(name)).filter(|old| old.relation_name.is_some())?;
        let (schema, alias) = (old.schema.as_deref()?, old.alias.as_deref()?);
        let there = Relation::new(Ident::from_catalog(schema), Ident::from_catalog(alias));
        (here != there).then_some((here, there))
    });
    moved.collect()
}

async fn existing(
    session: &Lease,
    relations: impl Iterator<Item = &Relation> + Clone,
) -> Result<BTreeSet<Relation>, PostgresError> {
    let schemas: Vec<&str> = relations.clone().map(|relation| relation.schema.as_str()).collect();
    let names: Vec<&str> = relations.map(|relation| relation.name.as_str()).collect();
    let rows = session
        .query_typed(EXISTING, &[(&schemas, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)])
        .await
        .map_err(|error| PostgresError::server("look which relations the target has", error))?;
    let relation = |row: &tokio_postgres::Row| {
        Relation::new(Ident::from_catalog(row.get::<_, String>(0)), Ident::from_catalog(row.get::<_, String>(1)))
    };
    Ok(rows.iter().map(relation).collect())
}

fn redirect(action: &mut Action, elsewhere: &Elsewhere, moved: &BTreeMap<Relation, Relation>) {
    let select: &mut CompiledSql = match action {
        Action::Merge(merge) => &mut merge.select,
        Action::Table(build) | Action::View(build) => &mut build.select,
        Action::MaterializedView(build) => &mut build.select,
        Action::Incremental(build) => &mut build.select,
        Action::Snapshot(keep) => &mut keep.select,
        Action::Test(test) => {
            for subject in &mut test.subjects {
                if let Some(there) = moved.get(subject) {
                    *subject = there.clone();
                }
            }
            &mut test.select
        }
        // A unit test asks the other place for types, and reads nothing there.
        Action::UnitTest(test) => {
            for input in &mut test.inputs {
                input.relation = input.relation.take().map(|here| moved.get(&here).cloned().unwrap_or(here));
            }
            return;
        }
        Action::Stage(_) | Action::Crosswalk(_) | Action::Seed(_) => return,
    };
    *select = elsewhere.apply(select);
}
