//! Why the private server could not be made, started or stopped.

use std::path::{Path, PathBuf};

use crate::postgres::error::PostgresError;

/// A failure of the private server, with what PostgreSQL's own tools said.
#[derive(Debug, thiserror::Error)]
pub enum ServerControlError {
    #[error(
        "no PostgreSQL server programs found{looked}\nhint: install PostgreSQL 15 or later (Debian: apt install postgresql; macOS: brew install postgresql@17), or set UNIMIG_PG_BIN to the folder with initdb and pg_ctl"
    )]
    NoBinaries { looked: String },
    #[error(
        "PostgreSQL {version} in \"{directory}\" is too old\nhint: install PostgreSQL 15 or later, or set UNIMIG_PG_BIN to its folder with initdb and pg_ctl"
    )]
    OldBinaries { directory: PathBuf, version: String },
    #[error(
        "the private server's files are of PostgreSQL {cluster}, the programs found are of {binaries}\nhint: set UNIMIG_PG_BIN to the programs of PostgreSQL {cluster}"
    )]
    OtherMajor { cluster: String, binaries: u32 },
    #[error("could not {doing} \"{path}\"")]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("could not run \"{program}\"")]
    Run { program: PathBuf, source: std::io::Error },
    #[error("could not make the private server's files\n{output}")]
    Initdb { output: String },
    #[error("could not start the private server; the end of \"{log}\":\n{tail}")]
    Start { log: PathBuf, tail: String },
    #[error("could not stop the private server\n{output}")]
    Stop { output: String },
    #[error("another command is using the private server\nhint: try again when it has ended")]
    InUse,
    #[error("\"{0}\" belongs to another user\nhint: remove it, or run as the user who owns it")]
    Foreign(PathBuf),
    #[error("PostgreSQL does not run as root, and there is neither a user \"postgres\" nor \"nobody\"")]
    NoAccount,
    #[error("invalid database name: {0}")]
    DatabaseName(String),
    #[error("the work on the private server was interrupted")]
    Interrupted,
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

impl ServerControlError {
    pub(super) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        ServerControlError::Io { doing, path: path.to_owned(), source }
    }
}
