//! `run-operation`: a macro, called by itself with a live session.
//!
//! Everything that it asks of the database runs in one transaction, which is kept when the macro returns and rolled back
//! when it fails.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::compile::{CompileFacts, Spoken, Templates};
use crate::diagnostic::Diagnostics;
use crate::manifest::jinja::Session;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::record::unwritten;
use crate::ops::workspace::Workspace;
use crate::postgres::PostgresError;
use crate::report::artifacts::{self, OperationResult};
use crate::transform;

/// A macro and its keyword arguments.
#[derive(Debug, Clone)]
pub struct Operation {
    /// With its package before a dot, or without.
    pub macro_name: String,
    pub arguments: Map<String, Value>,
}

/// Calls the macro, commits, and writes `run_results.json`, also when the macro failed.
pub async fn run_operation(
    workspace: &Workspace,
    operation: &Operation,
    stop: CancellationToken,
) -> Result<Spoken, OpError> {
    let compiled = workspace.compile(&CompileFacts::default())?;
    workspace.write_manifest(&compiled)?;
    let connections = Connections::open(workspace, 1).await?;
    let (started_at, started) = (Timestamp::now(), Instant::now());
    let outcome = call(workspace, operation, &connections, stop).await;
    let closed = connections.close().await;
    let result = OperationResult {
        macro_name: &operation.macro_name,
        started_at,
        elapsed: started.elapsed(),
        failure: outcome.as_ref().err().map(ToString::to_string),
    };
    let arguments = workspace.arguments();
    artifacts::write_operation(&workspace.target_dir(), workspace.describe(&compiled), (&result, &arguments))
        .map_err(unwritten)?;
    let spoken = outcome?;
    closed?;
    Ok(spoken)
}

async fn call(
    workspace: &Workspace,
    operation: &Operation,
    connections: &Connections,
    stop: CancellationToken,
) -> Result<Spoken, OpError> {
    let templates = Templates::owned(&workspace.project, &workspace.manifest, &workspace.environment)?;
    let session = connections.target.lease("run-operation").await?;
    let failed = |error| PostgresError::server("run the operation's transaction", error);
    session.batch_execute("begin").await.map_err(failed)?;
    let canceller = session.canceller();
    let Operation { macro_name, arguments } = operation.clone();
    let called: Result<Spoken, Diagnostics> = {
        let calling = transform::asking(&session, move |server: Arc<_>| {
            templates.call_macro(&macro_name, &arguments, Session::Live(server))
        });
        tokio::pin!(calling);
        tokio::select! {
            called = &mut calling => called,
            () = stop.cancelled() => {
                canceller.cancel().await?;
                calling.await
            }
        }
    };
    match called {
        Ok(spoken) => {
            session.batch_execute("commit").await.map_err(failed)?;
            Ok(spoken)
        }
        Err(mistakes) => {
            session.discard();
            Err(mistakes.into())
        }
    }
}
