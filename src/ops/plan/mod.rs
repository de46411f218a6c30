//! `plan`: what a run would do, and why, before it does it.
//!
//! 1. compile, select and build the plan as the run itself does
//! 2. read the history, the batches and which relations are there; explain each step by them
//! 3. with `--diff`, carry the steps out in one transaction that is rolled back
//! 4. with `--save`, note everything that the plan rests on; `apply` plans anew, compares, and runs the plan that it
//!    compared

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
use crate::event::Listener;
use crate::graph::Graph;
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::Manifest;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::run::{self, Ended, RunRequest, Settled};
use crate::ops::workspace::{CompiledProject, Workspace};
use crate::plan::Plan;
use crate::plan::explain::{self, Explained, Known};
use crate::postgres::Lease;
use crate::state::lock::{self, Scope};
use crate::state::past::{self, Memory};
use crate::transform::description;

pub use diff::{Compared, NOT_READ, Outcome};
pub use saved::SavedPlan;

/// How long what runs on the server may take to hear that it is cancelled, before it is told once more.
const CANCEL_AGAIN: Duration = Duration::from_millis(200);

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
    let facts = CompileFacts { rows: request.run.rows, ..CompileFacts::default() };
    let (compiled, _) =
        workspace.compile_selected(&facts, |compiled| run::select(&workspace.manifest, compiled, &request.run))?;
    let connections = Connections::open(workspace, 1).await?;
    let outcome = plan_connected((workspace, request), compiled, (&connections, stop)).await;
    connections.close().await?;
    outcome
}

/// Carries a saved plan out, unless it no longer holds: what is compared with it is the plan that then runs.
pub async fn apply(
    (workspace, saved): (&Workspace, &SavedPlan),
    request: &RunRequest,
    listeners: &mut [Box<dyn Listener>],
    stop: CancellationToken,
) -> Result<Ended, OpError> {
    check_names(workspace, saved)?;
    let own = Connections::open(workspace, 1).await?;
    let applied = apply_alone((workspace, saved), request, (&own, listeners, stop)).await;
    own.close().await?;
    applied
}

/// Holds the target's lock on plans for as long as it runs: of two, the second would not see what the first moves.
async fn apply_alone(
    (workspace, saved): (&Workspace, &SavedPlan),
    request: &RunRequest,
    (own, listeners, stop): (&Connections, &mut [Box<dyn Listener>], CancellationToken),
) -> Result<Ended, OpError> {
    let session = own.target.lease("apply").await?;
    let every_plan = Relation::new(Ident::from_catalog("unimig"), Ident::from_catalog("apply"));
    if let Some(holder) = lock::try_acquire(&session, &every_plan, Scope::Session).await? {
        let hint = "wait for its end, and look whether the plan still holds";
        return Err(OpError::usage(format!("another plan is being carried out on this target by {holder}"), hint));
    }
    let approve = async |settled: &Settled, (connections, session): (&Connections, &Lease)| {
        let memory = past::remember(session).await?;
        let making = Making { plan: &settled.plan, memory: &memory };
        let steps = explained(workspace, (&settled.compiled, &making), session).await?;
        let now = saved::capture((workspace, request), (&making, &steps), (connections, session)).await?;
        let moved = saved.moved(&now);
        if moved.is_empty() { Ok(Some(saved.still_holds())) } else { Err(OpError::Project(moved)) }
    };
    let ended = run::run_approved((workspace, request), (listeners, stop), approve).await;
    session.discard();
    ended
}

fn check_names(workspace: &Workspace, saved: &SavedPlan) -> Result<(), OpError> {
    let names: BTreeSet<&NodeName> = saved.steps.iter().map(|step| &step.name).collect();
    if let Some(gone) = names.iter().find(|name| !is_node(&workspace.manifest, name)) {
        let mistake = Diagnostic::error(Code::StalePlan, format!("{gone} is no longer in the project"))
            .hint("look at a new plan: unimig plan --save FILE");
        return Err(OpError::Project(Diagnostics(vec![mistake])));
    }
    Ok(())
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
    let canceller = session.canceller();
    let outcome = {
        let planning = plan_in((workspace, request), compiled, (connections, &session, &stop));
        tokio::pin!(planning);
        tokio::select! {
            outcome = &mut planning => outcome,
            () = stop.cancelled() => {
                // A request that falls between two statements is lost.
                while tokio::time::timeout(CANCEL_AGAIN, &mut planning).await.is_err() {
                    canceller.cancel().await?;
                }
                Err(diff::interrupted())
            }
        }
    };
    if request.diff.is_some() || outcome.is_err() {
        // A transaction may be open: the end of the session takes it back.
        session.discard();
    }
    outcome
}

async fn plan_in(
    (workspace, request): (&Workspace, &PlanRequest),
    compiled: CompiledProject,
    (connections, session, stop): (&Connections, &Lease, &CancellationToken),
) -> Result<Planned, OpError> {
    let Settled { compiled, plan, facts, .. } = run::settle((workspace, &request.run), compiled, session).await?;
    let memory = past::remember(session).await?;
    let making = Making { plan: &plan, memory: &memory };
    let steps = explained(workspace, (&compiled, &making), session).await?;
    let saved = match request.save {
        Saving::Capture => {
            let capture = saved::capture((workspace, &request.run), (&making, &steps), (connections, session));
            Some(capture.await?)
        }
        Saving::Omit => None,
    };
    let compared = match request.diff {
        Some(samples) => {
            let project = (&workspace.project, &workspace.manifest, &workspace.environment);
            let later = Later::of(project, &facts, &compiled.compiled)?.map(Arc::new);
            let around = diff::Surroundings { root: &workspace.project.root, later };
            Some(diff::diff(session, (&plan, &around), (samples, stop)).await?)
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
