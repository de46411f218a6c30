//! Tables and views that unimig makes itself.

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::compile::CompiledSql;
use crate::diagnostic::{Code, Diagnostic};
use crate::materialize::table::TableStatements;
use crate::materialize::upkeep::RelationKind;
use crate::materialize::view::ViewStatements;
use crate::materialize::{self, is_marked};
use crate::plan::SelectAction;
use crate::postgres::PostgresError;
use crate::state::run::Tally;
use crate::transform::catalog::STATEMENTS;
use crate::transform::subject::Subject;
use crate::transform::{TransformError, contract, hanging, located, reference, remake, upkeep};

/// PostgreSQL's code for a view whose columns can't be replaced in place.
const INVALID_TABLE_DEFINITION: &str = "42P16";

/// What stands under the name now.
pub(super) enum Existing {
    Nothing,
    Table {
        columns: Vec<String>,
        /// Whether it has indexes of ours or is unlogged.
        carries: Carries,
        /// What it says of the contract that it was made by; empty without one.
        seal: String,
    },
    View,
    MaterializedView,
}

/// Whether a relation has anything that its project may no longer want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    Something,
    Nothing,
}

/// What became of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewChange {
    Replaced,
    Same,
}

/// Builds the SELECT into a table; `None` when the table holds the same rows already.
pub async fn table(
    client: &Client,
    action: &SelectAction,
    note: impl FnMut(&str),
) -> Result<Option<Tally>, TransformError> {
    contract::build(client, &action.node, &action.select).await?;
    keep_built(client, Subject::of_model(&action.node), note).await
}

/// Creates or replaces a view; whether its definition changed. A view whose columns change is made anew, unless
/// something depends on it.
pub async fn view(
    client: &Client,
    action: &SelectAction,
    note: impl FnMut(&str),
) -> Result<ViewChange, TransformError> {
    contract::check(client, &action.node, &action.select).await?;
    replace_view(client, (Subject::of_model(&action.node), &action.select), note).await
}

