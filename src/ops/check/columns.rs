//! The columns of staged tables, which no SELECT of the project gives: from the copy in the target, from the source's
//! YAML, or from the source itself.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::extract;
use crate::ident::{Ident, NodeName};
use crate::manifest::StageNode;
use crate::materialize::shell::ShellColumns;
use crate::materialize::stage::{OWN_COLUMNS, StagedColumn};
use crate::ops::check::Subject;
use crate::ops::connections::Connections;
use crate::postgres::PostgresError;
use crate::transform::description::STATEMENTS;

/// The columns of each staged table that is looked at, without unimig's own; tables of which nothing is known are
/// missing.
pub(super) async fn of_sources(
    subject: &Subject<'_>,
    client: &Client,
    connections: Option<&Connections>,
) -> Result<BTreeMap<NodeName, ShellColumns>, PostgresError> {
    let manifest = &subject.workspace.manifest;
    let mut known = BTreeMap::new();
    let mut silent = BTreeSet::new();
    for stage in subject.order.iter().filter_map(|name| manifest.stages.get(name)) {
        let columns = match (of_files(subject, stage), connections) {
            (Some(columns), _) => Some(columns),
            (None, Some(connections)) => at_source(subject, stage, (connections, &mut silent)).await,
            (None, None) => None,
        };
        if let Some(columns) = columns {
            known.insert(stage.name.clone(), ShellColumns { columns, primary_key: stage.key.clone() });
        }
    }
    as_text_where_unknown(client, &mut known).await?;
    Ok(known)
}

/// The copy's columns and those that the YAML declares beyond them; without a copy, the YAML's, if it gives every type
/// and every column of the key.
fn of_files(subject: &Subject<'_>, stage: &StageNode) -> Option<Vec<StagedColumn>> {
    let declared = stage.columns.iter().filter_map(|column| {
        let data_type = column.data_type.clone()?;
        Some(StagedColumn { name: column.name.clone(), data_type })
    });
    if let Some(copy) = subject.description.relation(&stage.stg_relation) {
        let mut columns = copy.shell().columns;
        columns.retain(|column| !OWN_COLUMNS.contains(&column.name.as_str()));
        let added: Vec<StagedColumn> = declared.filter(|column| !has(&columns, &column.name)).collect();
        columns.extend(added);
        return Some(columns);
    }
    let columns: Vec<StagedColumn> = declared.collect();
    let is_whole = columns.len() == stage.columns.len() && stage.key.iter().all(|key| has(&columns, key));
    is_whole.then_some(columns)
}

fn has(columns: &[StagedColumn], name: &Ident) -> bool {
    columns.iter().any(|column| &column.name == name)
}

/// Asks the source; one that is out of reach, or refuses, leaves the columns unknown, and is not asked again.
async fn at_source<'a>(
    subject: &Subject<'_>,
    stage: &'a StageNode,
    (connections, silent): (&Connections, &mut BTreeSet<&'a str>),
) -> Option<Vec<StagedColumn>> {
    if silent.contains(stage.connection.as_str()) {
        return None;
    }
    let session = match connections.sources.get(&stage.connection)?.lease("check").await {
        Ok(session) => session,
        Err(error) => {
            tracing::debug!(connection = %stage.connection, %error, "the source can't be asked for its columns");
            silent.insert(&stage.connection);
            return None;
        }
    };
    let extraction = subject.compiled.compiled.get(&stage.name).map(|compiled| &compiled.sql);
    match extract::describe(&session, stage, extraction).await {
        Ok(shape) => {
            let staged =
                |column: extract::SourceColumn| StagedColumn { name: column.name, data_type: column.staged_type };
            Some(shape.columns.into_iter().map(staged).collect())
        }
        Err(error) => {
            tracing::debug!(stage = %stage.name, %error, "the source does not tell the columns");
            None
        }
    }
}

/// Types that only the source knows are staged as text.
async fn as_text_where_unknown(
    client: &Client,
    known: &mut BTreeMap<NodeName, ShellColumns>,
) -> Result<(), PostgresError> {
    let columns = || known.values().flat_map(|known| &known.columns);
    let types: BTreeSet<&str> = columns().map(|column| column.data_type.as_str()).collect();
    let types: Vec<&str> = types.into_iter().collect();
    let rows = client
        .query_typed(&STATEMENTS.render("unknown_types", context! {}), &[(&types, Type::TEXT_ARRAY)])
        .await
        .map_err(|error| PostgresError::server("look up the types of the sources' columns", error))?;
    let unknown: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    for column in known.values_mut().flat_map(|known| &mut known.columns) {
        if unknown.contains(&column.data_type) {
            column.data_type = "text".to_owned();
        }
    }
    Ok(())
}
