//! A run's events as JSON, one object a line: for programs that read the log.

use serde_json::{Map, Value, json};

use crate::event::{Event, Failure, Listener, RunSummary, StepReport};
use crate::report::artifacts::diagnostic;
use crate::report::log::LogLevel;
use crate::report::{Terminal, words};
use crate::state::run::StepStatus;

pub struct JsonLines {
    terminal: Terminal,
}

/// A line that is about to be written.
struct Line {
    level: LogLevel,
    event: &'static str,
    fields: Value,
}

impl JsonLines {
    pub fn new(terminal: Terminal) -> Self {
        Self { terminal }
    }
}

impl Listener for JsonLines {
    fn hear(&mut self, event: &Event) {
        let Line { level, event, fields } = line(event);
        let fields = match fields {
            Value::Object(fields) => fields,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
        };
        self.terminal.log(level, event, fields);
    }
}

fn line(event: &Event) -> Line {
    let (level, event, fields) = match event {
        Event::RunStarted { run_id, command, steps, threads } => (
            LogLevel::Info,
            "run_started",
            json!({ "run_id": run_id, "command": command, "steps": steps.len(), "threads": threads }),
        ),
        Event::StepStarted { node } => (LogLevel::Debug, "step_started", json!({ "node": node })),
        Event::StepProgress { node, phase, rows, bytes } => (
            LogLevel::Debug,
            "step_progress",
            json!({ "node": node, "phase": phase.as_str(), "rows": rows, "bytes": bytes }),
        ),
        Event::LockAwaited { node, holder, limit } => (
            LogLevel::Warn,
            "lock_awaited",
            json!({ "node": node, "holder": holder, "limit_seconds": limit.as_secs_f64() }),
        ),
        Event::StaleParent { node, parent, last_good } => (
            LogLevel::Warn,
            "stale_parent",
            json!({ "node": node, "parent": parent, "last_good": last_good.to_string() }),
        ),
        Event::StepRetried { node, attempt, reason, pause } => (
            LogLevel::Warn,
            "step_retried",
            json!({ "node": node, "attempt": attempt, "reason": reason, "pause_ms": pause.as_millis() }),
        ),
        Event::Noted { node, message } => (LogLevel::Info, "noted", json!({ "node": node, "message": message })),
        Event::StepFinished(report) => (step_level(report.status), "step_finished", step(report)),
        Event::RunFinished(summary) => (run_level(summary), "run_finished", run(summary)),
    };
    Line { level, event, fields }
}

fn step_level(status: StepStatus) -> LogLevel {
    match status {
        StepStatus::Success | StepStatus::Unchanged | StepStatus::Pass => LogLevel::Info,
        StepStatus::Skipped | StepStatus::Cancelled | StepStatus::Warn => LogLevel::Warn,
        StepStatus::Failed | StepStatus::Fail => LogLevel::Error,
    }
}

fn step(report: &StepReport) -> Value {
    let layer = report.layer.unwrap_or_default();
    json!({
        "node": report.node,
        "status": words::status(report.status),
        "started_at": report.started_at.to_string(),
        "seconds": report.elapsed.as_secs_f64(),
        "rows_inserted": report.tally.inserted,
        "rows_updated": report.tally.updated,
        "rows_deleted": report.tally.deleted,
        "rows_extracted": layer.rows,
        "layer_bytes": layer.bytes,
        "failing_rows": report.failing_rows,
        "failure": report.failure.as_ref().map(failure),
    })
}

fn failure(failure: &Failure) -> Value {
    json!({
        "message": failure.message,
        "causes": failure.causes,
        "hint": failure.hint,
        "because_of": failure.parent,
        "diagnostic": failure.diagnostic.as_deref().map(diagnostic),
    })
}

fn run_level(summary: &RunSummary) -> LogLevel {
    if summary.succeeded() { LogLevel::Info } else { LogLevel::Error }
}

fn run(summary: &RunSummary) -> Value {
    let tally = summary.tally();
    let counts: Map<String, Value> =
        summary.reports.iter().map(|report| words::status(report.status)).fold(Map::new(), |mut counts, status| {
            let seen = counts.get(status).and_then(Value::as_u64).unwrap_or(0);
            counts.insert(status.to_owned(), json!(seen + 1));
            counts
        });
    json!({
        "run_id": summary.run_id,
        "command": summary.command,
        "seconds": summary.elapsed.as_secs_f64(),
        "interrupted": summary.interrupted,
        "statuses": counts,
        "rows_inserted": tally.inserted,
        "rows_updated": tally.updated,
        "rows_deleted": tally.deleted,
    })
}
