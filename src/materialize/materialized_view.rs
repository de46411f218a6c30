//! A materialized view that unimig owns. It is made anew where its definition changes, and refreshed where its rows do.

use std::sync::LazyLock;

use minijinja::context;

use crate::compile::{CompiledSql, Embedded};
use crate::ident::{Literal, NodeName, Relation};
use crate::materialize::mark;
use crate::sql::{StatementFile, quoted};

static STATEMENTS: LazyLock<StatementFile> =
    LazyLock::new(|| StatementFile::parse(include_str!("materialized_view.sql")));

/// The view that `define` makes: the server spells its definition as it spells that of the materialized view.
pub const DEFINED: &str = "pg_temp.unimig_defined";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaterializedViewStatements {
    pub create: Embedded,
    /// Makes a temporary view of the SELECT.
    pub define: Embedded,
    pub mark: String,
    pub drop: String,
    pub refresh: String,
}

/// Drops one that gives way to another kind of relation.
pub fn drop(view: &Relation) -> String {
    STATEMENTS.render("drop", context! { view => quoted(view) })
}

pub fn statements(node: &NodeName, view: &Relation, select: &CompiledSql) -> MaterializedViewStatements {
    let context = context! {
        view => quoted(view),
        mark => quoted(Literal(&mark(node))),
    };
    let render = |name| STATEMENTS.render(name, context.clone());
    MaterializedViewStatements {
        create: Embedded::after(&render("create"), select),
        define: Embedded::after(&render("define"), select),
        mark: render("mark"),
        drop: drop(view),
        refresh: render("refresh"),
    }
}
