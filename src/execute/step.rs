//! One step: its session, its lock, its one transaction, and the report of how it ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::compile::RenderedHooks;
use crate::event::{Event, Failure, LayerTraffic, Phase, StepReport};
use crate::execute::failure::StepError;
use crate::execute::hands::Hands;
use crate::execute::introspect;
use crate::execute::session::{Working, lock_target};
use crate::execute::{retry, stage, test, unit_test};
use crate::ident::{NodeName, Relation};
use crate::manifest::Moment;
use crate::plan::{self, Action, MaterializedViewAction, SelectAction, Step};
use crate::postgres::{Canceller, PostgresError};
use crate::state::batch;
use crate::state::lock::{self, Scope};
use crate::state::run::{self, StepRecord, StepStatus, Tally};
use crate::transform::{self, TransformError, ViewChange};

/// What a step knows of the run around it.
pub(super) struct StepContext {
    pub(super) hands: Arc<Hands>,
    pub(super) node: NodeName,
    pub(super) started_at: Timestamp,
    code_digest: String,
    events: UnboundedSender<Event>,
    stop: CancellationToken,
    cancellers: Mutex<Vec<Canceller>>,
    /// Whether something stays of an attempt that fails: what a hook did outside of the transaction, or a commit.
    has_lasted: AtomicBool,
}

/// How a step ended that did its work.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) status: StepStatus,
    pub(super) tally: Tally,
    pub(super) layer: Option<LayerTraffic>,
    pub(super) failing_rows: Option<u64>,
    /// Of a test that found rows.
    pub(super) failure: Option<Failure>,
}

impl Done {
    /// A process that wrote this much.
    pub(super) fn wrote(tally: Tally) -> Self {
        let status = if tally.is_zero() { StepStatus::Unchanged } else { StepStatus::Success };
        Self { status, tally, layer: None, failing_rows: None, failure: None }
    }
}

impl StepContext {
    pub(super) fn new(
        hands: &Arc<Hands>,
        events: &UnboundedSender<Event>,
        step: &Step,
        stop: &CancellationToken,
    ) -> Self {
        Self {
            hands: Arc::clone(hands),
            node: step.name.clone(),
            started_at: Timestamp::now(),
            code_digest: plan::digest(&step.action),
            events: events.clone(),
            stop: stop.clone(),
            cancellers: Mutex::new(Vec::new()),
            has_lasted: AtomicBool::new(false),
        }
    }

    pub(super) fn say(&self, event: Event) {
        // The listener outlives every step; if it is gone the process is ending.
        let _ = self.events.send(event);
    }

    pub(super) fn progress(&self, phase: Phase, rows: u64) {
        self.say(Event::StepProgress { node: self.node.clone(), phase, rows, bytes: 0 });
    }

    /// Something that people should know and that stops nothing.
    pub(super) fn note(&self, message: &str) {
        self.say(Event::Noted { node: Some(self.node.clone()), message: message.to_owned() });
    }

    /// Keeps the means to cancel what a session of this step is doing.
    pub(super) fn remember(&self, canceller: Canceller) {
        self.cancellers.lock().expect("no step panics while it holds the list").push(canceller);
    }

    pub(super) fn record(&self, status: StepStatus, tally: Tally, message: Option<String>) -> StepRecord {
        let code_digest = self.code_digest.clone();
        StepRecord { node: self.node.clone(), status, started_at: self.started_at, tally, message, code_digest }
    }

