//! A model's contract: the SELECT gives the columns that YAML declares, of their types, as the server reads both.

use tokio_postgres::Client;

use crate::compile::{CompiledSql, Embedded};
use crate::diagnostic::{Code, Diagnostic};
use crate::ident::Ident;
use crate::manifest::{Contract, ModelNode};
use crate::materialize::contract;
use crate::postgres::PostgresError;
use crate::transform::{TransformError, located};

/// A column's name, and its type as the server knows it.
type Typed = (Ident, tokio_postgres::types::Type);

/// Holds the SELECT against what is declared; does nothing without a contract.
pub(super) async fn check(client: &Client, node: &ModelNode, select: &CompiledSql) -> Result<(), TransformError> {
    if node.contract == Contract::Absent {
        return Ok(());
    }
    let doing = || format!("hold {} against its contract", node.name);
    let declared = client.prepare(&contract::declared(&node.columns)).await.map_err(|error| {
        let error = PostgresError::server(doing(), error);
        match error.server_error() {
            Some(server) => {
                let message = format!("a data_type of model \"{}\" is none: {}", node.model, server.message);
                TransformError::Project(Box::new(
                    Diagnostic::error(Code::BrokenContract, message)
                        .at(node.configured_at.clone())
                        .hint("data_type is a type of PostgreSQL, such as integer, text or numeric(12,2)"),
                ))
            }
            None => TransformError::Postgres(error),
        }
    })?;
    let actual = client
        .prepare(&select.text)
        .await
        .map_err(|error| located(PostgresError::server(doing(), error), &Embedded::bare(select), select))?;
    let (declared, actual) = (typed(&declared), typed(&actual));
    let lines = differences(&declared, &actual);
    if lines.is_empty() {
        return Ok(());
    }
    let message = format!("model \"{}\" does not keep its contract", node.model);
    let mistake = Diagnostic::error(Code::BrokenContract, message)
        .at(node.configured_at.clone())
        .label(lines.join("; "))
        .hint("cast the columns in the SELECT, or change data_type and columns in the YAML");
    Err(TransformError::Project(Box::new(mistake)))
}

/// Gives the built rows the declared types with their lengths, as an INSERT would; too long a text is refused.
pub(super) async fn apply_types(client: &Client, node: &ModelNode) -> Result<(), PostgresError> {
    if node.contract == Contract::Absent {
        return Ok(());
    }
    client
        .batch_execute(&contract::apply_types(&node.columns))
        .await
        .map_err(|error| PostgresError::server(format!("give {} its declared types", node.name), error))
}

fn typed(statement: &tokio_postgres::Statement) -> Vec<Typed> {
    let columns = statement.columns().iter();
    columns.map(|column| (Ident::from_catalog(column.name()), column.type_().clone())).collect()
}

/// One sentence a column, in the declared order, then what is too much.
fn differences(declared: &[Typed], actual: &[Typed]) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, wanted) in declared {
        match actual.iter().find(|(found, _)| found == name) {
            Some((_, found)) if found == wanted => {}
            Some((_, found)) => {
                lines.push(format!("\"{}\" is {}, declared {}", name.as_str(), found.name(), wanted.name()));
            }
            None => lines.push(format!("\"{}\" ({}) is declared and not selected", name.as_str(), wanted.name())),
        }
    }
    for (name, found) in actual {
        if !declared.iter().any(|(wanted, _)| wanted == name) {
            lines.push(format!("\"{}\" ({}) is selected and not declared", name.as_str(), found.name()));
        }
    }
    lines
}
