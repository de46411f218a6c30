//! Shells: relations without rows that stand for real ones while a SELECT is looked at by the server.
//!
//! A shell of a table is a partitioned table without partitions: it has columns and a key, and neither a file on disk
//! nor a TOAST table, so that thousands are made in a second and one lock is all that each holds.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::compile::{CompiledSql, Embedded};
use crate::ident::{Ident, Relation};
use crate::manifest::IncrementalConfig;
use crate::materialize::stage::StagedColumn;
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("shell.sql")));

/// A table's columns and primary key; the key may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellColumns {
    pub columns: Vec<StagedColumn>,
    pub primary_key: Vec<Ident>,
}

/// Makes a table without rows.
pub fn create_table(shell: &Relation, shape: &ShellColumns) -> String {
    let typed = |column: &StagedColumn| {
        context! { name => quoted(&column.name), data_type => quoted(&column.data_type) }
    };
    let Some(first_column) = shape.columns.first() else {
        return STATEMENTS.render("create_empty_table", context! { shell => quoted(shell) });
    };
    let statement = if shape.primary_key.is_empty() { "create_keyless_table" } else { "create_table" };
    let columns: Vec<Value> = shape.columns.iter().map(typed).collect();
    STATEMENTS.render(
        statement,
        context! {
            shell => quoted(shell),
            columns,
            keys => quoted_list(&shape.primary_key),
            first_key => shape.primary_key.first().map(quoted),
            first_column => quoted(&first_column.name),
        },
    )
}

/// Makes a view of a SELECT: PostgreSQL says what is wrong with it, and its columns are in the catalog afterwards.
pub fn create_view(shell: &Relation, select: &CompiledSql) -> Embedded {
    Embedded::after(&STATEMENTS.render("create_view", context! { shell => quoted(shell) }), select)
}

/// A column that a SELECT gives, and the type that its text becomes where it is text and the table's column is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertedColumn {
    pub name: Ident,
    pub cast: Option<String>,
}

/// Has the server look at a SELECT as it would be inserted, types and all, and nothing more.
pub fn prepare_insert(shell: &Relation, columns: &[InsertedColumn], select: &CompiledSql) -> Embedded {
    let names = quoted_list(columns.iter().map(|column| &column.name));
    let context = context! { shell => quoted(shell), columns => names };
    let head = STATEMENTS.render("insert", context);
    if columns.iter().all(|column| column.cast.is_none()) {
        return prepare(Embedded::after(&head, select));
    }
    let shown = |column: &InsertedColumn| {
        context! { name => quoted(&column.name), data_type => column.cast.as_ref().map(quoted) }
    };
    let columns: Vec<Value> = columns.iter().map(shown).collect();
    let casts = STATEMENTS.render("casts", context! { columns });
    prepare(Embedded::around(&format!("{head}\n{casts}"), select, ") as given\n"))
}

/// Has the server look at what matches an incremental model's rows: the key, and the conditions.
pub fn prepare_match(shell: &Relation, config: &IncrementalConfig) -> String {
    let context = context! {
        shell => quoted(shell),
        keys => quoted_list(&config.unique_key),
        predicates => quoted_list(&config.predicates),
    };
    let select = CompiledSql { text: STATEMENTS.render("match", context), origins: Vec::new() };
    prepare(Embedded::bare(&select)).sql
}

/// Has the server look at a statement, and nothing more: it is forgotten as soon as it was understood.
pub fn prepare(statement: Embedded) -> Embedded {
    let render = |name| STATEMENTS.render(name, context! {});
    statement.inside(&render("prepare"), &render("forget"))
}
