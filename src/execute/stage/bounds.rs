//! Which part of a table is read, so that nothing is missed and little is read twice.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Client;

use super::compare::{self, Share};
use super::{Column, Reading};
use crate::execute::failure::StepError;
use crate::extract::{Above, Portion, Snapshot, TimeColumn, Window};
use crate::ident::Ident;
use crate::manifest::Strategy;
use crate::materialize::stage::StagedColumn;
use crate::state::batch::{self, LoadedBatch};

/// The part of a table that one batch holds.
pub(super) struct Chosen {
    pub(super) portion: Portion,
    /// Whether staging is as the source is, once the batch is in.
    pub(super) is_complete: bool,
}

impl Chosen {
    fn complete(portion: Portion) -> Self {
        Self { portion, is_complete: true }
    }
}

/// The strategy's own part, or what the run asked for instead.
pub(super) async fn choose(
    reading: Reading<'_>,
    (snapshot, source): (&Snapshot, &Client),
    (columns, digest): (&[Column], &str),
) -> Result<Chosen, StepError> {
    let hands = &reading.context.hands;
    if hands.full_refresh || hands.reads.full {
        return Ok(Chosen::complete(Portion::Whole));
    }
    let since_last = last_to_build_on(reading, snapshot, (columns, digest));
    let strategy = &reading.action.node.strategy;
    if hands.reads.bounds_times() {
        match strategy {
            Strategy::Window { .. } => {
                return Ok(as_asked(reading, snapshot, (columns, since_last)));
            }
            Strategy::Full | Strategy::Append { .. } | Strategy::Compare { .. } => {
                reading.context.note("--since, --until and --window are for tables with times; it is read as always");
            }
        }
    }
    let Some(since_last) = since_last else { return Ok(Chosen::complete(Portion::Whole)) };
    Ok(Chosen::complete(match strategy {
        Strategy::Full => Portion::Whole,
        Strategy::Window { columns: times, reach } => {
            // A time may be written by a clock that is behind, in a transaction that was open at the last batch: the
            // reach counts from there, not from now.
            let lower = earliest(since_last.lower(), *reach);
            Portion::Window(window((times, columns), Some(lower), None))
        }
        Strategy::Compare { rows_per_range } => {
            Portion::Ranges(compare::differing(reading, source, (columns, *rows_per_range, Share::All)).await?)
        }
        Strategy::Append { column, overlap } => above(reading, since_last, (column, *overlap, digest)).await?,
    }))
}

/// Where reading must start to miss nothing: the last complete batch's moment, or the start of the oldest transaction
/// that was open then. So missed days and late commits are covered.
#[derive(Clone, Copy)]
struct SinceLast {
    clock: Timestamp,
    oldest_transaction_at: Timestamp,
}

impl SinceLast {
    fn lower(self) -> Timestamp {
        self.clock.min(self.oldest_transaction_at)
    }
}

/// The last complete batch, if the next one may hold changes only: it was extracted in the same way, the copy has all
/// its columns, and the source shows when others' transactions began.
fn last_to_build_on(
    reading: Reading<'_>,
    snapshot: &Snapshot,
    (columns, digest): (&[Column], &str),
) -> Option<SinceLast> {
    if reading.action.node.strategy == Strategy::Full {
        return None;
    }
    let last: &LoadedBatch = reading.last.filter(|last| last.extraction_digest == digest)?;
    if last.source_clock > snapshot.source_clock {
        reading.context.note("read in full: the source's clock is behind what it was at the last batch");
        return None;
    }
    let (Some(oldest_transaction_at), Some(_)) = (last.oldest_transaction_at, snapshot.oldest_transaction_at) else {
        reading.context.note(
            "read in full: the source does not show when others' transactions began; \
             grant pg_read_all_stats to the role, read from the primary, or end transactions that are prepared",
        );
        return None;
    };
    let staged: Vec<StagedColumn> = columns.iter().map(|(column, _)| column.clone()).collect();
    reading.found.is_complete(&staged).then_some(SinceLast { clock: last.source_clock, oldest_transaction_at })
}

/// The bounds of the command line. What ends before now, or begins after the last complete batch, leaves something out,
/// and the next ordinary run starts where it would have started without it.
fn as_asked(
    reading: Reading<'_>,
    snapshot: &Snapshot,
    (columns, since_last): (&[Column], Option<SinceLast>),
) -> Chosen {
    let reads = &reading.context.hands.reads;
    let by_window = reads.window.map(|reach| earliest(snapshot.source_clock, reach));
    let lower = reads.since.or(by_window).or_else(|| since_last.map(SinceLast::lower));
    let covers_last = lower.is_none() || since_last.is_some_and(|last| lower <= Some(last.lower()));
    let times = reading.action.node.strategy.times();
    Chosen {
        portion: Portion::Window(window((times, columns), lower, reads.until)),
        is_complete: covers_last && reads.until.is_none(),
    }
}

async fn above(
    reading: Reading<'_>,
    since_last: SinceLast,
    (column, overlap, digest): (&Ident, u64, &str),
) -> Result<Portion, StepError> {
    let node = &reading.action.node;
    let known =
        batch::greatest_key_before(reading.target, &node.name, (since_last.oldest_transaction_at, digest)).await?;
    Ok(match known {
        None => Portion::Whole,
        Some(key) => Portion::Above(Above { column: column.clone(), key: lowered(key, overlap) }),
    })
}

/// A whole number less the overlap; keys of other kinds have no distance.
fn lowered(key: String, overlap: u64) -> String {
    match key.parse::<i128>() {
        Ok(number) => number.saturating_sub(i128::from(overlap)).max(i128::from(i64::MIN)).to_string(),
        Err(_) => key,
    }
}

fn window((times, columns): (&[Ident], &[Column]), lower: Option<Timestamp>, upper: Option<Timestamp>) -> Window {
    let typed = |name: &Ident| {
        let data_type = columns.iter().find(|(column, _)| column.name == *name).map(|(column, _)| &column.data_type);
        TimeColumn::of_type(name, data_type.map(String::as_str).unwrap_or_default())
    };
    Window { columns: times.iter().map(typed).collect(), lower, upper }
}

fn earliest(from: Timestamp, reach: SignedDuration) -> Timestamp {
    from.saturating_sub(reach).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_are_lowered() {
        assert_eq!(lowered("5000".to_owned(), 1_000), "4000");
        assert_eq!(lowered("10".to_owned(), 1_000), "-990");
        assert_eq!(lowered(i64::MIN.to_string(), 1), i64::MIN.to_string());
        assert_eq!(lowered("2026-11-24".to_owned(), 1_000), "2026-11-24");
    }
}
