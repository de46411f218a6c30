//! One table's rows: COPY at the source, gzipped parts in the layer, the manifest last.

use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock};

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use minijinja::{Value, context};
use tokio_postgres::Client;

use crate::compile::CompiledSql;
use crate::extract::checksum::{self, Sum};
use crate::extract::{ExtractError, Joined, Moment, STATEMENTS, Slice, Snapshot, Throttle, missing_indexes};
use crate::ident::{Ident, Literal};
use crate::manifest::StageNode;
use crate::materialize::digest::{self, RangeKey};
use crate::materialize::stage::StagedColumn;
use crate::postgres::copy_out_csv;
use crate::sql::{quoted, quoted_list};
use crate::store::{
    self, BatchKind, BatchManifest, BatchSnapshot, BatchWindow, KeyRange, ManifestColumn, PartEntry, PartOptions,
    PartWriter, RowHash, Store,
};

/// What one extraction reads.
#[derive(Clone, Copy)]
pub struct Extraction<'a> {
    pub node: &'a StageNode,
    /// The SELECT that replaces the generated one.
    pub select: Option<&'a CompiledSql>,
    /// In the order of the CSV; the types are those of staging.
    pub columns: &'a [(StagedColumn, String)],
    pub portion: &'a Portion,
    /// Never empty; one where the table is not cut.
    pub slices: &'a [Slice],
    pub batch_id: i64,
    pub snapshot: &'a Snapshot,
    pub joined: Joined,
    pub store: &'a Store,
    pub throttle: &'a Throttle,
    /// Hears why reading waits.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

/// Which rows of a table a batch holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Portion {
    Whole,
    Window(Window),
    Above(Above),
    /// The key of every row; the columns of the extraction are those of the key.
    Keys,
    Ranges(Ranges),
}

/// Rows whose key's first column lies in one of some ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges {
    pub key: RangeKey,
    pub list: Vec<KeyRange>,
}

impl Extraction<'_> {
    /// Which rows of a slice the batch holds.
    pub(super) fn condition(&self, slice: &Slice) -> Option<String> {
        match (self.portion.condition(), slice.condition()) {
            (Some(portion), Some(pages)) => Some(format!("{pages}\n    and {portion}")),
            (portion, pages) => portion.or(pages),
        }
    }
}

/// The part of a table that may have changed: rows at or above the bound in any column, and rows without any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub columns: Vec<TimeColumn>,
    /// Without one, from the beginning.
    pub lower: Option<Timestamp>,
    /// Times at or above it are left for a later batch.
    pub upper: Option<Timestamp>,
}

/// A column whose value tells when its row changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeColumn {
    pub name: Ident,
    pub clock: Clock,
}

/// What a column's times are told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// An instant: `timestamptz`.
    Instant,
    /// A clock on a wall somewhere: `timestamp`, `date`.
    Wall,
}

impl TimeColumn {
    /// By the type that the column has in staging, which no domain hides.
    pub fn of_type(name: &Ident, data_type: &str) -> Self {
        let clock = if data_type.ends_with("with time zone") { Clock::Instant } else { Clock::Wall };
        Self { name: name.clone(), clock }
    }
}

/// The rows with greater keys than one that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Above {
    pub column: Ident,
    /// As the source writes it.
    pub key: String,
}

impl Portion {
    pub fn kind(&self) -> BatchKind {
        match self {
            Self::Whole => BatchKind::Full,
            Self::Window(_) => BatchKind::Window,
            Self::Above(_) => BatchKind::Append,
            Self::Keys => BatchKind::Keys,
            Self::Ranges(_) => BatchKind::Ranges,
        }
    }

    fn window(&self) -> Option<BatchWindow> {
        let Self::Window(window) = self else { return None };
        Some(BatchWindow {
            lower: window.lower,
            upper: window.upper,
            columns: window.columns.iter().map(|column| column.name.as_str().to_owned()).collect(),
        })
    }

    fn ranges(&self) -> Option<Vec<KeyRange>> {
        let Self::Ranges(ranges) = self else { return None };
        Some(ranges.list.clone())
    }

    fn condition(&self) -> Option<String> {
        match self {
            Self::Whole | Self::Keys => None,
            Self::Window(window) => Some(window_condition(window)),
            Self::Ranges(ranges) => Some(digest::within(&ranges.key, &ranges.list)),
            Self::Above(above) => {
                let context = context! { column => quoted(&above.column), key => quoted(Literal(&above.key)) };
                Some(STATEMENTS.render("above", context))
            }
        }
    }
}

