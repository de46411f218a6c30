//! A store's URL becomes the objects behind it.
//!
//! `s3://bucket/prefix`, `oci://namespace@region/bucket/prefix` (OCI's S3 door, path style, no checksum header that was
//! not asked for) and `file://folder`.

use std::fmt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};

use crate::store::error::StoreError;

/// How often a request is tried again; long enough for a hiccup, short enough for a person who waits.
const RETRIES: usize = 5;
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);

/// One store as it was written. Without keys, S3's usual `AWS_*` variables and instance roles are asked.
#[derive(Default, Clone)]
pub struct StoreSettings {
    pub url: String,
    pub region: Option<String>,
    /// Of another server that speaks S3; path style is used.
    pub endpoint: Option<String>,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<String>,
    pub session_token: Option<String>,
}

impl fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSettings")
            .field("url", &self.url)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

pub(super) struct Opened {
    pub objects: Arc<dyn ObjectStore>,
    /// What the store's keys are below of.
    pub prefix: Path,
    /// Of a store on disk.
    pub folder: Option<Arc<FilePath>>,
    /// The same as `objects`, where that is a bucket.
    pub bucket: Option<Arc<AmazonS3>>,
}

/// Where a bucket is.
struct Bucket<'a> {
    name: &'a str,
    prefix: &'a str,
    endpoint: Option<String>,
    region: Option<String>,
}

pub(super) fn open(name: &str, settings: &StoreSettings, base_dir: &FilePath) -> Result<Opened, StoreError> {
    let invalid = |problem: String| StoreError::Url { store: name.to_owned(), url: settings.url.clone(), problem };
    let (scheme, rest) =
        settings.url.split_once("://").ok_or_else(|| invalid("expected file://, s3:// or oci://".to_owned()))?;
    match scheme {
        "file" => open_folder(name, settings, &base_dir.join(rest)),
        "s3" => open_bucket(settings, &s3_bucket(settings, rest)).map_err(invalid),
        "oci" => oci_bucket(settings, rest).and_then(|bucket| open_bucket(settings, &bucket)).map_err(invalid),
        _ => Err(invalid(format!("unknown scheme \"{scheme}\", expected file, s3 or oci"))),
    }
}

/// Every write is synced, and its folder too, before it counts as done.
fn open_folder(name: &str, settings: &StoreSettings, folder: &PathBuf) -> Result<Opened, StoreError> {
    let failed = |source: std::io::Error| {
        let (store, url) = (name.to_owned(), settings.url.clone());
        let (doing, object) = ("create", folder.display().to_string());
        match source.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::PermissionDenied { store, url, doing, object, source: source.into() }
            }
            std::io::ErrorKind::StorageFull => {
                StoreError::DiskFull { store, url, doing, object, source: source.into() }
            }
            _ => StoreError::Failed { store, url, doing, object, source: source.into() },
        }
    };
    make_private(folder).map_err(failed)?;
    let objects = LocalFileSystem::new_with_prefix(folder)
        .map_err(|source| failed(std::io::Error::other(source)))?
        .with_fsync(SYNC_WRITES);
    Ok(Opened { objects: Arc::new(objects), prefix: Path::ROOT, folder: Some(folder.as_path().into()), bucket: None })
}

const SYNC_WRITES: bool = true;

fn s3_bucket<'a>(settings: &StoreSettings, rest: &'a str) -> Bucket<'a> {
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    Bucket { name, prefix, endpoint: settings.endpoint.clone(), region: settings.region.clone() }
}

fn oci_bucket<'a>(settings: &StoreSettings, rest: &'a str) -> Result<Bucket<'a>, String> {
    let problem = || "expected oci://namespace@region/bucket/prefix".to_owned();
    let (authority, path) = rest.split_once('/').ok_or_else(problem)?;
    let (namespace, region) = authority.split_once('@').ok_or_else(problem)?;
    if namespace.is_empty() || region.is_empty() {
        return Err(problem());
    }
    let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
    let endpoint = format!("https://{namespace}.compat.objectstorage.{region}.oraclecloud.com");
    Ok(Bucket {
        name,
        prefix,
        endpoint: Some(settings.endpoint.clone().unwrap_or(endpoint)),
        region: Some(settings.region.clone().unwrap_or_else(|| region.to_owned())),
    })
}

fn open_bucket(settings: &StoreSettings, bucket: &Bucket<'_>) -> Result<Opened, String> {
    if bucket.name.is_empty() {
        return Err("it has no bucket".to_owned());
    }
    // The HTTP client takes the process's cryptography; an error means that it is set already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT };
    let builder = match &settings.access_key_id {
        Some(_) => AmazonS3Builder::new(),
        None => AmazonS3Builder::from_env(),
    };
    let mut builder = builder.with_bucket_name(bucket.name).with_retry(retry);
    let written = [
        (AmazonS3ConfigKey::AccessKeyId, &settings.access_key_id),
        (AmazonS3ConfigKey::SecretAccessKey, &settings.secret_access_key),
        (AmazonS3ConfigKey::Token, &settings.session_token),
        (AmazonS3ConfigKey::Region, &bucket.region),
    ];
    for (key, value) in written {
        if let Some(value) = value {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    let objects = Arc::new(builder.build().map_err(|error| error.to_string())?);
    let prefix = Path::parse(bucket.prefix).map_err(|error| error.to_string())?;
    Ok(Opened { objects: objects.clone(), prefix, folder: None, bucket: Some(objects) })
}

/// The rows of a source are nobody else's to read: a folder that is made here is its owner's alone.
fn make_private(folder: &FilePath) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
