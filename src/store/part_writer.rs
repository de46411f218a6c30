//! The rows of one table become part objects: compressed on one thread, uploaded by one task, both bounded.
//!
//! Row blocks → 4 MiB gzip members → `part-00000.csv.gz`, `part-00001.csv.gz`, … of about the target size. A writer that is
//! dropped or that fails leaves no object of an unfinished part.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::store::Store;
use crate::store::compress::{self, Compressed, Cut, Work};
use crate::store::error::StoreError;
use crate::store::upload::Upload;

const TARGET_PART_BYTES: u64 = 128 * 1024 * 1024;
/// Blocks of about 1 MiB that wait for the compressing thread.
const BLOCKS_WAITING: usize = 4;
/// Members of up to 4 MiB that wait for the upload.
const MEMBERS_WAITING: usize = 2;

/// One part object, as the manifest records it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEntry {
    /// The last segment of its key.
    pub name: String,
    /// Without the header.
    pub rows: u64,
    /// As it lies in the store.
    pub bytes: u64,
    /// With the header.
    pub csv_bytes: u64,
    /// Of the bytes as they lie in the store, in lower-case hex.
    pub sha256: String,
}

impl PartEntry {
    pub(super) fn numbered(number: u32) -> Self {
        Self { name: format!("part-{number:05}.csv.gz"), ..Self::default() }
    }
}

/// How a table is cut into parts.
#[derive(Debug, Clone)]
pub struct PartOptions {
    /// The CSV header line; every part begins with it.
    pub header: Bytes,
    /// A part that has reached this many compressed bytes is completed at the next end of a member.
    pub target_part_bytes: u64,
    /// Clones of these options number their parts together.
    pub(super) numbers: Arc<AtomicU32>,
}

impl PartOptions {
    pub fn new(header: Bytes) -> Self {
        Self { header, target_part_bytes: TARGET_PART_BYTES, numbers: Arc::default() }
    }
}

/// Takes a table's rows; no rows make no part.
pub struct PartWriter {
    work: mpsc::Sender<Work>,
    uploading: JoinHandle<Result<Vec<PartEntry>, StoreError>>,
    store: Store,
    prefix: String,
}

impl PartWriter {
    /// Parts go below `prefix`, which has no slash at its end; needs a tokio runtime.
    pub fn new(store: &Store, prefix: &str, options: PartOptions) -> Self {
        let (work, work_waiting) = mpsc::channel(BLOCKS_WAITING);
        let (compressed, compressed_waiting) = mpsc::channel(MEMBERS_WAITING);
        let PartOptions { header, target_part_bytes, numbers } = options;
        let cut = Cut { header, target_part_bytes: target_part_bytes.max(1), numbers };
        let compressing = tokio::task::spawn_blocking(move || compress::run(cut, work_waiting, compressed));
        let uploader = Uploader { store: store.clone(), prefix: prefix.to_owned() };
        // The task outlives a dropped writer for as long as it takes to abort its upload.
        let uploading = tokio::spawn(async move {
            let uploaded = uploader.run(compressed_waiting).await;
            let _ = compressing.await;
            uploaded
        });
        Self { work, uploading, store: store.clone(), prefix: prefix.to_owned() }
    }

    /// Takes whole rows; waits while the store is slower than the source.
    pub async fn write(&mut self, bytes: Bytes, rows: u64) -> Result<(), StoreError> {
        match self.work.send(Work::Rows { bytes, rows }).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.failure().await),
        }
    }

    /// Completes the last part; the parts exist when this returns.
    pub async fn finish(mut self) -> Result<Vec<PartEntry>, StoreError> {
        if self.work.send(Work::Finish).await.is_err() {
            return Err(self.failure().await);
        }
        match (&mut self.uploading).await {
            Ok(parts) => parts,
            Err(_) => Err(self.aborted()),
        }
    }

    /// Gives the unfinished part up, as dropping does, and waits until nothing of it is left.
    pub async fn abandon(self) {
        let Self { work, uploading, .. } = self;
        drop(work);
        let _ = uploading.await;
    }

    /// Why the other side went away.
    async fn failure(&mut self) -> StoreError {
        match (&mut self.uploading).await {
            Ok(Err(error)) => error,
            Ok(Ok(_)) | Err(_) => self.aborted(),
        }
    }

    fn aborted(&self) -> StoreError {
        StoreError::Aborted { store: self.store.name().to_owned(), object: self.prefix.clone() }
    }
}

struct Uploader {
    store: Store,
    prefix: String,
}

impl Uploader {
    async fn run(self, mut compressed: mpsc::Receiver<Compressed>) -> Result<Vec<PartEntry>, StoreError> {
        let mut parts: Vec<PartEntry> = Vec::new();
        let mut current: Option<Upload> = None;
        while let Some(next) = compressed.recv().await {
            match next {
                Compressed::Bytes { part, bytes } => {
                    let mut upload = match current.take() {
                        Some(upload) => upload,
                        None => Upload::begin(&self.store, &self.key(part)).await?,
                    };
                    if let Err(error) = upload.write(bytes).await {
                        upload.abort().await;
                        return Err(error);
                    }
                    current = Some(upload);
                }
                Compressed::PartEnd(part) => {
                    if let Some(upload) = current.take() {
                        upload.complete().await?;
                    }
                    parts.push(part);
                }
            }
        }
        match current {
            Some(upload) => {
                upload.abort().await;
                Err(StoreError::Aborted { store: self.store.name().to_owned(), object: self.prefix.clone() })
            }
            None => Ok(parts),
        }
    }

    fn key(&self, number: u32) -> String {
        format!("{}/part-{number:05}.csv.gz", self.prefix)
    }
}
