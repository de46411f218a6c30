//! `manifest.json`, dbt's version 12: every node with its config, its code, its parents and its children.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::macros::Macros;
use super::write::{self, Unwritten};
use super::{Described, beside, identity, node, source, unit_test};
use crate::ident::NodeName;

pub fn write_manifest(folder: &Path, described: Described<'_>) -> Result<(), Unwritten> {
    write::write(folder, "manifest.json", &manifest(described))
}

/// The whole document.
pub fn manifest(described: Described<'_>) -> Value {
    let graph = described.graph;
    let macros = Macros::of(described);
    json!({
        "metadata": metadata(described),
        "nodes": node::nodes(described, &macros),
        "sources": source::sources(described),
        "macros": macros.entries(described),
        "docs": beside::docs(described),
        "exposures": beside::exposures(described),
        "metrics": {},
        "groups": beside::groups(described),
        "selectors": beside::selectors(described),
        "disabled": disabled(described, &macros),
        "parent_map": neighbours(described, |name| graph.parents(name)),
        "child_map": neighbours(described, |name| graph.children(name)),
        "group_map": beside::group_map(described),
        "saved_queries": {},
        "semantic_models": {},
        "unit_tests": unit_test::unit_tests(described),
        "functions": {},
    })
}

/// What is switched off, each as a list, since dbt allows several under one name.
fn disabled(described: Described<'_>, macros: &Macros<'_>) -> Value {
    let Some(manifest) = described.manifest.switched_off.as_deref() else { return json!({}) };
    let described = Described { manifest, ..described };
    let entries = node::nodes(described, macros).into_iter().chain(source::sources(described));
    let entries = entries.chain(beside::exposures(described)).chain(unit_test::unit_tests(described));
    entries.map(|(id, entry)| (id, json!([entry]))).collect::<Map<_, _>>().into()
}

fn metadata(described: Described<'_>) -> Map<String, Value> {
    let mut metadata = write::metadata("manifest/v12", &described.environment.invocation);
    metadata.insert("project_name".to_owned(), json!(described.project.name));
    metadata.insert("project_id".to_owned(), json!(identity::project_id(&described.project.name)));
    metadata.insert("user_id".to_owned(), Value::Null);
    metadata.insert("send_anonymous_usage_stats".to_owned(), json!(false));
    metadata.insert("adapter_type".to_owned(), json!("postgres"));
    metadata.insert("run_started_at".to_owned(), json!(described.environment.invocation.started_at.to_string()));
    let quoting = json!({ "database": true, "schema": true, "identifier": true, "column": null });
    metadata.insert("quoting".to_owned(), quoting);
    metadata
}

fn neighbours<'a>(described: Described<'a>, of: impl Fn(&'a NodeName) -> Vec<&'a NodeName>) -> Value {
    let id = |name: &NodeName| identity::unique_id(described.manifest, name);
    let entries = described.graph.topological_order().iter().map(|name| {
        let others: Vec<String> = of(name).into_iter().map(id).collect();
        (id(name), json!(others))
    });
    Value::Object(entries.collect())
}