/// Copies the rows and writes the manifest; `progress` hears of rows as they leave the source. Every session has joined
/// the snapshot; there are no more of them than slices.
pub async fn extract(
    sessions: &[&Client],
    extraction: Extraction<'_>,
    progress: impl Fn(u64),
) -> Result<BatchManifest, ExtractError> {
    let node = extraction.node;
    let row_hash = match sessions.first() {
        Some(session) => checksum::row_hash(session).await?,
        None => RowHash::default(),
    };
    let waiting = Mutex::new(extraction.slices.iter().collect());
    let work = Work { waiting, row_hash, options: OnceLock::new(), progress };
    let readers = sessions.iter().map(|session| read_slices(session, extraction, &work));
    let (parts, sums): (Vec<Vec<PartEntry>>, Vec<Sum>) = try_join_all(readers).await?.into_iter().unzip();
    let sum = sums.into_iter().reduce(Sum::plus).unwrap_or_default();
    let mut parts: Vec<PartEntry> = parts.into_iter().flatten().collect();
    parts.sort_by(|left, right| left.name.cmp(&right.name));
    let manifest = BatchManifest {
        format_version: BatchManifest::FORMAT_VERSION,
        source: node.source.clone(),
        table: node.table.clone(),
        batch_id: extraction.batch_id,
        extracted_at: Timestamp::now(),
        snapshot: BatchSnapshot {
            id: extraction.snapshot.id.clone().filter(|_| extraction.joined == Joined::Shared),
            source_clock: extraction.snapshot.source_clock,
            oldest_transaction_at: extraction.snapshot.oldest_transaction_at,
        },
        kind: extraction.portion.kind(),
        window: extraction.portion.window(),
        ranges: extraction.portion.ranges(),
        columns: extraction.columns.iter().map(manifest_column).collect(),
        key: node.key.iter().map(|key| key.as_str().to_owned()).collect(),
        rows: sum.rows,
        digest: sum.digest.map(|digest| digest.to_string()),
        row_hash,
        parts,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    store::write(extraction.store, &manifest).await?;
    Ok(manifest)
}

fn manifest_column((staged, source_type): &(StagedColumn, String)) -> ManifestColumn {
    ManifestColumn {
        name: staged.name.as_str().to_owned(),
        data_type: source_type.clone(),
        stg_type: staged.data_type.clone(),
    }
}

/// What the sessions of one extraction share.
struct Work<'a, P> {
    /// Slices that nobody reads yet.
    waiting: Mutex<VecDeque<&'a Slice>>,
    row_hash: RowHash,
    /// Set by the first header.
    options: OnceLock<PartOptions>,
    progress: P,
}

/// One session, slice after slice, into parts of its own.
async fn read_slices(
    client: &Client,
    extraction: Extraction<'_>,
    work: &Work<'_, impl Fn(u64)>,
) -> Result<(Vec<PartEntry>, Sum), ExtractError> {
    let prefix = store::batch_prefix(&extraction.node.source, &extraction.node.table, extraction.batch_id);
    let next = || work.waiting.lock().expect("no reader panics while it holds the list").pop_front();
    let mut writer: Option<PartWriter> = None;
    let mut sum = Sum { rows: 0, digest: Some(0) };
    while let Some(slice) = next() {
        let mut rows = copy_out_csv(client, &rows_statement(extraction, slice)).await?;
        let header = rows.header.clone();
        let open = || {
            let options = work.options.get_or_init(|| PartOptions::new(header)).clone();
            PartWriter::new(extraction.store, &prefix, options)
        };
        let writer = writer.get_or_insert_with(open);
        let mut copied = 0;
        while let Some(block) = rows.blocks.next().await {
            let block = block?;
            copied += block.rows;
            extraction.throttle.pass(Moment::BetweenBlocks, extraction.tell).await?;
            extraction.throttle.spend(block.bytes.len()).await;
            (work.progress)(block.rows);
            writer.write(block.bytes, block.rows).await?;
        }
        sum = sum.plus(checksum::of_slice(client, extraction, (slice, copied, work.row_hash)).await?);
    }
    match writer {
        Some(writer) => Ok((writer.finish().await?, sum)),
        None => Ok((Vec::new(), sum)),
    }
}

/// The digests of a table's ranges, or of those of the SELECT that replaces it.
pub fn digests(
    node: &StageNode,
    select: Option<&CompiledSql>,
    key: &RangeKey,
    (row_hash, condition): (&str, Option<&str>),
) -> String {
    match select {
        None => digest::digests(&node.source_relation, key, row_hash, condition),
        Some(select) => digest::digests(&format!("(\n{}\n) as extraction", select.text), key, row_hash, condition),
    }
}

