//! A model's SELECT held against its contract, and the table that the contract makes.
//!
//! Types are compared as dbt compares them: by what they are without length or precision, integers up to four bytes as
//! one, and texts as one. The server says what the types are; no row is read for it, and a mismatch changes nothing.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::compile::{CompiledSql, Embedded};
use crate::diagnostic::{Code, Diagnostic};
use crate::ident::Literal;
use crate::manifest::{Contract, ModelNode};
use crate::materialize::stage::StagedColumn;
use crate::materialize::{self, mark, table};
use crate::postgres::{PostgresError, ServerError};
use crate::sql::{StatementFile, quoted};
use crate::transform::hanging::{Attempt, attempt, undo};
use crate::transform::subject::Subject;
use crate::transform::{TransformError, located};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("contract.sql")));

/// Types that pass for one another.
const ALIKE: &[&[&str]] = &[
    &["text", "character varying", "character", "\"char\"", "name"],
    &["smallint", "integer"],
    &["real", "double precision"],
    &["time without time zone", "time with time zone"],
];

/// A column of the contract and of the SELECT; one of the types may be missing.
#[derive(Debug, PartialEq, Eq)]
struct Compared {
    name: String,
    promised: Option<String>,
    selected: Option<String>,
}

/// Builds the rows in the temporary table: in the declared columns where the model has a contract, else in those of
/// the SELECT.
pub(super) async fn build(client: &Client, node: &ModelNode, select: &CompiledSql) -> Result<(), TransformError> {
    let Some(contract) = &node.contract else { return build_increment(client, node, select).await };
    check(client, node, select).await?;
    let failed = |error| PostgresError::server(format!("build {}", node.relation), error);
    let build = materialize::contract::build(contract, select);
    client.batch_execute(&build.create).await.map_err(failed)?;
    client.execute_typed(&build.fill.sql, &[]).await.map_err(|error| located(failed(error), &build.fill, select))?;
    Ok(())
}

/// Builds the rows in the SELECT's own columns, once they are checked.
pub(super) async fn build_increment(
    client: &Client,
    node: &ModelNode,
    select: &CompiledSql,
) -> Result<(), TransformError> {
    check(client, node, select).await?;
    let build = table::build(select);
    let failed = |error| PostgresError::server(format!("build {}", node.relation), error);
    client.execute_typed(&build.sql, &[]).await.map_err(|error| located(failed(error), &build, select))?;
    Ok(())
}

/// What a table says that is made by the subject's contract.
pub(super) fn seal(subject: Subject<'_>) -> String {
    subject.contract.map(materialize::contract::seal).unwrap_or_default()
}

/// Makes the table without rows, and notes that its constraints are ours.
pub(super) async fn define(client: &Client, subject: Subject<'_>, create: &str) -> Result<(), TransformError> {
    let relation = subject.relation.to_string();
    if let Attempt::Refused(server) = attempt(client, create).await? {
        return Err(refused(client, subject, server).await?);
    }
    let failed = |error| PostgresError::server(format!("mark the constraints of {relation}"), error);
    let mark = mark(subject.node);
    let marks = client
        .query_typed(
            &STATEMENTS.render("mark_constraints", context! {}),
            &[(&relation, Type::TEXT), (&mark, Type::TEXT)],
        )
        .await
        .map_err(failed)?;
    for row in &marks {
        client.batch_execute(row.get(0)).await.map_err(failed)?;
    }
    let seal = seal(subject);
    let context = context! { relation => quoted(subject.relation), seal => quoted(Literal(&seal)) };
    client.batch_execute(&STATEMENTS.render("seal", context)).await.map_err(failed)?;
    Ok(())
}

/// Refuses a SELECT whose columns are not those of the model's contract; a model without one passes.
pub(super) async fn check(client: &Client, node: &ModelNode, select: &CompiledSql) -> Result<(), TransformError> {
    let Some(contract) = &node.contract else { return Ok(()) };
    let failed = |error| PostgresError::server(format!("check the contract of {}", node.name), error);
    let prepared =
        client.prepare(&select.text).await.map_err(|error| located(failed(error), &Embedded::bare(select), select))?;
    let selected: Vec<u32> = prepared.columns().iter().map(|column| column.type_().oid()).collect();
    let rows = client
        .query_typed(&STATEMENTS.render("names_of_types", context! {}), &[(&selected, Type::OID_ARRAY)])
        .await
        .map_err(failed)?;
    let selected: Vec<(String, String)> =
        prepared.columns().iter().zip(&rows).map(|(column, row)| (column.name().to_owned(), row.get(0))).collect();
    match held(client, (node, contract), &selected).await? {
        Some(mistake) => Err(TransformError::Project(Box::new(mistake))),
        None => Ok(()),
    }
}

/// The mistake of a model whose SELECT gives these columns, with lengths and precisions or without.
pub async fn contract_mistake(
    client: &Client,
    node: &ModelNode,
    columns: &[StagedColumn],
) -> Result<Option<Diagnostic>, PostgresError> {
    let Some(contract) = &node.contract else { return Ok(None) };
    let mut selected = Vec::with_capacity(columns.len());
    for column in columns {
        let data_type = name_of_type(client, &column.data_type).await?;
        selected.push((column.name.as_str().to_owned(), data_type.unwrap_or_else(|| column.data_type.clone())));
    }
    held(client, (node, contract), &selected).await
}

