//! Nodes as templates see them in `model` and `graph`: dbt's names for dbt's fields.

use std::path::Path;

use minijinja::Value;
use serde_json::{Map, Value as Json, json};

use crate::ident::NodeName;
use crate::manifest::jinja::from_json;
use crate::manifest::{ColumnNode, Manifest, ModelNode};

/// `model`.
pub(super) fn model(node: &ModelNode) -> Value {
    from_json(&model_json(node, None))
}

/// `graph`: every node by its dbt name.
pub(super) fn graph(manifest: &Manifest) -> Value {
    let mut nodes = Map::new();
    for model in manifest.models.values() {
        nodes.insert(unique_id(manifest, &model.name), model_json(model, Some(manifest)));
    }
    for seed in manifest.seeds.values() {
        let id = unique_id(manifest, &seed.name);
        let described = json!({
            "unique_id": id,
            "resource_type": "seed",
            "name": seed.seed,
            "package_name": seed.package,
            "alias": seed.relation.name.as_str(),
            "schema": seed.relation.schema.as_str(),
            "relation_name": seed.relation.to_string(),
            "path": slashed(&seed.path),
            "original_file_path": slashed(&seed.path),
            "description": seed.description,
            "columns": columns(&seed.columns),
            "tags": seed.tags,
            "meta": meta(&seed.config),
            "config": manifest.config(&seed.name),
            "depends_on": { "nodes": [], "macros": [] },
        });
        nodes.insert(id, described);
    }
    for test in manifest.tests.values() {
        let id = unique_id(manifest, &test.name);
        let described = json!({
            "unique_id": id,
            "resource_type": "test",
            "name": test.full_name(),
            "package_name": test.package,
            "tags": test.tags,
            "config": manifest.config(&test.name),
            "depends_on": { "nodes": ids(manifest, &test.depends_on), "macros": [] },
        });
        nodes.insert(id, described);
    }
    from_json(&json!({ "nodes": nodes, "sources": sources(manifest), "exposures": {}, "metrics": {}, "groups": {} }))
}

fn sources(manifest: &Manifest) -> Map<String, Json> {
    let described = manifest.stages.values().map(|stage| {
        let id = unique_id(manifest, &stage.name);
        let described = json!({
            "unique_id": id,
            "resource_type": "source",
            "source_name": stage.source,
            "name": stage.table,
            "identifier": stage.live_relation.name.as_str(),
            "schema": stage.live_relation.schema.as_str(),
            "relation_name": stage.live_relation.to_string(),
            "package_name": manifest.project_name,
            "description": stage.description,
            "columns": columns(&stage.columns),
        });
        (id, described)
    });
    let tables = manifest.tables.values().map(|table| {
        let id = unique_id(manifest, &table.name);
        let described = json!({
            "unique_id": id,
            "resource_type": "source",
            "source_name": table.source,
            "name": table.table,
            "identifier": table.relation.name.as_str(),
            "schema": table.relation.schema.as_str(),
            "relation_name": table.relation.to_string(),
            "package_name": manifest.project_name,
            "description": table.description,
            "columns": columns(&table.columns),
        });
        (id, described)
    });
    described.chain(tables).collect()
}

fn model_json(model: &ModelNode, manifest: Option<&Manifest>) -> Json {
    let path = slashed(&model.file.path);
    let fqn: Vec<&str> = std::iter::once(model.package.as_str())
        .chain(model.folders.iter().map(String::as_str))
        .chain([model.model.as_str()])
        .collect();
    let parents = manifest.map(|manifest| ids(manifest, &model.depends_on)).unwrap_or_default();
    let mut config = model.config.clone();
    config.insert("materialized".to_owned(), model.materialization.as_str().into());
    config.insert("tags".to_owned(), json!(model.tags));
    json!({
        "unique_id": format!("{}.{}.{}", model.resource_type(), model.package, model.model),
        "resource_type": model.resource_type().as_str(),
        "name": model.model,
        "package_name": model.package,
        "alias": model.relation.name.as_str(),
        "schema": model.relation.schema.as_str(),
        "relation_name": model.relation.to_string(),
        "fqn": fqn,
        "path": path.split_once('/').map_or(path.as_str(), |(_, inside)| inside),
        "original_file_path": path,
        "raw_code": model.file.text,
        "raw_sql": model.file.text,
        "language": "sql",
        "description": model.description,
        "columns": columns(&model.columns),
        "tags": model.tags,
        "meta": meta(&model.config),
        "config": config,
        "depends_on": { "nodes": parents, "macros": [] },
    })
}

fn columns(columns: &[ColumnNode]) -> Map<String, Json> {
    let described = columns.iter().map(|column| {
        let name = column.name.as_str();
        let described = json!({ "name": name, "description": column.description, "data_type": column.data_type });
        (name.to_owned(), described)
    });
    described.collect()
}

fn meta(config: &Map<String, Json>) -> Json {
    config.get("meta").cloned().unwrap_or_else(|| json!({}))
}

fn slashed(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn ids(manifest: &Manifest, nodes: &[NodeName]) -> Vec<String> {
    nodes.iter().map(|node| unique_id(manifest, node)).collect()
}

/// dbt's name of a node: `model.shop.person`.
fn unique_id(manifest: &Manifest, name: &NodeName) -> String {
    match manifest.facts(name) {
        Some(facts) => match facts.source {
            Some(source) => format!("source.{}.{source}.{}", facts.package, facts.short_name),
            None => format!("{}.{}.{}", facts.resource_type, facts.package, facts.short_name),
        },
        None => name.to_string(),
    }
}
