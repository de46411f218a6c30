//! What can go wrong between us and a server, sorted by what the user has to do about it.
//!
//! A server's own error is kept as a [`ServerError`], which shows no row value; the driver's error, which would, is
//! never kept as a cause beside it.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use crate::postgres::server_error::ServerError;
use crate::postgres::settings::SettingsError;
use crate::postgres::tls::TlsError;

/// A failure of a server or of the way to it.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error("could not connect to \"{name}\" ({endpoint})")]
    Unreachable { name: String, endpoint: String, source: tokio_postgres::Error },
    #[error("could not log in to \"{name}\" ({endpoint}): {reason}")]
    Authentication { name: String, endpoint: String, reason: String },
    #[error("connection \"{name}\" ({endpoint}): database \"{dbname}\" does not exist")]
    UnknownDatabase { name: String, endpoint: String, dbname: String },
    #[error(
        "connection \"{name}\" ({endpoint}): {reason}\nhint: lower max_connections of this connection, or raise the server's"
    )]
    TooManyConnections { name: String, endpoint: String, reason: String },
    #[error("connection \"{name}\" ({endpoint}): no TLS session")]
    Tls { name: String, endpoint: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("invalid settings of connection \"{name}\"")]
    Settings { name: String, source: SettingsError },
    /// The server said no to a statement.
    #[error("could not {doing}: {error}")]
    Server { doing: String, error: Box<ServerError> },
    #[error("could not {doing}: the connection was lost{}", last_words(.error.as_deref()))]
    ConnectionLost { doing: String, source: Option<tokio_postgres::Error>, error: Option<Box<ServerError>> },
    #[error("could not {doing}: {which}")]
    Timeout { doing: String, which: TimeoutKind },
    /// Somebody asked the server to stop the statement, we ourselves at Ctrl-C among them.
    #[error("could not {doing}: the statement was cancelled")]
    Cancelled { doing: String },
    /// The answer was not what the driver or we expected: a wrong type or number of columns.
    #[error("could not {doing}: unexpected answer")]
    Driver { doing: String, source: tokio_postgres::Error },
}

/// Which of the server's time limits was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutKind {
    Statement,
    Lock,
    IdleInTransaction,
}

impl std::fmt::Display for TimeoutKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            TimeoutKind::Statement => "statement timeout reached",
            TimeoutKind::Lock => "lock timeout reached, another session holds the lock",
            TimeoutKind::IdleInTransaction => "the transaction was idle for too long",
        })
    }
}

/// What the server said before it ended a session.
fn last_words(error: Option<&ServerError>) -> String {
    error.map(|error| format!(" ({error})")).unwrap_or_default()
}

/// The connection that was being made, for the messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub name: &'a str,
    pub endpoint: &'a str,
    pub dbname: &'a str,
}

impl PostgresError {
    /// Sorts the driver's error; `doing` completes "could not …", as in `copy into stg_svp.labors`.
    pub fn server(doing: impl Into<String>, error: tokio_postgres::Error) -> Self {
        let doing = doing.into();
        let Some(db) = error.as_db_error() else {
            let is_io = error.source().is_some_and(|source| source.is::<std::io::Error>());
            return if error.is_closed() || is_io {
                PostgresError::ConnectionLost { doing, source: Some(error), error: None }
            } else {
                PostgresError::Driver { doing, source: error }
            };
        };
        let code = db.code();
        let timeout = |which| PostgresError::Timeout { doing: doing.clone(), which };
        if *code == SqlState::QUERY_CANCELED {
            return match db.message() {
                "canceling statement due to statement timeout" => timeout(TimeoutKind::Statement),
                _ => PostgresError::Cancelled { doing },
            };
        }
        if *code == SqlState::LOCK_NOT_AVAILABLE && db.message().contains("lock timeout") {
            return timeout(TimeoutKind::Lock);
        }
        if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT {
            return timeout(TimeoutKind::IdleInTransaction);
        }
        let server_error = Box::new(ServerError::from_db(db));
        if is_shutdown(code) {
            return PostgresError::ConnectionLost { doing, source: None, error: Some(server_error) };
        }
        PostgresError::Server { doing, error: server_error }
    }

