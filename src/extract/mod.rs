//! Source table → layer: one snapshot per source, COPY's bytes untouched into gzipped parts, the manifest last.
//!
//! Nothing here writes to a source, and nothing here knows the target.

mod checksum;
mod copy;
mod describe;
mod drift;
mod growing_key;
mod indexes;
mod key_range;
mod privileges;
mod slice;
mod snapshot;
mod throttle;

use std::sync::LazyLock;

use crate::diagnostic::Diagnostic;
use crate::ident::NodeName;
use crate::postgres::PostgresError;
use crate::sql::StatementFile;
use crate::store::StoreError;

pub use checksum::{hashed, row_hash};
pub use copy::{Above, Clock, Extraction, Portion, Ranges, TimeColumn, Window, digests, extract, note_missing_indexes};
pub use describe::{ExtensionType, SourceColumn, SourceShape, describe, extension_types, tables};
pub use drift::{Change, changes};
pub use growing_key::GrowingKey;
pub use indexes::{MissingIndexes, missing_indexes, usual_statement};
pub use privileges::{Writer, writer};
pub use slice::{Slice, sizes, slices};
pub use snapshot::{Joined, Snapshot};
pub use throttle::{Moment, Throttle};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("extract.sql")));

/// Why a table could not be extracted.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The project says something of the source that is not so.
    #[error("{}", .0.message)]
    Project(Box<Diagnostic>),
    #[error("the source counts {counted} rows of {node} in the snapshot of which {copied} were copied")]
    Broken { node: NodeName, counted: u64, copied: u64 },
}

impl ExtractError {
    /// The server's refusal or a lost connection, if it was that.
    pub fn postgres(&self) -> Option<&PostgresError> {
        let Self::Postgres(error) = self else { return None };
        Some(error)
    }

    /// The store's failure, if it was that.
    pub fn store(&self) -> Option<&StoreError> {
        let Self::Store(error) = self else { return None };
        Some(error)
    }

    /// The project's mistake, if it was that.
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        let Self::Project(error) = self else { return None };
        Some(error)
    }
}