async fn held(
    client: &Client,
    (node, contract): (&ModelNode, &Contract),
    selected: &[(String, String)],
) -> Result<Option<Diagnostic>, PostgresError> {
    let mut promised = Vec::with_capacity(contract.columns.len());
    for column in &contract.columns {
        let unknown = |said: String| {
            let mistake = Diagnostic::error(Code::SqlError, said).at(column.declared_at.clone());
            Ok(Some(mistake.hint("\"data_type\" is a type as PostgreSQL spells it")))
        };
        match name_of_type(client, &column.data_type).await {
            Ok(Some(data_type)) => promised.push((column.name.as_str().to_owned(), data_type)),
            Ok(None) => return unknown(format!("type \"{}\" does not exist", column.data_type)),
            Err(error) => match error.server_error() {
                Some(server) if server.sqlstate.starts_with("42") => return unknown(server.message.clone()),
                Some(_) | None => return Err(error),
            },
        }
    }
    let compared = compare(&promised, selected);
    Ok(compared.iter().any(|column| reason(column).is_some()).then(|| broken(node, &compared)))
}

/// A type as the server spells it, without length or precision; absent where there is no such type.
async fn name_of_type(client: &Client, data_type: &str) -> Result<Option<String>, PostgresError> {
    let statement = STATEMENTS.render("name_of_type", context! {});
    let row = client
        .query_typed_one(&statement, &[(&data_type, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server("look up the types of a contract", error))?;
    Ok(row.get(0))
}

fn compare(promised: &[(String, String)], selected: &[(String, String)]) -> Vec<Compared> {
    let type_in = |columns: &[(String, String)], name: &str| {
        columns.iter().find(|(known, _)| known == name).map(|(_, data_type)| data_type.clone())
    };
    let of_contract = promised.iter().map(|(name, data_type)| Compared {
        name: name.clone(),
        promised: Some(data_type.clone()),
        selected: type_in(selected, name),
    });
    let others = selected.iter().filter(|(name, _)| type_in(promised, name).is_none());
    let others = others.map(|(name, data_type)| Compared {
        name: name.clone(),
        promised: None,
        selected: Some(data_type.clone()),
    });
    of_contract.chain(others).collect()
}

/// In dbt's words, what is wrong with a column.
fn reason(column: &Compared) -> Option<&'static str> {
    match (&column.promised, &column.selected) {
        (Some(promised), Some(selected)) => (!is_alike(promised, selected)).then_some("data type mismatch"),
        (Some(_), None) => Some("missing in definition"),
        (None, Some(_) | None) => Some("missing in contract"),
    }
}

fn is_alike(one: &str, other: &str) -> bool {
    one == other || ALIKE.iter().any(|kind| kind.contains(&one) && kind.contains(&other))
}

fn broken(node: &ModelNode, compared: &[Compared]) -> Diagnostic {
    let mut rows = vec![["column", "contract", "SELECT", "reason"].map(str::to_owned)];
    for column in compared {
        if let Some(reason) = reason(column) {
            let shown = |data_type: &Option<String>| data_type.clone().unwrap_or_else(|| "-".to_owned());
            rows.push([column.name.clone(), shown(&column.promised), shown(&column.selected), reason.to_owned()]);
        }
    }
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut message = format!("the SELECT of model \"{}\" breaks the model's contract", node.model);
    for [name, promised, selected, reason] in &rows {
        let [first, second, third] = widths;
        message.push_str(&format!("\n{name:first$}  {promised:second$}  {selected:third$}  {reason}"));
    }
    Diagnostic::error(Code::BrokenContract, message)
        .at(node.configured_at.clone())
        .hint("change the SELECT, or \"columns:\" of the model in its YAML file; nothing was changed")
}

/// What the contract says in SQL and the server does not understand is shown at the constraint that says it: each is
/// tried beside those before it.
async fn refused(
    client: &Client,
    subject: Subject<'_>,
    error: Box<ServerError>,
) -> Result<TransformError, PostgresError> {
    // Rights and limits of the server are not the contract's.
    if !["0A", "22", "42"].iter().any(|class| error.sqlstate.starts_with(class)) || error.sqlstate == "42501" {
        return Ok(TransformError::Postgres(PostgresError::Server {
            doing: format!("create {}", subject.relation),
            error,
        }));
    }
    let trials = subject.contract.map(|contract| materialize::contract::trials(subject.relation, contract));
    let mut place = subject.declared_at;
    for (constraint, create) in trials.iter().flatten() {
        place = &constraint.declared_at;
        match attempt(client, create).await? {
            Attempt::Refused(_) => break,
            Attempt::Done => undo(client).await?,
        }
    }
    let mistake = Diagnostic::error(Code::SqlError, error.message.clone())
        .at(place.clone())
        .hint("the contract's types and constraints are SQL, as the YAML file gives them");
    Ok(TransformError::Project(Box::new(mistake)))
}
