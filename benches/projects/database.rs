//! The server that the runs are timed on: its own, in a temporary folder, and gone afterwards.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use unimig::postgres::server::{Binaries, Borrowed, PrivateServer, SUPERUSER};

use crate::command::succeed;

/// Of this machine's own; another server of the same port is at 127.0.0.1.
const ADDRESS: &str = "127.0.0.54";

/// A server that writes the statements of chosen databases to `log_folder`, as lines of JSON.
pub struct Database {
    pub log_folder: PathBuf,
    host: String,
    port: u16,
    borrowed: Borrowed,
    /// Removed when this is dropped.
    _folder: TempDir,
}

impl Database {
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // The server's own user has to get there.
        fs_err::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let server = PrivateServer::at(folder.path(), Binaries::find(&|name| std::env::var(name).ok())?);
        server.start().await?;
        let endpoint = server.endpoint("postgres");
        let configured = configure(&endpoint.host, endpoint.port);
        // What was set is for the next start, and a server that could not be set up must not stay.
        server.stop().await?;
        configured?;
        let log_folder = server.home().join("data").join("log");
        let borrowed = server.borrow().await?;
        Ok(Self { log_folder, host: endpoint.host, port: endpoint.port, borrowed, _folder: folder })
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where the server listens beside its folder.
    pub fn address(&self) -> &'static str {
        ADDRESS
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A copy of a database, in place of whatever had the name.
    pub fn copy(&self, template: &str, name: &str) -> anyhow::Result<()> {
        self.execute("postgres", &format!("drop database if exists {name}"))?;
        self.execute("postgres", &format!("create database {name} template {template}"))?;
        self.execute("postgres", "checkpoint")
    }

    pub fn execute(&self, database: &str, statement: &str) -> anyhow::Result<()> {
        psql(&self.host, self.port, database, &["-c", statement])
    }

    /// What is timed on psql's side: one session, answers thrown away.
    pub fn run_file(&self, database: &str, file: &Path) -> anyhow::Result<()> {
        psql(&self.host, self.port, database, &["-o", "/dev/null", "-f", &file.display().to_string()])
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        Ok(self.borrowed.give_back().await?)
    }
}

/// Statements go to lines of JSON, with their values, in a file of the server's own.
fn configure(host: &str, port: u16) -> anyhow::Result<()> {
    let listen = format!("listen_addresses = '{ADDRESS}'");
    let settings = [
        "logging_collector = on",
        "log_destination = 'jsonlog'",
        "log_error_verbosity = 'default'",
        "log_rotation_size = 0",
        // For the one peer that reaches no server through a folder; nobody else listens there.
        &listen,
    ];
    settings
        .iter()
        .try_for_each(|setting| psql(host, port, "postgres", &["-c", &format!("alter system set {setting}")]))
}

fn psql(host: &str, port: u16, database: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", SUPERUSER, "-h", host, "-p", &port.to_string()]);
    command.args(["-d", database]).args(arguments).env("PGOPTIONS", "-c client_min_messages=warning");
    succeed(command)
}
