//! `docs generate`: the project's manifest, and what the target's catalog says of every relation in it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::compile::CompileFacts;
use crate::ident::{Ident, NodeName, Relation};
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::record::unwritten;
use crate::ops::workspace::Workspace;
use crate::postgres::{Lease, PostgresError};
use crate::report::artifacts::{self, CatalogColumn, CatalogTable};
use crate::sql::StatementFile;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("docs.sql")));

/// How many relations the project has, and how many of them are there.
#[derive(Debug, Clone, Copy)]
pub struct Generated {
    pub relations: usize,
    pub found: usize,
}

/// Writes `manifest.json` and `catalog.json`; reads the target and changes nothing on it.
pub async fn generate(workspace: &Workspace) -> Result<Generated, OpError> {
    let compiled = workspace.compile(&CompileFacts::default())?;
    workspace.write_manifest(&compiled)?;
    let nodes = compiled.graph.topological_order().iter();
    let wanted: BTreeMap<&NodeName, &Relation> =
        nodes.filter_map(|name| Some((name, workspace.manifest.read_relation(name)?))).collect();
    let connections = Connections::open(workspace, 1).await?;
    let tables = read(&connections, &wanted).await;
    connections.close().await?;
    let tables = tables?;
    let found = wanted.iter().filter_map(|(name, relation)| Some(((*name).clone(), tables.get(*relation)?.clone())));
    let found: BTreeMap<NodeName, CatalogTable> = found.collect();
    artifacts::write_catalog(&workspace.target_dir(), workspace.describe(&compiled), &found).map_err(unwritten)?;
    Ok(Generated { relations: wanted.len(), found: found.len() })
}

async fn read(
    connections: &Connections,
    wanted: &BTreeMap<&NodeName, &Relation>,
) -> Result<BTreeMap<Relation, CatalogTable>, OpError> {
    let session: Lease = connections.target.lease("docs").await?;
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        wanted.values().map(|relation| (relation.schema.as_str(), relation.name.as_str())).unzip();
    let rows = session
        .query_typed(
            &STATEMENTS.render("tables", context! {}),
            &[(&schemas, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(|error| PostgresError::server("read the target's catalog", error))?;
    Ok(rows.iter().map(table).map(|table| (table.relation.clone(), table)).collect())
}

fn table(row: &Row) -> CatalogTable {
    let ident = |column: &str| Ident::from_catalog(row.get::<_, String>(column));
    let names: Vec<String> = row.get::<_, Option<_>>("column_names").unwrap_or_default();
    let types: Vec<String> = row.get::<_, Option<_>>("column_types").unwrap_or_default();
    let comments: Vec<Option<String>> = row.get::<_, Option<_>>("column_comments").unwrap_or_default();
    let columns = names.into_iter().zip(types).zip(comments).zip(1..);
    CatalogTable {
        relation: Relation::new(ident("schema_name"), ident("table_name")),
        kind: row.get("kind"),
        owner: row.get("owner"),
        comment: row.get("comment"),
        rows: row.get("row_estimate"),
        size_bytes: row.get("size_bytes"),
        columns: columns
            .map(|(((name, data_type), comment), index)| CatalogColumn { name, data_type, index, comment })
            .collect(),
    }
}
