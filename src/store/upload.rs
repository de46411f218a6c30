//! One object on its way into a store, in pieces.
//!
//! On disk it is written beside its name and renamed at the end; in a bucket it is a multipart upload. Until it is
//! completed, no object of its name exists.

use bytes::Bytes;
use object_store::{ObjectStoreExt, WriteMultipart};

use crate::store::Store;
use crate::store::bucket_upload::BucketUpload;
use crate::store::error::StoreError;

/// What one request carries; S3 allows 10,000 of them an object.
pub(super) const PIECE_BYTES: usize = 8 * 1024 * 1024;
pub(super) const PIECES_IN_FLIGHT: usize = 3;

pub(super) enum Upload {
    Folder(FileUpload),
    Bucket(BucketUpload),
}

pub(super) struct FileUpload {
    store: Store,
    key: String,
    multipart: WriteMultipart,
}

impl Upload {
    pub async fn begin(store: &Store, key: &str) -> Result<Self, StoreError> {
        if let Some(bucket) = &store.bucket {
            return Ok(Self::Bucket(BucketUpload::begin(store, bucket, key)?));
        }
        let path = store.path("write", key)?;
        let multipart = store.objects.put_multipart(&path).await.map_err(|error| store.error("write", key, error))?;
        let multipart = WriteMultipart::new_with_chunk_size(multipart, PIECE_BYTES);
        Ok(Self::Folder(FileUpload { store: store.clone(), key: key.to_owned(), multipart }))
    }

    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        match self {
            Self::Folder(file) => file.write(bytes).await,
            Self::Bucket(upload) => upload.write(bytes).await,
        }
    }

    /// Makes the object exist.
    pub async fn complete(self) -> Result<(), StoreError> {
        match self {
            Self::Folder(file) => file.complete().await,
            Self::Bucket(upload) => upload.complete().await,
        }
    }

    /// Leaves nothing behind, as far as the store can be reached.
    pub async fn abort(self) {
        match self {
            Self::Folder(file) => file.abort().await,
            Self::Bucket(upload) => upload.abort().await,
        }
    }
}

impl FileUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.multipart
            .wait_for_capacity(PIECES_IN_FLIGHT)
            .await
            .map_err(|error| self.store.error("write", &self.key, error))?;
        self.multipart.put(bytes);
        Ok(())
    }

    async fn complete(self) -> Result<(), StoreError> {
        let Self { store, key, multipart } = self;
        multipart.finish().await.map_err(|error| store.error("write", &key, error))?;
        Ok(())
    }

    async fn abort(self) {
        if let Err(error) = self.multipart.abort().await {
            tracing::warn!(store = self.store.name(), object = self.key, %error, "an unfinished upload was left behind");
        }
    }
}
