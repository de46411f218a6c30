//! A snapshot: the versions that are current are held against the SELECT, ended and begun.

use tokio_postgres::Client;

use crate::compile::Embedded;
use crate::diagnostic::{Code, Diagnostic};
use crate::ident::Ident;
use crate::manifest::{CheckColumns, HardDeletes, SnapshotStrategy};
use crate::materialize::incremental::{self, ColumnChange};
use crate::materialize::snapshot::{self, Changed, SnapshotStatements};
use crate::materialize::stage::StagedColumn;
use crate::materialize::table;
use crate::plan::SnapshotAction;
use crate::postgres::PostgresError;
use crate::state::run::Tally;
use crate::transform::columns::{columns_of, find, widened};
use crate::transform::relation::{Existing, existing, keep_built};
use crate::transform::subject::Subject;
use crate::transform::{TransformError, located, upkeep};

/// The names that the staged SELECT has beside its own.
const OWN_NAMES: &str = "unimig_";

/// Makes the table, or brings new versions into it; `None` when the first run's table was there already.
pub async fn snapshot(
    client: &Client,
    action: &SnapshotAction,
    note: impl FnMut(&str),
) -> Result<Option<Tally>, TransformError> {
    let subject = Subject::of_model(&action.node);
    match existing(client, subject).await? {
        Existing::Table { carries, .. } => {
            let tally = add_versions(client, action).await?;
            upkeep::keep_up_table(client, subject, carries).await?;
            Ok(Some(tally))
        }
        Existing::Nothing | Existing::View | Existing::MaterializedView => {
            let select = snapshot::first_select(&action.config, &action.select);
            run_select(client, action, &table::build(&select), &select).await?;
            keep_built(client, subject, note).await
        }
    }
}

async fn run_select(
    client: &Client,
    action: &SnapshotAction,
    embedded: &Embedded,
    select: &crate::compile::CompiledSql,
) -> Result<(), TransformError> {
    let doing = format!("build {}", action.node.relation);
    let built = client.execute_typed(&embedded.sql, &[]).await;
    built.map(|_| ()).map_err(|error| located(PostgresError::server(doing, error), embedded, select))
}

async fn add_versions(client: &Client, action: &SnapshotAction) -> Result<Tally, TransformError> {
    let relation = &action.node.relation;
    let failed = |error| PostgresError::server(format!("snapshot into {relation}"), error);
    let held = columns_of(client, &relation.to_string()).await?;
    check_table(action, &held)?;
    run_select(client, action, &snapshot::build(&action.config, &action.select), &action.select).await?;
    let mut built = columns_of(client, "pg_temp.unimig_built").await?;
    built.retain(|column| !column.name.as_str().starts_with(OWN_NAMES));
    let columns: Vec<Ident> = built.iter().map(|column| column.name.clone()).collect();
    let names: Vec<Ident> = held.iter().map(|column| column.name.clone()).collect();
    let watched = watched_columns(client, action, &columns).await?;
    let changed = match &watched {
        None => Changed::Later,
        Some(watched) if watched.iter().all(|column| names.contains(column)) => Changed::In(watched),
        Some(_) => Changed::Always,
    };
    let statements = snapshot::statements((&action.config, relation), (&columns, &names), changed);
    let SnapshotStatements { hold, note_gone, note_arriving, note_ending, end, begin, begin_deleted } = statements;
    for statement in [Some(hold), note_gone, Some(note_arriving), Some(note_ending)].into_iter().flatten() {
        client.execute_typed(&statement, &[]).await.map_err(failed)?;
    }
    let new = built.iter().filter(|column| find(&held, &column.name).is_none());
    let changes = widened(&built, &held).into_iter().chain(new.cloned().map(ColumnChange::Add));
    for change in changes {
        client.batch_execute(&incremental::change_column(relation, &change)).await.map_err(failed)?;
    }
    let updated = client.execute_typed(&end, &[]).await.map_err(failed)?;
    let mut inserted = client.execute_typed(&begin, &[]).await.map_err(failed)?;
    if let Some(begin_deleted) = begin_deleted {
        inserted += client.execute_typed(&begin_deleted, &[]).await.map_err(failed)?;
    }
    Ok(Tally { inserted, updated, deleted: 0 })
}

/// The columns whose values decide, as the server names them; `None` where time does.
async fn watched_columns(
    client: &Client,
    action: &SnapshotAction,
    columns: &[Ident],
) -> Result<Option<Vec<Ident>>, TransformError> {
    let listed = match &action.config.strategy {
        SnapshotStrategy::Timestamp { .. } => return Ok(None),
        SnapshotStrategy::Check { columns: CheckColumns::All, .. } => return Ok(Some(columns.to_vec())),
        SnapshotStrategy::Check { columns: CheckColumns::Some(listed), .. } => listed,
    };
    let prepared = client.prepare(&snapshot::watched(listed)).await.map_err(|error| {
        let error = PostgresError::server("find the columns of check_cols", error);
        at_config(error, action)
    })?;
    Ok(Some(prepared.columns().iter().map(|column| Ident::from_catalog(column.name())).collect()))
}

fn at_config(error: PostgresError, action: &SnapshotAction) -> TransformError {
    match error.server_error() {
        Some(server) if server.sqlstate.starts_with("42") => {
            let mistake = Diagnostic::error(Code::SqlError, server.message.clone())
                .at(action.node.configured_at.clone())
                .hint("check_cols lists columns of the SELECT");
            TransformError::Project(Box::new(mistake))
        }
        Some(_) | None => TransformError::Postgres(error),
    }
}

/// A table that was made under other settings lacks columns that these need.
fn check_table(action: &SnapshotAction, held: &[StagedColumn]) -> Result<(), TransformError> {
    let names = &action.config.names;
    let mut needed = vec![&names.scd_id, &names.updated_at, &names.valid_from, &names.valid_to];
    if action.config.hard_deletes == HardDeletes::NewRecord {
        needed.push(&names.is_deleted);
    }
    let missing: Vec<String> = needed
        .into_iter()
        .filter(|name| find(held, name).is_none())
        .map(|name| format!("\"{}\"", name.as_str()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("snapshot table {} lacks the column {}", action.node.relation, missing.join(", "));
    let mistake = Diagnostic::error(Code::SchemaChanged, message)
        .at(action.node.configured_at.clone())
        .hint("it was made under other settings: rename or add the column, or give the snapshot another alias");
    Err(TransformError::Project(Box::new(mistake)))
}
