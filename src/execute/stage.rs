//! Source → layer → staging, under one lock on the permanent copy.
//!
//! 1. lock the copy, look at its shape and its last batch
//! 2. join the source's snapshot, describe the table, choose whole table or window
//! 3. copy to the layer; the manifest comes last
//! 4. one transaction on the target: load, merge, remember the batch

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::event::{LayerTraffic, Phase};
use crate::execute::failure::StepError;
use crate::execute::session::{Working, lock_target};
use crate::execute::step::{Done, StepContext};
use crate::extract::{self, ExtensionType, Extraction, Snapshot, SourceColumn, Window};
use crate::load::{self, Batch, StagingShape};
use crate::manifest::{StageNode, Strategy};
use crate::materialize::stage::StagedColumn;
use crate::plan::StageAction;
use crate::postgres::PostgresError;
use crate::state::batch::{self, BatchRecord, LoadedBatch};
use crate::state::lock::{self, Scope};
use crate::state::run::{self, Tally};
use crate::store::{BatchKind, BatchManifest, Store};

/// A column of staging with the source's spelling of its type.
type Column = (StagedColumn, String);

pub(super) async fn stage(context: &StepContext, action: &StageAction) -> Result<Done, StepError> {
    let mut share = Share { context, connection: Some(&action.node.connection) };
    let staged = stage_with(context, action, &mut share).await;
    share.end().await;
    staged
}

async fn stage_with(context: &StepContext, action: &StageAction, share: &mut Share<'_>) -> Result<Done, StepError> {
    let node = &action.node;
    let target = Working::lease(&context.hands.target, context).await?;
    context.hands.ensure_schema(&target, &node.stg_relation.schema).await?;
    lock_target(&target, &node.stg_relation, Scope::Session, context).await?;
    let found = load::read_shape(&target, node).await?;
    let last = batch::last_loaded(&target, &node.name).await?;
    let layer = context.hands.layer.clone().expect("a plan with a staged table comes with a layer");
    let reading = Reading { context, action, target: &target, found: &found, last: last.as_ref(), layer: &layer };
    let extracted = read(reading).await;
    share.end().await;
    let done = match extracted? {
        Some((columns, manifest)) => load_batch(reading, &columns, &manifest).await?,
        None => superseded(reading).await?,
    };
    lock::release(&target, &node.stg_relation).await?;
    target.give_back();
    Ok(done)
}

/// A step's share in its source's snapshot, to be given up as soon as the table is read, and in any case.
struct Share<'a> {
    context: &'a StepContext,
    connection: Option<&'a str>,
}

impl Share<'_> {
    async fn end(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.context.hands.done_reading(connection).await;
        }
    }
}

/// What both halves of the way need.
#[derive(Clone, Copy)]
struct Reading<'a> {
    context: &'a StepContext,
    action: &'a StageAction,
    target: &'a Working,
    found: &'a StagingShape,
    last: Option<&'a LoadedBatch>,
    layer: &'a Store,
}

/// The source's half: its session is given back before the target is written.
/// `None` when another run has loaded a batch from a later moment while this one waited: loading an earlier snapshot now
/// would take the copy back in time.
async fn read(reading: Reading<'_>) -> Result<Option<(Vec<Column>, BatchManifest)>, StepError> {
    let (context, action) = (reading.context, reading.action);
    let node = &action.node;
    let snapshot = context.hands.snapshot(&node.connection).await.map_err(StepError::Snapshot)?;
    if reading.last.is_some_and(|last| last.source_clock > snapshot.source_clock) {
        return Ok(None);
    }
    let pool = context.hands.sources.get(&node.connection).expect("every connection of the plan has a pool");
    let source = Working::lease(pool, context).await?;
    snapshot.join(&source).await?;
    let shape = extract::describe(&source, node, action.extraction.as_ref()).await?;
    let columns = staged_columns(reading, shape.columns).await?;
    let staged: Vec<StagedColumn> = columns.iter().map(|(column, _)| column.clone()).collect();
    let digest = extraction_digest(action, &columns);
    let window = if context.hands.full_refresh { None } else { window(reading, &snapshot, (&staged, &digest)) };
    let batch_id = batch::next_id(reading.target, &node.name).await?;
    let extraction = Extraction {
        node,
        select: action.extraction.as_ref(),
        columns: &columns,
        window: window.as_ref(),
        batch_id,
        snapshot: &snapshot,
        store: reading.layer,
    };
    context.progress(Phase::Extracting, 0);
    let manifest = extract::extract(&source, extraction, |rows| context.progress(Phase::Extracting, rows)).await?;
    source
        .batch_execute("commit")
        .await
        .map_err(|error| PostgresError::server(format!("end the extraction of {}", node.name), error))?;
    source.give_back();
    Ok(Some((columns, manifest)))
}

