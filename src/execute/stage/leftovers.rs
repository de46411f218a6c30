//! What earlier uploads of a table left without a manifest: no batch, and nobody's any more.
//!
//! The table's lock is held, so whoever wrote it was killed or failed, and is gone. A bucket's unfinished multipart
//! uploads are no objects; they are found by the notes beside them.

use super::Reading;
use crate::execute::failure::StepError;
use crate::extract::ExtractError;
use crate::store::{self, FoundBatch};

/// Leftovers are younger than the last loaded batch, up to a clock that was set back: earlier ones were removed when it
/// was extracted. So the listing does not grow with the layer.
const LOOK_BACK: i64 = 24 * 3_600 * 1_000_000;

/// Removes the batches without a manifest that are older than ours.
pub(super) async fn remove(reading: Reading<'_>, own: i64) -> Result<(), StepError> {
    let node = &reading.action.node;
    let after = reading.last.map(|last| last.batch_id.saturating_sub(LOOK_BACK));
    let found = store::batches(reading.layer, &node.source, &node.table, after).await.map_err(ExtractError::Store)?;
    let is_left = |batch: &&FoundBatch| !batch.has_manifest && batch.batch_id < own;
    for batch in found.iter().filter(is_left) {
        let removed = store::remove_batch(reading.layer, &node.source, &node.table, batch).await;
        removed.map_err(ExtractError::Store)?;
        let objects = batch.objects.len();
        tracing::info!(step = %node.name, batch = batch.batch_id, objects, "removed what a killed upload had left");
    }
    Ok(())
}
