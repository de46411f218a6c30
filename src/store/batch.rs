//! A batch's manifest: what was extracted, from when, into which parts.
//!
//! It is written after every part is; a batch without one does not exist.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::key::batch_prefix;
use crate::store::part_writer::PartEntry;

const FORMAT_VERSION: u32 = 1;

/// One extraction of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchManifest {
    /// [`BatchManifest::FORMAT_VERSION`]; a reader refuses what it does not know.
    pub format_version: u32,
    pub source: String,
    pub table: String,
    pub batch_id: i64,
    pub extracted_at: Timestamp,
    pub snapshot: BatchSnapshot,
    pub kind: BatchKind,
    /// Of a `window` batch: what part of the table it holds.
    pub window: Option<BatchWindow>,
    /// Of a `ranges` batch: which keys it covers, by the key's first column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranges: Option<Vec<KeyRange>>,
    pub columns: Vec<ManifestColumn>,
    pub key: Vec<String>,
    pub rows: u64,
    /// The sum of the rows' hashes, by the source's own query in the same snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What the digest is made of.
    #[serde(default)]
    pub row_hash: RowHash,
    pub parts: Vec<PartEntry>,
    pub tool_version: String,
}

impl BatchManifest {
    pub const FORMAT_VERSION: u32 = FORMAT_VERSION;
}

/// The moment of the source that a batch shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSnapshot {
    /// `pg_export_snapshot()`'s name; null where the table was read at a moment of its own.
    pub id: Option<String>,
    pub source_clock: Timestamp,
    /// When the oldest transaction then open began: the next window must not start later.
    pub oldest_transaction_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchKind {
    /// Every row of the table.
    Full,
    /// Rows whose times lie in a window.
    Window,
    /// Rows with greater keys than those that were there.
    Append,
    /// The key of every row, and nothing else.
    Keys,
    /// The rows of some key ranges, whole.
    Ranges,
}

impl BatchKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Window => "window",
            Self::Append => "append",
            Self::Keys => "keys",
            Self::Ranges => "ranges",
        }
    }
}

/// The rows whose change columns lie between the bounds; a missing bound is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchWindow {
    pub lower: Option<Timestamp>,
    pub upper: Option<Timestamp>,
    pub columns: Vec<String>,
}

/// Part of a table: keys at or above the lower and below the upper; a missing bound is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRange {
    pub lower: Option<String>,
    pub upper: Option<String>,
}

/// What is hashed of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowHash {
    /// Its text, by `hashtextextended`: any server.
    #[default]
    Text,
    /// Its columns, each by what tells every difference between two values, by `hash_record_extended` and once more:
    /// about twice as fast, from PostgreSQL 14 on.
    Columns,
}

impl RowHash {
    /// The fastest that a source's server can compute; every target can compute all.
    pub fn of_server(version_num: i32) -> Self {
        if version_num >= 140_000 { Self::Columns } else { Self::Text }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestColumn {
    pub name: String,
    /// As the source spells it.
    pub data_type: String,
    /// As the staging table has it.
    pub stg_type: String,
}

/// Makes the batch exist: the last object that is written.
pub async fn write(store: &Store, manifest: &BatchManifest) -> Result<(), StoreError> {
    let key = manifest_key(&manifest.source, &manifest.table, manifest.batch_id);
    let mut text = serde_json::to_vec_pretty(manifest).map_err(|error| bad(store, &key, &error))?;
    text.push(b'\n');
    store.put(&key, Bytes::from(text)).await
}

/// The manifest of a batch; [`StoreError::NotFound`] when the batch does not exist.
pub async fn read(store: &Store, source: &str, table: &str, batch_id: i64) -> Result<BatchManifest, StoreError> {
    let key = manifest_key(source, table, batch_id);
    let text = store.get_bytes(&key).await?;
    // The version is looked at first: a later format may not fit the rest of the structure.
    let version: Version = serde_json::from_slice(&text).map_err(|error| bad(store, &key, &error))?;
    if version.format_version != FORMAT_VERSION {
        let problem = format!("format version {}, expected {FORMAT_VERSION}", version.format_version);
        return Err(bad(store, &key, &problem));
    }
    serde_json::from_slice(&text).map_err(|error| bad(store, &key, &error))
}

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

fn manifest_key(source: &str, table: &str, batch_id: i64) -> String {
    format!("{}/manifest.json", batch_prefix(source, table, batch_id))
}

fn bad(store: &Store, object: &str, problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::BadManifest { store: store.name().to_owned(), object: object.to_owned(), problem: problem.to_string() }
}
