//! `catalog.json`, dbt's version 1: what the target's own catalog says of each relation.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::write::{self, Unwritten};
use super::{Described, identity};
use crate::ident::{NodeName, Relation};

/// A table or view as the server knows it.
#[derive(Debug, Clone)]
pub struct CatalogTable {
    pub relation: Relation,
    /// dbt's word: `BASE TABLE`, `VIEW`, `MATERIALIZED VIEW`, `FOREIGN TABLE`.
    pub kind: String,
    pub owner: String,
    pub comment: Option<String>,
    /// As the planner believes; [`None`] where nothing was ever counted, and for views.
    pub rows: Option<i64>,
    /// With its indexes; 0 for views.
    pub size_bytes: i64,
    pub columns: Vec<CatalogColumn>,
}

#[derive(Debug, Clone)]
pub struct CatalogColumn {
    pub name: String,
    pub data_type: String,
    /// From 1, in the order of the table.
    pub index: i32,
    pub comment: Option<String>,
}

pub fn write_catalog(
    folder: &Path,
    described: Described<'_>,
    tables: &BTreeMap<NodeName, CatalogTable>,
) -> Result<(), Unwritten> {
    write::write(folder, "catalog.json", &catalog(described, tables))
}

/// The whole document; nodes that have no relation yet are not in it.
fn catalog(described: Described<'_>, tables: &BTreeMap<NodeName, CatalogTable>) -> Value {
    let (mut nodes, mut sources) = (Map::new(), Map::new());
    for (name, found) in tables {
        let id = identity::unique_id(described.manifest, name);
        let entry = table(described, &id, found);
        if id.starts_with("source.") {
            sources.insert(id, entry);
        } else {
            nodes.insert(id, entry);
        }
    }
    json!({
        "metadata": write::metadata("catalog/v1", &described.environment.invocation),
        "nodes": nodes,
        "sources": sources,
        "errors": null,
    })
}

fn table(described: Described<'_>, id: &str, table: &CatalogTable) -> Value {
    let columns = table.columns.iter().map(|column| {
        let entry = json!({
            "type": column.data_type,
            "index": column.index,
            "name": column.name,
            "comment": column.comment,
        });
        (column.name.clone(), entry)
    });
    json!({
        "metadata": {
            "type": table.kind,
            "schema": table.relation.schema,
            "name": table.relation.name,
            "database": described.environment.target.dbname,
            "comment": table.comment,
            "owner": table.owner,
        },
        "columns": columns.collect::<Map<_, _>>(),
        "stats": stats(table),
        "unique_id": id,
    })
}

fn stats(table: &CatalogTable) -> Value {
    let has_size = table.size_bytes > 0;
    json!({
        "row_count": {
            "id": "row_count",
            "label": "Row count",
            "value": table.rows,
            "include": table.rows.is_some(),
            "description": "How many rows the server's planner believes the table has",
        },
        "bytes": {
            "id": "bytes",
            "label": "Size in bytes",
            "value": table.size_bytes,
            "include": has_size,
            "description": "What the table takes on disk with its indexes",
        },
        "has_stats": {
            "id": "has_stats",
            "label": "Has stats?",
            "value": table.rows.is_some() || has_size,
            "include": false,
            "description": "Whether the server knows figures of this table",
        },
    })
}
