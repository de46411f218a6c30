//! Every version of a SELECT's rows, each with the time in which it was valid: dbt's tables, column for column.
//!
//! The first run makes the table. Later ones stage the SELECT with its keys beside the versions that are current, end
//! those that changed or are gone, and begin new ones. A run that finds nothing new writes nothing.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::compile::{CompiledSql, Embedded, SqlBuilder};
use crate::ident::{Ident, Relation};
use crate::manifest::{HardDeletes, SnapshotConfig, SnapshotStrategy};
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("snapshot.sql")));

/// The time of the run, as dbt-postgres takes it.
const RUN_TIME: &str = "now()::timestamp without time zone";

/// When a row of the SELECT is a new version of the one that is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed<'a> {
    /// It is later.
    Later,
    /// One of these columns differs.
    In(&'a [Ident]),
    /// A column that is watched was not there before, so every row counts as changed.
    Always,
}

/// The statements of a later run, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotStatements {
    pub hold: String,
    pub note_gone: Option<String>,
    pub note_arriving: String,
    pub note_ending: String,
    pub end: String,
    pub begin: String,
    pub begin_deleted: Option<String>,
}

/// The SELECT of the whole table as the first run makes it.
pub fn first_select(config: &SnapshotConfig, select: &CompiledSql) -> CompiledSql {
    let context = context(config);
    let render = |name| STATEMENTS.render(name, context.clone());
    SqlBuilder::new()
        .text(&format!("{}\n\n", render("select_before")))
        .sql(select)
        .text(&format!("\n{}", render("select_after")))
        .finish()
}

/// Stages the SELECT with its keys.
pub fn build(config: &SnapshotConfig, select: &CompiledSql) -> Embedded {
    let context = context(config);
    let before = STATEMENTS.render("build_before", context.clone());
    Embedded::around(&before, select, &STATEMENTS.render("select_after", context))
}

/// What is done to a table that is there; `columns` are the SELECT's, `held` those that the table had before.
pub fn statements(
    (config, table): (&SnapshotConfig, &Relation),
    (columns, held): (&[Ident], &[Ident]),
    changed: Changed<'_>,
) -> SnapshotStatements {
    let base = context! { table => quoted(table), ..context(config) };
    let keeps_deletions = config.hard_deletes == HardDeletes::NewRecord;
    let changed = match changed {
        Changed::Later => STATEMENTS.render("changed_later", base.clone()),
        Changed::In(columns) => {
            STATEMENTS.render("changed_columns", context! { columns => quoted_list(columns), ..base.clone() })
        }
        Changed::Always => STATEMENTS.render("changed_always", base.clone()),
    };
    let mut changed = format!("({})", changed.trim());
    if keeps_deletions {
        // A key that comes back begins a version, whatever its values are.
        changed = format!("({changed} or held.{} = 'True')", config.names.is_deleted);
    }
    let keys = 1..=config.unique_key.len();
    let matching: Vec<String> =
        keys.map(|place| format!("held.unimig_key_{place} = built.unimig_key_{place}")).collect();
    let base = context! {
        changed => quoted(changed),
        matching => quoted(matching.join(" and ")),
        ends_deleted => config.hard_deletes != HardDeletes::Ignore,
        columns => quoted_list(columns),
        deletion_id => quoted(hash(&[format!("gone.{}", config.names.scd_id), RUN_TIME.to_owned()])),
        ..base
    };
    let render = |name| STATEMENTS.render(name, base.clone());
    let of_table: Vec<&Ident> = columns.iter().filter(|column| held.contains(column)).collect();
    let begin_deleted = context! { columns => quoted_list(of_table), ..base.clone() };
    SnapshotStatements {
        hold: render("hold"),
        note_gone: (config.hard_deletes != HardDeletes::Ignore).then(|| render("note_gone")),
        note_arriving: render("note_arriving"),
        note_ending: render("note_ending"),
        end: render("end"),
        begin: render("begin"),
        begin_deleted: keeps_deletions.then(|| STATEMENTS.render("begin_deleted", begin_deleted)),
    }
}

/// Asks for the names of columns that the config lists as SQL.
pub fn watched(columns: &[String]) -> String {
    STATEMENTS.render("watched", context! { columns => quoted_list(columns) })
}

fn context(config: &SnapshotConfig) -> Value {
    let updated_at = match &config.strategy {
        SnapshotStrategy::Timestamp { updated_at } => updated_at.as_str(),
        SnapshotStrategy::Check { updated_at, .. } => updated_at.as_deref().unwrap_or(RUN_TIME),
    };
    let mut parts = config.unique_key.clone();
    parts.push(updated_at.to_owned());
    let names = &config.names;
    context! {
        keys => quoted_list(&config.unique_key),
        updated_at => quoted(updated_at),
        scd_id => quoted(hash(&parts)),
        current => quoted(config.valid_to_current.as_deref().unwrap_or("null")),
        stated_current => config.valid_to_current.is_some(),
        keeps_deletions => config.hard_deletes == HardDeletes::NewRecord,
        names => context! {
            scd_id => quoted(&names.scd_id),
            updated_at => quoted(&names.updated_at),
            valid_from => quoted(&names.valid_from),
            valid_to => quoted(&names.valid_to),
            is_deleted => quoted(&names.is_deleted),
        },
    }
}

/// dbt's identity of a version.
fn hash(parts: &[String]) -> String {
    STATEMENTS.render("hash", context! { parts => quoted_list(parts) })
}
