//! A table that unimig owns, from a SELECT or a seed's CSV.
//!
//! Rows are built in a temporary table. Where the permanent one holds the same rows it is left alone; where it has
//! the same columns its rows are replaced in place, so that grants, indexes and views on it stay.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::compile::{CompiledSql, Embedded};
use crate::ident::{Literal, NodeName, Relation};
use crate::manifest::{Contract, Logging, SeedQuoting};
use crate::materialize::stage::StagedColumn;
use crate::materialize::{contract, mark};
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("table.sql")));

/// The statements that put the rows of the temporary table into the permanent one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStatements {
    /// Gives the number of built rows and whether both tables hold the same rows.
    pub compare: String,
    /// Makes the table without rows, where a contract says what it is.
    pub define: Option<String>,
    /// Brings the built rows in; makes the table as well where nothing defines it.
    pub create: String,
    pub replace_rows: String,
    pub drop: String,
    pub mark: String,
}

/// How a seed's CSV gets into the temporary table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedStatements {
    pub create_typed: String,
    pub copy_csv: String,
}

pub fn statements(
    node: &NodeName,
    table: &Relation,
    (logging, promised): (Logging, Option<&Contract>),
) -> TableStatements {
    let context = context! {
        table => quoted(table),
        mark => quoted(Literal(&mark(node))),
        unlogged => logging == Logging::Unlogged,
    };
    let render = |name| STATEMENTS.render(name, context.clone());
    TableStatements {
        compare: render("compare"),
        define: promised.map(|promised| contract::create(table, promised, logging)),
        create: promised.map_or_else(|| render("create"), |promised| contract::insert(table, promised)),
        replace_rows: render("replace_rows"),
        drop: render("drop_table"),
        mark: render("mark_table"),
    }
}

/// Builds the temporary table from a SELECT.
pub fn build(select: &CompiledSql) -> Embedded {
    Embedded::after(&STATEMENTS.render("build", Value::UNDEFINED), select)
}

/// Builds the temporary table from CSV.
pub fn seed(columns: &[StagedColumn], delimiter: char, quoting: SeedQuoting) -> SeedStatements {
    let typed: Vec<Value> = columns
        .iter()
        .map(|column| context! { name => quoted(&column.name), data_type => quoted(&column.data_type) })
        .collect();
    let context = context! {
        columns => typed,
        names => quoted_list(columns.iter().map(|column| &column.name)),
        // Names that were folded are no longer the header's.
        header => quoted(match quoting {
            SeedQuoting::AsWritten => "match",
            SeedQuoting::Folded => "true",
        }),
        delimiter => quoted(Literal(&delimiter.to_string())),
    };
    SeedStatements {
        create_typed: STATEMENTS.render("create_typed", context.clone()),
        copy_csv: STATEMENTS.render("copy_csv", context),
    }
}
