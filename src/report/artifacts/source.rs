//! `sources` of a manifest: the tables of the source systems.

use serde_json::{Map, Value, json};

use super::resource::columns;
use super::write::object;
use super::{Described, identity};
use crate::manifest::StageNode;

/// Every entry of `sources`, by `unique_id`.
pub(super) fn sources(described: Described<'_>) -> Map<String, Value> {
    let stages = described.manifest.stages.values();
    stages
        .map(|stage| (identity::unique_id(described.manifest, &stage.name), Value::Object(staged(described, stage))))
        .collect()
}

/// A table that is copied to staging: models read the view of its live rows, which is its relation.
fn staged(described: Described<'_>, stage: &StageNode) -> Map<String, Value> {
    let manifest = described.manifest;
    let path = stage.declared_at.path();
    let own = json!({
        "name": stage.name,
        "connection": stage.connection,
        "key": stage.key,
        "table": stage.source_relation.to_string(),
        "staging": stage.stg_relation.to_string(),
    });
    object(json!({
        "resource_type": "source",
        "unique_id": identity::unique_id(manifest, &stage.name),
        "source_name": stage.source,
        "source_description": "",
        "loader": "unimig",
        "name": stage.table,
        "identifier": stage.live_relation.name,
        "database": described.environment.target.dbname,
        "schema": stage.live_relation.schema,
        "relation_name": identity::relation_name(described.environment, &stage.live_relation),
        "quoting": { "database": null, "schema": null, "identifier": null, "column": null },
        "package_name": manifest.project_name,
        "path": path,
        "original_file_path": path,
        "fqn": identity::fqn(&manifest.project_name, std::slice::from_ref(&stage.source), &stage.table),
        "loaded_at_field": null,
        "loaded_at_query": null,
        "freshness": null,
        "external": null,
        "description": stage.description,
        "columns": columns(&stage.columns),
        "meta": stage.properties.meta,
        "source_meta": {},
        "tags": stage.properties.tags,
        "config": { "enabled": true, "meta": stage.properties.meta, "tags": stage.properties.tags, "unimig": own },
        "patch_path": null,
        "unrendered_config": {},
        "unrendered_database": null,
        "unrendered_schema": null,
        "created_at": described.created_at(),
        "doc_blocks": [],
    }))
}