/// Tells of a big table whose changes can't be found by an index, where this extraction looks for changes.
pub async fn note_missing_indexes(client: &Client, extraction: Extraction<'_>) -> Result<(), ExtractError> {
    match extraction.portion {
        Portion::Window(_) | Portion::Above(_) => {}
        Portion::Whole | Portion::Keys | Portion::Ranges(_) => return Ok(()),
    }
    let statement = extraction.slices.first().map(|slice| rows_statement(extraction, slice)).unwrap_or_default();
    if let Some(missing) = missing_indexes(client, extraction.node, &statement).await? {
        (extraction.tell)(&missing.to_string());
    }
    Ok(())
}

/// The rows of a portion by the columns that the strategy goes by, to be explained.
pub(super) fn statement_of(node: &StageNode, portion: &Portion) -> String {
    let condition = portion.condition();
    let context = context! {
        names => quoted_list(node.strategy.columns()),
        relation => quoted(&node.source_relation),
        condition => condition.as_ref().map(quoted),
    };
    STATEMENTS.render("rows_of_table", context)
}

fn rows_statement(extraction: Extraction<'_>, slice: &Slice) -> String {
    let condition = extraction.condition(slice);
    let names = quoted_list(extraction.columns.iter().map(|(column, _)| &column.name));
    let context = context! {
        names,
        relation => quoted(&slice.relation),
        condition => condition.as_ref().map(quoted),
    };
    match extraction.select {
        None => STATEMENTS.render("rows_of_table", context),
        Some(select) => {
            let head = STATEMENTS.render("rows_of_select_head", context.clone());
            let tail = STATEMENTS.render("rows_of_select_tail", context);
            format!("{head}\n{}\n{tail}", select.text)
        }
    }
}

/// Clocks on walls are up to 12 hours behind UTC and 14 ahead of it, whatever summer does to them.
const WALL_BEHIND: SignedDuration = SignedDuration::from_hours(12);
const WALL_AHEAD: SignedDuration = SignedDuration::from_hours(14);

/// The bounds are untyped literals in UTC, so that they take each column's own type: for a `date` its day. A time
/// without a zone was written by a clock that nobody knows, so the bounds make room for every one. Each arm is one that an
/// index can answer.
fn window_condition(window: &Window) -> String {
    let columns: Vec<Value> = window.columns.iter().map(|column| bounded(window, column)).collect();
    STATEMENTS.render("window", context! { columns })
}

fn bounded(window: &Window, column: &TimeColumn) -> Value {
    let (behind, ahead) = match column.clock {
        Clock::Instant => (SignedDuration::ZERO, SignedDuration::ZERO),
        Clock::Wall => (WALL_BEHIND, WALL_AHEAD),
    };
    let lower = window.lower.map(|lower| lower.saturating_sub(behind).unwrap_or(Timestamp::MIN));
    let upper = window.upper.map(|upper| upper.saturating_add(ahead).unwrap_or(Timestamp::MAX));
    context! {
        name => quoted(&column.name),
        lower => quoted(Literal(&lower.map_or_else(|| "-infinity".to_owned(), spelled))),
        upper => upper.map(|upper| quoted(Literal(&spelled(upper)))),
    }
}

fn spelled(bound: Timestamp) -> String {
    bound.strftime("%Y-%m-%d %H:%M:%S%.6f+00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_rows_that_are_null_in_every_column_and_makes_room_for_walls() {
        let column = |name: &str, data_type: &str| TimeColumn::of_type(&Ident::from_catalog(name), data_type);
        let mut window = Window {
            columns: vec![
                column("created_at", "timestamp(3) with time zone"),
                column("updated_at", "timestamp without time zone"),
            ],
            lower: Some("2026-10-25T02:30:00.5Z".parse().expect("a timestamp")),
            upper: None,
        };
        let expected = "(\n    created_at >= '2026-10-25 02:30:00.500000+00' or\n    \
                        updated_at >= '2026-10-24 14:30:00.500000+00' or\n    \
                        (created_at is null and updated_at is null)\n)";
        assert_eq!(window_condition(&window), expected);

        window.upper = window.lower.take();
        let expected = "(\n    (created_at >= '-infinity' and created_at < '2026-10-25 02:30:00.500000+00') or\n    \
                        (updated_at >= '-infinity' and updated_at < '2026-10-25 16:30:00.500000+00') or\n    \
                        (created_at is null and updated_at is null)\n)";
        assert_eq!(window_condition(&window), expected);
    }
}
