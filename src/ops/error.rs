//! Why a verb could not be carried out at all; what fails inside a run is in the run's summary.

use std::path::PathBuf;

use crate::diagnostic::Diagnostics;
use crate::postgres::PostgresError;
use crate::postgres::server::ServerControlError;
use crate::state::schema::StateError;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// The project, the profile or the selection is wrong.
    #[error("the project has mistakes")]
    Project(Diagnostics),
    /// A statement before the first or after the last step was refused.
    #[error("a hook of the run failed")]
    Hook(Diagnostics),
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Server(#[from] ServerControlError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("could not {doing} \"{path}\"")]
    File { doing: &'static str, path: PathBuf, source: std::io::Error },
}

impl From<Diagnostics> for OpError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Project(diagnostics)
    }
}

impl OpError {
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// The exit codes of the book: 1 refused, 2 usage or project, 3 out of reach.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Project(_) | Self::Usage { .. } => 2,
            Self::Postgres(error) if error.is_unreachable() => 3,
            Self::State(StateError::Postgres(error)) if error.is_unreachable() => 3,
            Self::Store(error) if error.is_unreachable() => 3,
            Self::Server(_) => 3,
            Self::Hook(_) | Self::Postgres(_) | Self::State(_) | Self::Store(_) | Self::File { .. } => 1,
        }
    }
}