    /// What was done up to now may stay, so the step is not begun again.
    fn lasts(&self) {
        self.has_lasted.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_lasted(&self) -> bool {
        self.has_lasted.load(Ordering::Relaxed)
    }

    async fn cancel_statements(&self) {
        let cancellers = std::mem::take(&mut *self.cancellers.lock().expect("no step panics while it holds the list"));
        for canceller in cancellers {
            // A session that has ended already has nothing to cancel.
            let _ = canceller.cancel().await;
        }
    }
}

/// Runs a step to its end, whatever that is, and tells it.
pub(super) async fn run(context: StepContext, action: &Action) -> StepReport {
    let started = Instant::now();
    context.say(Event::StepStarted { node: context.node.clone() });
    let ended = tokio::select! {
        biased;
        ended = attempts(&context, action) => ended,
        () = context.stop.cancelled() => {
            context.cancel_statements().await;
            Err(StepError::Interrupted)
        }
    };
    let report = match ended {
        Ok(done) => StepReport {
            node: context.node.clone(),
            status: done.status,
            started_at: context.started_at,
            elapsed: started.elapsed(),
            tally: done.tally,
            layer: done.layer,
            failing_rows: done.failing_rows,
            failure: done.failure,
        },
        Err(error) => failed(&context, error, started).await,
    };
    context.say(Event::StepFinished(report.clone()));
    report
}

/// Does the work, again if what went wrong may pass by itself.
async fn attempts(context: &StepContext, action: &Action) -> Result<Done, StepError> {
    let mut attempt = 1;
    let mut compiled = None;
    loop {
        match compiled_work(context, action, &mut compiled).await {
            Ok(done) => return Ok(done),
            Err(error) => retry::await_next(context, action, (attempt, error)).await?,
        }
        attempt += 1;
    }
}

async fn failed(context: &StepContext, error: StepError, started: Instant) -> StepReport {
    let interrupted = matches!(error, StepError::Interrupted) || context.stop.is_cancelled();
    let status = if interrupted { StepStatus::Cancelled } else { StepStatus::Failed };
    let failure = error.into_failure();
    let record = context.record(status, Tally::default(), Some(failure.message.clone()));
    if let Err(error) = record_alone(context, &record).await {
        tracing::warn!(step = %context.node, %error, "the step's end could not be recorded");
    }
    StepReport {
        node: context.node.clone(),
        status,
        started_at: context.started_at,
        elapsed: started.elapsed(),
        tally: Tally::default(),
        layer: None,
        failing_rows: None,
        failure: Some(failure),
    }
}

/// Writes the row of a step whose own transaction was rolled back.
async fn record_alone(context: &StepContext, record: &StepRecord) -> Result<(), PostgresError> {
    let lease = context.hands.target.lease(context.node.as_str()).await?;
    run::record_step(&lease, &context.hands.run.id, record).await
}

/// Compiles first what asks the database; once for all attempts, as a template may write too.
async fn compiled_work(
    context: &StepContext,
    action: &Action,
    compiled: &mut Option<Action>,
) -> Result<Done, StepError> {
    if let Some(mistake) = context.hands.taken.get(&context.node) {
        return Err(StepError::Transform(TransformError::Project(Box::new(mistake.clone()))));
    }
    if compiled.is_none() {
        *compiled = introspect::select(context).await?.map(|select| action.with_select(select));
    }
    work(context, compiled.as_ref().unwrap_or(action)).await
}

async fn work(context: &StepContext, action: &Action) -> Result<Done, StepError> {
    match action {
        Action::Stage(stage) => stage::stage(context, stage).await,
        Action::Merge(merge) => {
            let transaction = Transaction {
                target: &merge.target.relation,
                staged_parents: &merge.staged_parents,
                makes_schema: false,
            };
            let merged = async |client: &Client| {
                let progress = |rows| context.progress(Phase::Merging, rows);
                let note = |message: &str| context.note(message);
                Ok(Done::wrote(transform::merge(client, merge, progress, note).await?))
            };
            in_transaction(context, transaction, merged).await
        }
        Action::Table(select) => {
            let built = async |client: &Client| {
                let note = |message: &str| context.note(message);
                Ok(Done::wrote(transform::table(client, select, note).await?.unwrap_or_default()))
            };
            in_transaction(context, Transaction::of_ours(&select.node.relation, &select.staged_parents), built).await
        }
        Action::View(select) => view(context, select).await,
        Action::MaterializedView(view) => materialized_view(context, view).await,
        Action::Incremental(incremental) => {
            let added = async |client: &Client| {
                let note = |message: &str| context.note(message);
                Ok(Done::wrote(transform::incremental(client, incremental, note).await?.unwrap_or_default()))
            };
            let relation = &incremental.node.relation;
            in_transaction(context, Transaction::of_ours(relation, &incremental.staged_parents), added).await
        }
        Action::Snapshot(snapshot) => {
            let kept = async |client: &Client| {
                let note = |message: &str| context.note(message);
                Ok(Done::wrote(transform::snapshot(client, snapshot, note).await?.unwrap_or_default()))
            };
            let relation = &snapshot.node.relation;
            in_transaction(context, Transaction::of_ours(relation, &snapshot.staged_parents), kept).await
        }
        Action::Seed(seed) => {
            let loaded = async |client: &Client| {
                let (root, note) = (&context.hands.project_root, |message: &str| context.note(message));
                Ok(Done::wrote(transform::seed(client, seed, root, note).await?.unwrap_or_default()))
            };
            in_transaction(context, Transaction::of_ours(&seed.node.relation, &[]), loaded).await
        }
        Action::Test(test) => test::test(context, test).await,
        Action::UnitTest(test) => unit_test::unit_test(context, test).await,
    }
}

async fn view(context: &StepContext, select: &SelectAction) -> Result<Done, StepError> {
    let created = async |client: &Client| {
        let note = |message: &str| context.note(message);
        Ok(changed(transform::view(client, select, note).await?))
    };
    in_transaction(context, Transaction::of_ours(&select.node.relation, &select.staged_parents), created).await
}

async fn materialized_view(context: &StepContext, view: &MaterializedViewAction) -> Result<Done, StepError> {
    let refreshed = async |client: &Client| {
        let note = |message: &str| context.note(message);
        Ok(changed(transform::materialized_view(client, view, note).await?))
    };
    in_transaction(context, Transaction::of_ours(&view.node.relation, &view.staged_parents), refreshed).await
}

fn changed(change: ViewChange) -> Done {
    let status = match change {
        ViewChange::Replaced => StepStatus::Success,
        ViewChange::Same => StepStatus::Unchanged,
    };
    Done { status, ..Done::wrote(Tally::default()) }
}

/// What a step's transaction is about.
#[derive(Clone, Copy)]
pub(super) struct Transaction<'a> {
    target: &'a Relation,
    staged_parents: &'a [NodeName],
    /// Whether the relation is ours, and so its schema may be.
    makes_schema: bool,
}

