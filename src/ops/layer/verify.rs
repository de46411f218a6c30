//! `layer verify`: every part of every selected table, read again and held against its manifest.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{layer, selected};
use crate::ops::OpError;
use crate::ops::workspace::{Selection, Workspace};
use crate::store::{self, BatchManifest, Flaw, FoundBatch, Store, StoreError};

/// Each decompresses on a thread of its own.
const BATCHES_AT_ONCE: usize = 2;

/// What was read, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    pub batches: usize,
    pub parts: usize,
    pub rows: u64,
    /// As they lie in the store.
    pub bytes: u64,
    pub flaws: Vec<Flaw>,
}

/// Reads everything; one broken part hides no other. Leftovers without a manifest are no batches, and are not looked at.
pub async fn verify(workspace: &Workspace, selection: &Selection) -> Result<Verified, OpError> {
    let tables = selected(workspace, selection)?;
    let mut verified = Verified::default();
    let Some(layer) = layer(workspace, &tables)? else { return Ok(verified) };
    for node in tables {
        let found = store::batches(&layer, &node.source, &node.table, None).await?;
        let complete = stream::iter(found.into_iter().filter(|batch| batch.has_manifest));
        let looks = complete.map(|batch| look(&layer, (&node.source, &node.table), batch));
        let looks: Vec<(Option<BatchManifest>, Vec<Flaw>)> = looks.buffered(BATCHES_AT_ONCE).try_collect().await?;
        for (manifest, flaws) in looks {
            verified.batches += 1;
            if let Some(manifest) = manifest {
                verified.parts += manifest.parts.len();
                verified.rows += manifest.rows;
                verified.bytes += manifest.parts.iter().map(|part| part.bytes).sum::<u64>();
            }
            verified.flaws.extend(flaws);
        }
    }
    Ok(verified)
}

async fn look(
    layer: &Store,
    (source, table): (&str, &str),
    batch: FoundBatch,
) -> Result<(Option<BatchManifest>, Vec<Flaw>), StoreError> {
    match store::read(layer, source, table, batch.batch_id).await {
        Ok(manifest) => {
            let flaws = store::prove(layer, &manifest).await?;
            Ok((Some(manifest), flaws))
        }
        Err(error) if error.is_unreachable() => Err(error),
        Err(error) => {
            let object = format!("{}/manifest.json", store::batch_prefix(source, table, batch.batch_id));
            Ok((None, vec![Flaw { object, problem: error.to_string() }]))
        }
    }
}
