//! The one loop that owns a run.
//!
//! It starts steps whose parents have ended, at most as many as there are threads, decides what becomes of the children
//! of a failed step, and tells listeners what happens. Steps share nothing but their pools; a failure stops no
//! neighbour.

mod failure;
mod guard;
mod hands;
mod introspect;
mod retry;
mod session;
mod stage;
mod step;
mod test;
mod transaction;
mod unit_test;
mod work;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::event::{Event, Failure, FailureKind, Listener, RunSummary, StepReport};
use crate::ident::NodeName;
use crate::plan::{OnFailure, Plan, Step, Wait};
use crate::state::run::{StepStatus, Tally};

pub use guard::{Guard, GuardOptions};
pub use hands::{Hands, HandsOptions};

/// Runs a plan to its end, or until `stop` is cancelled: then running statements are cancelled on their servers,
/// transactions are rolled back, and what had not started does not start.
pub async fn execute(
    plan: &Plan,
    hands: Arc<Hands>,
    listeners: &mut [Box<dyn Listener>],
    stop: CancellationToken,
) -> RunSummary {
    let (events, mut heard) = mpsc::unbounded_channel();
    let started = Instant::now();
    let mut run = Run::new(plan, hands, events, stop);
    tell(
        listeners,
        &Event::RunStarted {
            run_id: run.hands.run.id.0.clone(),
            command: plan.command.clone(),
            steps: plan.steps.iter().map(|step| step.name.clone()).collect(),
            threads: plan.settings.threads,
        },
    );
    run.start_ready();
    while let Some(finished) = next_finished(&mut run, &mut heard, listeners).await {
        run.finish(finished);
        run.start_ready();
    }
    drain(&mut heard, listeners);
    let summary = RunSummary {
        run_id: run.hands.run.id.0.clone(),
        command: plan.command.clone(),
        started_at: run.hands.run.started_at,
        elapsed: started.elapsed(),
        interrupted: run.stop.is_cancelled(),
        reports: std::mem::take(&mut run.reports),
    };
    tell(listeners, &Event::RunFinished(summary.clone()));
    summary
}

fn tell(listeners: &mut [Box<dyn Listener>], event: &Event) {
    for listener in listeners {
        listener.hear(event);
    }
}

fn drain(heard: &mut UnboundedReceiver<Event>, listeners: &mut [Box<dyn Listener>]) {
    while let Ok(event) = heard.try_recv() {
        tell(listeners, &event);
    }
}

/// Passes events on until a step ends; `None` when nothing runs any more.
async fn next_finished(
    run: &mut Run<'_>,
    heard: &mut UnboundedReceiver<Event>,
    listeners: &mut [Box<dyn Listener>],
) -> Option<(usize, StepReport)> {
    loop {
        tokio::select! {
            biased;
            Some(event) = heard.recv() => tell(listeners, &event),
            joined = run.running.join_next() => match joined {
                Some(Ok(finished)) => return Some(finished),
                Some(Err(error)) => if let Some(lost) = run.lost(&error) {
                    return Some(lost);
                },
                None => return None,
            },
        }
    }
}

/// The size of what a step reads for the first time, then how long a chain of steps waits for it.
type Urgency = (u64, usize);

