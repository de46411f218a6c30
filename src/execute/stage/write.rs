//! The target's half: a batch of the layer into the permanent copy, in one transaction that remembers it too.

use super::{Gathered, Reading};
use crate::event::{LayerTraffic, Phase};
use crate::execute::failure::StepError;
use crate::execute::step::Done;
use crate::load::{self, Accepts, Batch};
use crate::materialize::stage::StagedColumn;
use crate::postgres::PostgresError;
use crate::state::batch::{self, BatchRecord};
use crate::state::run::{self, Tally};
use crate::state::source;

/// What a batch did to its copy.
pub(super) struct Loaded {
    pub(super) tally: Tally,
    /// Whether everything that changed before the batch is in staging now.
    pub(super) is_complete: bool,
}

/// Which of a step's transactions this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Others follow.
    Early,
    /// The last, which also records the step, with what the earlier ones did.
    Last,
}

/// Loads and merges.
pub(super) async fn load_batch(reading: Reading<'_>, gathered: &Gathered, turn: Turn) -> Result<Done, StepError> {
    let context = reading.context;
    within_transaction(reading, gathered, turn, async |batch| {
        context.progress(Phase::Loading, 0);
        let tally = load::load(reading.target, batch, |rows| context.progress(Phase::Loading, rows)).await?;
        Ok(Loaded { tally, is_complete: gathered.is_complete })
    })
    .await
}

/// One transaction that loads in a way of the caller's, and remembers.
pub(super) async fn within_transaction<'a>(
    reading: Reading<'a>,
    gathered: &'a Gathered,
    turn: Turn,
    load: impl AsyncFnOnce(Batch<'_>) -> Result<Loaded, StepError>,
) -> Result<Done, StepError> {
    let (context, node, target) = (reading.context, &reading.action.node, reading.target);
    let manifest = &gathered.manifest;
    let failed = |error| PostgresError::server(format!("run the transaction of {}", node.name), error);
    let columns: Vec<StagedColumn> = gathered.columns.iter().map(|(column, _)| column.clone()).collect();
    let batch = Batch {
        node,
        columns: &columns,
        manifest,
        batch_id: gathered.batch_id,
        store: reading.layer,
        found: reading.found,
        accepts: if context.hands.reads.accept_deletes { Accepts::Any } else { Accepts::Few },
    };
    target.batch_execute("begin isolation level read committed read write").await.map_err(failed)?;
    let Loaded { tally, is_complete } = load(batch).await?;
    let bytes = manifest.parts.iter().map(|part| part.bytes).sum();
    let record = BatchRecord {
        node: node.name.clone(),
        batch_id: gathered.batch_id,
        kind: gathered.kind,
        is_complete,
        layer_url: reading.layer.url().to_owned(),
        source_clock: manifest.snapshot.source_clock,
        oldest_transaction_at: manifest.snapshot.oldest_transaction_at,
        extraction_digest: gathered.extraction_digest.clone(),
        window_lower: manifest.window.as_ref().and_then(|window| window.lower),
        window_upper: manifest.window.as_ref().and_then(|window| window.upper),
        greatest_key: gathered.greatest_key.clone(),
        rows_extracted: manifest.rows,
        tally,
    };
    if !is_complete && !reading.found.has_rows() {
        // The copy was emptied or dropped: what earlier batches brought is not in it any more.
        batch::doubt(target, &node.name).await?;
    }
    batch::record(target, &context.hands.run.id, &record).await?;
    if let Some(seen) = gathered.seen.as_ref().filter(|_| is_complete) {
        source::remember_columns(target, &node.name, seen).await?;
    }
    let done = Done::after(context.committed(), tally, LayerTraffic { rows: manifest.rows, bytes });
    if turn == Turn::Last {
        run::record_step(target, &context.hands.run.id, &context.record(done.status, done.tally, None)).await?;
    }
    target.batch_execute("commit").await.map_err(failed)?;
    context.has_committed(&done);
    Ok(done)
}
