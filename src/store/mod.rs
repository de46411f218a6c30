//! Where objects rest: S3, OCI's S3 door, or a folder, all behind one type.
//!
//! Parts stream through in gzip members and are hashed on the way; a batch exists once its manifest does. Nothing here
//! knows what a batch is for.

mod batch;
mod bucket_upload;
mod compress;
mod error;
mod found;
mod key;
mod location;
mod part_reader;
mod part_writer;
mod proof;
mod upload;

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

pub use batch::{BatchKind, BatchManifest, BatchSnapshot, BatchWindow, KeyRange, ManifestColumn, RowHash, read, write};
pub use error::StoreError;
pub use found::{FoundBatch, batches, remove_batch};
pub use key::{batch_prefix, decode_segment, encode_segment};
pub use location::StoreSettings;
pub use part_reader::read_part;
pub use part_writer::{PartEntry, PartOptions, PartWriter};
pub use proof::{Flaw, prove};

/// A named place for objects; clones share its connections.
#[derive(Clone)]
pub struct Store {
    name: Arc<str>,
    url: Arc<str>,
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Of a store on disk.
    folder: Option<Arc<FilePath>>,
    /// The same as `objects`, where that is a bucket.
    bucket: Option<Arc<AmazonS3>>,
}

/// What a prefix holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub objects: u64,
    pub bytes: u64,
}

/// One object, as a listing gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Relative to the store's own prefix, as `put` took it.
    pub key: String,
    pub bytes: u64,
}

impl Store {
    /// Settles the place; a folder is made if it is not there, and relative ones start at `base_dir`. Nothing is sent to
    /// a server yet.
    pub fn open(name: &str, settings: &StoreSettings, base_dir: &FilePath) -> Result<Store, StoreError> {
        let opened = location::open(name, settings, base_dir)?;
        Ok(Store {
            name: name.into(),
            url: settings.url.as_str().into(),
            objects: opened.objects,
            prefix: opened.prefix,
            folder: opened.folder,
            bucket: opened.bucket,
        })
    }

    /// What the user calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As the user wrote it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Writes and deletes a small object, so that a wrong key is known before a long copy.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        let key = format!("unimig-write-check-{}", std::process::id());
        self.put(&key, Bytes::from_static(b"unimig\n")).await?;
        self.delete(std::slice::from_ref(&key)).await
    }

    /// Writes a whole object; on disk it is there under its name only once its bytes are.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        let path = self.path("write", key)?;
        self.objects.put(&path, bytes.into()).await.map_err(|error| self.error("write", key, error))?;
        Ok(())
    }

    /// The bytes of an object as they arrive.
    pub async fn get(&self, key: &str) -> Result<BoxStream<'static, Result<Bytes, StoreError>>, StoreError> {
        let path = self.path("read", key)?;
        let result = self.objects.get(&path).await.map_err(|error| self.error("read", key, error))?;
        let (store, key) = (self.clone(), key.to_owned());
        Ok(result.into_stream().map_err(move |error| store.error("read", &key, error)).boxed())
    }

    /// A small object as a whole.
    pub async fn get_bytes(&self, key: &str) -> Result<Bytes, StoreError> {
        let path = self.path("read", key)?;
        let result = self.objects.get(&path).await.map_err(|error| self.error("read", key, error))?;
        result.bytes().await.map_err(|error| self.error("read", key, error))
    }

    /// Every object below a prefix, which ends at a `/`: `svp/lab` does not list `svp/labors`.
    pub async fn list(&self, prefix: &str) -> Result<Vec<StoredObject>, StoreError> {
        self.list_after(prefix, None).await
    }

    /// The same, of keys behind another one.
    async fn list_after(&self, prefix: &str, offset: Option<&str>) -> Result<Vec<StoredObject>, StoreError> {
        let path = self.path("list", prefix)?;
        let listed = match offset {
            Some(offset) => self.objects.list_with_offset(Some(&path), &self.path("list", offset)?),
            None => self.objects.list(Some(&path)),
        };
        let listed: Result<Vec<_>, _> = listed.try_collect().await;
        let mut objects: Vec<StoredObject> = listed
            .map_err(|error| self.error("list", prefix, error))?
            .into_iter()
            .map(|object| StoredObject { key: self.key(&object.location), bytes: object.size })
            .collect();
        objects.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        Ok(objects)
    }

    /// Deletes objects; one that is gone already is no error.
    pub async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        let paths: Vec<Result<Path, object_store::Error>> =
            keys.iter().map(|key| self.path("delete", key).map(Ok)).collect::<Result<_, _>>()?;
        let mut deleted = self.objects.delete_stream(futures_util::stream::iter(paths).boxed());
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => {
                    let object = keys.first().map(String::as_str).unwrap_or_default();
                    return Err(self.error("delete", object, error));
                }
            }
        }
        Ok(())
    }

    /// How much lies below a prefix.
    pub async fn usage(&self, prefix: &str) -> Result<Usage, StoreError> {
        let objects = self.list(prefix).await?;
        Ok(Usage { objects: objects.len() as u64, bytes: objects.iter().map(|object| object.bytes).sum() })
    }

    fn path(&self, doing: &'static str, key: &str) -> Result<Path, StoreError> {
        let key = Path::parse(key).map_err(|error| self.error(doing, key, error.into()))?;
        Ok(self.prefix.parts().chain(key.parts()).collect())
    }

    fn key(&self, path: &Path) -> String {
        let own = self.prefix.as_ref().len();
        path.as_ref().get(own..).unwrap_or_default().trim_start_matches('/').to_owned()
    }

    fn error(&self, doing: &'static str, object: &str, source: object_store::Error) -> StoreError {
        StoreError::from_object_store(error::Tried { doing, store: self, object }, source)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("name", &self.name).field("url", &self.url).finish_non_exhaustive()
    }
}
#[cfg(test)]
mod s3_tests;
#[cfg(test)]
mod tests;
