//! Layer → permanent copy in staging, in one transaction.
//!
//! Parts are verified against the manifest while they stream; a part that does not fit stops the transaction. Nothing
//! here talks to a source.

mod brake;
mod checksum;
mod keyless;
mod quarantine;
mod shape;
mod stream;
mod sweep;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::diagnostic::{Code, Diagnostic};
use crate::ident::{Ident, NodeName};
use crate::manifest::{Missing, StageNode};
use crate::materialize::digest::{self, RangeKey};
use crate::materialize::stage::{StageShape, StagedColumn, primary_key_name};
use crate::postgres::PostgresError;
use crate::state::run::Tally;
use crate::store::{BatchKind, BatchManifest, Store, StoreError};

pub use brake::Accepts;
pub use checksum::Hop;
use checksum::Proof;
use shape::Filling;
pub use shape::{StagingShape, check_columns, read_shape};
pub use sweep::{Swept, sweep};

/// Why a batch could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("part \"{part}\" of batch {batch_id} holds {found} rows, and the manifest says {expected}")]
    RowCount { part: String, batch_id: i64, expected: u64, found: u64 },
    /// The copy is not what the source's columns ask for, in a way that unimig does not mend by itself.
    #[error("{}", .0.message)]
    Project(Box<Diagnostic>),
    #[error(
        "batch {batch_id} of {node} is older than {rows} rows that it would change: later batches have changed them since"
    )]
    TurnsBack { node: NodeName, batch_id: i64, rows: i64 },
    #[error("{refused} of {rows} rows of {node} are refused by the copy: more than may be set aside")]
    TooManyRefused { node: NodeName, refused: u64, rows: u64 },
    #[error("batch {batch_id} of {node} holds {kind}, which say nothing of the rest of the table")]
    NotReloadable { node: NodeName, batch_id: i64, kind: &'static str },
    #[error("{buried} of {live} live rows of {node} are gone at the source: more than {max_percent} percent")]
    TooManyDeletes { node: NodeName, buried: u64, live: u64, max_percent: f64 },
    #[error("the rows of batch {batch_id} of {node} are not those of the source any more after the {hop}")]
    Broken { node: NodeName, batch_id: i64, hop: Hop },
}

impl LoadError {
    /// The server's refusal or a lost connection, if it was that.
    pub fn postgres(&self) -> Option<&PostgresError> {
        let Self::Postgres(error) = self else { return None };
        Some(error)
    }

    /// The store's failure, if it was that.
    pub fn store(&self) -> Option<&StoreError> {
        let Self::Store(error) = self else { return None };
        Some(error)
    }

    /// The project's mistake, if it was that.
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        let Self::Project(error) = self else { return None };
        Some(error)
    }
}

/// One batch on its way into one copy.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    pub node: &'a StageNode,
    pub columns: &'a [StagedColumn],
    pub manifest: &'a BatchManifest,
    /// The number that its rows get: not the manifest's where an old batch is loaded again.
    pub batch_id: i64,
    pub store: &'a Store,
    pub found: &'a StagingShape,
    pub accepts: Accepts,
}

/// Where `stage.sql` puts the rows that are to be merged.
const INCOMING: &str = "pg_temp.unimig_incoming";

/// Loads a batch. The caller has begun the transaction and commits it; `progress` hears of rows that were copied.
pub async fn load(client: &Client, batch: Batch<'_>, mut progress: impl FnMut(u64)) -> Result<Tally, LoadError> {
    let shape = StageShape { node: batch.node, columns: batch.columns, batch_id: batch.batch_id };
    match batch.node.quarantine {
        None => load_all(client, shape, batch, &mut progress).await,
        Some(limit) => quarantine::load(client, shape, (batch, limit), &mut progress).await,
    }
}

