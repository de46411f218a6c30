//! Whether the rows are still those that the source summed up: after they were loaded, and after they were merged.

use tokio_postgres::Client;

use super::{Batch, LoadError};
use crate::materialize::digest;
use crate::materialize::stage::StageShape;
use crate::postgres::PostgresError;

/// A step on the way of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    /// From the layer into a table of the target.
    Load,
    /// From there into the copy.
    Merge,
}

impl std::fmt::Display for Hop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Load => "load",
            Self::Merge => "merge",
        })
    }
}

/// Compares the rows of a relation with what the source said of the batch.
pub(super) async fn after_load(
    client: &Client,
    batch: Batch<'_>,
    relation: &(impl std::fmt::Display + Sync),
) -> Result<(), LoadError> {
    let Some(expected) = &batch.manifest.digest else { return Ok(()) };
    let names = batch.columns.iter().map(|column| &column.name);
    let row = client
        .query_one(&digest::sum(relation, names, None), &[])
        .await
        .map_err(|error| PostgresError::server(format!("sum up the rows of {}", batch.node.name), error))?;
    let (rows, digest): (i64, Option<String>) = (row.get(0), row.get(1));
    // A target of another encoding computes none that could be compared.
    let is_equal = digest.is_none_or(|digest| digest == *expected);
    if u64::try_from(rows).is_ok_and(|rows| rows == batch.manifest.rows) && is_equal {
        return Ok(());
    }
    Err(broken(batch, Hop::Load))
}

/// Compares the rows that the merge wrote with those of the batch; the others it found equal itself.
pub(super) async fn after_merge(
    client: &Client,
    shape: StageShape<'_>,
    (batch, written): (Batch<'_>, u64),
) -> Result<(), LoadError> {
    if written == 0 || batch.manifest.digest.is_none() {
        return Ok(());
    }
    let row = client.query_one(&shape.merged_rows(), &[]).await.map_err(|error| {
        PostgresError::server(format!("look at what was merged into {}", shape.node.stg_relation), error)
    })?;
    let (found, equal): (i64, i64) = (row.get(0), row.get(1));
    if u64::try_from(found).is_ok_and(|found| found == written) && found == equal {
        return Ok(());
    }
    Err(broken(batch, Hop::Merge))
}

fn broken(batch: Batch<'_>, hop: Hop) -> LoadError {
    LoadError::Broken { node: batch.node.name.clone(), batch_id: batch.manifest.batch_id, hop }
}