pub(super) async fn replace_view(
    client: &Client,
    (subject, select): (Subject<'_>, &CompiledSql),
    mut note: impl FnMut(&str),
) -> Result<ViewChange, TransformError> {
    let statements = materialize::view::statements(subject.node, subject.relation, select);
    let failed = |error| PostgresError::server(format!("create view {}", subject.relation), error);
    match existing(client, subject).await? {
        Existing::Nothing | Existing::View => {}
        Existing::Table { .. } => {
            let drop = table_statements(subject).drop;
            remake_view(client, (subject, select), (&statements, &drop), &mut note).await?;
            return Ok(ViewChange::Replaced);
        }
        Existing::MaterializedView => {
            let drop = materialize::materialized_view::drop(subject.relation);
            remake_view(client, (subject, select), (&statements, &drop), &mut note).await?;
            return Ok(ViewChange::Replaced);
        }
    }
    let before = standing_view(client, subject).await?;
    client.batch_execute("savepoint before_view").await.map_err(failed)?;
    match client.batch_execute(&statements.create.sql).await.map_err(failed) {
        Ok(()) => {}
        Err(error) if error.sqlstate() == Some(INVALID_TABLE_DEFINITION) => {
            client.batch_execute("rollback to savepoint before_view").await.map_err(failed)?;
            remake_view(client, (subject, select), (&statements, &statements.drop), &mut note).await?;
            return Ok(ViewChange::Replaced);
        }
        Err(error) => return Err(located(error, &statements.create, select)),
    }
    let change = match &before {
        Some(before)
            if standing_view(client, subject).await?.is_some_and(|now| now.definition == before.definition) =>
        {
            client.batch_execute("rollback to savepoint before_view").await.map_err(failed)?;
            ViewChange::Same
        }
        Some(before) => {
            for statement in before.set_options.iter().chain([&before.mark]) {
                client.batch_execute(statement).await.map_err(failed)?;
            }
            ViewChange::Replaced
        }
        None => {
            client.batch_execute(&statements.mark).await.map_err(failed)?;
            let last = hanging::take_back(client, subject, &mut note).await?;
            hanging::finish(client, &last, &mut note).await?;
            ViewChange::Replaced
        }
    };
    upkeep::keep_up(client, subject, RelationKind::View).await?;
    Ok(change)
}

/// Makes the view in the place of what the statement drops.
async fn remake_view(
    client: &Client,
    (subject, select): (Subject<'_>, &CompiledSql),
    (statements, drop): (&ViewStatements, &str),
    note: &mut impl FnMut(&str),
) -> Result<(), TransformError> {
    let failed = |error| PostgresError::server(format!("create view {}", subject.relation), error);
    let kept = remake::drop(client, subject, drop).await?;
    let created = client.batch_execute(&statements.create.sql).await;
    created.map_err(|error| located(failed(error), &statements.create, select))?;
    client.batch_execute(&statements.mark).await.map_err(failed)?;
    remake::restore(client, (subject, Some(kept)), note).await?;
    upkeep::keep_up(client, subject, RelationKind::View).await
}

/// A view that is there.
struct StandingView {
    /// As the server spells it.
    definition: String,
    /// Gives the view its options again.
    set_options: Option<String>,
    /// Says who made it, below what its comment says besides.
    mark: String,
}

async fn standing_view(client: &Client, subject: Subject<'_>) -> Result<Option<StandingView>, PostgresError> {
    let (name, mark) = (subject.relation.to_string(), materialize::mark(subject.node));
    let row = client
        .query_typed_opt(&STATEMENTS.render("view", context! {}), &[(&name, Type::TEXT), (&mark, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server(format!("describe {name}"), error))?;
    Ok(row.map(|row| StandingView {
        definition: row.get("definition"),
        set_options: row.get("set_options"),
        mark: row.get("mark"),
    }))
}

pub(super) fn table_statements(subject: Subject<'_>) -> TableStatements {
    materialize::table::statements(subject.node, subject.relation, (subject.upkeep.logging, subject.contract))
}

/// Puts the rows of the temporary table into the permanent one, unless it holds them already.
pub(super) async fn keep_built(
    client: &Client,
    subject: Subject<'_>,
    mut note: impl FnMut(&str),
) -> Result<Option<Tally>, TransformError> {
    let statements = table_statements(subject);
    let failed = |error| PostgresError::server(format!("write {}", subject.relation), error);
    let kept = match existing(client, subject).await? {
        Existing::Table { columns, carries, seal }
            if seal == contract::seal(subject) && columns == built_columns(client, subject).await? =>
        {
            let tally = replace_rows(client, (subject, &statements), &mut note).await?;
            upkeep::keep_up_table(client, subject, carries).await?;
            return Ok(tally);
        }
        Existing::Table { .. } => Some(remake::drop(client, subject, &statements.drop).await?),
        Existing::View => Some(remake::drop(client, subject, &materialize::view::drop(subject.relation)).await?),
        Existing::MaterializedView => {
            Some(remake::drop(client, subject, &materialize::materialized_view::drop(subject.relation)).await?)
        }
        Existing::Nothing => None,
    };
    if let Some(define) = &statements.define {
        contract::define(client, subject, define).await?;
    }
    let inserted = client.execute_typed(&statements.create, &[]).await.map_err(failed)?;
    client.batch_execute(&statements.mark).await.map_err(failed)?;
    let last = remake::restore(client, (subject, kept), &mut note).await?;
    upkeep::keep_up_table(client, subject, Carries::Nothing).await?;
    hanging::finish(client, &last, &mut note).await?;
    Ok(Some(Tally { inserted, ..Tally::default() }))
}

async fn replace_rows(
    client: &Client,
    (subject, statements): (Subject<'_>, &TableStatements),
    note: &mut impl FnMut(&str),
) -> Result<Option<Tally>, TransformError> {
    let failed = |error| PostgresError::server(format!("write {}", subject.relation), error);
    let compared = client.query_typed_one(&statements.compare, &[]).await.map_err(failed)?;
    if compared.get::<_, bool>("equal") {
        return Ok(None);
    }
    let references = reference::set_aside(client, subject).await?;
    client.batch_execute(&statements.replace_rows).await.map_err(failed)?;
    reference::put_back(client, &references, note).await?;
    let inserted = u64::try_from(compared.get::<_, i64>("row_count")).unwrap_or(0);
    Ok(Some(Tally { inserted, ..Tally::default() }))
}

pub(super) async fn built_columns(client: &Client, subject: Subject<'_>) -> Result<Vec<String>, PostgresError> {
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
    let comment: String = row.get("comment");
    let is_ours = is_marked(&comment);
    if is_ours && comment.lines().next_back() != Some(&materialize::mark(subject.node)) {
        sign(client, subject).await?;
    }
    match kind.as_str() {
        "r" if is_ours => {
            let carries = if row.get("carries") { Carries::Something } else { Carries::Nothing };
            Ok(Existing::Table { columns: row.get("columns"), carries, seal: row.get("seal") })
        }
        "v" if is_ours => Ok(Existing::View),
        "m" if is_ours => Ok(Existing::MaterializedView),
        _ => {
            let mistake = Diagnostic::error(Code::NotOurs, format!("{relation} exists, and unimig did not make it"))
                .at(subject.declared_at.clone())
                .hint("set another schema or alias, or drop it yourself if nobody needs it");
            Err(TransformError::Project(Box::new(mistake)))
        }
    }
}

/// Says in the comment of a relation that another process made who goes on with it.
async fn sign(client: &Client, subject: Subject<'_>) -> Result<(), PostgresError> {
    let (name, mark) = (subject.relation.to_string(), materialize::mark(subject.node));
    let failed = |error| PostgresError::server(format!("take over {name}"), error);
    let row = client
        .query_typed_one(&STATEMENTS.render("sign", context! {}), &[(&name, Type::TEXT), (&mark, Type::TEXT)])
        .await
        .map_err(failed)?;
    client.batch_execute(row.get(0)).await.map_err(failed)
}