/// Every row, or none.
async fn load_all(
    client: &Client,
    shape: StageShape<'_>,
    batch: Batch<'_>,
    progress: &mut impl FnMut(u64),
) -> Result<Tally, LoadError> {
    match shape::prepare(client, shape, batch).await? {
        Filling::First => return first_load(client, shape, batch, progress).await,
        Filling::Nothing => return Ok(Tally::default()),
        Filling::Merge => {}
    }
    if batch.manifest.rows == 0 && bury(shape, batch).is_none() {
        return Ok(Tally::default());
    }
    execute(client, &shape.create_incoming(), batch.node).await?;
    stream::copy_parts(client, &shape.copy_incoming(), batch, progress).await?;
    execute(client, &shape.analyze_incoming(), batch.node).await?;
    let proof = checksum::proof(client, batch).await?;
    if proof == Proof::Steps {
        checksum::after_load(client, batch, &INCOMING).await?;
    }
    match batch.node.key.is_empty() {
        true => keyless::merge(client, shape, batch).await,
        false => merge(client, shape, batch, proof).await,
    }
}

/// An empty copy: COPY FREEZE straight into it, the key's index afterwards.
async fn first_load(
    client: &Client,
    shape: StageShape<'_>,
    batch: Batch<'_>,
    progress: &mut impl FnMut(u64),
) -> Result<Tally, LoadError> {
    let inserted = stream::copy_parts(client, &shape.copy_freeze(), batch, progress).await?;
    checksum::after_load(client, batch, &batch.node.stg_relation).await?;
    if let Some(bury) = shape.bury_first_load() {
        execute(client, &bury, batch.node).await?;
    }
    finish_first_load(client, shape).await?;
    Ok(Tally { inserted, ..Tally::default() })
}

/// The key is indexed last, and so is what a wrong key shows.
async fn finish_first_load(client: &Client, shape: StageShape<'_>) -> Result<(), LoadError> {
    client.batch_execute(&shape.finish_first_load()).await.map_err(|error| unmerged(shape.node, error))
}

/// A wrong key, or whatever else the server says: people may have made indexes and checks of their own on the copy.
fn unmerged(node: &StageNode, error: tokio_postgres::Error) -> LoadError {
    let of_key = error.as_db_error().is_some_and(|told| match told.code() {
        code if *code == SqlState::CARDINALITY_VIOLATION => true,
        code if *code == SqlState::UNIQUE_VIOLATION => {
            told.constraint() == Some(primary_key_name(&node.stg_relation).as_str())
        }
        code if *code == SqlState::NOT_NULL_VIOLATION => {
            told.column().is_some_and(|column| node.key.iter().any(|key| key.as_str() == column))
        }
        _ => false,
    });
    match of_key {
        true => LoadError::Project(Box::new(bad_keys(node))),
        false => PostgresError::server(format!("merge into {}", node.stg_relation), error).into(),
    }
}

async fn merge(client: &Client, shape: StageShape<'_>, batch: Batch<'_>, proof: Proof) -> Result<Tally, LoadError> {
    let failed = |error| PostgresError::server(format!("merge into {}", batch.node.stg_relation), error);
    client.batch_execute("set local work_mem = '256MB'").await.map_err(failed)?;
    if proof == Proof::Steps {
        check_keys(client, shape).await?;
    }
    if batch.batch_id != batch.manifest.batch_id {
        refuse_turning_back(client, shape, batch).await?;
    }
    // The server counts on over the transactions of a session for a while.
    let before = rows_written(client, shape).await?;
    let merged = client.execute(&shape.merge(), &[]).await.map_err(|error| unmerged(shape.node, error))?;
    let buried = match proof {
        Proof::Copy => bury_and_prove(client, shape, batch).await?,
        Proof::Steps => {
            checksum::after_merge(client, shape, (batch, merged)).await?;
            match bury(shape, batch) {
                Some(bury) => client.execute(&bury, &[]).await.map_err(failed)?,
                None => 0,
            }
        }
    };
    let after = rows_written(client, shape).await?;
    let (inserted, updated) = (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1));
    let deleted = match shape.newly_gone() {
        Some(newly_gone) if inserted + updated > 0 => {
            let gone: i64 = client.query_one(&newly_gone, &[]).await.map_err(failed)?.get(0);
            u64::try_from(gone).unwrap_or(0)
        }
        Some(_) | None => buried,
    };
    brake::hold(client, shape, (deleted, batch.accepts)).await?;
    Ok(Tally { inserted, updated: updated.saturating_sub(deleted), deleted })
}

