//! What the steps of a run share: pools, the layer, one snapshot per source, and what is known from before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio_postgres::Client;

use crate::compile::{Later, LaterHooks, RenderedHooks};
use crate::diagnostic::Diagnostic;
use crate::execute::guard::Guard;
use crate::extract::{GrowingKey, Snapshot};
use crate::ident::{Ident, NodeName};
use crate::plan::ReadBounds;
use crate::postgres::{Pool, PostgresError};
use crate::state::run::RunRecord;
use crate::state::schema::ensure_schema;
use crate::store::Store;

/// What a run is given.
pub struct HandsOptions {
    pub run: RunRecord,
    pub target: Pool,
    pub sources: BTreeMap<String, Pool>,
    /// Absent where the plan has no step that needs it.
    pub layer: Option<Store>,
    pub project_root: PathBuf,
    /// Templates that ask the database.
    pub later: Option<Arc<Later>>,
    pub lock_wait: Duration,
    pub full_refresh: bool,
    pub reads: ReadBounds,
    /// When each staged table was last loaded.
    pub last_good: BTreeMap<NodeName, Timestamp>,
    /// Processes whose relation is another's.
    pub taken: BTreeMap<NodeName, Diagnostic>,
    /// What runs around the builds of nodes.
    pub hooks: BTreeMap<NodeName, RenderedHooks>,
    /// Hooks that ask the database.
    pub later_hooks: Option<Arc<LaterHooks>>,
    /// Bytes of the source tables that are read for the first time, where they are known.
    pub sizes: BTreeMap<NodeName, u64>,
    /// How many steps will read each source.
    pub stages_per_connection: BTreeMap<String, usize>,
    /// Of the tables of each source that go by a growing key.
    pub growing_keys: BTreeMap<String, Vec<GrowingKey>>,
    /// What is asked of each source before it is read.
    pub guards: BTreeMap<String, Guard>,
}

/// Shared by all steps of a run.
pub struct Hands {
    pub run: RunRecord,
    pub target: Pool,
    pub sources: BTreeMap<String, Pool>,
    pub layer: Option<Store>,
    pub project_root: PathBuf,
    /// Templates that ask the database.
    pub later: Option<Arc<Later>>,
    pub lock_wait: Duration,
    pub full_refresh: bool,
    pub reads: ReadBounds,
    pub last_good: BTreeMap<NodeName, Timestamp>,
    pub sizes: BTreeMap<NodeName, u64>,
    pub taken: BTreeMap<NodeName, Diagnostic>,
    pub hooks: BTreeMap<NodeName, RenderedHooks>,
    pub later_hooks: Option<Arc<LaterHooks>>,
    pub guards: BTreeMap<String, Guard>,
    snapshots: BTreeMap<String, Mutex<Reading>>,
    schemas: Mutex<BTreeSet<Ident>>,
}

/// A source's snapshot and how many steps still need it.
struct Reading {
    state: Opening,
    readers_left: usize,
    /// What is read of it before its clock.
    growing: Vec<GrowingKey>,
}

enum Opening {
    NotYet,
    Open(Arc<Snapshot>),
    /// Every step of the source fails for the same reason, and only the first waits for it.
    Failed(Arc<PostgresError>),
}

impl Hands {
    pub fn new(mut options: HandsOptions) -> Self {
        let mut reading = |connection: String, readers_left| {
            let growing = options.growing_keys.remove(&connection).unwrap_or_default();
            (connection, Mutex::new(Reading { state: Opening::NotYet, readers_left, growing }))
        };
        Self {
            run: options.run,
            target: options.target,
            sources: options.sources,
            layer: options.layer,
            project_root: options.project_root,
            later: options.later,
            lock_wait: options.lock_wait,
            full_refresh: options.full_refresh,
            reads: options.reads,
            last_good: options.last_good,
            sizes: options.sizes,
            taken: options.taken,
            hooks: options.hooks,
            later_hooks: options.later_hooks,
            guards: options.guards,
            snapshots: options
                .stages_per_connection
                .into_iter()
                .map(|(connection, readers)| reading(connection, readers))
                .collect(),
            schemas: Mutex::new(BTreeSet::new()),
        }
    }

