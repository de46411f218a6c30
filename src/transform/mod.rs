//! SELECTs and seeds into the target's tables, one transaction each.
//!
//! The caller has begun the transaction and holds the target's lock; it commits, or discards the session.

mod ask;
mod audit;
mod bad_rows;
mod catalog;
mod columns;
mod contract;
mod crosswalk;
pub mod description;
pub mod diff;
mod edits;
mod fitness;
pub mod flight;
mod given;
mod hanging;
mod hook;
mod incremental;
mod keys;
mod materialized_view;
mod merge;
mod reference;
mod relation;
mod remake;
mod rules;
mod seed;
pub mod sequences;
mod snapshot;
mod subject;
mod upkeep;
mod written;

use crate::compile::{CompiledSql, Embedded};
use crate::diagnostic::{Code, Diagnostic};
use crate::postgres::PostgresError;

pub use ask::asking;
pub use audit::keep_failures;
pub use catalog::{has_rows, makers, our_tables, read_catalog};
pub use contract::contract_mistake;
pub use crosswalk::{ImportMistake, ImportedId, Sharing, crosswalk, import_ids};
pub use hook::{HookError, OpenTransaction, hooks};
pub use incremental::incremental;
pub use materialized_view::materialized_view;
pub use merge::{column_mistake, merge};
pub use relation::{ViewChange, table, view};
pub use seed::seed;
pub use snapshot::snapshot;

/// Why a target could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A file of the project is at fault.
    #[error("{}", .0.message)]
    Project(Box<Diagnostic>),
    /// A view that has to be made again with its parent; another process is at work on it.
    #[error("{view} is in use by {holder}")]
    ViewInUse { view: String, holder: String },
    #[error("could not read {path}")]
    File { path: std::path::PathBuf, source: std::io::Error },
}

impl TransformError {
    /// The server's refusal or a lost connection, if it was that.
    pub fn postgres(&self) -> Option<&PostgresError> {
        let Self::Postgres(error) = self else { return None };
        Some(error)
    }

    /// The project's mistake, if it was that.
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        let Self::Project(error) = self else { return None };
        Some(error)
    }
}

/// Puts a server's refusal of a user's SELECT at its place in the user's file.
pub fn located(error: PostgresError, embedded: &Embedded, select: &CompiledSql) -> TransformError {
    let place = error.server_error().and_then(|server| {
        let span = embedded.locate(server.position?, select)?;
        let hint = server.hint.clone().or_else(|| missing_relation_hint(&server.sqlstate));
        Some((span, server.message.clone(), hint))
    });
    match place {
        Some((span, message, hint)) => TransformError::Project(Box::new(Diagnostic {
            hint,
            ..Diagnostic::error(Code::SqlError, message).at(span)
        })),
        None => TransformError::Postgres(error),
    }
}

/// A relation or schema that is not there is mostly one that has not been built yet.
fn missing_relation_hint(sqlstate: &str) -> Option<String> {
    let is_missing = matches!(sqlstate, "42P01" | "3F000");
    is_missing.then(|| "if unimig builds it, run that first: unimig seed, or unimig run --select +name".to_owned())
}
