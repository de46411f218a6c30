//! `layer ls`: every batch of every selected table, and what became of it.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{AT_ONCE, layer, remembered, selected};
use crate::ident::NodeName;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::workspace::{Selection, Workspace};
use crate::store::{self, BatchManifest, FoundBatch, Store, StoreError};

/// One batch in the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub node: NodeName,
    pub batch_id: i64,
    pub state: State,
    /// Of its objects.
    pub bytes: u64,
    /// What its manifest says; nothing of leftovers.
    pub kind: Option<&'static str>,
    pub rows: Option<u64>,
    pub extracted_at: Option<Timestamp>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Loaded,
    /// The process failed, or waits, between the extraction and the load.
    NotLoaded,
    /// An upload that was killed, or that still runs.
    Incomplete,
    /// Its manifest can't be read.
    Unreadable,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::NotLoaded => "not loaded",
            Self::Incomplete => "incomplete",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Oldest first, table by table.
pub async fn list(workspace: &Workspace, selection: &Selection) -> Result<Vec<Entry>, OpError> {
    let tables = selected(workspace, selection)?;
    let Some(layer) = layer(workspace, &tables)? else { return Ok(Vec::new()) };
    let connections = Connections::open(workspace, 1).await?;
    let known = match connections.target.lease("layer").await {
        Ok(session) => remembered(&session, &tables).await,
        Err(error) => Err(error.into()),
    };
    connections.close().await?;
    let known = known?;
    let mut entries = Vec::new();
    for node in tables {
        let found = store::batches(&layer, &node.source, &node.table, None).await?;
        let manifests: Vec<Option<BatchManifest>> = stream::iter(&found)
            .map(|batch| read(&layer, (&node.source, &node.table), batch))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let is_loaded =
            |batch_id| known.get(&node.name).is_some_and(|all| all.iter().any(|one| one.batch_id == batch_id));
        entries.extend(found.iter().zip(manifests).map(|(batch, manifest)| Entry {
            node: node.name.clone(),
            batch_id: batch.batch_id,
            state: match (&manifest, batch.has_manifest) {
                (Some(_), _) if is_loaded(batch.batch_id) => State::Loaded,
                (Some(_), _) => State::NotLoaded,
                (None, true) => State::Unreadable,
                (None, false) => State::Incomplete,
            },
            bytes: batch.bytes(),
            kind: manifest.as_ref().map(|manifest| manifest.kind.as_str()),
            rows: manifest.as_ref().map(|manifest| manifest.rows),
            extracted_at: manifest.as_ref().map(|manifest| manifest.extracted_at),
        }));
    }
    Ok(entries)
}

async fn read(
    layer: &Store,
    (source, table): (&str, &str),
    batch: &FoundBatch,
) -> Result<Option<BatchManifest>, StoreError> {
    if !batch.has_manifest {
        return Ok(None);
    }
    match store::read(layer, source, table, batch.batch_id).await {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) if error.is_unreachable() => Err(error),
        Err(_) => Ok(None),
    }
}
