//! `psql`: PostgreSQL's own client on a connection of the profile.

use std::process::{Command, ExitStatus};

use tokio::signal::unix::{SignalKind, signal};

use crate::ops::OpError;
use crate::ops::connections::{Connections, TARGET};
use crate::ops::workspace::Workspace;
use crate::postgres::{Endpoint, Pool};

/// Runs psql until it ends; the private server is started for it and stopped again where that is needed.
pub async fn psql(
    workspace: &Workspace,
    connection: Option<&str>,
    arguments: &[String],
) -> Result<ExitStatus, OpError> {
    let connections = Connections::open(workspace, 1).await?;
    let ended = run(&connections, connection.unwrap_or(TARGET), arguments).await;
    connections.close().await?;
    ended
}

async fn run(connections: &Connections, name: &str, arguments: &[String]) -> Result<ExitStatus, OpError> {
    let pool = pool(connections, name)?;
    let mut command = Command::new("psql");
    command.args(arguments);
    point_at(&mut command, pool.endpoint());
    // Ctrl-C is psql's, to cancel a query: ours is only not to die of it, so that the server is given back.
    let _interrupts = signal(SignalKind::interrupt());
    let ended = tokio::task::spawn_blocking(move || command.status()).await;
    let status = ended.map_err(|error| OpError::usage(format!("psql was not waited for: {error}"), "try again"))?;
    status.map_err(|error| {
        OpError::usage(
            format!("could not start psql: {error}"),
            "install PostgreSQL's client (Debian: apt install postgresql-client), or put it on the PATH",
        )
    })
}

fn pool<'a>(connections: &'a Connections, name: &str) -> Result<&'a Pool, OpError> {
    if name == TARGET {
        return Ok(&connections.target);
    }
    connections.sources.get(name).ok_or_else(|| {
        let known: Vec<&str> = connections.sources.keys().map(String::as_str).chain([TARGET]).collect();
        OpError::usage(format!("unknown connection \"{name}\""), format!("the profile has {}", known.join(", ")))
    })
}

/// Through libpq's variables, so that no password shows in the list of processes.
fn point_at(command: &mut Command, endpoint: &Endpoint) {
    command
        .env("PGHOST", &endpoint.host)
        .env("PGPORT", endpoint.port.to_string())
        .env("PGUSER", &endpoint.user)
        .env("PGDATABASE", &endpoint.dbname)
        .env("PGAPPNAME", "unimig psql");
    if let Some(password) = &endpoint.password {
        command.env("PGPASSWORD", password.reveal());
    }
}