/// How many rows of the copy were inserted and updated, by the server's own counters.
async fn rows_written(client: &Client, shape: StageShape<'_>) -> Result<(u64, u64), LoadError> {
    let row = client
        .query_one(&shape.rows_written(), &[])
        .await
        .map_err(|error| PostgresError::server(format!("count what {} wrote", shape.node.name), error))?;
    let count = |column: usize| u64::try_from(row.get::<_, i64>(column)).unwrap_or(0);
    Ok((count(0), count(1)))
}

/// Tombstones for what a whole batch lacks, and the proof that the live rows are the source's. Equal sums say all at once:
/// that the load and the merge were right, that no key came twice, and that nothing is left to be buried.
async fn bury_and_prove(client: &Client, shape: StageShape<'_>, batch: Batch<'_>) -> Result<u64, LoadError> {
    if checksum::is_source(client, batch).await? {
        return Ok(0);
    }
    let buried = client
        .execute(&shape.bury(None), &[])
        .await
        .map_err(|error| PostgresError::server(format!("bury rows of {}", shape.node.stg_relation), error))?;
    if buried > 0 && checksum::is_source(client, batch).await? {
        return Ok(buried);
    }
    check_keys(client, shape).await?;
    checksum::after_load(client, batch, &INCOMING).await?;
    Err(checksum::broken(batch, Hop::Merge))
}

/// Refuses keys that are NULL or come twice.
async fn check_keys(client: &Client, shape: StageShape<'_>) -> Result<(), LoadError> {
    let row = client
        .query_one(&shape.has_bad_keys(), &[])
        .await
        .map_err(|error| PostgresError::server(format!("look at the keys of {}", shape.node.name), error))?;
    match row.get(0) {
        true => Err(LoadError::Project(Box::new(bad_keys(shape.node)))),
        false => Ok(()),
    }
}

/// The statement that makes tombstones of what the batch should hold and does not, if it can tell.
fn bury(shape: StageShape<'_>, batch: Batch<'_>) -> Option<String> {
    if batch.node.removals.missing == Missing::Keep {
        return None;
    }
    match batch.manifest.kind {
        BatchKind::Full => Some(shape.bury(None)),
        BatchKind::Ranges => {
            let ranges = batch.manifest.ranges.as_ref().filter(|ranges| !ranges.is_empty())?;
            let first = batch.node.key.first()?;
            let column = batch.columns.iter().find(|column| column.name == *first)?;
            let source = batch.manifest.columns.iter().find(|column| column.name == first.as_str())?;
            Some(shape.bury(Some(&digest::within(&RangeKey::new(column, &source.data_type), ranges))))
        }
        BatchKind::Window | BatchKind::Append | BatchKind::Keys => None,
    }
}

/// The newest of the rows that a batch wrote, by their own times.
pub fn age_of_batch(node: &StageNode, batch_id: i64, times: &[Ident]) -> String {
    StageShape { node, columns: &[], batch_id }.newest_of_batch(times)
}

/// An old batch must not undo what came after it.
async fn refuse_turning_back(client: &Client, shape: StageShape<'_>, batch: Batch<'_>) -> Result<(), LoadError> {
    let BatchManifest { batch_id, kind, .. } = *batch.manifest;
    let row = client
        .query_one(&shape.turned_back(batch_id, kind), &[])
        .await
        .map_err(|error| PostgresError::server(format!("compare batch {batch_id} with later ones"), error))?;
    match row.get(0) {
        0 => Ok(()),
        rows => Err(LoadError::TurnsBack { node: batch.node.name.clone(), batch_id, rows }),
    }
}

fn bad_keys(node: &StageNode) -> Diagnostic {
    let key: Vec<&str> = node.key.iter().map(Ident::as_str).collect();
    let message = format!("the key ({}) of {} is NULL or not unique at the source", key.join(", "), node.name);
    Diagnostic::error(Code::DuplicateKey, message)
        .at(node.declared_at.clone())
        .hint("name the columns that identify a row under key, or make the rows unique in models/stg")
}

async fn execute(client: &Client, statement: &str, node: &StageNode) -> Result<(), PostgresError> {
    client
        .batch_execute(statement)
        .await
        .map_err(|error| PostgresError::server(format!("load {}", node.stg_relation), error))
}
