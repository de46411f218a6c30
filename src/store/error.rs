//! What can go wrong with objects: each failure names the store, its URL and the object.

use std::error::Error;
use std::io::ErrorKind;

use object_store::client::{HttpError, HttpErrorKind};

use crate::store::Store;

type Cause = Box<dyn Error + Send + Sync>;

/// A failure of a store or of what was found in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("store \"{store}\" has an invalid url \"{url}\": {problem}")]
    Url { store: String, url: String, problem: String },
    #[error("store \"{store}\" ({url}) could not be reached to {doing} \"{object}\"")]
    Unreachable { store: String, url: String, doing: &'static str, object: String, source: Cause },
    #[error("object \"{object}\" does not exist in store \"{store}\" ({url})")]
    NotFound { store: String, url: String, object: String },
    #[error(
        "no space left to {doing} \"{object}\" in store \"{store}\" ({url})\nhint: free some space, or point the store somewhere else; the next run continues where this one stopped"
    )]
    DiskFull { store: String, url: String, doing: &'static str, object: String, source: Cause },
    #[error(
        "permission denied to {doing} \"{object}\" in store \"{store}\" ({url})\nhint: check the folder's owner and mode, or the key's policy"
    )]
    PermissionDenied { store: String, url: String, doing: &'static str, object: String, source: Cause },
    #[error(
        "store \"{store}\" ({url}) did not accept the credentials to {doing} \"{object}\"\nhint: check access_key_id, secret_access_key and region"
    )]
    Unauthenticated { store: String, url: String, doing: &'static str, object: String, source: Cause },
    #[error("could not {doing} \"{object}\" in store \"{store}\" ({url})")]
    Failed { store: String, url: String, doing: &'static str, object: String, source: Cause },
    #[error(
        "object \"{object}\" in store \"{store}\" was altered: its sha256 is {found}, its manifest says {expected}"
    )]
    Altered { store: String, object: String, expected: String, found: String },
    #[error("object \"{object}\" in store \"{store}\" has {found} bytes, its manifest says {expected}")]
    Truncated { store: String, object: String, expected: u64, found: u64 },
    #[error("object \"{object}\" in store \"{store}\" is not valid gzip")]
    BadGzip { store: String, object: String, source: std::io::Error },
    #[error("object \"{object}\" in store \"{store}\" is not a manifest that this version can read: {problem}")]
    BadManifest { store: String, object: String, problem: String },
    #[error("the upload of \"{object}\" to store \"{store}\" was given up")]
    Aborted { store: String, object: String },
}

/// What was being done, for the messages.
#[derive(Clone, Copy)]
pub(super) struct Tried<'a> {
    pub doing: &'static str,
    pub store: &'a Store,
    pub object: &'a str,
}

impl StoreError {
    /// Sorts by what the user has to do about it.
    pub(super) fn from_object_store(tried: Tried<'_>, error: object_store::Error) -> Self {
        let (store, url) = (tried.store.name().to_owned(), tried.store.url().to_owned());
        let (doing, object) = (tried.doing, tried.object.to_owned());
        if has_io_kind(&error, |kind| matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) {
            return StoreError::DiskFull { store, url, doing, object, source: error.into() };
        }
        if has_io_kind(&error, |kind| matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)) {
            return StoreError::PermissionDenied { store, url, doing, object, source: error.into() };
        }
        if is_http_failure(&error) {
            return StoreError::Unreachable { store, url, doing, object, source: error.into() };
        }
        match error {
            object_store::Error::NotFound { .. } => StoreError::NotFound { store, url, object },
            object_store::Error::PermissionDenied { source, .. } => {
                StoreError::PermissionDenied { store, url, doing, object, source }
            }
            object_store::Error::Unauthenticated { source, .. } => {
                StoreError::Unauthenticated { store, url, doing, object, source }
            }
            other => StoreError::Failed { store, url, doing, object, source: other.into() },
        }
    }

    /// Whether the store could not be reached or entered, which is exit code 3.
    pub fn is_unreachable(&self) -> bool {
        match self {
            StoreError::Unreachable { .. }
            | StoreError::Unauthenticated { .. }
            | StoreError::PermissionDenied { .. } => true,
            StoreError::Url { .. }
            | StoreError::NotFound { .. }
            | StoreError::DiskFull { .. }
            | StoreError::Failed { .. }
            | StoreError::Altered { .. }
            | StoreError::Truncated { .. }
            | StoreError::BadGzip { .. }
            | StoreError::BadManifest { .. }
            | StoreError::Aborted { .. } => false,
        }
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn has_io_kind(error: &(dyn Error + 'static), wanted: impl Fn(ErrorKind) -> bool) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(|io| wanted(io.kind()))
}

fn is_http_failure(error: &(dyn Error + 'static)) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<HttpError>()).any(|http| {
        matches!(
            http.kind(),
            HttpErrorKind::Connect | HttpErrorKind::Timeout | HttpErrorKind::Request | HttpErrorKind::Interrupted
        )
    })
}
