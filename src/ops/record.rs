//! What a run leaves in `target/`: the manifest as soon as the project is compiled, the results when it is over.

use serde_json::{Value, json};

use crate::event::RunSummary;
use crate::manifest::jinja::Rows;
use crate::ops::OpError;
use crate::ops::defer::Favor;
use crate::ops::run::RunRequest;
use crate::ops::workspace::{CompiledProject, Workspace};
use crate::plan::OnError;
use crate::report::artifacts::{self, Described, RunArguments, Unwritten};

impl Workspace {
    /// What the artifacts of this project are made from.
    pub fn describe<'a>(&'a self, compiled: &'a CompiledProject) -> Described<'a> {
        Described {
            project: &self.project,
            environment: &self.environment,
            manifest: &self.manifest,
            compiled: &compiled.compiled,
            graph: &compiled.graph,
        }
    }

    pub fn write_manifest(&self, compiled: &CompiledProject) -> Result<(), OpError> {
        artifacts::write_manifest(&self.target_dir(), self.describe(compiled)).map_err(unwritten)
    }

    pub fn write_results(
        &self,
        compiled: &CompiledProject,
        (summary, arguments): (&RunSummary, &RunArguments),
    ) -> Result<(), OpError> {
        let described = self.describe(compiled);
        artifacts::write_run_results(&self.target_dir(), described, (summary, arguments)).map_err(unwritten)
    }

    /// The arguments that all verbs share, under dbt's names.
    pub fn arguments(&self) -> RunArguments {
        let mut arguments = RunArguments::new();
        arguments.insert("project_dir".to_owned(), json!(self.project.root));
        arguments.insert("profile".to_owned(), json!(self.environment.profile));
        arguments.insert("target".to_owned(), json!(self.environment.target_name));
        arguments
    }
}

pub(super) fn unwritten((path, source): Unwritten) -> OpError {
    OpError::File { doing: "write", path, source }
}

/// A run's request under dbt's names.
pub fn run_arguments(workspace: &Workspace, request: &RunRequest) -> RunArguments {
    let mut arguments = workspace.arguments();
    let mut put = |key: &str, value: Value| {
        arguments.insert(key.to_owned(), value);
    };
    put("select", json!(request.selection.select));
    put("exclude", json!(request.selection.exclude));
    put("selector", json!(request.selection.selector));
    put("indirect_selection", json!(request.selection.indirect.as_str()));
    put("vars", json!(workspace.given_vars));
    put("threads", json!(request.threads.unwrap_or(workspace.environment.target.threads)));
    put("full_refresh", json!(request.full_refresh));
    put("reads", json!(request.reads));
    put(
        "on_error",
        json!(match request.on_error {
            OnError::Continue => "continue",
            OnError::Skip => "skip",
        }),
    );
    let defer = request.defer.as_ref();
    put("defer", json!(defer.is_some()));
    put("defer_state", json!(defer.map(|defer| &defer.state)));
    put("favor_state", json!(defer.is_some_and(|defer| defer.favor == Favor::State)));
    put("fail_fast", json!(request.fail_fast));
    put("empty", json!(request.rows == Rows::None));
    put("store_failures", json!(request.store_failures));
    put("warn_error", json!(request.warn_error));
    put("lock_wait_seconds", json!(request.lock_wait.as_secs_f64()));
    arguments
}
