//! A unit test, run on the target: inputs are filled with literal rows, the model's SELECT is run on them, and what it
//! gives is compared with what it should give. The caller has begun a transaction and rolls it back.

use std::path::Path;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::compile::{CompiledSql, Origin};
use crate::data_test::unit_test::{self, ACTUAL, DESCRIBED, EXPECTED, Side, TypedColumn};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::Ident;
use crate::manifest::{Fixture, FixtureRow, csv_rows};
use crate::plan::{UnitInput, UnitTestAction};
use crate::postgres::PostgresError;
use crate::verify::VerifyError;
use crate::verify::diff;

/// How what the model gave differs from what it should give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub missing: usize,
    pub unexpected: usize,
    /// A line a row, marked `-` for expected and `+` for actual rows.
    pub lines: Vec<String>,
}

/// Runs the test; [`None`] when the rows are equal.
pub async fn unit_test(
    client: &Client,
    action: &UnitTestAction,
    root: &Path,
) -> Result<Option<Difference>, VerifyError> {
    for input in &action.inputs {
        fill(client, (action, input), root).await?;
    }
    select_into(client, action, (&Ident::from_catalog(ACTUAL), &action.select)).await?;
    let given = columns(client, action, &format!("pg_temp.{ACTUAL}")).await?;
    let compared = expect(client, action, &given).await?;
    let missing = rows(client, action, (Side::Missing, &compared)).await?;
    let unexpected = rows(client, action, (Side::Unexpected, &compared)).await?;
    if missing.is_empty() && unexpected.is_empty() {
        return Ok(None);
    }
    let common = rows(client, action, (Side::Common, &compared)).await?;
    let names: Vec<&str> = compared.iter().map(|column| column.name.as_str()).collect();
    Ok(Some(Difference {
        missing: missing.len(),
        unexpected: unexpected.len(),
        lines: diff::lines(&names, [&common[..], &missing].concat(), [&common[..], &unexpected].concat()),
    }))
}

/// Makes the table that stands in for an input.
async fn fill(client: &Client, (action, input): (&UnitTestAction, &UnitInput), root: &Path) -> Result<(), VerifyError> {
    let rows = match &input.fixture {
        Fixture::Sql { text, place } => {
            return select_into(client, action, (&input.table, &user_sql(text, place))).await;
        }
        Fixture::Rows(rows) => rows.clone(),
        Fixture::Seed(path) => seed_rows(&root.join(path), &input.declared_at)?,
    };
    let known = input_columns(client, (action, input), &rows).await?;
    let what = format!("input {} has", input.declared_at.text().trim());
    for row in &rows {
        check_columns(row, &known, &what)?;
    }
    let statement = unit_test::rows(&input.table, &known, &cells(&rows, &known));
    make(client, &statement, (action, &input.declared_at)).await
}

fn seed_rows(path: &Path, place: &Span) -> Result<Vec<FixtureRow>, VerifyError> {
    let refused = |message: String| project(Diagnostic::error(Code::BadUnitTest, message).at(place.clone()));
    let text = fs_err::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    csv_rows(&text, place).map_err(VerifyError::Project)
}

