//! `sources` of a manifest: tables that are copied to staging, and tables of the target that others fill.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::entry::Columns;
use super::write::object;
use super::{Described, identity};
use crate::ident::{NodeName, Relation};
use crate::manifest::{
    CROSSWALKS, ColumnNode, CrosswalkNode, Freshness, FreshnessAfter, SourceProperties, StageNode, TableNode,
};

/// What both kinds of source table have.
struct Table<'a> {
    node: &'a NodeName,
    package: &'a str,
    folders: &'a [String],
    source: &'a str,
    table: &'a str,
    description: &'a str,
    source_description: &'a str,
    /// What models read.
    relation: &'a Relation,
    columns: &'a [ColumnNode],
    properties: &'a SourceProperties,
    path: &'a std::path::Path,
    /// For `config.unimig`.
    own: Value,
}

/// Every entry of `sources`, by `unique_id`.
pub(super) fn sources(described: Described<'_>) -> Map<String, Value> {
    let manifest = described.manifest;
    let staged = manifest.stages.values().map(|stage| staged(described, stage));
    let tables = manifest.tables.values().map(plain);
    let crosswalks = manifest.crosswalks.values().map(|node| crosswalk(described, node));
    let entry = |table: Table<'_>| (identity::unique_id(manifest, table.node), entry(described, &table));
    staged.map(entry).chain(tables.map(entry)).chain(crosswalks.map(entry)).collect()
}

/// dbt knows no crosswalks: to its readers they are tables that others fill.
fn crosswalk<'a>(described: Described<'a>, node: &'a CrosswalkNode) -> Table<'a> {
    static NOTHING: LazyLock<SourceProperties> = LazyLock::new(SourceProperties::default);
    Table {
        node: &node.name,
        package: &described.manifest.project_name,
        folders: &[],
        source: CROSSWALKS,
        table: &node.entity,
        description: &node.description,
        source_description: "",
        relation: &node.relation,
        columns: &[],
        properties: &NOTHING,
        path: node.declared_at.path(),
        own: json!({
            "name": node.name,
            "target": node.target.to_string(),
            "column": node.column,
            "reads": node.depends_on,
            "members": node.members.iter().map(|member| json!({
                "name": member.name,
                "key": member.key,
                "strategy": member.new_id.as_str(),
                "relation": member.relation.to_string(),
            })).collect::<Vec<_>>(),
        }),
    }
}

/// A table that is copied to staging: models read the view of its live rows.
fn staged<'a>(described: Described<'a>, stage: &'a StageNode) -> Table<'a> {
    Table {
        node: &stage.name,
        package: &described.manifest.project_name,
        folders: &[],
        source: &stage.source,
        table: &stage.table,
        description: &stage.description,
        source_description: "",
        relation: &stage.live_relation,
        columns: &stage.columns,
        properties: &stage.properties,
        path: stage.declared_at.path(),
        own: json!({
            "name": stage.name,
            "connection": stage.connection,
            "key": stage.key,
            "table": stage.source_relation.to_string(),
            "staging": stage.stg_relation.to_string(),
        }),
    }
}

/// A table of the target that is only read.
fn plain(table: &TableNode) -> Table<'_> {
    Table {
        node: &table.name,
        package: &table.package,
        folders: &table.folders,
        source: &table.source,
        table: &table.table,
        description: &table.description,
        source_description: &table.source_description,
        relation: &table.relation,
        columns: &table.columns,
        properties: &table.properties,
        path: table.declared_at.path(),
        own: json!({ "name": table.name }),
    }
}

fn entry(described: Described<'_>, table: &Table<'_>) -> Value {
    let properties = table.properties;
    let freshness = properties.freshness.as_ref().map(freshness);
    let mut config = object(json!({ "enabled": true, "event_time": null }));
    config.extend(properties.config.clone());
    config.extend(object(json!({
        "tags": properties.tags,
        "meta": properties.meta,
        "freshness": freshness,
        "loaded_at_field": properties.loaded_at_field,
        "loaded_at_query": properties.loaded_at_query,
        "unimig": table.own,
    })));
    let place: Vec<String> = table.folders.iter().cloned().chain([table.source.to_owned()]).collect();
    json!({
        "resource_type": "source",
        "unique_id": identity::unique_id(described.manifest, table.node),
        "source_name": table.source,
        "source_description": table.source_description,
        "loader": properties.loader.as_deref().unwrap_or_default(),
        "name": table.table,
        "identifier": table.relation.name,
        "database": described.environment.target.dbname,
        "schema": table.relation.schema,
        "relation_name": identity::relation_name(described.environment, table.relation),
        "quoting": { "database": null, "schema": null, "identifier": null, "column": null },
        "package_name": table.package,
        "path": table.path,
        "original_file_path": table.path,
        "fqn": identity::fqn(table.package, &place, table.table),
        "loaded_at_field": properties.loaded_at_field,
        "loaded_at_query": properties.loaded_at_query,
        "freshness": freshness,
        "external": null,
        "description": table.description,
        "columns": Columns(table.columns),
        "meta": properties.meta,
        "source_meta": {},
        "tags": properties.tags,
        "config": config,
        "patch_path": null,
        "unrendered_config": {},
        "unrendered_database": null,
        "unrendered_schema": null,
        "created_at": described.created_at(),
        "doc_blocks": [],
    })
}

/// The limits as dbt writes them; one that is not set has neither count nor period.
pub(super) fn freshness(freshness: &Freshness) -> Value {
    let after = |after: &Option<FreshnessAfter>| match after {
        Some(after) => json!({ "count": after.count, "period": after.period.as_str() }),
        None => json!({ "count": null, "period": null }),
    };
    json!({
        "warn_after": after(&freshness.warn_after),
        "error_after": after(&freshness.error_after),
        "filter": freshness.filter,
    })
}
