//! What lies in a store for one table: its batches, and what killed uploads left of some.
//!
//! A batch whose manifest is missing does not exist; its objects are leftovers. Whoever removes anything holds the
//! table's lock, so that no extraction is writing.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use crate::store::bucket_upload;
use crate::store::key::{batch_prefix, encode_segment};
use crate::store::{Store, StoreError, StoredObject};

const MANIFEST: &str = "manifest.json";

/// The objects below one batch's prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBatch {
    pub batch_id: i64,
    /// Empty where a killed upload left a file that is no object.
    pub objects: Vec<StoredObject>,
    pub has_manifest: bool,
}

impl FoundBatch {
    /// Manifest included.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.bytes).sum()
    }
}

/// The batches of a table in the order of their numbers, from the one after `after` on.
pub async fn batches(
    store: &Store,
    source: &str,
    table: &str,
    after: Option<i64>,
) -> Result<Vec<FoundBatch>, StoreError> {
    let prefix = format!("{}/{}", encode_segment(source), encode_segment(table));
    let mut found: BTreeMap<i64, FoundBatch> = BTreeMap::new();
    let new = |batch_id| FoundBatch { batch_id, objects: Vec::new(), has_manifest: false };
    let number = |name: &str| name.parse::<i64>().ok().filter(|id| after.is_none_or(|after| *id > after));
    for name in store.folders(&prefix).await? {
        if let Some(batch_id) = number(&name) {
            found.insert(batch_id, new(batch_id));
        }
    }
    let offset = after.map(|after| format!("{prefix}/{after}"));
    for object in store.list_after(&prefix, offset.as_deref()).await? {
        let below = object.key.strip_prefix(&prefix).unwrap_or_default().trim_start_matches('/');
        let Some((batch_id, name)) = below.split_once('/').and_then(|(id, name)| Some((number(id)?, name))) else {
            // Not of our making.
            continue;
        };
        let batch = found.entry(batch_id).or_insert_with(|| new(batch_id));
        batch.has_manifest |= name == MANIFEST;
        batch.objects.push(object);
    }
    Ok(found.into_values().collect())
}

/// Removes a batch, its manifest first: a batch that is removed by half does not exist. Uploads that were killed before
/// their object was there are aborted before the notes that name them go.
pub async fn remove_batch(store: &Store, source: &str, table: &str, batch: &FoundBatch) -> Result<(), StoreError> {
    let prefix = batch_prefix(source, table, batch.batch_id);
    let (manifest, parts): (Vec<String>, Vec<String>) =
        batch.objects.iter().map(|object| object.key.clone()).partition(|key| key.ends_with(MANIFEST));
    store.delete(&manifest).await?;
    bucket_upload::abort_noted(store, &batch.objects).await?;
    store.delete(&parts).await?;
    store.remove_folder(&prefix).await
}

impl Store {
    /// The names of the folders below a prefix, empty ones too. A bucket has none.
    async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        if self.folder.is_none() {
            return Ok(Vec::new());
        }
        let path = self.path("list", prefix)?;
        let listed = self.objects.list_with_delimiter(Some(&path)).await;
        let listed = listed.map_err(|error| self.error("list", prefix, error))?;
        Ok(listed.common_prefixes.iter().filter_map(|path| Some(path.filename()?.to_owned())).collect())
    }

    /// On disk, removes a folder with the files in it that are no objects: those of uploads that were killed.
    async fn remove_folder(&self, prefix: &str) -> Result<(), StoreError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        match tokio::fs::remove_dir_all(folder.join(prefix)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let source = object_store::Error::Generic { store: "folder", source: error.into() };
                Err(self.error("delete", prefix, source))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
