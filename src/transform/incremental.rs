//! A SELECT into a table of ours that stays: built in a temporary table, then brought in by the model's strategy.

use tokio_postgres::Client;

use crate::diagnostic::{Code, Diagnostic};
use crate::ident::{Ident, Relation};
use crate::manifest::{MergeUpdates, OnSchemaChange};
use crate::materialize::incremental::{
    self, ColumnChange, IncrementalShape, IncrementalStatements, Width, updated_columns,
};
use crate::materialize::stage::StagedColumn;
use crate::plan::{Extent, IncrementalAction};
use crate::postgres::PostgresError;
use crate::state::run::Tally;
use crate::transform::TransformError;
use crate::transform::columns::{columns_of, find, text_length, widened};
use crate::transform::keys::duplicate_keys;
use crate::transform::relation::{Existing, existing, keep_built};
use crate::transform::subject::Subject;
use crate::transform::{contract, upkeep};

/// Builds the SELECT and brings its rows in; `note` hears of columns that are left out. `None` when a table that was
/// made anew holds the same rows already.
pub async fn incremental(
    client: &Client,
    action: &IncrementalAction,
    mut note: impl FnMut(&str),
) -> Result<Option<Tally>, TransformError> {
    let node = &action.node;
    let subject = Subject::of_model(node);
    let there = existing(client, subject).await?;
    match action.extent {
        Extent::Whole => {
            contract::build(client, node, &action.select).await?;
            check_config(client, action).await?;
        }
        Extent::Increment => contract::build_increment(client, node, &action.select).await?,
    }
    match (action.extent, there) {
        (Extent::Increment, Existing::Table { carries, seal, .. }) => {
            if seal != contract::seal(subject) {
                note("the contract changed, and the table keeps the old one until a run with --full-refresh");
            }
            let tally = add_built(client, action, note).await?;
            upkeep::keep_up_table(client, subject, carries).await?;
            Ok(Some(tally))
        }
        (Extent::Increment, Existing::Nothing | Existing::View | Existing::MaterializedView) => Err(vanished(action)),
        (Extent::Whole, _) => keep_built(client, subject, note).await,
    }
}

/// Between the plan and this step somebody dropped the table, and the SELECT gives only a part of its rows.
fn vanished(action: &IncrementalAction) -> TransformError {
    let relation = &action.node.relation;
    let mistake = Diagnostic::error(Code::SchemaChanged, format!("{relation} was dropped while the run was going on"))
        .at(action.node.configured_at.clone())
        .hint("run again: the table is then filled from the start");
    TransformError::Project(Box::new(mistake))
}

async fn add_built(
    client: &Client,
    action: &IncrementalAction,
    note: impl FnMut(&str),
) -> Result<Tally, TransformError> {
    let relation = &action.node.relation;
    let failed = |error| at_config(PostgresError::server(format!("add to {relation}"), error), action);
    look_for_keys(client, action).await?;
    let (columns, width) = fit_columns(client, action, note).await?;
    let shape = IncrementalShape { config: &action.config, table: relation, columns: &columns, width };
    if let Err(unknown) = updated_columns(shape) {
        return Err(unknown_column(action, unknown, &columns));
    }
    let execute = async |statement: &str| client.execute_typed(statement, &[]).await.map_err(failed);
    match incremental::statements(shape) {
        IncrementalStatements::Append { insert } => Ok(Tally { inserted: execute(&insert).await?, ..Tally::default() }),
        IncrementalStatements::DeleteInsert { note_same, delete, insert } => {
            if let Some(note_same) = note_same {
                execute(&note_same).await?;
            }
            let deleted = execute(&delete).await?;
            let inserted = execute(&insert).await?;
            Ok(Tally { inserted, deleted, ..Tally::default() })
        }
        IncrementalStatements::Merge { changing_keys, count_new, merge } => {
            if let Some(changing_keys) = changing_keys {
                let rows = client.query_typed(&changing_keys, &[]).await.map_err(failed)?;
                duplicate_keys(&rows, &action.node)?;
            }
            let counted = client.query_typed_one(&count_new, &[]).await.map_err(failed)?;
            let inserted = u64::try_from(counted.get::<_, i64>(0)).unwrap_or(0);
            let merged = execute(&merge).await?;
            Ok(Tally { inserted, updated: merged.saturating_sub(inserted), deleted: 0 })
        }
    }
}

/// Refuses, before the table is there, what the next run could not use.
async fn check_config(client: &Client, action: &IncrementalAction) -> Result<(), TransformError> {
    look_for_keys(client, action).await?;
    let columns = match action.config.updates {
        MergeUpdates::Only(_) => columns_of(client, "pg_temp.unimig_built").await?,
        MergeUpdates::All | MergeUpdates::AllBut(_) => return Ok(()),
    };
    let table = &action.node.relation;
    let shape = IncrementalShape { config: &action.config, table, columns: &columns, width: Width::WholeRow };
    match updated_columns(shape) {
        Ok(_) => Ok(()),
        Err(unknown) => Err(unknown_column(action, unknown, &columns)),
    }
}

async fn look_for_keys(client: &Client, action: &IncrementalAction) -> Result<(), TransformError> {
    if let Some(look) = incremental::look_for_keys(&action.config) {
        client
            .prepare(&look)
            .await
            .map_err(|error| at_config(PostgresError::server("look for the unique_key", error), action))?;
    }
    Ok(())
}

