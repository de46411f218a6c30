//! The columns that a contract declares, as statements that the server reads their types from.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::manifest::ColumnNode;
use crate::project::ConstraintKind;
use crate::sql::{StatementFile, quoted};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("contract.sql")));

/// A SELECT whose columns have the declared types.
pub fn declared(columns: &[ColumnNode]) -> String {
    STATEMENTS.render("declared", context(columns))
}

/// Gives the temporary table's columns the declared types, and holds its rows against their constraints.
pub fn apply_types(columns: &[ColumnNode]) -> String {
    let mut statements = vec![STATEMENTS.render("apply_types", context(columns))];
    for column in columns {
        for constraint in &column.constraints {
            let statement = match constraint.kind.value {
                ConstraintKind::NotNull => "not_null",
                ConstraintKind::Unique => "unique",
                ConstraintKind::PrimaryKey => "primary_key",
                ConstraintKind::Check if constraint.expression.is_some() => "check",
                ConstraintKind::Check | ConstraintKind::ForeignKey | ConstraintKind::Custom => continue,
            };
            let expression = constraint.expression.as_deref().unwrap_or_default();
            let context = context! { name => quoted(&column.name), expression => quoted(expression) };
            statements.push(STATEMENTS.render(statement, context));
        }
    }
    statements.join(";\n")
}

fn context(columns: &[ColumnNode]) -> Value {
    let typed = columns.iter().filter_map(|column| {
        let data_type = column.data_type.as_ref()?;
        Some(context! { name => quoted(&column.name), data_type => quoted(data_type) })
    });
    context! { columns => typed.collect::<Vec<_>>() }
}