impl<'a> Transaction<'a> {
    /// On a relation that unimig makes itself.
    pub(super) fn of_ours(target: &'a Relation, staged_parents: &'a [NodeName]) -> Self {
        Self { target, staged_parents, makes_schema: true }
    }
}

/// Does the work, and writes what is to be remembered of it, in one transaction that holds the target's lock.
pub(super) async fn in_transaction(
    context: &StepContext,
    transaction: Transaction<'_>,
    work: impl AsyncFnOnce(&Client) -> Result<Done, StepError>,
) -> Result<Done, StepError> {
    let client = Working::lease(&context.hands.target, context).await?;
    let failed = |error| PostgresError::server(format!("run the transaction of {}", context.node), error);
    if transaction.makes_schema {
        context.hands.ensure_schema(&client, &transaction.target.schema).await?;
    }
    // The lock comes first: the transaction's one snapshot must not be older than what its holder leaves behind. One
    // snapshot for all statements means that a row which others insert meanwhile is refused, never taken for ours.
    lock_target(&client, transaction.target, Scope::Session, context).await?;
    let none = RenderedHooks::default();
    let hooks = context.hands.hooks.get(&context.node).unwrap_or(&none);
    if hooks.before.iter().any(|hook| hook.moment == Moment::Outside) {
        context.lasts();
    }
    introspect::hooks(context, &client, (&hooks.before, Moment::Outside)).await?;
    client.batch_execute("begin isolation level repeatable read read write").await.map_err(failed)?;
    introspect::hooks(context, &client, (&hooks.before, Moment::Inside)).await?;
    let parents: Vec<&str> = transaction.staged_parents.iter().map(NodeName::as_str).collect();
    let seen = batch::last_batch_ids(&client, &parents).await?;
    let done = work(&client).await?;
    introspect::hooks(context, &client, (&hooks.after, Moment::Inside)).await?;
    batch::record_consumed(&client, &context.node, &seen).await?;
    run::record_step(&client, &context.hands.run.id, &context.record(done.status, done.tally, None)).await?;
    commit(context, &client).await?;
    introspect::hooks(context, &client, (&hooks.after, Moment::Outside)).await?;
    let released = lock::release(&client, transaction.target).await.is_ok();
    // What a hook set in its session is not the next step's; a lock that could not be let go ends with its session.
    if released && hooks.before.is_empty() && hooks.after.is_empty() {
        client.give_back();
    }
    Ok(done)
}

/// Only a server that says no is sure not to have committed.
async fn commit(context: &StepContext, client: &Client) -> Result<(), PostgresError> {
    let committed = client
        .batch_execute("commit")
        .await
        .map_err(|error| PostgresError::server(format!("run the transaction of {}", context.node), error));
    match &committed {
        Err(PostgresError::Server { .. }) => {}
        Ok(()) | Err(_) => context.lasts(),
    }
    committed
}
