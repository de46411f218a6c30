//! `build`, `run`, `test`, `seed`: progress while they run, a table and the failures at the end.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::cli::arguments::{BuildArguments, RunArguments};
use crate::cli::{Door, INTERRUPTED, retry, stop_signal};
use crate::compile::CompileFacts;
use crate::event::{Listener, RunSummary};
use crate::manifest::jinja::Rows;
use crate::ops::OpError;
use crate::ops::history;
use crate::ops::record::run_arguments;
use crate::ops::run::{self, Ended, RunRequest, Verb};
use crate::ops::warnings::{TEST, Treatment};
use crate::ops::workspace::Workspace;
use crate::plan::ReadBounds;
use crate::report::failures::Failures;
use crate::report::json_lines::JsonLines;
use crate::report::log::{LogFormat, LogLevel};
use crate::report::plain::PlainLines;
use crate::report::progress::Progress;
use crate::report::{Audience, Terminal, artifacts, junit, summary};

pub(super) async fn build(door: &Door, arguments: &BuildArguments) -> Result<u8, OpError> {
    execute(door, emptied(request(door, Verb::Build, &arguments.run)?, arguments), arguments.run.junit.as_deref()).await
}

pub(super) async fn run(door: &Door, arguments: &BuildArguments) -> Result<u8, OpError> {
    execute(door, emptied(request(door, Verb::Run, &arguments.run)?, arguments), arguments.run.junit.as_deref()).await
}

pub(super) async fn test(door: &Door, arguments: &RunArguments) -> Result<u8, OpError> {
    execute(door, request(door, Verb::Test, arguments)?, arguments.junit.as_deref()).await
}

pub(super) async fn seed(door: &Door, arguments: &RunArguments) -> Result<u8, OpError> {
    execute(door, request(door, Verb::Seed, arguments)?, arguments.junit.as_deref()).await
}

pub(super) async fn snapshot(door: &Door, arguments: &RunArguments) -> Result<u8, OpError> {
    execute(door, request(door, Verb::Snapshot, arguments)?, arguments.junit.as_deref()).await
}

fn emptied(request: RunRequest, arguments: &BuildArguments) -> RunRequest {
    let rows = if arguments.empty { Rows::None } else { Rows::All };
    RunRequest { rows, reads: arguments.reads.clone().into(), ..request }
}

fn request(door: &Door, verb: Verb, arguments: &RunArguments) -> Result<RunRequest, OpError> {
    Ok(RunRequest {
        verb,
        selection: arguments.selection.clone().into(),
        threads: arguments.threads.map(usize::from),
        on_error: arguments.on_error.into(),
        lock_wait: arguments.lock_wait,
        full_refresh: arguments.full_refresh,
        reads: ReadBounds::default(),
        fail_fast: arguments.fail_fast,
        warn_error: door.warnings()?.treatment(TEST) == Treatment::Error,
        warnings: door.warnings()?,
        store_failures: arguments.store_failures,
        rows: Rows::All,
        defer: retry::defer(&arguments.defer, arguments.selection.state.as_ref())?,
    })
}

pub(super) async fn execute(door: &Door, mut request: RunRequest, junit: Option<&Path>) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    history::ask(&workspace, &mut request.selection).await?;
    execute_in(door, (&workspace, &request), junit).await
}

/// Runs in a project that is loaded already.
pub(super) async fn execute_in(
    door: &Door,
    (workspace, request): (&Workspace, &RunRequest),
    junit: Option<&Path>,
) -> Result<u8, OpError> {
    let stop = stop_signal(door.terminal);
    let mut listeners = listeners(door.terminal);
    let ended = run::run(workspace, request, &mut listeners, stop.clone()).await;
    finish(door, (workspace, request), (ended, &stop), junit)
}

/// Tells how a run ended, and gives the exit code.
pub(super) fn finish(
    door: &Door,
    (workspace, request): (&Workspace, &RunRequest),
    (ended, stop): (Result<Ended, OpError>, &CancellationToken),
    junit: Option<&Path>,
) -> Result<u8, OpError> {
    let Ended { summary, hooks } = match ended {
        Ok(ended) => ended,
        Err(error) if stop.is_cancelled() => {
            door.refuse(&error);
            return Ok(INTERRUPTED);
        }
        Err(error) => return Err(error),
    };
    door.warn_of(&request.selection)?;
    if let Some(path) = junit {
        junit::write(path, &summary).map_err(|source| OpError::File {
            doing: "write",
            path: path.to_path_buf(),
            source,
        })?;
    }
    show(door, (workspace, request), &summary)?;
    hooks?;
    Ok(exit_code(&summary))
}

/// Who hears of a run that people watch.
pub(super) fn listeners(terminal: Terminal) -> Vec<Box<dyn Listener>> {
    if terminal.format == LogFormat::Json {
        return vec![Box::new(JsonLines::new(terminal))];
    }
    if terminal.level > LogLevel::Info {
        return vec![Box::new(Failures::new(terminal))];
    }
    let progress: Box<dyn Listener> = match terminal.audience {
        Audience::Person => Box::new(Progress::new(terminal)),
        Audience::Pipe => Box::new(PlainLines::new(terminal)),
    };
    vec![progress, Box::new(Failures::new(terminal))]
}

/// The table and the last line; with `--output json` the results on stdout.
pub(super) fn show(
    door: &Door,
    (workspace, request): (&Workspace, &RunRequest),
    summary: &RunSummary,
) -> Result<(), OpError> {
    let terminal = door.terminal;
    if door.is_json() {
        let compiled = workspace.compile(&CompileFacts { rows: request.rows, ..CompileFacts::default() })?;
        let arguments = run_arguments(workspace, request);
        terminal.print(&artifacts::run_results(workspace.describe(&compiled), summary, &arguments).to_string());
    }
    if terminal.format == LogFormat::Json {
        return Ok(());
    }
    if summary.reports.is_empty() {
        let why = if request.selection.is_narrow() { "nothing is selected" } else { "the project has none of these" };
        terminal.say(&format!("nothing to do: {why}"));
        return Ok(());
    }
    let shows_table = terminal.audience == Audience::Person && summary.command != "test";
    terminal.say("");
    if shows_table {
        terminal.say(&summary::table(&terminal, summary));
        terminal.say("");
    }
    terminal.say(&summary::line(summary));
    Ok(())
}

pub(super) fn exit_code(summary: &RunSummary) -> u8 {
    if summary.interrupted {
        INTERRUPTED
    } else if summary.met_unreachable() {
        3
    } else if summary.succeeded() {
        0
    } else {
        1
    }
}
