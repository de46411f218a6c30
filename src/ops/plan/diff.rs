//! `plan --diff`: the steps carried out in one session, one after the other, in a transaction that is rolled back.
//!
//! A step that a later one reads keeps what it wrote until the end, so that children see their parents as the plan
//! leaves them; every other step is undone at once, and with it its locks go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::compile::{CompiledSql, Later};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::jinja::Session;
use crate::ops::OpError;
use crate::ops::plan::guarded::Guarded;
use crate::plan::{Action, OnFailure, Plan, Step};
use crate::postgres::{Lease, PostgresError, TimeoutKind};
use crate::state::lock::{self, Scope};
use crate::state::run::StepStatus;
use crate::transform::diff::{self, DiffOptions, StepDiff};
use crate::transform::{TransformError, asking, flight};
use crate::verify::{self, VerifyError};

/// One snapshot for all steps. Whoever wants a row or a table of the application that we wait for waits behind us, so a
/// step gives up soon.
const BEGIN: &str = "begin isolation level repeatable read read write;\nset local lock_timeout = '1s'";

/// Why a step was left out that had to wait for others.
const IN_USE: &str = "another session holds a lock that it needs for longer than 1 s; nobody waits behind a plan";

/// What the steps of a run call a schema of their own.
const STATE_SCHEMA: &str = "create schema if not exists unimig";

/// What was found of one step.
#[derive(Debug, Clone)]
pub struct Compared {
    pub outcome: Outcome,
    pub elapsed: Duration,
}

#[derive(Debug, Clone)]
pub enum Outcome {
    Differs(StepDiff),
    /// A test, on the state that the plan leaves.
    Tested {
        failing_rows: u64,
        verdict: StepStatus,
    },
    /// Why it was left out.
    NotCompared(String),
    Refused {
        message: String,
        mistake: Option<Box<Diagnostic>>,
    },
}

impl Outcome {
    /// Whether a run would stop here.
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Tested { verdict, .. } => *verdict == StepStatus::Fail,
            Self::Differs(_) | Self::NotCompared(_) => false,
        }
    }
}

/// What the steps need beside their session.
pub(super) struct Surroundings<'a> {
    pub root: &'a Path,
    /// Templates that ask the database.
    pub later: Option<Arc<Later>>,
}

