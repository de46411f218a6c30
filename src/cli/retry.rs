//! What a run takes from an earlier one: `retry`, and the arguments of `--defer`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Door;
use crate::cli::arguments::RetryArguments;
use crate::cli::runs::execute_in;
use crate::ops::OpError;
use crate::ops::defer::{Defer, Favor};
use crate::ops::retry::{LastRun, RetryOptions};
use crate::ops::warnings::{TEST, Treatment};
use crate::ops::workspace::Workspace;

#[derive(Debug, Clone, Args)]
pub(super) struct DeferArguments {
    /// Read what this run does not build, and the target does not have, where the manifest of --state says it stands
    #[arg(long)]
    pub defer: bool,
    /// The folder whose manifest --defer reads, if it is not that of --state
    #[arg(long, value_name = "DIR", requires = "defer")]
    pub defer_state: Option<PathBuf>,
    /// With --defer, read what this run does not build from there even if the target has it
    #[arg(long, requires = "defer")]
    pub favor_state: bool,
}

/// `state` is the folder of `--state`.
pub(super) fn defer(arguments: &DeferArguments, state: Option<&PathBuf>) -> Result<Option<Defer>, OpError> {
    let DeferArguments { defer, defer_state, favor_state } = arguments;
    if !defer {
        return Ok(None);
    }
    let state = defer_state.as_ref().or(state).ok_or_else(|| {
        OpError::usage(
            "--defer needs to know where to read from",
            "--state or --defer-state names the folder of an earlier run's artifacts",
        )
    })?;
    let favor = if *favor_state { Favor::State } else { Favor::Target };
    Ok(Some(Defer { state: state.clone(), favor }))
}

/// The last run once more, with what did not come to a good end.
pub(super) async fn retry(door: &Door, arguments: &RetryArguments) -> Result<u8, OpError> {
    let found = Workspace::load(&door.workspace_options()?)?;
    let last = LastRun::read(arguments.state.as_deref(), (&found.project.root, &found.target_dir()))?;
    let workspace = door.workspace_of(&last)?;
    let warn_error = door.warnings()?.treatment(TEST) == Treatment::Error;
    let options = RetryOptions { threads: arguments.threads.map(usize::from), warn_error };
    match last.request(&workspace.manifest, options)? {
        Some(request) => execute_in(door, (&workspace, &request), None).await,
        None => {
            door.terminal.say("nothing to retry: everything in the last run came to a good end");
            Ok(0)
        }
    }
}
