//! The private PostgreSQL server: a cluster of the project's own, reached through a socket in a private folder.
//!
//! `unimig server start` leaves it running; a command that finds it stopped borrows it, and whoever gives the last
//! borrow back stops it. Two locks keep concurrent commands apart: one is held (shared) for as long as a borrow lasts,
//! the other for as long as somebody makes, starts or stops the cluster.

mod account;
mod binaries;
mod cluster;
mod config;
mod error;
mod layout;
mod lock;

use std::path::{Path, PathBuf};

use crate::ident::Ident;
use crate::postgres::connect::connect;
use crate::postgres::error::PostgresError;
use crate::postgres::session::{Role, SessionOptions};
use crate::postgres::settings::Endpoint;
use crate::postgres::tls::TlsMode;

use cluster::Cluster;
use lock::{FileLock, Hold};

pub use binaries::{Binaries, OLDEST_MAJOR};
pub use error::ServerControlError;

/// The cluster's superuser; trust authentication, behind a folder that nobody else may enter.
pub const SUPERUSER: &str = "unimig";
const PORT: u16 = 5432;
/// Names what nobody asked to stay: the server is stopped when the last borrow is given back.
const MARKER: &str = "server.borrowed";

/// How the server is right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerStatus {
    /// No cluster has been made yet.
    Absent,
    Stopped,
    Running {
        pid: u32,
        socket_dir: PathBuf,
        version: String,
    },
}

/// The server of one project; nothing is touched until a method is called.
#[derive(Debug, Clone)]
pub struct PrivateServer {
    state_dir: PathBuf,
    binaries: Binaries,
}

/// A running server, and the promise to leave it as it was found. Dropping it without [`Borrowed::give_back`] is what a
/// killed command does: the next command that gives back stops the server.
#[derive(Debug)]
pub struct Borrowed {
    server: PrivateServer,
    lock: FileLock,
}

impl PrivateServer {
    /// `state_dir` is the project's `.unimig`; it is made when it is needed.
    pub fn at(state_dir: &Path, binaries: Binaries) -> PrivateServer {
        let absolute = std::path::absolute(state_dir).unwrap_or_else(|_| state_dir.to_owned());
        PrivateServer { state_dir: absolute, binaries }
    }

    pub fn status(&self) -> Result<ServerStatus, ServerControlError> {
        self.cluster()?.status()
    }

    /// Starts the server to stay, makes the cluster if there is none; a server that is borrowed stays from now on.
    pub async fn start(&self) -> Result<ServerStatus, ServerControlError> {
        self.blocking(|server| {
            let _borrow = server.borrow_lock(Hold::Shared)?;
            let _control = server.control_lock()?;
            server.remove_marker()?;
            let cluster = server.cluster()?;
            cluster.start_if_stopped()?;
            cluster.status()
        })
        .await
    }

    /// Stops the server, unless another command is using it; whether it was running.
    pub async fn stop(&self) -> Result<bool, ServerControlError> {
        self.blocking(|server| {
            let Some(_borrow) = server.try_borrow_lock_exclusive()? else { return Err(ServerControlError::InUse) };
            let _control = server.control_lock()?;
            let stopped = server.cluster()?.stop_if_running()?;
            server.remove_marker()?;
            Ok(stopped)
        })
        .await
    }

    /// The running server for one command; started if it was stopped.
    pub async fn borrow(&self) -> Result<Borrowed, ServerControlError> {
        self.blocking(|server| {
            let lock = server.borrow_lock(Hold::Shared)?;
            let _control = server.control_lock()?;
            let cluster = server.cluster()?;
            if !cluster.is_running()? {
                // Before the start, so that a kill in its midst does not leave a server that stays for ever.
                server.write_marker()?;
                cluster.start_if_stopped()?;
            }
            Ok(Borrowed { server, lock })
        })
        .await
    }

