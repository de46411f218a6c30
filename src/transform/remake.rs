//! A relation of ours that has to be dropped and made again: what hangs on it is kept.
//!
//! Views of ours that read it are dropped and made again with it; views of others are never dropped, and refused with
//! their names. Grants, and the indexes, constraints and triggers that others added, come back where they still fit.

use minijinja::context;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::diagnostic::{Code, Diagnostic};
use crate::materialize::is_marked;
use crate::postgres::PostgresError;
use crate::transform::reference::Reference;
use crate::transform::subject::Subject;
use crate::transform::upkeep::STATEMENTS;
use crate::transform::{TransformError, reference};

/// What is made again.
#[derive(Debug, Default)]
pub(super) struct Kept {
    grants: Vec<String>,
    /// Names and statements of indexes, constraints and triggers.
    attached: Vec<(String, String)>,
    views: Vec<KeptView>,
    references: Vec<Reference>,
}

#[derive(Debug)]
struct KeptView {
    name: String,
    create: String,
    mark: String,
    grants: Vec<String>,
}

/// Notes what hangs on the relation, and drops it with the views of ours that read it.
pub(super) async fn drop(client: &Client, subject: Subject<'_>, drop: &str) -> Result<Kept, TransformError> {
    let relation = subject.relation.to_string();
    let failed = |error| PostgresError::server(format!("drop {relation}"), error);
    let dependents = rows(client, "dependents", &relation).await?;
    let is_ours = |row: &&Row| row.get::<_, &str>("kind") == "v" && is_marked(row.get("comment"));
    if let Some(other) = dependents.iter().find(|row| !is_ours(row)) {
        return Err(others_view(subject, other.get("name")));
    }
    let mut views = Vec::with_capacity(dependents.len());
    for row in &dependents {
        let name: String = row.get("name");
        let grants = texts(&rows(client, "regrants", &name).await?);
        views.push(KeptView { create: row.get("create_view"), mark: row.get("mark_view"), name, grants });
    }
    let attached = rows(client, "attached", &relation).await?;
    let kept = Kept {
        grants: texts(&rows(client, "regrants", &relation).await?),
        attached: attached.iter().map(|row| (row.get("name"), row.get("create_attached"))).collect(),
        views,
        references: reference::set_aside(client, subject).await?,
    };
    for row in dependents.iter().rev() {
        client.batch_execute(row.get("drop_view")).await.map_err(failed)?;
    }
    client.batch_execute(drop).await.map_err(failed)?;
    Ok(kept)
}

/// Makes everything again that still fits; `note` hears of the rest.
pub(super) async fn restore(client: &Client, kept: Kept, note: &mut impl FnMut(&str)) -> Result<(), PostgresError> {
    for grant in &kept.grants {
        attempt(client, grant).await?;
    }
    for (name, create) in &kept.attached {
        if attempt(client, create).await? == Attempt::Refused {
            note(&format!("\"{name}\" does not fit the new columns, and was dropped"));
        }
    }
    reference::put_back(client, &kept.references, note).await?;
    for view in &kept.views {
        if attempt(client, &view.create).await? == Attempt::Refused {
            note(&format!("view {} does not fit the new columns, and was dropped until its model runs", view.name));
            continue;
        }
        for statement in [&view.mark].into_iter().chain(&view.grants) {
            attempt(client, statement).await?;
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    Done,
    Refused,
}

/// Runs a statement that the server may refuse, without harm to the transaction.
pub(super) async fn attempt(client: &Client, statement: &str) -> Result<Attempt, PostgresError> {
    let failed = |error| PostgresError::server("restore what hung on a relation", error);
    client.batch_execute("savepoint before_restore").await.map_err(failed)?;
    match client.batch_execute(statement).await.map_err(failed) {
        Ok(()) => Ok(Attempt::Done),
        Err(PostgresError::Server { .. }) => {
            client.batch_execute("rollback to savepoint before_restore").await.map_err(failed)?;
            Ok(Attempt::Refused)
        }
        Err(error) => Err(error),
    }
}

async fn rows(client: &Client, statement: &str, relation: &str) -> Result<Vec<Row>, PostgresError> {
    client
        .query_typed(&STATEMENTS.render(statement, context! {}), &[(&relation, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server(format!("find what depends on {relation}"), error))
}

fn texts(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row.get(0)).collect()
}

fn others_view(subject: Subject<'_>, view: &str) -> TransformError {
    let relation = subject.relation;
    let message = format!("{relation} has to be made again, and {view} depends on it, which unimig did not make");
    let mistake = Diagnostic::error(Code::NotOurs, message).at(subject.declared_at.clone()).hint(
        "its columns changed: drop what depends on it yourself and make it again afterwards, or keep the columns",
    );
    TransformError::Project(Box::new(mistake))
}