async fn superseded(reading: Reading<'_>) -> Result<Done, StepError> {
    let context = reading.context;
    context.note("another run has loaded a later state meanwhile");
    let done = Done::wrote(Tally::default());
    let record = context.record(done.status, done.tally, None);
    run::record_step(reading.target, &context.hands.run.id, &record).await?;
    Ok(done)
}

/// Types of extensions stay as they are where the target has the extension too.
async fn staged_columns(reading: Reading<'_>, columns: Vec<SourceColumn>) -> Result<Vec<Column>, StepError> {
    let mut extensions: Vec<String> =
        columns.iter().filter_map(|column| Some(column.extension.as_ref()?.extension.clone())).collect();
    extensions.sort_unstable();
    extensions.dedup();
    let known =
        if extensions.is_empty() { Vec::new() } else { extract::extension_types(reading.target, &extensions).await? };
    let spelling = |wanted: &ExtensionType| known.iter().find(|(known, _)| known == wanted);
    let staged = columns.into_iter().map(|column| {
        let kept = column.extension.as_ref().and_then(spelling).map(|(_, name)| name.clone());
        (StagedColumn { name: column.name, data_type: kept.unwrap_or(column.staged_type) }, column.data_type)
    });
    Ok(staged.collect())
}

/// The window of a table that is read by one, once its copy holds a batch and every column.
fn window(reading: Reading<'_>, snapshot: &Snapshot, (columns, digest): (&[StagedColumn], &str)) -> Option<Window> {
    let Strategy::Window { columns: times, reach } = &reading.action.node.strategy else { return None };
    let last = reading.last.filter(|last| last.extraction_digest == digest)?;
    let (Some(oldest), Some(_)) = (last.oldest_transaction_at, snapshot.oldest_transaction_at) else {
        reading.context.note(
            "read in full: the source does not show when others' transactions began; \
             grant pg_read_all_stats to the role, or read from the primary",
        );
        return None;
    };
    reading
        .found
        .is_complete(columns)
        .then(|| Window { columns: times.clone(), lower: lower_bound(snapshot, (last.source_clock, oldest), *reach) })
}

/// The earliest of: the source's clock less the window's reach; the previous batch's clock; the start of the oldest
/// transaction that was open then. So missed days and late commits are covered.
fn lower_bound(
    snapshot: &Snapshot,
    (last_clock, last_oldest): (Timestamp, Timestamp),
    reach: jiff::SignedDuration,
) -> Timestamp {
    let by_reach = snapshot.source_clock.saturating_sub(reach).unwrap_or(Timestamp::MIN);
    by_reach.min(last_clock).min(last_oldest)
}

/// Changes when the extraction gives other rows or other values for the same source.
fn extraction_digest(action: &StageAction, columns: &[Column]) -> String {
    let mut hasher = Sha256::new();
    let select = action.extraction.as_ref().map(|select| select.text.as_str());
    hasher.update(select.unwrap_or_default());
    hasher.update(format!("\0{:?}", action.node.strategy));
    for (column, source_type) in columns {
        hasher.update(format!("\0{} {} {source_type}", column.name, column.data_type));
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The target's half: one transaction that loads, merges and remembers.
async fn load_batch(reading: Reading<'_>, columns: &[Column], manifest: &BatchManifest) -> Result<Done, StepError> {
    let (context, node): (_, &StageNode) = (reading.context, &reading.action.node);
    let target = reading.target;
    let failed = |error| PostgresError::server(format!("run the transaction of {}", node.name), error);
    let staged: Vec<StagedColumn> = columns.iter().map(|(column, _)| column.clone()).collect();
    let batch = Batch { node, columns: &staged, manifest, store: reading.layer, found: reading.found };
    target.batch_execute("begin isolation level read committed read write").await.map_err(failed)?;
    context.progress(Phase::Loading, 0);
    let tally = load::load(target, batch, |rows| context.progress(Phase::Loading, rows)).await?;
    let bytes = manifest.parts.iter().map(|part| part.bytes).sum();
    let done = Done { layer: Some(LayerTraffic { rows: manifest.rows, bytes }), ..Done::wrote(tally) };
    let record = BatchRecord {
        node: node.name.clone(),
        batch_id: manifest.batch_id,
        kind: match manifest.kind {
            BatchKind::Full => "full",
            BatchKind::Window => "window",
        },
        layer_url: reading.layer.url().to_owned(),
        source_clock: manifest.snapshot.source_clock,
        oldest_transaction_at: manifest.snapshot.oldest_transaction_at,
        extraction_digest: extraction_digest(reading.action, columns),
        window_lower: manifest.window.as_ref().and_then(|window| window.lower),
        rows_extracted: manifest.rows,
        tally,
    };
    batch::record(target, &context.hands.run.id, &record).await?;
    run::record_step(target, &context.hands.run.id, &context.record(done.status, tally, None)).await?;
    target.batch_execute("commit").await.map_err(failed)?;
    Ok(done)
}