    /// A database of the server, whether it is running or not.
    pub fn endpoint(&self, dbname: &str) -> Endpoint {
        Endpoint {
            host: self.layout().socket_dir.display().to_string(),
            port: PORT,
            user: SUPERUSER.to_owned(),
            password: None,
            dbname: dbname.to_owned(),
            tls: TlsMode::Disable,
            client_certificate: None,
            role: None,
            keepalives_idle: None,
            connect_timeout: None,
            statement_timeout: None,
        }
    }

    /// Makes a database that is not there yet; whether it was made. The server must be running.
    pub async fn ensure_database(&self, dbname: &str) -> Result<bool, ServerControlError> {
        let session = connect("embedded", &self.endpoint("postgres"), Role::Target, &SessionOptions::default()).await?;
        let failed = |error| PostgresError::server(format!("create database \"{dbname}\""), error);
        let statement = "select 1 from pg_catalog.pg_database where datname = $1";
        if session.query_opt(statement, &[&dbname]).await.map_err(failed)?.is_some() {
            return Ok(false);
        }
        let name = Ident::new(dbname).map_err(|error| ServerControlError::DatabaseName(error.to_string()))?;
        match session.batch_execute(&format!("create database {name}")).await {
            Ok(()) => Ok(true),
            // Another command made it in the meantime.
            Err(error) if matches!(error.code().map(|code| code.code()), Some("42P04" | "23505")) => Ok(false),
            Err(error) => Err(failed(error).into()),
        }
    }

    /// The folder of the cluster and of its `server.log`.
    pub fn home(&self) -> PathBuf {
        self.layout().home
    }

    fn layout(&self) -> layout::Layout {
        layout::Layout::find(&self.state_dir, account::Account::for_server().as_ref())
    }

    fn cluster(&self) -> Result<Cluster, ServerControlError> {
        Cluster::new(&self.state_dir, self.binaries.clone())
    }

    fn borrow_lock(&self, hold: Hold) -> Result<FileLock, ServerControlError> {
        FileLock::wait(&self.state_dir.join("server.lock"), hold)
    }

    fn try_borrow_lock_exclusive(&self) -> Result<Option<FileLock>, ServerControlError> {
        FileLock::try_exclusive(&self.state_dir.join("server.lock"))
    }

    fn control_lock(&self) -> Result<FileLock, ServerControlError> {
        FileLock::wait(&self.state_dir.join("server.control.lock"), Hold::Exclusive)
    }

    fn marker(&self) -> PathBuf {
        self.state_dir.join(MARKER)
    }

    fn write_marker(&self) -> Result<(), ServerControlError> {
        let path = self.marker();
        std::fs::write(&path, "stopped when the last command that uses it ends\n")
            .map_err(|source| ServerControlError::io("write", &path, source))
    }

    fn remove_marker(&self) -> Result<(), ServerControlError> {
        let path = self.marker();
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(ServerControlError::io("remove", &path, source))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(PrivateServer) -> Result<T, ServerControlError> + Send + 'static,
    ) -> Result<T, ServerControlError> {
        let server = self.clone();
        match tokio::task::spawn_blocking(move || work(server)).await {
            Ok(result) => result,
            Err(_) => Err(ServerControlError::Interrupted),
        }
    }
}

impl Borrowed {
    pub fn server(&self) -> &PrivateServer {
        &self.server
    }

    /// Stops the server if a borrow had started it and nobody else uses it.
    pub async fn give_back(self) -> Result<(), ServerControlError> {
        let server = self.server.clone();
        server.blocking(move |_| self.give_back_blocking()).await
    }

    /// The same for where nothing can be awaited.
    pub fn give_back_blocking(self) -> Result<(), ServerControlError> {
        let Self { server, lock } = self;
        // Let go first: of two that give back at once, the later one must get the lock alone.
        drop(lock);
        if !server.marker().exists() {
            return Ok(());
        }
        let Some(_borrow) = server.try_borrow_lock_exclusive()? else { return Ok(()) };
        let _control = server.control_lock()?;
        if server.marker().exists() {
            server.cluster()?.stop_if_running()?;
            server.remove_marker()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
