//! The parts of a batch, unzipped and verified, into a COPY.

use tokio_postgres::Client;

use crate::load::{Batch, LoadError};
use crate::postgres::{CopyInError, copy_in};
use crate::store;

/// Copies every part, and refuses a batch whose parts hold another number of rows than its manifest says.
pub(super) async fn copy_parts(
    client: &Client,
    copy: &str,
    batch: Batch<'_>,
    progress: &mut impl FnMut(u64),
) -> Result<u64, LoadError> {
    let manifest = batch.manifest;
    let prefix = store::batch_prefix(&manifest.source, &manifest.table, manifest.batch_id);
    let mut copied = 0;
    for part in &manifest.parts {
        let bytes = store::read_part(batch.store, &prefix, part).await?;
        let rows = copy_in(client, copy, bytes).await.map_err(|error| match error {
            CopyInError::Input(error) => LoadError::Store(error),
            CopyInError::Postgres(error) => LoadError::Postgres(error),
        })?;
        if rows != part.rows {
            let (part, expected, batch_id) = (part.name.clone(), part.rows, manifest.batch_id);
            return Err(LoadError::RowCount { part, batch_id, expected, found: rows });
        }
        progress(rows);
        copied += rows;
    }
    Ok(copied)
}
