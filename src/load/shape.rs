//! The permanent copy as it is, and its change into what the source's columns ask for.
//!
//! A new column is added. A column that is gone at the source stays and is NULL in new rows. A column of another type
//! stops the process: only a person knows what the old values mean.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::diagnostic::{Code, Diagnostic};
use crate::ident::{Ident, Relation};
use crate::load::{Batch, LoadError};
use crate::manifest::StageNode;
use crate::materialize::is_marked;
use crate::materialize::stage::{OWN_COLUMNS, StageShape, StagedColumn};
use crate::postgres::PostgresError;
use crate::sql::{StatementFile, quoted};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("load.sql")));

/// What the target's catalog says of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagingShape {
    Absent,
    Present(Present),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Without the columns that unimig adds.
    pub columns: Vec<StagedColumn>,
    pub primary_key: Vec<Ident>,
    pub has_rows: bool,
    /// Somebody may have dropped it.
    pub has_live_view: bool,
}

impl StagingShape {
    pub fn has_rows(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Present(present) => present.has_rows,
        }
    }

    /// Whether rows of a window can be merged: the copy has rows, and every column that the source has now.
    pub fn is_complete(&self, columns: &[StagedColumn]) -> bool {
        match self {
            Self::Absent => false,
            Self::Present(present) => {
                present.has_rows
                    && columns.iter().all(|column| present.columns.iter().any(|kept| kept.name == column.name))
            }
        }
    }
}

impl StagingShape {
    /// Whether a copy is there without a column of this name.
    pub fn lacks(&self, name: &Ident) -> bool {
        match self {
            Self::Absent => false,
            Self::Present(present) => !present.columns.iter().any(|kept| kept.name == *name),
        }
    }
}

/// Reads the shape of a copy, and refuses a relation of its name that unimig did not make.
pub async fn read_shape(client: &Client, node: &StageNode) -> Result<StagingShape, LoadError> {
    let staging = &node.stg_relation;
    let failed = |error| PostgresError::server(format!("describe {staging}"), error);
    let row = client
        .query_typed_one(
            &STATEMENTS.render("staging_shape", context! {}),
            &[
                (&staging.schema.as_str(), Type::TEXT),
                (&staging.name.as_str(), Type::TEXT),
                (&node.live_relation.name.as_str(), Type::TEXT),
            ],
        )
        .await
        .map_err(failed)?;
    let has_live_view = match row.get::<_, Option<&str>>("live_kind") {
        None => false,
        Some("v") if is_marked(row.get("live_comment")) => true,
        Some(_) => return Err(LoadError::Project(Box::new(not_ours(node, &node.live_relation)))),
    };
    if !row.get::<_, bool>("present") {
        return Ok(StagingShape::Absent);
    }
    let names: Vec<String> = row.get("names");
    let ours = OWN_COLUMNS.iter().all(|own| names.iter().any(|name| name == own));
    if !row.get::<_, bool>("is_table") || !ours || !is_marked(row.get("comment")) {
        return Err(LoadError::Project(Box::new(not_ours(node, staging))));
    }
    let types: Vec<String> = row.get("types");
    let columns = names
        .into_iter()
        .zip(types)
        .filter(|(name, _)| !OWN_COLUMNS.contains(&name.as_str()))
        .map(|(name, data_type)| StagedColumn { name: Ident::from_catalog(name), data_type })
        .collect();
    let has_rows = STATEMENTS.render("has_rows", context! { staging => quoted(staging) });
    let has_rows = client.query_one(&has_rows, &[]).await.map_err(failed)?.get(0);
    let primary_key = row.get::<_, Vec<String>>("primary_key").into_iter().map(Ident::from_catalog).collect();
    Ok(StagingShape::Present(Present { columns, primary_key, has_rows, has_live_view }))
}

