//! The target's half: a batch of the layer into the permanent copy, in one transaction that remembers it too.

use super::{Gathered, Reading};
use crate::event::{LayerTraffic, Phase};
use crate::execute::failure::StepError;
use crate::execute::step::Done;
use crate::load::{self, Batch};
use crate::manifest::StageNode;
use crate::materialize::stage::StagedColumn;
use crate::postgres::PostgresError;
use crate::state::batch::{self, BatchRecord};
use crate::state::run;

/// The target's half: one transaction that loads, merges and remembers.
pub(super) async fn load_batch(reading: Reading<'_>, gathered: &Gathered) -> Result<Done, StepError> {
    let manifest = &gathered.manifest;
    let (context, node): (_, &StageNode) = (reading.context, &reading.action.node);
    let target = reading.target;
    let failed = |error| PostgresError::server(format!("run the transaction of {}", node.name), error);
    let staged: Vec<StagedColumn> = gathered.columns.iter().map(|(column, _)| column.clone()).collect();
    let batch = Batch {
        node,
        columns: &staged,
        manifest,
        batch_id: gathered.batch_id,
        store: reading.layer,
        found: reading.found,
    };
    target.batch_execute("begin isolation level read committed read write").await.map_err(failed)?;
    context.progress(Phase::Loading, 0);
    let tally = load::load(target, batch, |rows| context.progress(Phase::Loading, rows)).await?;
    let bytes = manifest.parts.iter().map(|part| part.bytes).sum();
    let done = Done { layer: Some(LayerTraffic { rows: manifest.rows, bytes }), ..Done::wrote(tally) };
    let record = BatchRecord {
        node: node.name.clone(),
        batch_id: gathered.batch_id,
        kind: gathered.kind,
        is_complete: gathered.is_complete,
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
    batch::record(target, &context.hands.run.id, &record).await?;
    run::record_step(target, &context.hands.run.id, &context.record(done.status, tally, None)).await?;
    target.batch_execute("commit").await.map_err(failed)?;
    Ok(done)
}