/// The columns of what is stood in for: as the target has them, else as YAML declares them, else as the model's SELECT
/// would give them.
async fn input_columns(
    client: &Client,
    (action, input): (&UnitTestAction, &UnitInput),
    rows: &[FixtureRow],
) -> Result<Vec<TypedColumn>, VerifyError> {
    if !input.known.is_empty() {
        return Ok(input.known.clone());
    }
    if let Some(relation) = &input.relation {
        let found = columns(client, action, &relation.to_string()).await?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let declares = |name: &str| input.declared.iter().any(|column| is(column, name));
    let are_declared = rows.iter().all(|row| row.cells.iter().all(|(column, _)| declares(column)));
    if are_declared && !input.declared.is_empty() {
        return Ok(input.declared.clone());
    }
    if let Some(select) = &input.select
        && let Some(found) = described(client, action, select).await?
    {
        return Ok(found);
    }
    let written = input.declared_at.text().trim();
    let what = input.relation.as_ref().map_or_else(|| written.to_owned(), ToString::to_string);
    let diagnostic =
        Diagnostic::error(Code::UnknownColumns, format!("the columns of input {written} are not known yet"));
    Err(project(diagnostic.at(input.declared_at.clone()).hint(format!(
        "{what} is not built: build it first, as unimig build does, or declare the data_type of its columns, or give the \
         rows with format: sql"
    ))))
}

/// The columns that a SELECT would give; nothing where the server refuses it.
async fn described(
    client: &Client,
    action: &UnitTestAction,
    select: &CompiledSql,
) -> Result<Option<Vec<TypedColumn>>, VerifyError> {
    let failed = |error| PostgresError::server(format!("describe an input of {}", action.node.name), error);
    client.batch_execute("savepoint before_description").await.map_err(failed)?;
    if client.batch_execute(&unit_test::describe(select).sql).await.is_err() {
        client.batch_execute("rollback to savepoint before_description").await.map_err(failed)?;
        return Ok(None);
    }
    let found = columns(client, action, &format!("pg_temp.{DESCRIBED}")).await?;
    client.batch_execute(&unit_test::drop_described()).await.map_err(failed)?;
    Ok(Some(found))
}

async fn columns(client: &Client, action: &UnitTestAction, relation: &str) -> Result<Vec<TypedColumn>, VerifyError> {
    let rows = client
        .query_typed(&unit_test::columns(), &[(&relation, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server(format!("describe {relation} for {}", action.node.name), error))?;
    let column = |row: &tokio_postgres::Row| TypedColumn {
        name: Ident::from_catalog(row.get::<_, String>("name")),
        data_type: row.get("data_type"),
    };
    Ok(rows.iter().map(column).collect())
}

/// Makes the table of expected rows, and tells which columns are compared.
async fn expect(
    client: &Client,
    action: &UnitTestAction,
    given: &[TypedColumn],
) -> Result<Vec<TypedColumn>, VerifyError> {
    let table = Ident::from_catalog(EXPECTED);
    let rows = match &action.node.expect {
        Fixture::Sql { text, place } => {
            select_into(client, action, (&table, &user_sql(text, place))).await?;
            let found = columns(client, action, &format!("pg_temp.{EXPECTED}")).await?;
            let place = FixtureRow {
                cells: found.iter().map(|column| (column.name.as_str().to_owned(), None)).collect(),
                place: place.clone(),
            };
            check_columns(&place, given, &gives(action))?;
            return Ok(given
                .iter()
                .filter(|column| found.iter().any(|other| is(other, column.name.as_str())))
                .cloned()
                .collect());
        }
        Fixture::Rows(rows) => rows,
        Fixture::Seed(_) => return Ok(given.to_vec()),
    };
    for row in rows {
        check_columns(row, given, &gives(action))?;
    }
    let compared: Vec<TypedColumn> = match rows.first() {
        None => given.to_vec(),
        Some(first) => first.cells.iter().filter_map(|(name, _)| find(given, name)).cloned().collect(),
    };
    let statement = unit_test::rows(&table, &compared, &cells(rows, &compared));
    make(client, &statement, (action, &action.node.declared_at)).await?;
    Ok(compared)
}

fn gives(action: &UnitTestAction) -> String {
    format!("{} gives", action.node.model)
}

/// A column that nobody knows is a mistake of the row.
fn check_columns(row: &FixtureRow, known: &[TypedColumn], what: &str) -> Result<(), VerifyError> {
    let unknown = row.cells.iter().find(|(name, _)| find(known, name).is_none());
    let Some((name, _)) = unknown else { return Ok(()) };
    let names: Vec<&str> = known.iter().map(|column| column.name.as_str()).collect();
    let mistake = Diagnostic::error(Code::BadUnitTest, format!("{what} no column \"{name}\"")).at(row.place.clone());
    let mistake = mistake.did_you_mean(name, names.iter().copied());
    Err(project(match mistake.hint {
        Some(_) => mistake,
        None => mistake.hint(format!("it has {}", names.join(", "))),
    }))
}

fn find<'c>(columns: &'c [TypedColumn], name: &str) -> Option<&'c TypedColumn> {
    let exact = columns.iter().find(|column| column.name.as_str() == name);
    exact.or_else(|| columns.iter().find(|column| is(column, name)))
}

/// dbt looks for columns whatever their case.
fn is(column: &TypedColumn, name: &str) -> bool {
    column.name.as_str().eq_ignore_ascii_case(name)
}

/// Each row's values in the order of the columns; what a row does not name is NULL.
fn cells(rows: &[FixtureRow], columns: &[TypedColumn]) -> Vec<Vec<Option<String>>> {
    let cell = |row: &FixtureRow, column: &TypedColumn| {
        row.cells.iter().find(|(name, _)| is(column, name)).and_then(|(_, value)| value.clone())
    };
    rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()).collect()
}

async fn rows(
    client: &Client,
    action: &UnitTestAction,
    (side, columns): (Side, &[TypedColumn]),
) -> Result<Vec<Vec<Option<String>>>, VerifyError> {
    let statement = unit_test::compare(side, columns);
    let located = |_| Some(action.node.declared_at.clone());
    let rows = client.query_typed(&statement, &[]).await.map_err(|error| refused(error, action, located))?;
    Ok(rows.iter().map(|row| row.get("cells")).collect())
}

fn user_sql(text: &str, place: &Span) -> CompiledSql {
    let is_whole_file = place.text() == text;
    let origin = Origin { output: 0..text.len(), source: place.clone(), verbatim: is_whole_file };
    CompiledSql { text: text.to_owned(), origins: vec![origin] }
}

async fn select_into(
    client: &Client,
    action: &UnitTestAction,
    (table, select): (&Ident, &CompiledSql),
) -> Result<(), VerifyError> {
    let statement = unit_test::select_into(table, select);
    let located = |position| statement.locate(position, select);
    client.batch_execute(&statement.sql).await.map_err(|error| refused(error, action, located))
}

async fn make(client: &Client, statement: &str, (action, place): (&UnitTestAction, &Span)) -> Result<(), VerifyError> {
    client.batch_execute(statement).await.map_err(|error| refused(error, action, |_| Some(place.clone())))
}

/// What the server refuses is a mistake of the test's rows or of the model's SELECT.
fn refused(error: tokio_postgres::Error, action: &UnitTestAction, locate: impl Fn(u32) -> Option<Span>) -> VerifyError {
    let error = PostgresError::server(format!("run {}", action.node.name), error);
    let Some(server) = error.server_error() else { return VerifyError::Postgres(error) };
    let place = locate(server.position.unwrap_or(0)).unwrap_or_else(|| action.node.declared_at.clone());
    project(Diagnostic {
        hint: server.hint.clone(),
        ..Diagnostic::error(Code::SqlError, server.message.clone())
            .at(place)
            .related(action.node.declared_at.clone(), "in this unit test")
    })
}

fn project(diagnostic: Diagnostic) -> VerifyError {
    VerifyError::Project(Box::new(diagnostic))
}