/// A refusal of what the config says in SQL is shown where it is configured.
fn at_config(error: PostgresError, action: &IncrementalAction) -> TransformError {
    match error.server_error() {
        // syntax_error_or_access_rule_violation
        Some(server) if server.sqlstate.starts_with("42") => {
            let mistake = Diagnostic::error(Code::SqlError, server.message.clone())
                .at(action.node.configured_at.clone())
                .hint("unique_key and incremental_predicates are SQL, as the model's config gives them");
            TransformError::Project(Box::new(mistake))
        }
        Some(_) | None => TransformError::Postgres(error),
    }
}

fn unknown_column(action: &IncrementalAction, unknown: &Ident, columns: &[StagedColumn]) -> TransformError {
    let message = format!("merge_update_columns names \"{}\", which the model does not select", unknown.as_str());
    let mistake = Diagnostic::error(Code::UnknownTargetColumn, message)
        .at(action.node.configured_at.clone())
        .did_you_mean(unknown.as_str(), columns.iter().map(|column| column.name.as_str()));
    TransformError::Project(Box::new(mistake))
}

/// Makes the table's columns fit the SELECT's as far as the model allows; gives the columns to write.
async fn fit_columns(
    client: &Client,
    action: &IncrementalAction,
    mut note: impl FnMut(&str),
) -> Result<(Vec<StagedColumn>, Width), TransformError> {
    let relation = &action.node.relation;
    let built = columns_of(client, "pg_temp.unimig_built").await?;
    let mut held = columns_of(client, &relation.to_string()).await?;
    let mut changes = widened(&built, &held);
    apply(client, relation, &changes).await?;
    changes.clear();
    held = columns_of(client, &relation.to_string()).await?;
    let new: Vec<&StagedColumn> = built.iter().filter(|column| find(&held, &column.name).is_none()).collect();
    let gone: Vec<&StagedColumn> = held.iter().filter(|column| find(&built, &column.name).is_none()).collect();
    let retyped: Vec<&StagedColumn> = built.iter().filter(|column| is_retyped(column, &held)).collect();
    match action.config.on_schema_change {
        OnSchemaChange::Ignore if !gone.is_empty() => {
            return Err(schema_changed(action, (&[], &gone, &[])));
        }
        OnSchemaChange::Ignore => {
            if !new.is_empty() {
                note(&format!("not written, since {relation} has no such column: {}", names(&new)));
            }
            return Ok((held, Width::WholeRow));
        }
        OnSchemaChange::Fail if !(new.is_empty() && gone.is_empty() && retyped.is_empty()) => {
            return Err(schema_changed(action, (&new, &gone, &retyped)));
        }
        OnSchemaChange::Fail => return Ok((held, Width::WholeRow)),
        OnSchemaChange::AppendNewColumns => changes.extend(new.into_iter().cloned().map(ColumnChange::Add)),
        OnSchemaChange::SyncAllColumns => {
            changes.extend(new.into_iter().cloned().map(ColumnChange::Add));
            changes.extend(gone.iter().map(|column| ColumnChange::Drop(column.name.clone())));
            changes.extend(retyped.into_iter().cloned().map(ColumnChange::ChangeType));
        }
    }
    apply(client, relation, &changes).await?;
    let held = columns_of(client, &relation.to_string()).await?;
    let written: Vec<StagedColumn> =
        held.iter().filter(|column| find(&built, &column.name).is_some()).cloned().collect();
    let width = if written.len() == held.len() { Width::WholeRow } else { Width::SomeColumns };
    Ok((written, width))
}

async fn apply(client: &Client, relation: &Relation, changes: &[ColumnChange]) -> Result<(), PostgresError> {
    for change in changes {
        client
            .batch_execute(&incremental::change_column(relation, change))
            .await
            .map_err(|error| PostgresError::server(format!("change the columns of {relation}"), error))?;
    }
    Ok(())
}

/// A type that differs, and not only by a text's length.
fn is_retyped(column: &StagedColumn, held: &[StagedColumn]) -> bool {
    let is_text = |data_type: &str| text_length(data_type).is_some();
    find(held, &column.name).is_some_and(|held| {
        held.data_type != column.data_type && !(is_text(&held.data_type) && is_text(&column.data_type))
    })
}

fn names(columns: &[&StagedColumn]) -> String {
    columns.iter().map(|column| format!("\"{}\"", column.name.as_str())).collect::<Vec<_>>().join(", ")
}

/// New, gone and retyped columns.
type Differences<'a> = (&'a [&'a StagedColumn], &'a [&'a StagedColumn], &'a [&'a StagedColumn]);

fn schema_changed(action: &IncrementalAction, (new, gone, retyped): Differences<'_>) -> TransformError {
    let relation = &action.node.relation;
    let mut sentences = Vec::new();
    for (columns, what) in
        [(new, "lacks"), (gone, "has, and the model no longer selects,"), (retyped, "has otherwise typed")]
    {
        if !columns.is_empty() {
            sentences.push(format!("{what} {}", names(columns)));
        }
    }
    let message =
        format!("the columns of model \"{}\" changed: {relation} {}", action.node.model, sentences.join("; "));
    let mistake = Diagnostic::error(Code::SchemaChanged, message)
        .at(action.node.configured_at.clone())
        .hint("set on_schema_change to 'append_new_columns' or 'sync_all_columns', or make the table anew with --full-refresh");
    TransformError::Project(Box::new(mistake))
}
