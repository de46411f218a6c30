//! A relation of ours that has to be dropped and made again: what hangs on it is kept.
//!
//! Views of ours that read it are dropped and made again with it, and keep what hangs on them; what others made and
//! depends on it is never dropped, and refused by its name.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::diagnostic::{Code, Diagnostic};
use crate::ident::{Ident, Relation};
use crate::materialize::is_marked;
use crate::postgres::PostgresError;
use crate::sql::StatementFile;
use crate::state::lock::{self, Scope};
use crate::transform::hanging::{self, Attempt, Hanging, Maker, attempt};
use crate::transform::reference::Reference;
use crate::transform::subject::Subject;
use crate::transform::{TransformError, reference};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("remake.sql")));

/// What is made again.
#[derive(Debug)]
pub(super) struct Kept {
    hanging: Vec<Hanging>,
    views: Vec<KeptView>,
    references: Vec<Reference>,
}

#[derive(Debug)]
struct KeptView {
    name: String,
    create: String,
    hanging: Vec<Hanging>,
}

/// Notes what hangs on the relation, and drops it with the views of ours that read it.
pub(super) async fn drop(client: &Client, subject: Subject<'_>, drop: &str) -> Result<Kept, TransformError> {
    let relation = subject.relation.to_string();
    let failed = |error| PostgresError::server(format!("drop {relation}"), error);
    let dependents = rows(client, "dependents", &relation).await?;
    let is_ours = |row: &&Row| ["v", "m"].contains(&row.get::<_, &str>("kind")) && is_marked(row.get("comment"));
    if let Some(other) = dependents.iter().find(|row| !is_ours(row)) {
        return Err(others(subject, &dependent(other).to_string()));
    }
    lock_views(client, &dependents).await?;
    let mut views = Vec::with_capacity(dependents.len());
    for row in &dependents {
        let name = dependent(row).to_string();
        let hanging = hanging::read(client, &name, Maker::Same).await?;
        views.push(KeptView { create: row.get("create_view"), name, hanging });
    }
    let hanging = hanging::read(client, &relation, Maker::Node(subject.node)).await?;
    let kept = Kept { hanging, views, references: reference::set_aside(client, subject).await? };
    for row in dependents.iter().rev() {
        client.batch_execute(row.get("drop_view")).await.map_err(failed)?;
    }
    if let Some(other) = rows(client, "others", &relation).await?.first() {
        return Err(others(subject, other.get(0)));
    }
    client.batch_execute(drop).await.map_err(failed)?;
    Ok(kept)
}

/// Takes each view's own lock, parents first, which another process may hold that is at work on the view. Nobody waits
/// here: this transaction reads the catalog as it was when it began, and would bring back the view as it was then.
async fn lock_views(client: &Client, dependents: &[Row]) -> Result<(), TransformError> {
    for row in dependents {
        let view = dependent(row);
        if let Some(holder) = lock::try_acquire(client, &view, Scope::Transaction).await? {
            return Err(TransformError::ViewInUse { view: view.to_string(), holder: holder.to_string() });
        }
    }
    Ok(())
}

fn dependent(row: &Row) -> Relation {
    let name = |column| Ident::from_catalog(row.get::<_, String>(column));
    Relation::new(name("schema_name"), name("relation_name"))
}

/// Makes everything again that still fits, and hears in `note` of the rest; gives back what has to wait for the
/// project's own indexes.
pub(super) async fn restore(
    client: &Client,
    (subject, kept): (Subject<'_>, Option<Kept>),
    note: &mut impl FnMut(&str),
) -> Result<Vec<Hanging>, TransformError> {
    let Some(kept) = kept else { return hanging::take_back(client, subject, note).await };
    let relation = subject.relation.to_string();
    let last = hanging::restore(client, (subject, &relation), kept.hanging, note).await?;
    reference::put_back(client, &kept.references, note).await?;
    for view in kept.views {
        match attempt(client, &view.create).await? {
            Attempt::Refused(_) => {
                note(&format!("view {} does not fit the new columns, and was dropped until its model runs", view.name));
                hanging::set_aside(client, &view.name, &view.hanging).await?;
            }
            Attempt::Done => {
                hanging::restore(client, (subject, &view.name), view.hanging, note).await?;
            }
        }
    }
    Ok(last)
}

async fn rows(client: &Client, statement: &str, relation: &str) -> Result<Vec<Row>, PostgresError> {
    client
        .query_typed(&STATEMENTS.render(statement, context! {}), &[(&relation, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server(format!("find what depends on {relation}"), error))
}

fn others(subject: Subject<'_>, other: &str) -> TransformError {
    let relation = subject.relation;
    let message = format!("{relation} has to be made again, and {other} depends on it, which unimig did not make");
    let mistake = Diagnostic::error(Code::NotOurs, message).at(subject.declared_at.clone()).hint(
        "its columns changed: drop what depends on it yourself and make it again afterwards, or keep the columns",
    );
    TransformError::Project(Box::new(mistake))
}
