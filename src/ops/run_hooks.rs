//! `on-run-start` and `on-run-end`: statements before the first and after the last step of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::compile::Templates;
use crate::diagnostic::Diagnostics;
use crate::event::{RunSummary, StepReport};
use crate::manifest::Manifest;
use crate::manifest::jinja::Session;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::workspace::Workspace;
use crate::postgres::Lease;
use crate::project::Written;
use crate::report::words;
use crate::transform::{self, HookError};

/// Runs `on-run-start`; a run whose start fails does not begin.
pub(super) async fn start(
    workspace: &Workspace,
    connections: &Connections,
    stop: &CancellationToken,
) -> Result<(), OpError> {
    run(workspace, connections, (&workspace.project.on_run_start, &BTreeMap::new()), stop).await
}

/// Runs `on-run-end`, which is told how the run went.
pub(super) async fn end(
    workspace: &Workspace,
    connections: &Connections,
    (summary, stop): (&RunSummary, &CancellationToken),
) -> Result<(), OpError> {
    let hooks = &workspace.project.on_run_end;
    if hooks.is_empty() {
        return Ok(());
    }
    let ended = run(workspace, connections, (hooks, &names(workspace, summary)), stop).await;
    // The project was good enough for the run: a mistake that only now shows is a hook that failed.
    ended.map_err(|error| match error {
        OpError::Project(mistakes) => OpError::Hook(mistakes),
        error => error,
    })
}

async fn run(
    workspace: &Workspace,
    connections: &Connections,
    (hooks, names): (&[Written<String>], &BTreeMap<String, Value>),
    stop: &CancellationToken,
) -> Result<(), OpError> {
    if hooks.is_empty() {
        return Ok(());
    }
    let session = connections.target.lease("hooks").await?;
    let canceller = session.canceller();
    let ended = {
        let running = run_on(workspace, &session, (hooks, names));
        tokio::pin!(running);
        tokio::select! {
            ended = &mut running => ended,
            () = stop.cancelled() => {
                canceller.cancel().await?;
                running.await
            }
        }
    };
    // What a hook set in its session is no step's.
    session.discard();
    ended
}

async fn run_on(
    workspace: &Workspace,
    session: &Lease,
    (hooks, names): (&[Written<String>], &BTreeMap<String, Value>),
) -> Result<(), OpError> {
    let templates = Templates::owned(&workspace.project, &workspace.manifest, &workspace.environment)?;
    let (hooks, names) = (hooks.to_vec(), names.clone());
    let rendered = transform::asking(session, move |server| -> Result<Vec<_>, Diagnostics> {
        let render = |hook| templates.run_hook(hook, &names, Session::Live(Arc::clone(&server)));
        hooks.iter().filter_map(|hook| render(hook).transpose()).collect()
    });
    let hooks = rendered.await?;
    transform::hooks(session, &hooks).await.map_err(|error| match error {
        HookError::Postgres(error) => OpError::Postgres(error),
        HookError::Project(diagnostic) => OpError::Hook(Diagnostics(vec![*diagnostic])),
    })
}

/// dbt's names at the end of a run.
fn names(workspace: &Workspace, summary: &RunSummary) -> BTreeMap<String, Value> {
    let manifest = &workspace.manifest;
    let database = &workspace.environment.target.dbname;
    let results: Vec<Value> = summary.reports.iter().map(|report| result(manifest, database, report)).collect();
    let built = summary.reports.iter().filter(|report| report.failing_rows.is_none());
    let schemas: BTreeSet<&str> =
        built.filter_map(|report| manifest.relation(&report.node)).map(|relation| relation.schema.as_str()).collect();
    let pairs: Vec<Value> = schemas.iter().map(|schema| json!([database, schema])).collect();
    BTreeMap::from([
        ("results".to_owned(), Value::Array(results)),
        ("schemas".to_owned(), json!(schemas)),
        ("database_schemas".to_owned(), Value::Array(pairs)),
    ])
}

fn result(manifest: &Manifest, database: &str, report: &StepReport) -> Value {
    let unique_id = manifest.unique_id(&report.node);
    let relation = manifest.relation(&report.node);
    let facts = manifest.facts(&report.node);
    json!({
        "status": words::dbt_status(report.status),
        "unique_id": unique_id,
        "message": report.failure.as_ref().map(|failure| failure.message.clone()),
        "execution_time": report.elapsed.as_secs_f64(),
        "failures": report.failing_rows,
        "adapter_response": { "rows_affected": report.tally.inserted + report.tally.updated + report.tally.deleted },
        "node": {
            "unique_id": unique_id,
            "name": facts.as_ref().map(|facts| facts.short_name),
            "resource_type": facts.as_ref().map(|facts| facts.resource_type.as_str()),
            "database": database,
            "schema": relation.map(|relation| relation.schema.as_str()),
            "alias": relation.map(|relation| relation.name.as_str()),
            "relation_name": relation.map(ToString::to_string),
        },
    })
}
