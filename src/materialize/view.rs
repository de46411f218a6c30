//! A view that unimig owns.

use std::sync::LazyLock;

use minijinja::context;

use crate::compile::{CompiledSql, Embedded};
use crate::ident::{Literal, NodeName, Relation};
use crate::materialize::mark;
use crate::sql::{StatementFile, quoted};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("view.sql")));

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewStatements {
    /// Replaces a view whose columns stay; PostgreSQL refuses it where they change.
    pub create: Embedded,
    pub drop: String,
    pub mark: String,
}

/// Drops a view that gives way to a table.
pub fn drop(view: &Relation) -> String {
    STATEMENTS.render("drop_view", context! { view => quoted(view) })
}

pub fn statements(node: &NodeName, view: &Relation, select: &CompiledSql) -> ViewStatements {
    let context = context! {
        view => quoted(view),
        mark => quoted(Literal(&mark(node))),
    };
    let render = |name| STATEMENTS.render(name, context.clone());
    ViewStatements {
        create: Embedded::after(&render("create_view"), select),
        drop: drop(view),
        mark: render("mark_view"),
    }
}