    /// Sorts an error that came while a connection was being made.
    pub(super) fn connecting(attempt: Attempt<'_>, error: tokio_postgres::Error) -> Self {
        let (name, endpoint) = (attempt.name.to_owned(), attempt.endpoint.to_owned());
        let Some(db) = error.as_db_error() else {
            return Self::before_login(name, endpoint, error);
        };
        let code = db.code();
        // Nothing of a row can be in what a server says at login.
        let reason = db.message().to_owned();
        if code.code().starts_with("28") {
            PostgresError::Authentication { name, endpoint, reason }
        } else if *code == SqlState::INVALID_CATALOG_NAME {
            PostgresError::UnknownDatabase { name, endpoint, dbname: attempt.dbname.to_owned() }
        } else if *code == SqlState::TOO_MANY_CONNECTIONS {
            PostgresError::TooManyConnections { name, endpoint, reason }
        } else if is_shutdown(code) {
            PostgresError::Unreachable { name, endpoint, source: error }
        } else {
            let doing = format!("open a session on \"{name}\" ({endpoint})");
            PostgresError::Server { doing, error: Box::new(ServerError::from_db(db)) }
        }
    }

    /// The driver keeps the kind of its errors to itself; the fixed first words of each are all there is.
    fn before_login(name: String, endpoint: String, error: tokio_postgres::Error) -> Self {
        let kind = error.to_string();
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        if kind.contains("TLS") {
            return PostgresError::Tls { name, endpoint, source: Box::new(error) };
        }
        if kind == "authentication error" || cause == "password missing" {
            let reason = if cause.is_empty() { kind } else { cause };
            return PostgresError::Authentication { name, endpoint, reason };
        }
        PostgresError::Unreachable { name, endpoint, source: error }
    }

    pub(super) fn tls(attempt: Attempt<'_>, error: TlsError) -> Self {
        PostgresError::Tls {
            name: attempt.name.to_owned(),
            endpoint: attempt.endpoint.to_owned(),
            source: Box::new(error),
        }
    }

    /// Whether the world could not be reached, which is exit code 3; a refused statement is not of this kind.
    pub fn is_unreachable(&self) -> bool {
        match self {
            PostgresError::Unreachable { .. }
            | PostgresError::Authentication { .. }
            | PostgresError::UnknownDatabase { .. }
            | PostgresError::TooManyConnections { .. }
            | PostgresError::Tls { .. }
            | PostgresError::ConnectionLost { .. } => true,
            PostgresError::Settings { .. }
            | PostgresError::Server { .. }
            | PostgresError::Timeout { .. }
            | PostgresError::Cancelled { .. }
            | PostgresError::Driver { .. } => false,
        }
    }

    /// Whether the same work may well succeed in a moment: by SQLSTATE, or since the session or its server went away.
    pub fn is_transient(&self) -> bool {
        match self {
            PostgresError::ConnectionLost { .. } | PostgresError::TooManyConnections { .. } => true,
            PostgresError::Server { error, .. } => is_transient_state(&error.sqlstate),
            PostgresError::Timeout { which: TimeoutKind::Lock, .. } => true,
            PostgresError::Timeout { which: TimeoutKind::Statement | TimeoutKind::IdleInTransaction, .. }
            | PostgresError::Unreachable { .. }
            | PostgresError::Authentication { .. }
            | PostgresError::UnknownDatabase { .. }
            | PostgresError::Tls { .. }
            | PostgresError::Settings { .. }
            | PostgresError::Cancelled { .. }
            | PostgresError::Driver { .. } => false,
        }
    }

    /// The server's own error, where there is one.
    pub fn server_error(&self) -> Option<&ServerError> {
        match self {
            PostgresError::Server { error, .. } | PostgresError::ConnectionLost { error: Some(error), .. } => {
                Some(error)
            }
            PostgresError::ConnectionLost { error: None, .. }
            | PostgresError::Unreachable { .. }
            | PostgresError::Authentication { .. }
            | PostgresError::UnknownDatabase { .. }
            | PostgresError::TooManyConnections { .. }
            | PostgresError::Tls { .. }
            | PostgresError::Settings { .. }
            | PostgresError::Timeout { .. }
            | PostgresError::Cancelled { .. }
            | PostgresError::Driver { .. } => None,
        }
    }

    /// The five characters of the server's error, where there is one.
    pub fn sqlstate(&self) -> Option<&str> {
        self.server_error().map(|error| error.sqlstate.as_str())
    }
}

/// serialization_failure, deadlock_detected, lock_not_available, too_many_connections; connection exceptions; a server
/// that goes away or is not there yet.
fn is_transient_state(sqlstate: &str) -> bool {
    ["40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03"].contains(&sqlstate) || sqlstate.starts_with("08")
}

/// The server goes away or is not there yet.
fn is_shutdown(code: &SqlState) -> bool {
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code)
}
