//! Tables and views that unimig makes itself.

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::{NodeName, Relation};
use crate::materialize::table::TableStatements;
use crate::materialize::{self, is_marked};
use crate::plan::SelectAction;
use crate::postgres::PostgresError;
use crate::state::run::Tally;
use crate::transform::catalog::STATEMENTS;
use crate::transform::{TransformError, located};

/// PostgreSQL's code for a view whose columns can't be replaced in place.
const INVALID_TABLE_DEFINITION: &str = "42P16";

/// A relation's name, whose it is, and where the project says so.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub node: &'a NodeName,
    pub relation: &'a Relation,
    pub declared_at: &'a Span,
}

/// What stands under the name now.
pub(super) enum Existing {
    Nothing,
    Table { columns: Vec<String> },
    View,
}

/// What became of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewChange {
    Replaced,
    Same,
}

/// Builds the SELECT into a table; `None` when the table holds the same rows already.
pub async fn table(client: &Client, action: &SelectAction) -> Result<Option<Tally>, TransformError> {
    let build = materialize::table::build(&action.select);
    let doing = format!("build {}", action.node.relation);
    client
        .execute_typed(&build.sql, &[])
        .await
        .map_err(|error| located(PostgresError::server(doing, error), &build, &action.select))?;
    keep_built(client, subject(action)).await
}

/// Creates or replaces a view; whether its definition changed. A view whose columns change is made anew, unless
/// something depends on it.
pub async fn view(client: &Client, action: &SelectAction) -> Result<ViewChange, TransformError> {
    let subject = subject(action);
    let statements = materialize::view::statements(subject.node, subject.relation, &action.select);
    let failed = |error| PostgresError::server(format!("create view {}", subject.relation), error);
    match existing(client, subject).await? {
        Existing::Nothing | Existing::View => {}
        Existing::Table { .. } => {
            let drop = materialize::table::statements(subject.node, subject.relation).drop;
            client.batch_execute(&drop).await.map_err(failed)?;
        }
    }
    let before = definition(client, subject).await?;
    client.batch_execute("savepoint before_view").await.map_err(failed)?;
    match client.batch_execute(&statements.create.sql).await.map_err(failed) {
        Ok(()) if before.is_some() && before == definition(client, subject).await? => {
            client.batch_execute("rollback to savepoint before_view").await.map_err(failed)?;
            return Ok(ViewChange::Same);
        }
        Ok(()) => {}
        Err(error) if error.sqlstate() == Some(INVALID_TABLE_DEFINITION) => {
            client.batch_execute("rollback to savepoint before_view").await.map_err(failed)?;
            client.batch_execute(&statements.drop).await.map_err(failed)?;
            let created = client.batch_execute(&statements.create.sql).await;
            created.map_err(|error| located(failed(error), &statements.create, &action.select))?;
        }
        Err(error) => return Err(located(error, &statements.create, &action.select)),
    }
    client.batch_execute(&statements.mark).await.map_err(failed)?;
    Ok(ViewChange::Replaced)
}

/// The view as the server spells it, if it is there.
async fn definition(client: &Client, subject: Subject<'_>) -> Result<Option<String>, PostgresError> {
    let name = subject.relation.to_string();
    let row = client
        .query_typed_one("select pg_get_viewdef(to_regclass($1))", &[(&name, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server(format!("describe {name}"), error))?;
    Ok(row.get(0))
}

fn subject(action: &SelectAction) -> Subject<'_> {
    Subject { node: &action.node.name, relation: &action.node.relation, declared_at: &action.node.configured_at }
}

/// Puts the rows of the temporary table into the permanent one, unless it holds them already.
pub(super) async fn keep_built(client: &Client, subject: Subject<'_>) -> Result<Option<Tally>, TransformError> {
    let statements = materialize::table::statements(subject.node, subject.relation);
    let failed = |error| PostgresError::server(format!("write {}", subject.relation), error);
    let execute = async |statement: &str| client.batch_execute(statement).await.map_err(failed);
    match existing(client, subject).await? {
        Existing::Table { columns } if columns == built_columns(client, subject).await? => {
            return replace_rows(client, subject, &statements).await;
        }
        Existing::Table { .. } => execute(&statements.drop).await?,
        Existing::View => execute(&materialize::view::drop(subject.relation)).await?,
        Existing::Nothing => {}
    }
    let inserted = client.execute_typed(&statements.create, &[]).await.map_err(failed)?;
    execute(&statements.mark).await?;
    Ok(Some(Tally { inserted, ..Tally::default() }))
}

async fn replace_rows(
    client: &Client,
    subject: Subject<'_>,
    statements: &TableStatements,
) -> Result<Option<Tally>, TransformError> {
    let failed = |error| PostgresError::server(format!("write {}", subject.relation), error);
    let compared = client.query_typed_one(&statements.compare, &[]).await.map_err(failed)?;
    if compared.get::<_, bool>("equal") {
        return Ok(None);
    }
    client.batch_execute(&statements.replace_rows).await.map_err(failed)?;
    let inserted = u64::try_from(compared.get::<_, i64>("row_count")).unwrap_or(0);
    Ok(Some(Tally { inserted, ..Tally::default() }))
}

async fn built_columns(client: &Client, subject: Subject<'_>) -> Result<Vec<String>, PostgresError> {
    let row = client
        .query_typed_one(&STATEMENTS.render("built_columns", context! {}), &[])
        .await
        .map_err(|error| PostgresError::server(format!("describe {}", subject.relation), error))?;
    Ok(row.get("columns"))
}

pub(super) async fn existing(client: &Client, subject: Subject<'_>) -> Result<Existing, TransformError> {
    let relation = subject.relation;
    let row = client
        .query_typed_one(
            &STATEMENTS.render("relation", context! {}),
            &[(&relation.schema.as_str(), Type::TEXT), (&relation.name.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("describe {relation}"), error))?;
    let Some(kind) = row.get::<_, Option<String>>("kind") else {
        return Ok(Existing::Nothing);
    };
    match kind.as_str() {
        "r" if is_marked(row.get("comment")) => Ok(Existing::Table { columns: row.get("columns") }),
        "v" if is_marked(row.get("comment")) => Ok(Existing::View),
        _ => {
            let mistake = Diagnostic::error(Code::NotOurs, format!("{relation} exists, and unimig did not make it"))
                .at(subject.declared_at.clone())
                .hint("set another schema or alias, or drop it yourself if nobody needs it");
            Err(TransformError::Project(Box::new(mistake)))
        }
    }
}
