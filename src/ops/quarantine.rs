//! `quarantine`: rows that copies refused, as the target remembers them. Reads only.

use crate::diagnostic::nearest;
use crate::ident::NodeName;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::workspace::Workspace;
use crate::state::quarantine::{self, QuarantinedTable, QuarantinedValue};
use crate::state::schema;

/// Every table that has rows set aside; nothing before the first run.
pub async fn list(workspace: &Workspace) -> Result<Vec<QuarantinedTable>, OpError> {
    let connections = Connections::open(workspace, 1).await?;
    let found = async {
        let session = connections.target.lease("quarantine").await?;
        match schema::exists(&session).await? {
            true => Ok(quarantine::tables(&session).await?),
            false => Ok(Vec::new()),
        }
    };
    let found = found.await;
    connections.close().await?;
    found
}

/// What is set aside of one table.
pub async fn show(workspace: &Workspace, node: &NodeName) -> Result<Vec<QuarantinedValue>, OpError> {
    let connections = Connections::open(workspace, 1).await?;
    let found = async {
        let session = connections.target.lease("quarantine").await?;
        match schema::exists(&session).await? {
            true => Ok(quarantine::values(&session, node).await?),
            false => Ok(Vec::new()),
        }
    };
    let found: Result<_, OpError> = found.await;
    connections.close().await?;
    let found = found?;
    // A table that is declared no longer may have left rows.
    let manifest = &workspace.manifest;
    if found.is_empty() && !manifest.stages.contains_key(node) && !manifest.models.contains_key(node) {
        return Err(unknown(workspace, node));
    }
    Ok(found)
}

fn unknown(workspace: &Workspace, node: &NodeName) -> OpError {
    let message = format!("no process \"{node}\" stages a source table or builds a model");
    let hint = match nearest(
        node.as_str(),
        workspace.manifest.stages.keys().chain(workspace.manifest.models.keys()).map(NodeName::as_str),
    ) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "unimig quarantine ls lists the tables that have rows set aside".to_owned(),
    };
    OpError::usage(message, hint)
}
