//! When processes last succeeded, for selections that ask: `stale:1d`.

use std::collections::{BTreeSet, HashMap};
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
    let now = Timestamp::now();
    if !schema::exists(&session).await? {
        return Ok(History { now, last_success: HashMap::new(), behind: BTreeSet::new() });
    }
    let last_success = run::last_successes(&session).await?.into_iter().collect();
    let behind = run::behind(&session).await?.into_iter().collect();
    Ok(History { now, last_success, behind })
}