    /// Makes a schema unless it is there; asked once for each schema of a run. The session is outside a transaction.
    pub async fn ensure_schema(&self, client: &Client, schema: &Ident) -> Result<(), PostgresError> {
        let mut known = self.schemas.lock().await;
        if !known.contains(schema) {
            ensure_schema(client, schema).await?;
            known.insert(schema.clone());
        }
        Ok(())
    }

    /// What is asked of a source before it is read.
    pub(super) fn guard(&self, connection: &str) -> &Guard {
        self.guards.get(connection).expect("every connection of the plan has a guard")
    }

    /// The source's snapshot, opened by the first step that asks.
    pub async fn snapshot(&self, connection: &str, target: &Client) -> Result<Arc<Snapshot>, Arc<PostgresError>> {
        let reading = self.snapshots.get(connection).expect("the plan counts the readers of every connection it uses");
        let pool = self.sources.get(connection).expect("every connection of the plan has a pool");
        let mut reading = reading.lock().await;
        match &reading.state {
            Opening::Open(snapshot) => Ok(Arc::clone(snapshot)),
            Opening::Failed(error) => Err(Arc::clone(error)),
            Opening::NotYet => match open((pool, &reading.growing), target).await {
                Ok(snapshot) => {
                    let snapshot = Arc::new(snapshot);
                    reading.state = Opening::Open(Arc::clone(&snapshot));
                    Ok(snapshot)
                }
                Err(error) => {
                    let error = Arc::new(error);
                    reading.state = Opening::Failed(Arc::clone(&error));
                    Err(error)
                }
            },
        }
    }

    /// A step that failed may read once more, unless the snapshot that all tables share has been let go.
    pub async fn rejoin(&self, connection: &str) -> bool {
        let Some(reading) = self.snapshots.get(connection) else { return false };
        let mut reading = reading.lock().await;
        match reading.state {
            Opening::Open(_) => {
                reading.readers_left += 1;
                true
            }
            Opening::NotYet | Opening::Failed(_) => false,
        }
    }

    /// A step has failed and may read once more; it calls `rejoin` then, or else `close_unread`.
    pub(super) async fn pause_reading(&self, connection: &str) {
        let Some(reading) = self.snapshots.get(connection) else { return };
        let mut reading = reading.lock().await;
        reading.readers_left = reading.readers_left.saturating_sub(1);
    }

    /// One step has read what it needs; after the last the source's transaction ends, so that it holds back no vacuum.
    pub async fn done_reading(&self, connection: &str) {
        let Some(reading) = self.snapshots.get(connection) else { return };
        let mut reading = reading.lock().await;
        reading.readers_left = reading.readers_left.saturating_sub(1);
        drop(reading);
        self.close_unread(connection).await;
    }

    /// Closes the snapshot unless a step still needs it.
    pub(super) async fn close_unread(&self, connection: &str) {
        let Some(reading) = self.snapshots.get(connection) else { return };
        let mut reading = reading.lock().await;
        if reading.readers_left > 0 {
            return;
        }
        if let Opening::Open(snapshot) = std::mem::replace(&mut reading.state, Opening::NotYet)
            && let Some(snapshot) = Arc::into_inner(snapshot)
        {
            snapshot.close().await;
        }
    }
}

/// The target's clock is read first: what is loaded after that may be later than the snapshot.
async fn open((pool, growing): (&Pool, &[GrowingKey]), target: &Client) -> Result<Snapshot, PostgresError> {
    let clock = target
        .query_one("select clock_timestamp()", &[])
        .await
        .map_err(|error| PostgresError::server("read the target's clock", error))?;
    Snapshot::open(pool, clock.get(0), growing).await
}
