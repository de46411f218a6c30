//! Brings a relation's indexes, grants and comments to what the project says; does nothing where they are.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::diagnostic::{Code, Diagnostic};
use crate::ident::Ident;
use crate::manifest::{Logging, Upkeep};
use crate::materialize::upkeep::{self, Carried, RelationKind};
use crate::postgres::PostgresError;
use crate::sql::StatementFile;
use crate::transform::TransformError;
use crate::transform::relation::Carries;
use crate::transform::subject::Subject;

pub(super) static STATEMENTS: LazyLock<StatementFile> =
    LazyLock::new(|| StatementFile::parse(include_str!("upkeep.sql")));

/// The same as [`keep_up`] for a table, without a question to the server where there is nothing to keep up.
pub(super) async fn keep_up_table(
    client: &Client,
    subject: Subject<'_>,
    carries: Carries,
) -> Result<(), TransformError> {
    match carries {
        Carries::Nothing if *subject.upkeep == Upkeep::default() => Ok(()),
        Carries::Nothing | Carries::Something => bring_up_to_date(client, subject, RelationKind::Table).await,
    }
}

pub(super) async fn keep_up(client: &Client, subject: Subject<'_>, kind: RelationKind) -> Result<(), TransformError> {
    match *subject.upkeep == Upkeep::default() {
        true => Ok(()),
        false => bring_up_to_date(client, subject, kind).await,
    }
}

/// Whether the relation has other indexes of ours than its config names.
pub(super) async fn indexes_differ(client: &Client, subject: Subject<'_>) -> Result<bool, PostgresError> {
    let carried = carried(client, subject).await?;
    Ok(upkeep::indexes_differ(subject.kept_as(RelationKind::MaterializedView), &carried))
}

pub(super) async fn bring_up_to_date(
    client: &Client,
    subject: Subject<'_>,
    kind: RelationKind,
) -> Result<(), TransformError> {
    let carried = carried(client, subject).await?;
    know_roles(client, subject).await?;
    for statement in upkeep::statements(subject.kept_as(kind), &carried) {
        client.batch_execute(&statement).await.map_err(|error| {
            refused(PostgresError::server(format!("bring {} up to date", subject.relation), error), subject)
        })?;
    }
    Ok(())
}

async fn carried(client: &Client, subject: Subject<'_>) -> Result<Carried, PostgresError> {
    let name = subject.relation.to_string();
    let failed = |error| PostgresError::server(format!("describe {name}"), error);
    let row = client
        .query_typed_one(&STATEMENTS.render("carried", context! {}), &[(&name, Type::TEXT)])
        .await
        .map_err(failed)?;
    let grants = match subject.upkeep.grants {
        Some(_) => client
            .query_typed(&STATEMENTS.render("grants", context! {}), &[(&name, Type::TEXT)])
            .await
            .map_err(failed)?,
        None => Vec::new(),
    };
    let names: Vec<String> = row.get("column_names");
    let comments: Vec<String> = row.get("column_comments");
    Ok(Carried {
        indexes: row.get::<_, Vec<String>>("indexes").into_iter().collect(),
        grants: grants.iter().map(|row| (row.get(0), Ident::from_catalog(row.get::<_, String>(1)))).collect(),
        logging: if row.get("unlogged") { Logging::Unlogged } else { Logging::Logged },
        comment: row.get("comment"),
        columns: names.into_iter().map(Ident::from_catalog).zip(comments).collect(),
    })
}

/// Asks for the roles beforehand: the server's own message of an unknown one could hold a value, and is hidden.
async fn know_roles(client: &Client, subject: Subject<'_>) -> Result<(), TransformError> {
    let Some(grants) = subject.upkeep.grants.as_ref().filter(|grants| !grants.is_empty()) else { return Ok(()) };
    let rows = client
        .query_typed(&STATEMENTS.render("roles", context! {}), &[])
        .await
        .map_err(|error| PostgresError::server("read the roles", error))?;
    let known: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    let is_known = |role: &&Ident| role.as_str() == "public" || known.contains(&role.as_str());
    match grants.values().flatten().find(|role| !is_known(role)) {
        None => Ok(()),
        Some(role) => {
            let mistake = Diagnostic::error(Code::SqlError, format!("role \"{}\" does not exist", role.as_str()))
                .at(subject.declared_at.clone())
                .did_you_mean(role.as_str(), known.iter().copied());
            let hint = mistake.hint.clone().unwrap_or_else(|| "\"grants\" names it; create it first".to_owned());
            Err(TransformError::Project(Box::new(mistake.hint(hint))))
        }
    }
}

/// What the config names and the server does not know is shown where it is configured.
fn refused(error: PostgresError, subject: Subject<'_>) -> TransformError {
    match error.server_error() {
        // syntax_error_or_access_rule_violation: an unknown role, column, access method
        Some(server) if server.sqlstate.starts_with("42") && server.sqlstate != "42501" => {
            let mistake = Diagnostic::error(Code::SqlError, server.message.clone())
                .at(subject.declared_at.clone())
                .hint("the model's config names it: look at indexes and grants");
            TransformError::Project(Box::new(mistake))
        }
        Some(_) | None => TransformError::Postgres(error),
    }
}
