//! A sampled comparison of whole rows, after the changes are in: what differs then changed without telling.

use jiff::SignedDuration;

use super::compare::{self, Share};
use super::look::Look;
use super::write::{self, Loaded, Turn};
use super::{Gathered, Reading};
use crate::event::Phase;
use crate::execute::failure::StepError;
use crate::execute::step::Done;
use crate::extract::{Joined, Portion};
use crate::ident::Ident;
use crate::load;
use crate::manifest::Alarm;
use crate::postgres::PostgresError;
use crate::state::batch;

const ROWS_PER_RANGE: u64 = 1_000;

/// The table's alarm, if it is due: a comparison of everything, or of a sample, is long enough ago.
pub(super) async fn due(reading: Reading<'_>) -> Result<Option<Alarm>, StepError> {
    let Some(alarm) = reading.action.node.alarm else { return Ok(None) };
    if reading.context.hands.reads.reload.is_some() {
        return Ok(None);
    }
    let since = batch::since_compared(reading.target, &reading.action.node.name).await?;
    Ok(since.is_some_and(|since: SignedDuration| since >= alarm.every).then_some(alarm))
}

/// Compares a part of the table, loads the ranges that differ, and says what was found.
pub(super) async fn compare(reading: Reading<'_>, (main, alarm): (&Gathered, Alarm)) -> Result<Done, StepError> {
    let (context, node) = (reading.context, &reading.action.node);
    let look = Look::open(reading).await?;
    let joined = look.joined;
    let batch_id = batch::next_id(reading.target, &node.name).await?;
    let turn = batch::samples(reading.target, &node.name).await?;
    let ranges = compare::differing(reading, &look.source, (&main.columns, ROWS_PER_RANGE, share(alarm, turn))).await?;
    let manifest = look.extract(reading, (&main.columns, &Portion::Ranges(ranges), batch_id)).await?;
    let sample = Gathered {
        columns: main.columns.clone(),
        batch_id,
        kind: "sample",
        is_complete: true,
        greatest_key: None,
        extraction_digest: main.extraction_digest.clone(),
        seen: None,
        manifest,
    };
    write::within_transaction(reading, &sample, Turn::Last, async |batch| {
        let tally = load::load(reading.target, batch, |rows| context.progress(Phase::Loading, rows)).await?;
        // At a moment of its own the sample also meets changes that came after the others were read.
        let silent = tally.inserted + tally.updated;
        let missed = if joined == Joined::Shared { silent } else { 0 };
        if missed > 0 {
            batch::doubt(reading.target, &node.name).await?;
            context.note(&words(reading, (missed, alarm, batch_id)).await?);
        }
        Ok(Loaded { tally, is_complete: missed == 0 })
    })
    .await
}

/// Each alarm takes the part after that of the one before.
fn share(alarm: Alarm, turn: usize) -> Share {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a percentage above 0, up to 100")]
    let stride = (100.0 / alarm.percent).round().max(1.0) as usize;
    Share::Every { stride, turn }
}

/// What was found, with the age of the rows by their own times.
async fn words(reading: Reading<'_>, (missed, alarm, batch_id): (u64, Alarm, i64)) -> Result<String, StepError> {
    let node = &reading.action.node;
    let named = |names: &[Ident]| names.iter().map(Ident::as_str).collect::<Vec<_>>().join(", ");
    let columns = node.strategy.columns();
    let statement = load::age_of_batch(node, batch_id, columns);
    let age = reading
        .target
        .query_one(&statement, &[])
        .await
        .map_err(|error| PostgresError::server(format!("look at what the sample of {} found", node.name), error))?;
    let newest = match age.get::<_, Option<String>>(0) {
        Some(newest) => format!("; the newest of them says {newest}"),
        None => String::new(),
    };
    Ok(format!(
        "{missed} rows in a sample of {} percent changed without telling by {}{newest}; they are mended, and the next run \
         reads the whole table",
        alarm.percent,
        named(columns)
    ))
}
