//! `server start|stop|status`: the project's private PostgreSQL.

use crate::ops::OpError;
use crate::ops::connections::private_server;
use crate::ops::workspace::Workspace;
use crate::postgres::server::ServerStatus;

pub async fn start(workspace: &Workspace) -> Result<ServerStatus, OpError> {
    Ok(private_server(workspace)?.start().await?)
}

/// Whether the server was running before.
pub async fn stop(workspace: &Workspace) -> Result<bool, OpError> {
    Ok(private_server(workspace)?.stop().await?)
}

pub fn status(workspace: &Workspace) -> Result<ServerStatus, OpError> {
    Ok(private_server(workspace)?.status()?)
}
