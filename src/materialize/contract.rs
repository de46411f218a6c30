//! The columns and constraints of a table whose model has a contract.

use std::sync::LazyLock;

use minijinja::{Value, context};
use sha2::Digest;

use crate::compile::{CompiledSql, Embedded};
use crate::ident::{Ident, Relation};
use crate::manifest::{Constraint, Contract, ContractColumn, Logging};
use crate::project::ConstraintKind;
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("contract.sql")));

/// How rows get into a temporary table of the declared types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredBuild {
    pub create: String,
    pub fill: Embedded,
}

/// Builds the temporary table; its columns are the contract's, in its order.
pub fn build(contract: &Contract, select: &CompiledSql) -> DeclaredBuild {
    let context = context! {
        columns => contract.columns.iter().map(typed).collect::<Vec<_>>(),
        names => names(contract),
    };
    let render = |name| STATEMENTS.render(name, context.clone());
    DeclaredBuild {
        create: render("create_built"),
        fill: Embedded::around(render("fill_before").trim_end(), select, &render("fill_after")),
    }
}

/// Makes the table with its constraints, without rows.
pub fn create(table: &Relation, contract: &Contract, logging: Logging) -> String {
    let context = context! {
        table => quoted(table),
        unlogged => logging == Logging::Unlogged,
        definition => quoted(definition(contract)),
    };
    STATEMENTS.render("create_table", context)
}

/// A constraint, and the table with every other one before it and this one: the first that the server refuses is the one
/// at fault.
pub fn trials<'a>(table: &Relation, contract: &'a Contract) -> Vec<(&'a Constraint, String)> {
    let mut tried = Contract {
        columns: contract
            .columns
            .iter()
            .map(|column| ContractColumn { constraints: Vec::new(), ..column.clone() })
            .collect(),
        constraints: Vec::new(),
    };
    let mut trials = Vec::new();
    for (place, column) in contract.columns.iter().enumerate() {
        for constraint in &column.constraints {
            tried.columns[place].constraints.push(constraint.clone());
            trials.push((constraint, create(table, &tried, Logging::Logged)));
        }
    }
    for constraint in &contract.constraints {
        tried.constraints.push(constraint.clone());
        trials.push((constraint, create(table, &tried, Logging::Logged)));
    }
    trials
}

/// Brings the built rows into the table.
pub fn insert(table: &Relation, contract: &Contract) -> String {
    STATEMENTS.render("insert", context! { table => quoted(table), names => names(contract) })
}

/// What a table says of the contract that it was made by: another contract gives another text.
pub fn seal(contract: &Contract) -> String {
    let digest: String =
        sha2::Sha256::digest(definition(contract)).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("made by unimig: contract {digest}")
}

fn definition(contract: &Contract) -> String {
    let lines: Vec<Value> = contract.columns.iter().map(typed).collect();
    let of_model = contract.constraints.iter().map(|constraint| {
        let clause = clause(constraint, Level::Model);
        STATEMENTS.render("named", context! { name => constraint.name.as_ref().map(quoted), clause }).trim().to_owned()
    });
    let constraints = quoted_list(of_model);
    STATEMENTS.render("definition", context! { columns => lines, constraints }).trim_end().to_owned()
}

fn typed(column: &ContractColumn) -> Value {
    let clauses = column.constraints.iter().map(|constraint| {
        let clause = clause(constraint, Level::Column);
        let name = constraint.name.as_ref().map(quoted);
        STATEMENTS.render("named", context! { name, clause }).trim().to_owned()
    });
    context! {
        name => quoted(&column.name),
        data_type => quoted(&column.data_type),
        clauses => quoted_list(clauses),
    }
}

fn names(contract: &Contract) -> Value {
    quoted_list(contract.columns.iter().map(|column| &column.name))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Column,
    Model,
}

fn clause(constraint: &Constraint, level: Level) -> Value {
    let statement = match constraint.kind {
        ConstraintKind::Check => "check",
        ConstraintKind::NotNull => "not_null",
        ConstraintKind::Unique => "unique",
        ConstraintKind::PrimaryKey => "primary_key",
        ConstraintKind::ForeignKey => "foreign_key",
        ConstraintKind::Custom => "custom",
    };
    let columns: &[Ident] = match level {
        Level::Column => &[],
        Level::Model => &constraint.columns,
    };
    let context = context! {
        expression => constraint.expression.as_ref().map(quoted),
        columns => quoted_list(columns),
        to => constraint.refers_to.as_ref().map(quoted),
        to_columns => quoted_list(&constraint.to_columns),
    };
    quoted(STATEMENTS.render(statement, context).trim())
}
