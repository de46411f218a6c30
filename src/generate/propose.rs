//! How a table's changes should be found, from its size, its times and its key; always with the reason.

use std::fmt;

use super::scalar::list;
use super::{FoundColumn, FoundTable, KeyKind};

/// From which size a table is too big to be read whole each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    pub big_from_rows: u64,
}

/// Bytes in place of rows, for tables that the server has never counted.
const BYTES_PER_ROW: u64 = 150;

/// `cdc:` of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cdc {
    Full,
    /// The columns; never empty.
    Window(Vec<String>),
    Compare,
}

/// As YAML.
impl fmt::Display for Cdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("{strategy: full}"),
            Self::Window(columns) => write!(f, "{{strategy: window, columns: {}, window: 7 days}}", list(columns)),
            Self::Compare => f.write_str("{strategy: compare}"),
        }
    }
}

/// `deletes:` of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deletes {
    /// Whole batches, which is what holds where nothing is said.
    Full,
    FullAndColumn(String),
    Sweep,
    SweepAndColumn(String),
}

/// As YAML.
impl fmt::Display for Deletes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("{detect: full}"),
            Self::Sweep => f.write_str("{detect: sweep, every: 1 day}"),
            Self::FullAndColumn(column) => {
                write!(f, "{{detect: [full, column], column: {}}}", super::scalar::scalar(column))
            }
            Self::SweepAndColumn(column) => {
                write!(f, "{{detect: [column, sweep], column: {}, every: 1 day}}", super::scalar::scalar(column))
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    pub cdc: Cdc,
    pub deletes: Deletes,
    /// Why, a line each.
    pub reasons: Vec<String>,
}

/// Names of columns that every change of a row sets.
const CHANGED: &[&str] = &[
    "updated_at",
    "modified_at",
    "changed_at",
    "last_modified_at",
    "last_modified",
    "updated_on",
    "updatedat",
    "modifiedat",
];
/// Names of columns that the birth of a row sets.
const CREATED: &[&str] = &["created_at", "inserted_at", "created_on", "createdat", "insertedat"];
/// Names of columns that say that a row is deleted.
const DELETED: &[&str] =
    &["deleted_at", "discarded_at", "is_deleted", "deleted", "deletedat", "discardedat", "isdeleted"];

fn is_one_of(column: &FoundColumn, names: &[&str]) -> bool {
    names.contains(&column.name.to_lowercase().as_str())
}

pub(super) fn propose(table: &FoundTable, sizes: Sizes) -> Proposal {
    let deleted = table.columns.iter().find(|column| is_deleted_mark(column)).map(|column| column.name.clone());
    let rows = table.row_estimate.unwrap_or(table.size_bytes / BYTES_PER_ROW);
    let is_small = rows < sizes.big_from_rows;
    let times = |names: &[&str]| -> Vec<&FoundColumn> {
        table.columns.iter().filter(|column| column.is_time() && is_one_of(column, names)).collect()
    };
    let has_changes = !times(CHANGED).is_empty();
    let size = size(table);
    if table.key_kind == KeyKind::None {
        let reasons = vec![format!("{size}; full: nothing else finds changes without a key"), no_key()];
        // A mark of deletion is a change like any other: without a key nothing says which row it is.
        return Proposal { cdc: Cdc::Full, deletes: Deletes::Full, reasons };
    }
    let mut proposal = if is_small {
        let reason = format!("{size}; full: small enough to be read whole each time");
        Proposal { cdc: Cdc::Full, deletes: full(deleted), reasons: vec![reason] }
    } else if has_changes {
        window(table, deleted, &size)
    } else {
        let reason = format!("{size}; compare: big, and no column tells of every change");
        let mut reasons = vec![reason];
        reasons.extend(log(table, &times(CREATED)));
        Proposal { cdc: Cdc::Compare, deletes: full(deleted), reasons }
    };
    if table.key_kind == KeyKind::UniqueIndex {
        proposal
            .reasons
            .push("no primary key; the key is that of a unique index on columns that are never NULL".to_owned());
    }
    proposal
}

fn no_key() -> String {
    "no primary key, and no unique index on columns that are never NULL: whole rows are compared, and a row that changes \
     is one that goes and one that comes. Name columns that identify a row, as in \"key: [a, b]\", where there are any"
        .to_owned()
}

fn full(deleted: Option<String>) -> Deletes {
    deleted.map_or(Deletes::Full, Deletes::FullAndColumn)
}

fn window(table: &FoundTable, deleted: Option<String>, size: &str) -> Proposal {
    let is_wanted = |column: &&FoundColumn| {
        column.is_time() && [CREATED, CHANGED, DELETED].iter().any(|names| is_one_of(column, names))
    };
    let columns: Vec<String> = table.columns.iter().filter(is_wanted).map(|column| column.name.clone()).collect();
    let mut reasons = vec![format!("{size}; window: big, and its times tell what changed")];
    let bare: Vec<&String> = columns.iter().filter(|name| !table.indexed.contains(name)).collect();
    if !bare.is_empty() {
        reasons.push(format!("no index begins with {}, so each run scans the whole table for it", list(bare)));
    }
    let deletes = deleted.map_or(Deletes::Sweep, Deletes::SweepAndColumn);
    Proposal { cdc: Cdc::Window(columns), deletes, reasons }
}

/// Rows that are born and never change can be read by their growing key, which a catalog cannot promise.
fn log(table: &FoundTable, created: &[&FoundColumn]) -> Option<String> {
    let [key] = table.key.as_slice() else { return None };
    let grows = table.column(key).is_some_and(FoundColumn::is_integer);
    let append = format!("{{strategy: append, columns: {}}}", list([key]));
    (grows && !created.is_empty())
        .then(|| format!("if it is a log, whose rows never change, this reads less: cdc: {append}"))
}

fn is_deleted_mark(column: &FoundColumn) -> bool {
    is_one_of(column, DELETED) && (column.is_time() || ["date", "boolean"].contains(&column.base_type.as_str()))
}

/// `about 1,200,000 rows, 310 MB`
fn size(table: &FoundTable) -> String {
    let size = match table.size_bytes >> 20 {
        0 => format!("{} kB", table.size_bytes >> 10),
        megabytes => format!("{} MB", grouped(megabytes)),
    };
    match table.row_estimate {
        Some(1) => format!("about 1 row, {size}"),
        Some(rows) => format!("about {} rows, {size}", grouped(rows)),
        None => format!("rows never counted, {size}"),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
