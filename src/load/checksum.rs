//! Whether the rows are still those that the source summed up: after they were loaded, and after they were merged.

use tokio_postgres::Client;

use super::{Batch, LoadError};
use crate::manifest::Missing;
use crate::materialize::digest::{self, HashedColumn, Side};
use crate::materialize::stage::StageShape;
use crate::postgres::PostgresError;
use crate::store::BatchKind;

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

/// What shows that a batch was loaded and merged as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The copy as a whole: its live rows have the sum of the source's.
    Copy,
    /// Each step for itself: the batch is a part of the table, or the copy has more in it.
    Steps,
}

/// Which proof a batch allows.
pub(super) async fn proof(client: &Client, batch: Batch<'_>) -> Result<Proof, LoadError> {
    let Batch { node, manifest, .. } = batch;
    let is_whole = manifest.kind == BatchKind::Full && node.removals.missing == Missing::Bury;
    if !is_whole || node.key.is_empty() || node.removals.column.is_some() || manifest.digest.is_none() {
        return Ok(Proof::Steps);
    }
    let row = client
        .query_one("select current_setting('server_encoding') = 'UTF8'", &[])
        .await
        .map_err(|error| PostgresError::server("ask for the encoding", error))?;
    Ok(if row.get(0) { Proof::Copy } else { Proof::Steps })
}

/// Whether the live rows of the copy are those that the source summed up.
pub(super) async fn is_source(client: &Client, batch: Batch<'_>) -> Result<bool, LoadError> {
    let live = digest::live_in_copy(None);
    let (rows, digest) = sum(client, batch, (&batch.node.stg_relation, Some(live.trim()))).await?;
    Ok(rows == batch.manifest.rows && digest == batch.manifest.digest)
}

/// Compares the rows of a relation with what the source said of the batch.
pub(super) async fn after_load(
    client: &Client,
    batch: Batch<'_>,
    relation: &(impl std::fmt::Display + Sync),
) -> Result<(), LoadError> {
    let Some(expected) = &batch.manifest.digest else { return Ok(()) };
    let (rows, digest) = sum(client, batch, (relation, None)).await?;
    // A target of another encoding computes none that could be compared.
    match rows == batch.manifest.rows && digest.is_none_or(|digest| digest == *expected) {
        true => Ok(()),
        false => Err(broken(batch, Hop::Load)),
    }
}

async fn sum(
    client: &Client,
    batch: Batch<'_>,
    (relation, condition): (&(impl std::fmt::Display + Sync), Option<&str>),
) -> Result<(u64, Option<String>), LoadError> {
    let statement = digest::sum(relation, &row_hash(batch), condition);
    let row = client
        .query_one(&statement, &[])
        .await
        .map_err(|error| PostgresError::server(format!("sum up the rows of {}", batch.node.name), error))?;
    Ok((u64::try_from(row.get::<_, i64>(0)).unwrap_or(0), row.get(1)))
}

/// The hash that the source's sum is made of.
fn row_hash(batch: Batch<'_>) -> String {
    let columns = batch.columns.iter().map(|column| HashedColumn {
        name: &column.name,
        source_type: batch
            .manifest
            .columns
            .iter()
            .find(|of_source| of_source.name == column.name.as_str())
            .map_or("", |of_source| &of_source.data_type),
        staged_type: &column.data_type,
    });
    digest::row_hash((batch.manifest.row_hash, Side::Copy), columns)
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

pub(super) fn broken(batch: Batch<'_>, hop: Hop) -> LoadError {
    LoadError::Broken { node: batch.node.name.clone(), batch_id: batch.manifest.batch_id, hop }
}