/// Everything that a run knows while it lasts.
struct Run<'a> {
    plan: &'a Plan,
    hands: Arc<Hands>,
    events: UnboundedSender<Event>,
    stop: CancellationToken,
    /// Cancelled with `stop`, and by the first failure of a run that ends with it.
    halt: CancellationToken,
    /// The failure that ended the run.
    halted_by: Option<NodeName>,
    running: JoinSet<(usize, StepReport)>,
    /// Which step each task runs, for a task that ends without a report.
    tasks: HashMap<task::Id, usize>,
    /// How many parents of each step have not ended.
    open_parents: Vec<usize>,
    children: Vec<Vec<usize>>,
    /// Steps that may start, the most urgent first.
    ready: BTreeSet<(Reverse<Urgency>, usize)>,
    urgencies: Vec<Urgency>,
    statuses: BTreeMap<NodeName, StepStatus>,
    reports: Vec<StepReport>,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, hands: Arc<Hands>, events: UnboundedSender<Event>, stop: CancellationToken) -> Self {
        let places: BTreeMap<&NodeName, usize> =
            plan.steps.iter().enumerate().map(|(at, step)| (&step.name, at)).collect();
        let mut children = vec![Vec::new(); plan.steps.len()];
        for (at, step) in plan.steps.iter().enumerate() {
            for wait in &step.waits_for {
                if let Some(parent) = places.get(&wait.parent) {
                    children[*parent].push(at);
                }
            }
        }
        let size = |step: &Step| hands.sizes.get(&step.name).copied().unwrap_or(0);
        let urgencies: Vec<Urgency> =
            plan.steps.iter().zip(weights(&children)).map(|(step, weight)| (size(step), weight)).collect();
        let open_parents: Vec<usize> = plan.steps.iter().map(|step| step.waits_for.len()).collect();
        let free = open_parents.iter().enumerate().filter(|(_, open)| **open == 0);
        let ready = free.map(|(at, _)| (Reverse(urgencies[at]), at)).collect();
        Self {
            plan,
            hands,
            events,
            halt: stop.child_token(),
            halted_by: None,
            stop,
            running: JoinSet::new(),
            tasks: HashMap::new(),
            open_parents,
            children,
            ready,
            urgencies,
            statuses: BTreeMap::new(),
            reports: Vec::new(),
        }
    }

    /// Starts what may start; skipped steps end at once and may free others.
    fn start_ready(&mut self) {
        while self.running.len() < self.plan.settings.threads.max(1) {
            let Some((_, at)) = self.ready.pop_first() else { return };
            let step = &self.plan.steps[at];
            if self.stop.is_cancelled() {
                self.end_unstarted(at, StepStatus::Cancelled, cancelled());
                continue;
            }
            if let Some(first) = self.halted_by.clone() {
                let failure =
                    skipped(format!("not started: {first} failed, and the run stops at its first failure"), first);
                self.end_unstarted(at, StepStatus::Skipped, failure);
                continue;
            }
            match self.failed_parent(step) {
                Some((parent, OnFailure::Skip)) => {
                    let failure = skipped(format!("{parent} did not succeed"), parent);
                    self.end_unstarted(at, StepStatus::Skipped, failure);
                }
                Some((parent, OnFailure::UseLastGood)) if !self.hands.last_good.contains_key(&parent) => {
                    let failure = skipped(format!("{parent} failed and has never been loaded"), parent);
                    self.end_unstarted(at, StepStatus::Skipped, failure);
                }
                Some((_, OnFailure::UseLastGood | OnFailure::Proceed)) | None => self.start(at),
            }
        }
    }

    /// The failed parent with the gravest consequence.
    fn failed_parent(&self, step: &Step) -> Option<(NodeName, OnFailure)> {
        let failed = step.waits_for.iter().filter(|wait| match self.statuses.get(&wait.parent) {
            Some(StepStatus::Failed | StepStatus::Skipped | StepStatus::Cancelled | StepStatus::Fail) => true,
            Some(StepStatus::Success | StepStatus::Unchanged | StepStatus::Pass | StepStatus::Warn) | None => false,
        });
        let never_loaded = |wait: &&Wait| !self.hands.last_good.contains_key(&wait.parent);
        let mut failed: Vec<_> = failed.collect();
        failed.sort_by_key(|wait| match wait.on_failure {
            OnFailure::Skip => 0,
            OnFailure::UseLastGood if never_loaded(wait) => 1,
            OnFailure::UseLastGood => 2,
            OnFailure::Proceed => 3,
        });
        failed.first().map(|wait| (wait.parent.clone(), wait.on_failure))
    }

    fn start(&mut self, at: usize) {
        let step = self.plan.steps[at].clone();
        for wait in step.waits_for.iter().filter(|wait| wait.on_failure == OnFailure::UseLastGood) {
            if self.statuses.get(&wait.parent) == Some(&StepStatus::Failed)
                && let Some(last_good) = self.hands.last_good.get(&wait.parent)
            {
                let (node, parent) = (step.name.clone(), wait.parent.clone());
                let _ = self.events.send(Event::StaleParent { node, parent, last_good: *last_good });
            }
        }
        let context = step::StepContext::new(&self.hands, &self.events, &step, &self.halt);
        let task = self.running.spawn(async move { (at, step::run(context, &step.action).await) });
        self.tasks.insert(task.id(), at);
    }

    /// The report of a task that panicked: a defect of the tool is a failed step, never a step that is forgotten.
    fn lost(&self, error: &JoinError) -> Option<(usize, StepReport)> {
        let at = *self.tasks.get(&error.id())?;
        let failure = Failure {
            kind: FailureKind::Refused,
            message: "the step ended in a way that is a defect of unimig".to_owned(),
            causes: vec![error.to_string()],
            diagnostic: None,
            hint: Some("please report it; nothing was left half done, and the other steps went on".to_owned()),
            parent: None,
        };
        let report = self.unstarted(at, StepStatus::Failed, failure);
        let _ = self.events.send(Event::StepFinished(report.clone()));
        Some((at, report))
    }

    fn unstarted(&self, at: usize, status: StepStatus, failure: Failure) -> StepReport {
        StepReport {
            node: self.plan.steps[at].name.clone(),
            status,
            started_at: Timestamp::now(),
            elapsed: std::time::Duration::ZERO,
            tally: Tally::default(),
            layer: None,
            failing_rows: None,
            failure: Some(failure),
        }
    }

    fn end_unstarted(&mut self, at: usize, status: StepStatus, failure: Failure) {
        let report = self.unstarted(at, status, failure);
        let _ = self.events.send(Event::StepFinished(report.clone()));
        self.finish((at, report));
    }

    fn finish(&mut self, (at, report): (usize, StepReport)) {
        self.statuses.insert(report.node.clone(), report.status);
        let failed = matches!(report.status, StepStatus::Failed | StepStatus::Fail);
        if self.plan.settings.fail_fast && failed && self.halted_by.is_none() {
            self.halted_by = Some(report.node.clone());
            self.halt.cancel();
        }
        self.reports.push(report);
        for child in self.children[at].clone() {
            self.open_parents[child] -= 1;
            if self.open_parents[child] == 0 {
                self.ready.insert((Reverse(self.urgencies[child]), child));
            }
        }
    }
}

/// The length of the longest way down from each step: the stand-in for a critical path without times.
fn weights(children: &[Vec<usize>]) -> Vec<usize> {
    let mut weights = vec![0_usize; children.len()];
    for at in (0..children.len()).rev() {
        weights[at] = children[at].iter().map(|child| weights[*child].saturating_add(1)).max().unwrap_or(0);
    }
    weights
}

fn skipped(message: String, parent: NodeName) -> Failure {
    Failure {
        kind: FailureKind::ParentFailed,
        message,
        causes: Vec::new(),
        diagnostic: None,
        hint: None,
        parent: Some(parent),
    }
}

fn cancelled() -> Failure {
    Failure {
        kind: FailureKind::Interrupted,
        message: "not started: the run was interrupted".to_owned(),
        causes: Vec::new(),
        diagnostic: None,
        hint: None,
        parent: None,
    }
}