/// Makes the copy fit for the batch. An empty one is filled by COPY FREEZE.
pub(super) async fn prepare(client: &Client, shape: StageShape<'_>, batch: Batch<'_>) -> Result<Filling, LoadError> {
    let mut statements = Vec::new();
    let filling = match batch.found {
        StagingShape::Absent => {
            statements.extend(shape.create_table());
            let names: Vec<&Ident> = shape.columns.iter().map(|column| &column.name).collect();
            statements.extend(shape.create_view(&names));
            Filling::First
        }
        StagingShape::Present(present) => {
            check_types(shape.node, shape.columns, present)?;
            let is_kept = |column: &&StagedColumn| present.columns.iter().any(|kept| kept.name == column.name);
            let added: Vec<&StagedColumn> = shape.columns.iter().filter(|column| !is_kept(column)).collect();
            if !added.is_empty() || !present.has_live_view {
                statements.extend(added.iter().map(|column| shape.add_column(column)));
                let names = present.columns.iter().chain(added).map(|column| &column.name);
                statements.extend(shape.create_view(&names.collect::<Vec<_>>()));
            }
            match (present.has_rows, batch.manifest.rows) {
                (true, _) => Filling::Merge,
                // Its key may have changed while it was empty; otherwise an empty copy of nothing is left alone.
                (false, 0) if present.primary_key == shape.node.key => Filling::Nothing,
                (false, _) => {
                    statements.push(shape.empty_for_freeze());
                    Filling::First
                }
            }
        }
    };
    if !statements.is_empty() {
        client
            .batch_execute(&statements.join(";\n"))
            .await
            .map_err(|error| PostgresError::server(format!("prepare {}", shape.node.stg_relation), error))?;
    }
    Ok(filling)
}

/// How a batch gets into its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filling {
    First,
    Merge,
    /// Both are empty.
    Nothing,
}

/// Refuses what `load` would refuse, before anything is read.
pub fn check_columns(node: &StageNode, columns: &[StagedColumn], found: &StagingShape) -> Result<(), LoadError> {
    match found {
        StagingShape::Absent => Ok(()),
        StagingShape::Present(present) => check_types(node, columns, present),
    }
}

fn check_types(node: &StageNode, columns: &[StagedColumn], present: &Present) -> Result<(), LoadError> {
    let staging = &node.stg_relation;
    if present.has_rows && present.primary_key != node.key {
        let words = |key: &[Ident]| match key {
            [] => "no key".to_owned(),
            key => format!("the key ({})", key.iter().map(Ident::as_str).collect::<Vec<_>>().join(", ")),
        };
        let (kept, declared) = (words(&present.primary_key), words(&node.key));
        let message = format!("{staging} has {kept}, and the source declares {declared}");
        return Err(LoadError::Project(Box::new(changed(node, message))));
    }
    for column in columns {
        let kept = present.columns.iter().find(|kept| kept.name == column.name);
        if let Some(kept) = kept.filter(|kept| kept.data_type != column.data_type) {
            let name = column.name.as_str();
            let message = format!(
                "column \"{name}\" of {staging} is {}, and the source now gives {}",
                kept.data_type, column.data_type
            );
            return Err(LoadError::Project(Box::new(changed(node, message))));
        }
    }
    Ok(())
}

fn changed(node: &StageNode, message: String) -> Diagnostic {
    let (staging, live) = (&node.stg_relation, &node.live_relation);
    let hint = format!(
        "drop view {live} and alter {staging} by hand, or drop view {live} and table {staging}: the next run makes what is \
         missing, and reads a missing table whole"
    );
    Diagnostic::error(Code::ChangedColumn, message).at(node.declared_at.clone()).hint(hint)
}

fn not_ours(node: &StageNode, staging: &Relation) -> Diagnostic {
    Diagnostic::error(Code::NotOurs, format!("{staging} exists, and unimig did not make it"))
        .at(node.declared_at.clone())
        .hint("set another stg_schema: unimig never writes into tables of this name that others made")
}
