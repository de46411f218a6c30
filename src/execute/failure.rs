//! What stopped a step, told for people: one line, its causes, the place in their files.

use std::error::Error;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::event::{Failure, FailureKind};
use crate::extract::ExtractError;
use crate::load::LoadError;
use crate::postgres::{PostgresError, ServerError};
use crate::store::StoreError;
use crate::transform::TransformError;
use crate::verify::VerifyError;

/// Why a step ended without doing its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    Snapshot(Arc<PostgresError>),
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Transform(#[from] TransformError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("{target} is in use by {holder}")]
    Locked { target: String, holder: String },
    #[error("interrupted")]
    Interrupted,
}

impl StepError {
    pub(super) fn into_failure(self) -> Failure {
        let mut causes = Vec::new();
        let mut source = self.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            source = cause.source();
        }
        let server = self.postgres().and_then(PostgresError::server_error);
        let text = self.to_string();
        let mut lines = text.lines();
        let message = lines.next().unwrap_or_default().to_owned();
        // A detail stands beneath its message; a hint is told once, or replaced by ours.
        let (hints, details): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("hint: "));
        causes.splice(0..0, details.into_iter().map(str::to_owned));
        let told = hints.first().and_then(|hint| hint.strip_prefix("hint: ")).map(str::to_owned);
        Failure {
            kind: self.kind(),
            message,
            causes,
            hint: self.hint(server).or(told),
            diagnostic: self.diagnostic().map(|diagnostic| Box::new(diagnostic.clone())),
            parent: None,
        }
    }

    fn kind(&self) -> FailureKind {
        let unreachable = self.postgres().is_some_and(PostgresError::is_unreachable)
            || self.store().is_some_and(StoreError::is_unreachable);
        match self {
            Self::Locked { .. } | Self::Transform(TransformError::ViewInUse { .. }) => FailureKind::Locked,
            Self::Interrupted => FailureKind::Interrupted,
            Self::Postgres(_)
            | Self::Snapshot(_)
            | Self::Extract(_)
            | Self::Load(_)
            | Self::Transform(_)
            | Self::Verify(_) => match unreachable {
                true => FailureKind::Unreachable,
                false => FailureKind::Refused,
            },
        }
    }

    /// Whether another attempt may well succeed.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Transform(TransformError::ViewInUse { .. }))
            || self.postgres().is_some_and(PostgresError::is_transient)
    }

    fn postgres(&self) -> Option<&PostgresError> {
        match self {
            Self::Postgres(error) => Some(error),
            Self::Snapshot(error) => Some(error),
            Self::Extract(error) => error.postgres(),
            Self::Load(error) => error.postgres(),
            Self::Transform(error) => error.postgres(),
            Self::Verify(error) => error.postgres(),
            Self::Locked { .. } | Self::Interrupted => None,
        }
    }

    fn store(&self) -> Option<&StoreError> {
        match self {
            Self::Extract(error) => error.store(),
            Self::Load(error) => error.store(),
            Self::Postgres(_)
            | Self::Snapshot(_)
            | Self::Transform(_)
            | Self::Verify(_)
            | Self::Locked { .. }
            | Self::Interrupted => None,
        }
    }

    fn diagnostic(&self) -> Option<&Diagnostic> {
        match self {
            Self::Extract(error) => error.diagnostic(),
            Self::Load(error) => error.diagnostic(),
            Self::Transform(error) => error.diagnostic(),
            Self::Verify(error) => error.diagnostic(),
            Self::Postgres(_) | Self::Snapshot(_) | Self::Locked { .. } | Self::Interrupted => None,
        }
    }

    fn hint(&self, server: Option<&ServerError>) -> Option<String> {
        if let Self::Locked { .. } = self {
            return Some("wait for it to end, or give --lock-wait a longer time".to_owned());
        }
        if let Self::Transform(TransformError::ViewInUse { .. }) = self {
            return Some(
                "it has to be made again with what it reads: run again when that process has ended".to_owned(),
            );
        }
        let server = server?;
        let own = match server.sqlstate.as_str() {
            // undefined_table, undefined_schema
            "42P01" | "3F000" => Some("build what the model reads first: unimig seed, then unimig run"),
            // insufficient_privilege
            "42501" => Some("grant the privilege to the role that unimig connects as; unimig debug lists them"),
            // dependent_objects_still_exist: PostgreSQL's own hint would drop what others made
            "2BP01" => Some("drop the views that the message names, and run again: unimig makes its own anew"),
            // disk_full
            "53100" => Some("free space on the server, and run again: nothing was left half done"),
            _ => None,
        };
        own.map(str::to_owned).or_else(|| server.hint.clone())
    }
}
