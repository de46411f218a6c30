//! One step: what it knows, its attempts, and the report of how it ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::event::{Event, Failure, LayerTraffic, Phase, StepReport};
use crate::execute::failure::StepError;
use crate::execute::hands::Hands;
use crate::execute::introspect;
use crate::execute::{retry, work};
use crate::ident::NodeName;
use crate::plan::{self, Action, Step};
use crate::postgres::{Canceller, PostgresError};
use crate::state::run::{self, StepRecord, StepStatus, Tally};
use crate::transform::TransformError;

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
    /// What the transactions that are committed did together, over all attempts: of a step that has several.
    committed: Mutex<Option<Done>>,
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
    /// A transaction that wrote this much, after those that are committed.
    pub(super) fn after(committed: Option<Self>, tally: Tally, layer: LayerTraffic) -> Self {
        let before = committed.unwrap_or_else(|| Self::wrote(Tally::default()));
        let mut all = before.tally;
        all += tally;
        let traffic = before.layer.unwrap_or_default();
        let layer = LayerTraffic { rows: traffic.rows + layer.rows, bytes: traffic.bytes + layer.bytes };
        Self { layer: Some(layer), ..Self::wrote(all) }
    }

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
            committed: Mutex::new(None),
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

    /// The same of the whole run.
    pub(super) fn note_run(&self, message: &str) {
        self.say(Event::Noted { node: None, message: message.to_owned() });
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
    pub(super) fn lasts(&self) {
        self.has_lasted.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_lasted(&self) -> bool {
        self.has_lasted.load(Ordering::Relaxed)
    }

    /// Remembers what is committed now, earlier transactions included: it counts whatever becomes of the step.
    pub(super) fn has_committed(&self, all: &Done) {
        *self.committed.lock().expect("no step panics while it holds the sum") = Some(all.clone());
    }

    pub(super) fn committed(&self) -> Option<Done> {
        self.committed.lock().expect("no step panics while it holds the sum").clone()
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
    let committed = context.committed();
    let tally = committed.as_ref().map(|done| done.tally).unwrap_or_default();
    let record = context.record(status, tally, Some(failure.message.clone()));
    if let Err(error) = record_alone(context, &record).await {
        tracing::warn!(step = %context.node, %error, "the step's end could not be recorded");
    }
    StepReport {
        node: context.node.clone(),
        status,
        started_at: context.started_at,
        elapsed: started.elapsed(),
        tally,
        layer: committed.and_then(|done| done.layer),
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
    work::work(context, compiled.as_ref().unwrap_or(action)).await
}
