//! A SELECT brought into a table that unimig owns and keeps, in dbt's three ways.
//!
//! The rows stand in the temporary table that `table.sql` builds. The aliases are dbt's, since predicates name them.
//! Rows that come out as they were are not written: a merge compares record images, and delete+insert leaves alone
//! pairs of equal rows, as often as both sides have them.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::ident::{Ident, Relation};
use crate::manifest::{IncrementalConfig, IncrementalStrategy, MergeUpdates};
use crate::materialize::stage::StagedColumn;
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("incremental.sql")));

/// The statements that bring built rows into the table, all in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncrementalStatements {
    Append {
        insert: String,
    },
    DeleteInsert {
        /// Pairs of equal rows; absent where the table has columns that the rows do not give.
        note_same: Option<String>,
        delete: String,
        insert: String,
    },
    Merge {
        /// Keys of the table that the SELECT gives more than once.
        changing_keys: Option<String>,
        /// Gives how many rows MERGE will insert.
        count_new: String,
        merge: String,
    },
}

/// An incremental model and the table that it adds to.
#[derive(Debug, Clone, Copy)]
pub struct IncrementalShape<'a> {
    pub config: &'a IncrementalConfig,
    pub table: &'a Relation,
    /// The columns that are written, with the table's types.
    pub columns: &'a [StagedColumn],
    pub width: Width,
}

/// Whether the written columns are all that the table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    WholeRow,
    SomeColumns,
}

/// A change of the table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnChange {
    Add(StagedColumn),
    Drop(Ident),
    ChangeType(StagedColumn),
}

pub fn statements(shape: IncrementalShape<'_>) -> IncrementalStatements {
    match shape.config.strategy {
        IncrementalStrategy::Append => IncrementalStatements::Append { insert: insert_all(shape) },
        // dbt inserts everything where there is no key.
        IncrementalStrategy::DeleteInsert if shape.config.unique_key.is_empty() => {
            IncrementalStatements::Append { insert: insert_all(shape) }
        }
        IncrementalStrategy::DeleteInsert => delete_insert(shape),
        IncrementalStrategy::Merge => merge(shape),
    }
}

/// The columns that a merge writes in rows that are there, or the first name that the table lacks.
pub fn updated_columns<'a>(shape: IncrementalShape<'a>) -> Result<Vec<&'a StagedColumn>, &'a Ident> {
    let known = |name: &&Ident| shape.columns.iter().any(|column| column.name == **name);
    match &shape.config.updates {
        MergeUpdates::All => Ok(shape.columns.iter().collect()),
        MergeUpdates::Only(names) => match names.iter().find(|name| !known(name)) {
            Some(unknown) => Err(unknown),
            None => Ok(shape.columns.iter().filter(|column| names.contains(&column.name)).collect()),
        },
        MergeUpdates::AllBut(names) => {
            let is_left_out = |column: &StagedColumn| {
                names.iter().any(|name| name.as_str().eq_ignore_ascii_case(column.name.as_str()))
            };
            Ok(shape.columns.iter().filter(|column| !is_left_out(column)).collect())
        }
    }
}

pub fn change_column(table: &Relation, change: &ColumnChange) -> String {
    let (statement, name, data_type) = match change {
        ColumnChange::Add(column) => ("add_column", &column.name, column.data_type.as_str()),
        ColumnChange::Drop(name) => ("drop_column", name, ""),
        ColumnChange::ChangeType(column) => ("change_type", &column.name, column.data_type.as_str()),
    };
    let context = context! { table => quoted(table), name => quoted(name), data_type => quoted(data_type) };
    STATEMENTS.render(statement, context)
}

/// Has the server look whether the built rows give the key, which a later run needs at the latest: in the subquery of a
/// delete, a name that they lack would be the table's own column, and match every row. Nothing where no key is used.
pub fn look_for_keys(config: &IncrementalConfig) -> Option<String> {
    let keys = match config.strategy {
        IncrementalStrategy::Append => return None,
        IncrementalStrategy::DeleteInsert => quoted_list(&config.unique_key),
        IncrementalStrategy::Merge => keys_of_source(config),
    };
    (!config.unique_key.is_empty()).then(|| STATEMENTS.render("look_for_keys", context! { keys }))
}

fn keys_of_source(config: &IncrementalConfig) -> Value {
    quoted_list(config.unique_key.iter().map(|key| format!("dbt_internal_source.{key}")))
}

fn insert_all(shape: IncrementalShape<'_>) -> String {
    STATEMENTS.render("insert", context! { compares => false, ..base(shape) })
}

fn delete_insert(shape: IncrementalShape<'_>) -> IncrementalStatements {
    let base = base(shape);
    let replaced = quoted(STATEMENTS.render("replaced", base.clone()));
    // Columns that are not given become NULL in a row that is replaced, so equal images do not make equal rows.
    let compares = shape.width == Width::WholeRow;
    let context = context! { replaced, compares, ..base };
    IncrementalStatements::DeleteInsert {
        note_same: compares.then(|| STATEMENTS.render("note_same", context.clone())),
        delete: STATEMENTS.render("delete_matching", context.clone()),
        insert: STATEMENTS.render("insert", context),
    }
}

fn merge(shape: IncrementalShape<'_>) -> IncrementalStatements {
    let base = base(shape);
    let matching = quoted(STATEMENTS.render("matching", base.clone()).trim_end());
    let updates: Vec<Value> = match shape.config.unique_key.is_empty() {
        true => Vec::new(),
        false => updated_columns(shape).unwrap_or_default().into_iter().map(typed).collect(),
    };
    let context = context! { matching, updates, ..base };
    IncrementalStatements::Merge {
        changing_keys: (!shape.config.unique_key.is_empty())
            .then(|| STATEMENTS.render("changing_keys", context.clone())),
        count_new: STATEMENTS.render("count_new", context.clone()),
        merge: STATEMENTS.render("merge", context),
    }
}

fn typed(column: &StagedColumn) -> Value {
    context! { name => quoted(&column.name), data_type => quoted(&column.data_type) }
}

fn base(shape: IncrementalShape<'_>) -> Value {
    let keys = &shape.config.unique_key;
    context! {
        table => quoted(shape.table),
        columns => quoted_list(shape.columns.iter().map(|column| &column.name)),
        keys => quoted_list(keys),
        keys_of_source => keys_of_source(shape.config),
        predicates => quoted_list(&shape.config.predicates),
    }
}
