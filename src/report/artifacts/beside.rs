//! What a manifest has beside its nodes: exposures, groups, docs blocks, selectors.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::write::object;
use super::{Described, identity};
use crate::ident::NodeName;
use crate::manifest::ExposureNode;
use crate::project::OwnerDecl;

/// Every entry of `exposures`, by `unique_id`.
pub(super) fn exposures(described: Described<'_>) -> Map<String, Value> {
    let exposures = described.manifest.exposures.values();
    exposures.map(|node| (identity::unique_id(described.manifest, &node.name), exposure(described, node))).collect()
}

fn exposure(described: Described<'_>, exposure: &ExposureNode) -> Value {
    let path = exposure.declared_at.path();
    let mut config = object(json!({ "enabled": true, "tags": [], "meta": {} }));
    config.extend(exposure.config.clone());
    config.insert("tags".to_owned(), json!(exposure.tags));
    let parents: Vec<&NodeName> = exposure.depends_on.iter().collect();
    let reads = described.reads(&parents);
    let nodes: Vec<String> = reads.nodes.iter().map(|node| identity::unique_id(described.manifest, node)).collect();
    json!({
        "resource_type": "exposure",
        "unique_id": identity::unique_id(described.manifest, &exposure.name),
        "name": exposure.exposure,
        "package_name": exposure.package,
        "path": path,
        "original_file_path": path,
        "fqn": identity::fqn(&exposure.package, &exposure.folders, &exposure.exposure),
        "type": exposure.kind,
        "owner": owner(&exposure.owner),
        "description": exposure.description,
        "label": exposure.label,
        "maturity": exposure.maturity,
        "url": exposure.url,
        "meta": config["meta"],
        "tags": exposure.tags,
        "config": config,
        "unrendered_config": exposure.config,
        "depends_on": { "macros": [], "nodes": nodes },
        "refs": reads.refs,
        "sources": reads.sources,
        "metrics": [],
        "created_at": described.created_at(),
    })
}

fn owner(owner: &OwnerDecl) -> Value {
    json!({ "name": owner.name, "email": owner.email })
}

/// Every entry of `groups`, by `unique_id`.
pub(super) fn groups(described: Described<'_>) -> Map<String, Value> {
    let entries = described.manifest.groups.values().map(|group| {
        let id = format!("group.{}.{}", group.package, group.group);
        let path = group.declared_at.path();
        let entry = json!({
            "resource_type": "group",
            "unique_id": id,
            "name": group.group,
            "package_name": group.package,
            "path": path,
            "original_file_path": path,
            "owner": owner(&group.owner),
            "description": group.description,
            "config": { "meta": group.meta },
        });
        (id, entry)
    });
    entries.collect()
}

/// `group_map`: the nodes of each group that says of itself that it is in it.
pub(super) fn group_map(described: Described<'_>) -> Value {
    let manifest = described.manifest;
    let mut members: BTreeMap<&str, Vec<String>> = manifest.groups.keys().map(|name| (name.as_str(), vec![])).collect();
    for model in manifest.models.values() {
        if let Some(group) = model.config.get("group").and_then(Value::as_str) {
            members.entry(group).or_default().push(identity::unique_id(manifest, &model.name));
        }
    }
    json!(members)
}

/// Every entry of `docs`, by `unique_id`.
pub(super) fn docs(described: Described<'_>) -> Map<String, Value> {
    let entries = described.project.doc_blocks.iter().map(|block| {
        let id = format!("doc.{}.{}", block.package, block.name);
        let path = block.declared_at.path();
        let entry = json!({
            "resource_type": "doc",
            "unique_id": id,
            "name": block.name,
            "package_name": block.package,
            "path": path,
            "original_file_path": path,
            "block_contents": block.contents,
        });
        (id, entry)
    });
    entries.collect()
}

/// `selectors`, by name.
pub(super) fn selectors(described: Described<'_>) -> Map<String, Value> {
    let entries = described.manifest.selectors.iter().map(|selector| {
        let entry = json!({
            "name": selector.name.value,
            "description": selector.description,
            "default": selector.is_default,
            "definition": selector.definition.to_json(),
        });
        (selector.name.value.clone(), entry)
    });
    entries.collect()
}
