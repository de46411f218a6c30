//! A second look at a table, at the same moment: every key, to find the rows that are gone.

use super::look::Look;
use super::write::{self, Loaded, Turn};
use super::{Gathered, Reading};
use crate::execute::failure::StepError;
use crate::execute::step::Done;
use crate::extract::{Joined, Portion};
use crate::load;
use crate::state::batch;

/// Whether the project asks for a sweep, and the last look at all keys is long enough ago. A batch of the whole table
/// is such a look.
pub(super) async fn is_due(reading: Reading<'_>) -> Result<bool, StepError> {
    let Some(every) = reading.action.node.removals.sweep_every else { return Ok(false) };
    if reading.context.hands.reads.reload.is_some() {
        return Ok(false);
    }
    let since = batch::since_all_keys(reading.target, &reading.action.node.name).await?;
    Ok(since.is_some_and(|since| since >= every))
}

/// Reads the keys through the run's snapshot of the source, and buries what is gone.
pub(super) async fn sweep(reading: Reading<'_>, main: &Gathered, turn: Turn) -> Result<Done, StepError> {
    let (context, node) = (reading.context, &reading.action.node);
    let look = Look::open(reading).await?;
    let joined = look.joined;
    let is_key = |column: &&super::Column| node.key.contains(&column.0.name);
    let columns: Vec<super::Column> = main.columns.iter().filter(is_key).cloned().collect();
    let batch_id = batch::next_id(reading.target, &node.name).await?;
    let manifest = look.extract(reading, (&columns, &Portion::Keys, batch_id)).await?;
    let keys = Gathered {
        columns,
        batch_id,
        kind: manifest.kind.as_str(),
        is_complete: true,
        greatest_key: None,
        extraction_digest: main.extraction_digest.clone(),
        seen: None,
        manifest,
    };
    write::within_transaction(reading, &keys, turn, async |batch| {
        let swept = load::sweep(reading.target, batch).await?;
        // At a moment of its own the sweep also meets rows that came after the changes were read.
        let unknown = if joined == Joined::Shared { swept.unknown } else { 0 };
        if unknown > 0 {
            batch::doubt(reading.target, &node.name).await?;
            context.note(&format!(
                "{unknown} rows of the source are not in the copy, and no change column told of them: the next run reads the \
                 whole table"
            ));
        }
        Ok(Loaded { tally: swept.tally, is_complete: unknown == 0 })
    })
    .await
}
