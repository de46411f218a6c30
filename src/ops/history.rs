//! When processes last succeeded, for selections that ask: `stale:1d`.

use std::sync::Arc;

use jiff::Timestamp;

use crate::graph::History;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::selection::Selection;
use crate::ops::workspace::Workspace;
use crate::state::{run, schema};

/// Asks the target, if the selection wants to know.
pub async fn ask(workspace: &Workspace, selection: &mut Selection) -> Result<(), OpError> {
    if !selection.asks_history(&workspace.manifest) {
        return Ok(());
    }
    let connections = Connections::open(workspace, 1).await?;
    let history = read(&connections).await;
    connections.close().await?;
    selection.history = Some(Arc::new(history?));
    Ok(())
}

async fn read(connections: &Connections) -> Result<History, OpError> {
    let session = connections.target.lease("history").await?;
    // A target where nothing ever ran remembers nothing: everything is stale.
    let last_success = match schema::exists(&session).await? {
        true => run::last_successes(&session).await?.into_iter().collect(),
        false => std::collections::HashMap::new(),
    };
    Ok(History { now: Timestamp::now(), last_success })
}
