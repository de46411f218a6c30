//! `run_results.json`, dbt's version 6: how each step of a run ended.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::write::{self, Unwritten};
use super::{Described, identity, mistake};
use crate::event::{Failure, RunSummary, StepReport};
use crate::report::words;
use crate::state::run::StepStatus;

/// What the command line asked for, as `args`.
pub type RunArguments = Map<String, Value>;

/// The results of a run, as the file and `--output json` show them.
pub fn run_results(described: Described<'_>, summary: &RunSummary, arguments: &RunArguments) -> Value {
    let threads = threads(&summary.reports);
    let results = summary.reports.iter().zip(threads).map(|(report, thread)| result(described, report, thread));
    let mut args = arguments.clone();
    args.insert("which".to_owned(), json!(summary.command));
    json!({
        "metadata": write::metadata("run-results/v6", &described.environment.invocation),
        "results": results.collect::<Vec<_>>(),
        "elapsed_time": summary.elapsed.as_secs_f64(),
        "args": args,
    })
}

pub fn write_run_results(
    folder: &Path,
    described: Described<'_>,
    (summary, arguments): (&RunSummary, &RunArguments),
) -> Result<(), Unwritten> {
    write::write(folder, "run_results.json", &run_results(described, summary, arguments))
}

/// Steps that overlap have different numbers; there are as many as ran at once.
fn threads(reports: &[StepReport]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..reports.len()).collect();
    order.sort_by_key(|at| reports[*at].started_at);
    let mut busy_until: Vec<Timestamp> = Vec::new();
    let mut threads = vec![0; reports.len()];
    for at in order {
        let report = &reports[at];
        let free = busy_until.iter().position(|until| *until <= report.started_at);
        let thread = free.unwrap_or(busy_until.len());
        if thread == busy_until.len() {
            busy_until.push(report.started_at);
        }
        busy_until[thread] = completed_at(report);
        threads[at] = thread;
    }
    threads
}

fn completed_at(report: &StepReport) -> Timestamp {
    let elapsed = SignedDuration::try_from(report.elapsed).unwrap_or(SignedDuration::MAX);
    report.started_at.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
}

fn result(described: Described<'_>, report: &StepReport, thread: usize) -> Value {
    let manifest = described.manifest;
    let compiled = described.compiled.get(&report.node);
    let relation = manifest.relation(&report.node);
    json!({
        "unique_id": identity::unique_id(manifest, &report.node),
        "status": words::dbt_status(report.status),
        "thread_id": format!("Thread-{}", thread + 1),
        "execution_time": report.elapsed.as_secs_f64(),
        "timing": timing(report),
        "message": message(report),
        "failures": report.failing_rows,
        "compiled": compiled.is_some(),
        "compiled_code": compiled.map(|node| &node.sql.text),
        "relation_name": relation.map(|relation| identity::relation_name(described.environment, relation)),
        "batch_results": null,
        "adapter_response": response(report),
    })
}

/// Everything was compiled before the first step: that part of a step takes no time. Nothing is timed for a step that
/// did not start.
fn timing(report: &StepReport) -> Value {
    match report.status {
        StepStatus::Skipped | StepStatus::Cancelled => json!([]),
        StepStatus::Success
        | StepStatus::Unchanged
        | StepStatus::Failed
        | StepStatus::Pass
        | StepStatus::Warn
        | StepStatus::Fail => {
            let started = report.started_at.to_string();
            json!([
                { "name": "compile", "started_at": started, "completed_at": started },
                { "name": "execute", "started_at": started, "completed_at": completed_at(report).to_string() },
            ])
        }
    }
}

fn response(report: &StepReport) -> Value {
    let layer = report.layer.unwrap_or_default();
    json!({
        "_message": words::status(report.status),
        "code": words::status(report.status),
        "rows_affected": report.tally.inserted + report.tally.updated + report.tally.deleted,
        "rows_inserted": report.tally.inserted,
        "rows_updated": report.tally.updated,
        "rows_deleted": report.tally.deleted,
        "rows_extracted": layer.rows,
        "layer_bytes": layer.bytes,
        "node": report.node,
        "failure": report.failure.as_ref().map(failure),
    })
}

/// What dbt's shape has no room for.
fn failure(failure: &Failure) -> Value {
    json!({
        "causes": failure.causes,
        "hint": failure.hint,
        "because_of": failure.parent,
        "diagnostic": failure.diagnostic.as_deref().map(mistake::diagnostic),
    })
}

fn message(report: &StepReport) -> Option<String> {
    report.failure.as_ref().map(|failure| failure.message.clone())
}
