//! One object on its way into a bucket: in one request where it fits, else in pieces.
//!
//! 1. The first full piece opens a multipart upload, and a note beside the object says its number.
//! 2. Pieces are sent, a few at once.
//! 3. The upload is completed or aborted, and then its note is removed.
//!
//! No listing of objects shows an upload that is open. Where its process is killed, the note is how it is found and
//! aborted, with the leftovers of its batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{MultipartId, ObjectStoreExt, PutPayload, PutPayloadMut};
use tokio::task::JoinSet;

use crate::store::upload::{PIECE_BYTES, PIECES_IN_FLIGHT};
use crate::store::{Store, StoreError, StoredObject};

/// What the key of a note has behind that of its object.
const NOTE: &str = ".upload";

pub(super) struct BucketUpload {
    store: Store,
    bucket: Arc<AmazonS3>,
    key: String,
    path: Path,
    /// Less than a piece.
    waiting: PutPayloadMut,
    open: Option<Open>,
}

/// A multipart upload.
struct Open {
    id: MultipartId,
    pieces: usize,
    sending: JoinSet<Result<(usize, PartId), object_store::Error>>,
    sent: BTreeMap<usize, PartId>,
}

impl BucketUpload {
    /// Sends nothing yet.
    pub fn begin(store: &Store, bucket: &Arc<AmazonS3>, key: &str) -> Result<Self, StoreError> {
        let path = store.path("write", key)?;
        let (store, bucket, key) = (store.clone(), bucket.clone(), key.to_owned());
        Ok(Self { store, bucket, key, path, waiting: PutPayloadMut::new(), open: None })
    }

    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            let room = PIECE_BYTES - self.waiting.content_length();
            if bytes.len() < room {
                self.waiting.push(bytes);
                return Ok(());
            }
            self.waiting.push(bytes.split_to(room));
            self.send().await?;
        }
        Ok(())
    }

    /// Makes the object exist.
    pub async fn complete(mut self) -> Result<(), StoreError> {
        if self.open.is_none() {
            let payload = std::mem::take(&mut self.waiting).freeze();
            self.bucket.put(&self.path, payload).await.map_err(|error| self.failed(error))?;
            return Ok(());
        }
        match self.complete_open().await {
            Ok(()) => self.store.delete(&[note_of(&self.key)]).await,
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    /// Leaves nothing behind, as far as the bucket can be reached.
    pub async fn abort(mut self) {
        let Some(mut open) = self.open.take() else { return };
        open.sending.shutdown().await;
        let aborted = match self.bucket.abort_multipart(&self.path, &open.id).await {
            Ok(()) => self.store.delete(&[note_of(&self.key)]).await,
            Err(error) => Err(self.failed(error)),
        };
        if let Err(error) = aborted {
            tracing::warn!(store = self.store.name(), object = self.key, %error, "an unfinished upload was left behind");
        }
    }

    /// The bytes that wait become a piece; the first one opens the upload.
    async fn send(&mut self) -> Result<(), StoreError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open().await?,
        };
        let payload: PutPayload = std::mem::take(&mut self.waiting).freeze();
        let (bucket, path, id, place) = (self.bucket.clone(), self.path.clone(), open.id.clone(), open.pieces);
        open.pieces += 1;
        open.sending.spawn(async move { Ok((place, bucket.put_part(&path, &id, place, payload).await?)) });
        let open = self.open.insert(open);
        open.wait_for_fewer_than(PIECES_IN_FLIGHT).await.map_err(|error| self.failed(error))
    }

    async fn open(&self) -> Result<Open, StoreError> {
        let id = self.bucket.create_multipart(&self.path).await.map_err(|error| self.failed(error))?;
        let open = Open { id, pieces: 0, sending: JoinSet::new(), sent: BTreeMap::new() };
        let noted = self.store.put(&note_of(&self.key), Bytes::from(open.id.clone())).await;
        if noted.is_err() {
            // What is not noted would never be found.
            let _ = self.bucket.abort_multipart(&self.path, &open.id).await;
        }
        noted.map(|()| open)
    }

    async fn complete_open(&mut self) -> Result<(), StoreError> {
        if self.waiting.content_length() > 0 {
            self.send().await?;
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let completed = match open.wait_for_fewer_than(1).await {
            Ok(()) => {
                let pieces = std::mem::take(&mut open.sent).into_values().collect();
                self.bucket.complete_multipart(&self.path, &open.id, pieces).await.map(|_| ())
            }
            Err(error) => Err(error),
        };
        completed.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: object_store::Error) -> StoreError {
        self.store.error("write", &self.key, error)
    }
}

impl Open {
    async fn wait_for_fewer_than(&mut self, pieces: usize) -> Result<(), object_store::Error> {
        while self.sending.len() >= pieces {
            let Some(sent) = self.sending.join_next().await else { break };
            let (place, id) = sent.map_err(object_store::Error::from)??;
            self.sent.insert(place, id);
        }
        Ok(())
    }
}

fn note_of(key: &str) -> String {
    format!("{key}{NOTE}")
}

/// Aborts the uploads that notes among the objects name; nobody may be writing them any more. The notes stay. One that is
/// gone already is no error.
pub(super) async fn abort_noted(store: &Store, objects: &[StoredObject]) -> Result<(), StoreError> {
    let Some(bucket) = &store.bucket else { return Ok(()) };
    for object in objects {
        let Some(key) = object.key.strip_suffix(NOTE) else { continue };
        let id = match store.get_bytes(&object.key).await {
            Ok(id) => String::from_utf8_lossy(&id).into_owned(),
            Err(StoreError::NotFound { .. }) => continue,
            Err(error) => return Err(error),
        };
        match bucket.abort_multipart(&store.path("abort", key)?, &id).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(store.error("abort the upload of", key, error)),
        }
    }
    Ok(())
}
