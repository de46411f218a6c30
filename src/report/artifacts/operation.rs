//! The results of `run-operation`, in the shape of those of a run: one result, of a macro.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::write::{self, Unwritten};
use super::{Described, RunArguments};

/// How a macro that was called by itself ended.
#[derive(Debug, Clone)]
pub struct OperationResult<'a> {
    /// With its package before a dot, or without.
    pub macro_name: &'a str,
    pub started_at: Timestamp,
    pub elapsed: Duration,
    pub failure: Option<String>,
}

/// Writes `run_results.json`.
pub fn write_operation(
    folder: &Path,
    described: Described<'_>,
    (result, arguments): (&OperationResult<'_>, &RunArguments),
) -> Result<(), Unwritten> {
    let elapsed = SignedDuration::try_from(result.elapsed).unwrap_or(SignedDuration::MAX);
    let completed = result.started_at.saturating_add(elapsed).unwrap_or(Timestamp::MAX).to_string();
    let started = result.started_at.to_string();
    let id = match result.macro_name.contains('.') {
        true => format!("macro.{}", result.macro_name),
        false => format!("macro.{}.{}", described.project.name, result.macro_name),
    };
    let mut args = arguments.clone();
    args.insert("which".to_owned(), json!("run-operation"));
    args.insert("macro".to_owned(), json!(result.macro_name));
    let document = json!({
        "metadata": write::metadata("run-results/v6", &described.environment.invocation),
        "results": [{
            "unique_id": id,
            "status": if result.failure.is_some() { "error" } else { "success" },
            "thread_id": "Thread-1",
            "execution_time": result.elapsed.as_secs_f64(),
            "timing": [
                { "name": "compile", "started_at": started, "completed_at": started },
                { "name": "execute", "started_at": started, "completed_at": completed },
            ],
            "message": result.failure,
            "failures": null,
            "compiled": null,
            "compiled_code": null,
            "relation_name": null,
            "batch_results": null,
            "adapter_response": {},
        }],
        "elapsed_time": result.elapsed.as_secs_f64(),
        "args": args,
    });
    write::write(folder, "run_results.json", &document)
}
