//! Source → layer → staging, under one lock on the permanent copy.
//!
//! 1. lock the copy, look at its shape and its last batch
//! 2. join the source's snapshot, describe the table, choose which part of it is read
//! 3. copy to the layer; the manifest comes last
//! 4. one transaction on the target: load, merge, remember the batch

mod alarm;
mod bounds;
mod compare;
mod drift;
mod leftovers;
mod look;
mod mistake;
mod read;
mod reload;
mod sweep;
mod write;

use self::write::Turn;
use crate::execute::failure::StepError;
use crate::execute::session::{Working, lock_target};
use crate::execute::step::{Done, StepContext};
use crate::load::{self, StagingShape};
use crate::materialize::stage::StagedColumn;
use crate::plan::StageAction;
use crate::state::batch::{self, LoadedBatch};
use crate::state::lock::{self, Scope};
use crate::state::quarantine;
use crate::state::run::{self, Tally};
use crate::state::source::SeenColumn;
use crate::store::{BatchKind, BatchManifest, Store};

/// A column of staging with the source's spelling of its type.
type Column = (StagedColumn, String);

pub(super) async fn stage(context: &StepContext, action: &StageAction) -> Result<Done, StepError> {
    let mut share = Share { context, connection: Some(&action.node.connection) };
    let staged = stage_with(context, action, &mut share).await;
    match &staged {
        Err(error) if error.is_transient() => share.pause().await,
        Ok(_) | Err(_) => share.end().await,
    }
    staged.map_err(|error| mistake::placed(error, &action.node))
}

async fn stage_with(context: &StepContext, action: &StageAction, share: &mut Share<'_>) -> Result<Done, StepError> {
    let node = &action.node;
    let target = Working::lease(&context.hands.target, context).await?;
    context.hands.ensure_schema(&target, &node.stg_relation.schema).await?;
    lock_target(&target, &node.stg_relation, Scope::Session, context).await?;
    let found = load::read_shape(&target, node).await?;
    let in_quarantine = quarantine::count_rows(&target, &node.name).await?;
    // What is set aside is looked for again, wherever in the table it is.
    let last = batch::last_loaded(&target, &node.name).await?.filter(|_| in_quarantine == 0);
    let layer = context.hands.layer.clone().expect("a plan with a staged table comes with a layer");
    let reading = Reading { context, action, target: &target, found: &found, last: last.as_ref(), layer: &layer };
    let gathered = match context.hands.reads.reload {
        Some(batch_id) => Some(reload::gather(reading, batch_id).await?),
        None => read::read(reading).await?,
    };
    let done = match gathered {
        Some(gathered) => load(reading, &gathered, share).await?,
        None => superseded(reading).await?,
    };
    let in_quarantine = quarantine::count_rows(&target, &node.name).await?;
    if in_quarantine > 0 {
        context.note(&format!("{in_quarantine} rows are in quarantine: unimig quarantine show {}", node.name));
    }
    lock::release(&target, &node.stg_relation).await?;
    target.give_back();
    Ok(done)
}

/// Loads the batch; while the source's snapshot is open still, looks at the table in other ways where that is due.
async fn load(reading: Reading<'_>, gathered: &Gathered, share: &mut Share<'_>) -> Result<Done, StepError> {
    // What was left out on purpose would be found missing.
    let looks_again = !is_whole(gathered) && gathered.is_complete;
    let sweep_is_due = looks_again && sweep::is_due(reading).await?;
    let alarm = if looks_again { alarm::due(reading).await? } else { None };
    if !sweep_is_due && alarm.is_none() {
        share.end().await;
        return write::load_batch(reading, gathered, Turn::Last).await;
    }
    // The changes are in then, whatever becomes of the second look. A step that is begun again finds the batch, reads
    // what it would read at the next run, and looks again.
    let mut done = write::load_batch(reading, gathered, Turn::Early).await?;
    if sweep_is_due {
        let turn = if alarm.is_some() { Turn::Early } else { Turn::Last };
        done = sweep::sweep(reading, gathered, turn).await?;
    }
    if let Some(alarm) = alarm {
        done = alarm::compare(reading, (gathered, alarm)).await?;
    }
    share.end().await;
    Ok(done)
}

/// Whether the batch holds every key anyway.
fn is_whole(gathered: &Gathered) -> bool {
    gathered.manifest.kind == BatchKind::Full
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

    /// The step may be begun again: should it be the last reader, the snapshot stays for it.
    async fn pause(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.context.hands.pause_reading(connection).await;
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
    /// The last batch that left nothing out.
    last: Option<&'a LoadedBatch>,
    layer: &'a Store,
}

/// A batch that lies in the layer, on its way into the copy.
struct Gathered {
    columns: Vec<Column>,
    manifest: BatchManifest,
    /// The number that its rows get in staging.
    batch_id: i64,
    kind: &'static str,
    /// Whether everything is in staging afterwards that changed at the source before the batch.
    is_complete: bool,
    greatest_key: Option<String>,
    extraction_digest: String,
    /// What the source's catalog says now, where that is new.
    seen: Option<Vec<SeenColumn>>,
}

async fn superseded(reading: Reading<'_>) -> Result<Done, StepError> {
    let context = reading.context;
    context.note("another run has loaded a later state meanwhile");
    let done = context.committed().unwrap_or_else(|| Done::wrote(Tally::default()));
    let record = context.record(done.status, done.tally, None);
    run::record_step(reading.target, &context.hands.run.id, &record).await?;
    Ok(done)
}
