//! Unit tests as SQL: literal rows become temporary tables with the types of what they stand in for.
//!
//! Everything happens in one transaction that is rolled back.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::compile::{CompiledSql, Embedded};
use crate::ident::{Ident, Literal};
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("unit_test.sql")));

/// The table that holds what the model gave.
pub const ACTUAL: &str = "unimig_actual";

/// The table that holds what it should give.
pub const EXPECTED: &str = "unimig_expected";

/// The table that tells what columns a SELECT has; it holds no row.
pub const DESCRIBED: &str = "unimig_described";

/// A column and its type, as `format_type` spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedColumn {
    pub name: Ident,
    pub data_type: String,
}

/// Names and types of a relation's columns; takes the relation's quoted name.
pub fn columns() -> String {
    STATEMENTS.render("columns", Value::UNDEFINED)
}

/// A temporary table of rows, each with a value for every column.
pub fn rows(table: &Ident, columns: &[TypedColumn], rows: &[Vec<Option<String>>]) -> String {
    let value = |at: usize| Ident::from_catalog(format!("value_{at}"));
    let described = columns.iter().enumerate().map(|(at, column)| {
        let (value, data_type) = (quoted(value(at)), quoted(&column.data_type));
        context! { value, data_type, name => quoted(&column.name) }
    });
    let literal = |cell: &Option<String>| match cell {
        Some(text) => quoted(Literal(text)),
        None => quoted("null"),
    };
    let mut lines: Vec<Value> = rows.iter().map(|row| row.iter().map(literal).collect()).collect();
    if lines.is_empty() {
        lines.push(columns.iter().map(|_| quoted("null")).collect());
    }
    let context = context! {
        table => quoted(table),
        columns => described.collect::<Vec<_>>(),
        rows => lines,
        values => quoted_list((0..columns.len()).map(value)),
        is_empty => rows.is_empty(),
    };
    STATEMENTS.render("rows_head", context)
}

/// A temporary table of what a SELECT gives.
pub fn select_into(table: &Ident, select: &CompiledSql) -> Embedded {
    Embedded::after(&STATEMENTS.render("select_head", context! { table => quoted(table) }), select)
}

/// The same without a row, to learn its columns.
pub fn describe(select: &CompiledSql) -> Embedded {
    let table = Ident::from_catalog(DESCRIBED);
    let head = STATEMENTS.render("select_head", context! { table => quoted(table) });
    Embedded::around(&head, select, &STATEMENTS.render("described_tail", Value::UNDEFINED))
}

pub fn drop_described() -> String {
    STATEMENTS.render("drop_described", Value::UNDEFINED)
}

/// Which rows of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Expected and not there.
    Missing,
    /// There and not expected.
    Unexpected,
    Common,
}

/// The rows of one side, as text; a row that stands twice in one table has to stand twice in the other.
pub fn compare(side: Side, columns: &[TypedColumn]) -> String {
    let (expected, actual) = ("pg_temp.unimig_expected", "pg_temp.unimig_actual");
    let (first, operator, second) = match side {
        Side::Missing => (expected, "except all", actual),
        Side::Unexpected => (actual, "except all", expected),
        Side::Common => (actual, "intersect all", expected),
    };
    let context = context! {
        first => quoted(first),
        operator => quoted(operator),
        second => quoted(second),
        columns => quoted_list(columns.iter().map(comparable)),
        names => quoted_list(columns.iter().map(|column| &column.name)),
        texts => quoted_list(columns.iter().map(|column| format!("{}::text", column.name))),
    };
    STATEMENTS.render("compared", context)
}

/// Types without equality are compared in a form that has it.
fn comparable(column: &TypedColumn) -> String {
    match column.data_type.as_str() {
        "json" => format!("{}::jsonb", column.name),
        "xml" | "point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle" | "json[]" | "xml[]" => {
            format!("{}::text", column.name)
        }
        _ => column.name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rows_are_a_table_with_columns() {
        let id = TypedColumn { name: Ident::from_catalog("id"), data_type: "bigint".to_owned() };
        let table = Ident::from_catalog("orders");
        let sql = rows(&table, std::slice::from_ref(&id), &[]);
        assert!(sql.contains("cast(given.value_0 as bigint) as id") && sql.contains("where false"), "{sql}");
        let sql = rows(&table, &[id], &[vec![Some("it's".to_owned())], vec![None]]);
        assert!(sql.contains("('it''s'),") && sql.contains("(null)") && !sql.contains("where"), "{sql}");
    }
}
