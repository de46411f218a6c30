//! What a run says: the only thing that passes from the runner to those who show or keep it.
//!
//! An event holds names, counts and times. It never holds a row's value.

use std::time::Duration;

use jiff::Timestamp;

use crate::diagnostic::Diagnostic;
use crate::ident::NodeName;
use crate::state::run::{StepStatus, Tally};

/// Somebody who is told what happens, in order, from one task.
pub trait Listener {
    fn hear(&mut self, event: &Event);
}

#[derive(Debug, Clone)]
pub enum Event {
    RunStarted {
        run_id: String,
        command: String,
        steps: Vec<NodeName>,
        threads: usize,
    },
    StepStarted {
        node: NodeName,
    },
    /// How far a step is; bytes are those of the layer.
    StepProgress {
        node: NodeName,
        phase: Phase,
        rows: u64,
        bytes: u64,
    },
    /// Another process holds the step's target.
    LockAwaited {
        node: NodeName,
        holder: String,
        limit: Duration,
    },
    /// What failed may pass by itself: the step is begun again after the pause.
    StepRetried {
        node: NodeName,
        /// Which attempt it will be, from 2.
        attempt: u32,
        reason: String,
        pause: Duration,
    },
    /// The step goes on although a parent failed, on what the parent left at this time.
    StaleParent {
        node: NodeName,
        parent: NodeName,
        last_good: Timestamp,
    },
    /// Something that people should know and that stops nothing.
    Noted {
        node: Option<NodeName>,
        message: String,
    },
    StepFinished(StepReport),
    RunFinished(RunSummary),
}

/// What a step is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Extracting,
    Loading,
    Merging,
    Testing,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Extracting => "extracting",
            Self::Loading => "loading",
            Self::Merging => "merging",
            Self::Testing => "testing",
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone)]
pub struct StepReport {
    pub node: NodeName,
    pub status: StepStatus,
    pub started_at: Timestamp,
    pub elapsed: Duration,
    pub tally: Tally,
    /// Of a staged table: rows and compressed bytes that came through the layer.
    pub layer: Option<LayerTraffic>,
    /// Of a test: how many rows are wrong.
    pub failing_rows: Option<u64>,
    pub failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LayerTraffic {
    pub rows: u64,
    pub bytes: u64,
}

/// Why a step failed or was skipped.
#[derive(Debug, Clone)]
pub struct Failure {
    pub kind: FailureKind,
    /// One line; the first that people read.
    pub message: String,
    /// The causes beneath it, the nearest first.
    pub causes: Vec<String>,
    /// The user's file, where the fault lies in one.
    pub diagnostic: Option<Box<Diagnostic>>,
    pub hint: Option<String>,
    /// The parent whose failure this one is a consequence of.
    pub parent: Option<NodeName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A server, a store or the project's SQL refused.
    Refused,
    /// A connection or a store could not be reached.
    Unreachable,
    /// Another process holds the target.
    Locked,
    /// A parent failed and left nothing to work on.
    ParentFailed,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// A whole run.
#[derive(Debug, Clone)]
pub struct RunSummary {
    pub run_id: String,
    pub command: String,
    pub started_at: Timestamp,
    pub elapsed: Duration,
    pub reports: Vec<StepReport>,
    pub interrupted: bool,
}

impl RunSummary {
    pub fn count(&self, status: StepStatus) -> usize {
        self.reports.iter().filter(|report| report.status == status).count()
    }

    pub fn tally(&self) -> Tally {
        let mut total = Tally::default();
        for report in &self.reports {
            total += report.tally;
        }
        total
    }

    /// Whether every step did its work and every test passed; warnings are no failures.
    pub fn succeeded(&self) -> bool {
        !self.interrupted
            && self.reports.iter().all(|report| match report.status {
                StepStatus::Success | StepStatus::Unchanged | StepStatus::Pass | StepStatus::Warn => true,
                StepStatus::Failed | StepStatus::Skipped | StepStatus::Cancelled | StepStatus::Fail => false,
            })
    }

    /// Whether something failed because it could not be reached.
    pub fn met_unreachable(&self) -> bool {
        self.reports
            .iter()
            .filter_map(|report| report.failure.as_ref())
            .any(|failure| failure.kind == FailureKind::Unreachable)
    }
}
