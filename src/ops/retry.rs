//! `retry`: the last run once more, with what failed in it and what was skipped for that.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::manifest::jinja::Rows;
use crate::ops::OpError;
use crate::ops::defer::{Defer, Favor};
use crate::ops::run::{RunRequest, Verb};
use crate::ops::selection::{Selection, state_folder};
use crate::plan::OnError;
use crate::project::Vars;

/// How a node ended that is tried again.
const RETRIED: &[&str] = &["error", "fail", "skipped", "runtime error", "partial success"];

/// A run that is over, as its `run_results.json` tells.
#[derive(Debug, Clone)]
pub struct LastRun {
    path: PathBuf,
    command: String,
    arguments: Map<String, Value>,
    /// dbt's identities with how each ended.
    results: Vec<(String, String)>,
}

/// What the command line changes in the run that is repeated.
#[derive(Debug, Clone, Copy, Default)]
pub struct RetryOptions {
    pub threads: Option<usize>,
    /// Warnings count as failures.
    pub warn_error: bool,
}

impl LastRun {
    /// Reads the results in a folder: the one that is named, or the project's `target/`.
    pub fn read(state: Option<&Path>, (root, target): (&Path, &Path)) -> Result<Self, OpError> {
        let folder = match state {
            Some(state) => state_folder(state, root)?,
            None => target.to_path_buf(),
        };
        let path = folder.join("run_results.json");
        let text = fs_err::read_to_string(&path)
            .map_err(|_| mistake(format!("there is no run to retry: \"{}\" cannot be read", path.display())))?;
        let unreadable = || mistake(format!("\"{}\" holds no results of a run", path.display()));
        let document: Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
        let arguments = document.get("args").and_then(Value::as_object).cloned().ok_or_else(unreadable)?;
        let command = arguments.get("which").and_then(Value::as_str).ok_or_else(unreadable)?.to_owned();
        let results = document.get("results").and_then(Value::as_array).ok_or_else(unreadable)?;
        let result = |result: &Value| {
            let text = |key: &str| result.get(key).and_then(Value::as_str).map(str::to_owned);
            Some((text("unique_id")?, text("status")?))
        };
        let results = results.iter().filter_map(result).collect();
        Ok(Self { path, command, arguments, results })
    }

    /// `--vars` of the run.
    pub fn vars(&self) -> Vars {
        let vars = self.arguments.get("vars").and_then(Value::as_object);
        vars.map(|vars| vars.iter().map(|(key, value)| (key.clone(), value.clone())).collect()).unwrap_or_default()
    }

    /// `--target` of the run.
    pub fn target(&self) -> Option<&str> {
        self.arguments.get("target").and_then(Value::as_str)
    }

    /// `--defer` of the run.
    fn defer(&self) -> Option<Defer> {
        let state = self.arguments.get("defer_state").and_then(Value::as_str)?;
        let favor = match self.arguments.get("favor_state") {
            Some(Value::Bool(true)) => Favor::State,
            Some(_) | None => Favor::Target,
        };
        Some(Defer { state: PathBuf::from(state), favor })
    }

    /// The same command with the nodes that did not come to their end; [`None`] when all did.
    pub fn request(&self, manifest: &Manifest, options: RetryOptions) -> Result<Option<RunRequest>, OpError> {
        let Some(verb) = [Verb::Build, Verb::Run, Verb::Test, Verb::Seed, Verb::Snapshot]
            .into_iter()
            .find(|verb| verb.as_str() == self.command)
        else {
            return Err(mistake(format!(
                "\"{}\" is of \"{}\", which cannot be retried",
                self.path.display(),
                self.command
            )));
        };
        let is_retried = |status: &str| RETRIED.contains(&status) || options.warn_error && status == "warn";
        let wanted: HashSet<&str> =
            self.results.iter().filter(|(_, status)| is_retried(status)).map(|(id, _)| id.as_str()).collect();
        let nodes: Vec<NodeName> =
            manifest.names().filter(|name| wanted.contains(manifest.unique_id(name).as_str())).cloned().collect();
        if nodes.is_empty() {
            return Ok(None);
        }
        let flag = |key: &str| self.arguments.get(key).and_then(Value::as_bool).unwrap_or_default();
        let threads =
            self.arguments.get("threads").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        let lock_wait = self.arguments.get("lock_wait_seconds").and_then(Value::as_f64);
        let defaults = RunRequest::all(verb);
        Ok(Some(RunRequest {
            selection: Selection { only: Some(Arc::new(nodes)), ..Selection::default() },
            threads: options.threads.or(threads),
            on_error: match self.arguments.get("on_error").and_then(Value::as_str) {
                Some("skip") => OnError::Skip,
                Some(_) | None => OnError::Continue,
            },
            lock_wait: lock_wait
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .unwrap_or(defaults.lock_wait),
            full_refresh: flag("full_refresh"),
            reads: self
                .arguments
                .get("reads")
                .cloned()
                .and_then(|reads| serde_json::from_value(reads).ok())
                .unwrap_or_default(),
            fail_fast: flag("fail_fast"),
            warn_error: options.warn_error || flag("warn_error"),
            store_failures: flag("store_failures"),
            rows: if flag("empty") { Rows::None } else { Rows::All },
            defer: self.defer(),
            ..defaults
        }))
    }
}

fn mistake(message: String) -> OpError {
    let hint = "unimig run, build, test and seed leave target/run_results.json; --state names another folder";
    OpError::Project(Diagnostics(vec![Diagnostic::error(Code::MissingState, message).hint(hint)]))
}
