//! `plan`: what a run would do, and why, before it does it.
//!
//! 1. compile, select and build the plan as the run itself does
//! 2. read the history, the batches and which relations are there; explain each step by them
//! 3. with `--diff`, carry the steps out in one transaction that is rolled back
//! 4. with `--save`, note everything that the plan rests on; `apply` compares, and runs exactly these steps

mod diff;
mod guarded;
mod saved;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::compile::{CompileFacts, Later};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::graph::Graph;
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::run::{self, RunRequest, Settled};
use crate::ops::workspace::{CompiledProject, Workspace};
use crate::plan::Plan;
use crate::plan::explain::{self, Explained, Known};
use crate::postgres::Lease;
use crate::state::past::{self, Memory};
use crate::transform::description;

pub use diff::{Compared, NOT_READ, Outcome};
pub use saved::SavedPlan;

/// A plan, explained.
#[derive(Debug)]
pub struct Planned {
    pub command: String,
    /// In an order in which they could be carried out one after the other.
    pub steps: Vec<Explained>,
    /// How long it takes if every step takes its usual time, and for how many steps that is not known.
    pub estimate: (Duration, usize),
    pub threads: usize,
    pub made_at: Timestamp,
    /// With `--diff`, what each step would write.
    pub compared: Option<BTreeMap<NodeName, Compared>>,
    /// With `--save`.
    pub saved: Option<SavedPlan>,
}

/// What is asked of a plan.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    pub run: RunRequest,
    /// Carries the steps out and takes them back; how many rows of each kind are shown.
    pub diff: Option<u32>,
    /// Captures what the plan rests on.
    pub save: Saving,
}

/// Whether a plan is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saving {
    Capture,
    Omit,
}

/// A plan being explained.
pub(super) struct Making<'a> {
    pub plan: &'a Plan,
    pub memory: &'a Memory,
}

/// Plans what the request would run. Writes nothing.
pub async fn plan(workspace: &Workspace, request: &PlanRequest, stop: CancellationToken) -> Result<Planned, OpError> {
    let compiled = workspace.compile(&CompileFacts::default())?;
    run::select(&workspace.manifest, &compiled, &request.run)?;
    let connections = Connections::open(workspace, 1).await?;
    let outcome = plan_connected((workspace, request), compiled, (&connections, stop)).await;
    connections.close().await?;
    outcome
}

/// Refuses a plan that no longer holds; what is given back is what to run.
pub async fn still_holds(workspace: &Workspace, saved: &SavedPlan) -> Result<RunRequest, OpError> {
    let run = saved.request();
    let request = PlanRequest { run: run.clone(), diff: None, save: Saving::Capture };
    let names: BTreeSet<&NodeName> = saved.steps.iter().map(|step| &step.name).collect();
    if let Some(gone) = names.iter().find(|name| !is_node(&workspace.manifest, name)) {
        let mistake = Diagnostic::error(Code::StalePlan, format!("{gone} is no longer in the project"))
            .hint("look at a new plan: unimig plan --save FILE");
        return Err(OpError::Project(Diagnostics(vec![mistake])));
    }
    let now = plan(workspace, &request, CancellationToken::new()).await?;
    let moved = now.saved.as_ref().map(|now| saved.moved(now)).unwrap_or_default();
    if moved.is_empty() { Ok(run) } else { Err(OpError::Project(moved)) }
}

fn is_node(manifest: &Manifest, name: &NodeName) -> bool {
    manifest.relation(name).is_some() || manifest.tests.contains_key(name) || manifest.unit_tests.contains_key(name)
}

async fn plan_connected(
    (workspace, request): (&Workspace, &PlanRequest),
    compiled: CompiledProject,
    (connections, stop): (&Connections, CancellationToken),
) -> Result<Planned, OpError> {
    let session = connections.target.lease("plan").await?;
    let Settled { compiled, plan, facts, .. } = run::settle((workspace, &request.run), compiled, &session).await?;
    let memory = past::remember(&session).await?;
    let making = Making { plan: &plan, memory: &memory };
    let steps = explained(workspace, (&compiled, &making), &session).await?;
    let saved = match request.save {
        Saving::Capture => {
            let capture = saved::capture((workspace, &request.run), (&making, &steps), (connections, &session));
            Some(capture.await?)
        }
        Saving::Omit => None,
    };
    let compared = match request.diff {
        Some(samples) => {
            let project = (&workspace.project, &workspace.manifest, &workspace.environment);
            let later = Later::of(project, &facts, &compiled.compiled)?.map(Arc::new);
            let around = diff::Surroundings { root: &workspace.project.root, later };
            let compared = diff::diff(&session, (&plan, &around), (samples, stop)).await;
            // The transaction is open: the end of the session takes it back.
            session.discard();
            Some(compared?)
        }
        None => None,
    };
    let threads = plan.settings.threads;
    Ok(Planned {
        command: plan.command.clone(),
        estimate: explain::estimate(&steps, threads),
        steps,
        threads,
        made_at: Timestamp::now(),
        compared,
        saved,
    })
}

async fn explained(
    workspace: &Workspace,
    (compiled, making): (&CompiledProject, &Making<'_>),
    session: &Lease,
) -> Result<Vec<Explained>, OpError> {
    let there = description::our_relations(session).await?;
    let names = making.plan.steps.iter().map(|step| &step.name);
    let reads: BTreeMap<NodeName, Vec<NodeName>> =
        names.map(|name| (name.clone(), reads(&workspace.manifest, &compiled.graph, name))).collect();
    let known = Known { memory: making.memory, reads: &reads, there: &there, now: Timestamp::now() };
    Ok(explain::explain(making.plan, known))
}

/// What a node reads; ephemeral models are looked through.
fn reads(manifest: &Manifest, graph: &Graph, name: &NodeName) -> Vec<NodeName> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = graph.parents(name);
    while let Some(parent) = open.pop() {
        if !seen.insert(parent) {
            continue;
        }
        if manifest.is_ephemeral(parent) {
            open.extend(graph.parents(parent));
        } else {
            found.insert(parent.clone());
        }
    }
    found.into_iter().collect()
}