/// Carries the plan out and takes it back. `stop` ends it at the next step; the transaction never commits.
pub(super) async fn diff(
    session: &Lease,
    (plan, around): (&Plan, &Surroundings<'_>),
    (samples, stop): (u32, &CancellationToken),
) -> Result<BTreeMap<NodeName, Compared>, OpError> {
    session.batch_execute(BEGIN).await.map_err(failed)?;
    let read: BTreeSet<&NodeName> =
        plan.steps.iter().flat_map(|step| step.waits_for.iter().map(|wait| &wait.parent)).collect();
    let mut compared: BTreeMap<NodeName, Compared> = BTreeMap::new();
    for step in &plan.steps {
        if stop.is_cancelled() {
            return Err(interrupted());
        }
        let started = Instant::now();
        let options = DiffOptions { samples, is_read: read.contains(&step.name) };
        let outcome = match held_back(step, &compared) {
            Some(why) => Outcome::NotCompared(why),
            None => carried_out(session, (step, around), options).await?,
        };
        compared.insert(step.name.clone(), Compared { outcome, elapsed: started.elapsed() });
    }
    Ok(compared)
}

/// What is said of a plan that a person stopped.
pub(super) fn interrupted() -> OpError {
    OpError::usage("interrupted", "nothing was written")
}

fn failed(error: tokio_postgres::Error) -> PostgresError {
    PostgresError::server("compare the plan with the target", error)
}

/// A parent that would stop the step.
fn held_back(step: &Step, compared: &BTreeMap<NodeName, Compared>) -> Option<String> {
    step.waits_for.iter().filter(|wait| wait.on_failure == OnFailure::Skip).find_map(|wait| {
        let outcome = &compared.get(&wait.parent)?.outcome;
        match outcome {
            Outcome::NotCompared(why) if why != NOT_READ => Some(why.clone()),
            outcome if outcome.is_failure() => Some(format!("{} would not succeed", wait.parent)),
            Outcome::Differs(_) | Outcome::Tested { .. } | Outcome::NotCompared(_) | Outcome::Refused { .. } => None,
        }
    })
}

/// Sources are not asked: a plan leaves them and the layer alone.
pub const NOT_READ: &str = "sources are not read: models are compared on the copies as they are";

/// What a step says of itself; errors that are no verdict on it end everything.
async fn carried_out(
    session: &Lease,
    (step, around): (&Step, &Surroundings<'_>),
    options: DiffOptions,
) -> Result<Outcome, OpError> {
    session.batch_execute("savepoint unimig_step").await.map_err(failed)?;
    let outcome = match locked(session, &step.action).await? {
        Some(holder) => Outcome::NotCompared(holder),
        None => match select(session, &step.name, around.later.as_ref()).await {
            Ok(None) => worked(session, (step, around.root), options).await?,
            Ok(Some(select)) => {
                let step = Step { action: step.action.with_select(select), ..step.clone() };
                worked(session, (&step, around.root), options).await?
            }
            Err(Diagnostics(mistakes)) => match mistakes.into_iter().next() {
                Some(mistake) => mistaken(Box::new(mistake)),
                None => Outcome::NotCompared("its template fails".to_owned()),
            },
        },
    };
    let stays = match &outcome {
        Outcome::Differs(_) => options.is_read,
        Outcome::Tested { .. } | Outcome::NotCompared(_) | Outcome::Refused { .. } => false,
    };
    let end = match stays {
        // The next step makes temporary tables of the same names.
        true => "discard temp;\nrelease savepoint unimig_step",
        false => "rollback to savepoint unimig_step;\nrelease savepoint unimig_step",
    };
    session.batch_execute(end).await.map_err(failed)?;
    Ok(outcome)
}

/// The SELECT of a step whose template asks the database: its parents are there by now, as the plan leaves them.
async fn select(
    session: &Lease,
    name: &NodeName,
    later: Option<&Arc<Later>>,
) -> Result<Option<CompiledSql>, Diagnostics> {
    let Some(later) = later.filter(|later| later.is_waiting(name)) else { return Ok(None) };
    let (later, node) = (Arc::clone(later), name.clone());
    let compiled =
        asking(session, move |server| later.compile(&node, &Session::Live(Arc::new(Guarded(server))))).await?;
    Ok(Some(compiled.sql))
}

/// Takes the lock that a run takes, so that the two don't wait for each other's rows; says who has it.
async fn locked(session: &Lease, action: &Action) -> Result<Option<String>, PostgresError> {
    let Some(target) = written_by(action) else { return Ok(None) };
    let holder = lock::try_acquire(session, target, Scope::Transaction).await?;
    Ok(holder.map(|holder| format!("{target} is in use by {holder}")))
}

fn written_by(action: &Action) -> Option<&Relation> {
    match action {
        Action::Merge(merge) => Some(&merge.target.relation),
        Action::Table(select) | Action::View(select) => Some(&select.node.relation),
        Action::MaterializedView(view) => Some(&view.node.relation),
        Action::Incremental(incremental) => Some(&incremental.node.relation),
        Action::Snapshot(snapshot) => Some(&snapshot.node.relation),
        Action::Seed(seed) => Some(&seed.node.relation),
        Action::Stage(_) | Action::Crosswalk(_) | Action::Test(_) | Action::UnitTest(_) => None,
    }
}

async fn worked(session: &Lease, (step, root): (&Step, &Path), options: DiffOptions) -> Result<Outcome, OpError> {
    let found = match &step.action {
        Action::Stage(_) => return Ok(Outcome::NotCompared(NOT_READ.to_owned())),
        Action::Crosswalk(_) => return Ok(Outcome::NotCompared("ids are given when it runs".to_owned())),
        Action::UnitTest(_) => return Ok(Outcome::NotCompared("it reads rows of its own".to_owned())),
        Action::Test(test) => {
            return match verify::judge(session, test, &test.select).await {
                Ok(found) => Ok(Outcome::Tested { failing_rows: found.failures, verdict: found.verdict(test) }),
                Err(VerifyError::Postgres(error)) => refused(error),
                Err(VerifyError::Project(mistake)) => Ok(mistaken(mistake)),
            };
        }
        Action::Merge(merge) => {
            session.batch_execute(STATE_SCHEMA).await.map_err(failed)?;
            diff::merged(session, merge, options).await
        }
        Action::Table(select) => {
            ensure_schema(session, &select.node.relation.schema).await?;
            diff::table(session, select, options).await
        }
        Action::View(select) => {
            ensure_schema(session, &select.node.relation.schema).await?;
            diff::viewed(session, select).await
        }
        Action::MaterializedView(view) => {
            ensure_schema(session, &view.node.relation.schema).await?;
            diff::materialized(session, view).await
        }
        Action::Incremental(incremental) => {
            ensure_schema(session, &incremental.node.relation.schema).await?;
            diff::incremented(session, incremental, options).await
        }
        Action::Snapshot(snapshot) => {
            ensure_schema(session, &snapshot.node.relation.schema).await?;
            diff::snapshotted(session, snapshot).await
        }
        Action::Seed(seed) => {
            ensure_schema(session, &seed.node.relation.schema).await?;
            diff::seeded(session, seed, (root, options)).await
        }
    };
    match found {
        Ok(diff) => Ok(Outcome::Differs(diff)),
        Err(TransformError::Postgres(error)) => refused(error),
        Err(TransformError::Project(mistake)) => Ok(mistaken(mistake)),
        Err(error @ (TransformError::File { .. } | TransformError::ViewInUse { .. })) => {
            Ok(Outcome::Refused { message: error.to_string(), mistake: None })
        }
    }
}

async fn ensure_schema(session: &Lease, schema: &Ident) -> Result<(), PostgresError> {
    let statements = [format!("create schema if not exists {schema}")];
    match flight::fly(session, &statements).await?.into_iter().flatten().next() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn mistaken(mistake: Box<Diagnostic>) -> Outcome {
    Outcome::Refused { message: mistake.message.clone(), mistake: Some(mistake) }
}

/// A server's no is a finding; a lost connection is not.
fn refused(error: PostgresError) -> Result<Outcome, OpError> {
    if error.is_unreachable() {
        return Err(OpError::Postgres(error));
    }
    if matches!(error, PostgresError::Timeout { which: TimeoutKind::Lock, .. }) {
        return Ok(Outcome::NotCompared(IN_USE.to_owned()));
    }
    Ok(Outcome::Refused { message: error.to_string(), mistake: None })
}
