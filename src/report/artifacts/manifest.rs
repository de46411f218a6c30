//! `manifest.json`, dbt's version 12: every node with its config, its code, its parents and its children.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::identity::Ids;
use super::macros::Macros;
use super::resource::Whole;
use super::write::{self, Unwritten};
use super::{Described, beside, identity, node, source, unit_test};
use crate::ident::NodeName;

/// One key of the document.
enum Part<'a> {
    Value(Value),
    /// JSON that all threads have made, by `unique_id`.
    Entries(Vec<(&'a str, String)>),
    /// What each node reads, or who reads it.
    Neighbours(Vec<(&'a str, Vec<&'a str>)>),
}

/// Writes `manifest.json`; of a large project it is large, and never in memory as one text.
pub fn write_manifest(folder: &Path, described: Described<'_>) -> Result<(), Unwritten> {
    let graph = described.graph;
    let macros = Macros::of(described);
    let whole = Whole { described, macros: &macros, ids: Ids::of(described.manifest) };
    let empty = || Part::Value(json!({}));
    let parts = [
        ("metadata", Part::Value(metadata(described).into())),
        ("nodes", Part::Entries(node::nodes(&whole))),
        ("sources", Part::Value(source::sources(described).into())),
        ("macros", Part::Value(macros.entries(described).into())),
        ("docs", Part::Value(beside::docs(described).into())),
        ("exposures", Part::Value(beside::exposures(described).into())),
        ("metrics", empty()),
        ("groups", Part::Value(beside::groups(described).into())),
        ("selectors", Part::Value(beside::selectors(described).into())),
        ("disabled", Part::Value(disabled(described, &macros).into())),
        ("parent_map", Part::Neighbours(neighbours(&whole, |name| graph.parents(name)))),
        ("child_map", Part::Neighbours(neighbours(&whole, |name| graph.children(name)))),
        ("group_map", Part::Value(beside::group_map(described))),
        ("saved_queries", empty()),
        ("semantic_models", empty()),
        ("unit_tests", Part::Value(unit_test::unit_tests(described).into())),
        ("functions", empty()),
    ];
    write::write_with(folder, "manifest.json", |out| {
        object(out, &parts, |out, part| match part {
            Part::Value(value) => Ok(serde_json::to_writer(out, value)?),
            Part::Entries(entries) => object(out, entries, |out, entry| out.write_all(entry.as_bytes())),
            Part::Neighbours(all) => object(out, all, |out, others| Ok(serde_json::to_writer(out, others)?)),
        })
    })
}

/// Writes an object whose values write themselves.
fn object<V>(
    out: &mut dyn Write,
    fields: &[(&str, V)],
    value: impl Fn(&mut dyn Write, &V) -> io::Result<()>,
) -> io::Result<()> {
    let mut mark = b"{";
    for (key, field) in fields {
        out.write_all(mark)?;
        serde_json::to_writer(&mut *out, key)?;
        out.write_all(b":")?;
        value(out, field)?;
        mark = b",";
    }
    out.write_all(if fields.is_empty() { b"{}" } else { b"}" })
}

/// The entries that a manifest has of these nodes, by `unique_id`, in this order.
pub fn entries(described: Described<'_>, names: &[NodeName]) -> Vec<Map<String, Value>> {
    let macros = Macros::of(described);
    let whole = Whole { described, macros: &macros, ids: Ids::of(described.manifest) };
    let mut beside = source::sources(described);
    beside.extend(beside::exposures(described));
    beside.extend(unit_test::unit_tests(described));
    let entry = |name: &NodeName| match node::node(&whole, name) {
        Some(entry) => json!(entry),
        None => beside.get(whole.ids.get(name)).cloned().unwrap_or_default(),
    };
    names.iter().filter_map(|name| Some(write::object(entry(name))).filter(|entry| !entry.is_empty())).collect()
}

/// What is switched off, each as a list, since dbt allows several under one name.
fn disabled(described: Described<'_>, macros: &Macros<'_>) -> Map<String, Value> {
    let Some(manifest) = described.manifest.switched_off.as_deref() else { return Map::new() };
    let described = Described { manifest, ..described };
    let whole = Whole { described, macros, ids: Ids::of(manifest) };
    let all = node::all(manifest).into_iter();
    let nodes = all.map(|node| (whole.ids.get(node.name()).to_owned(), json!([node::entry(&whole, node)])));
    let beside = source::sources(described).into_iter().chain(beside::exposures(described));
    let beside = beside.chain(unit_test::unit_tests(described));
    nodes.chain(beside.map(|(id, entry)| (id, json!([entry])))).collect()
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

fn neighbours<'a>(
    whole: &'a Whole<'a>,
    of: impl Fn(&'a NodeName) -> Vec<&'a NodeName>,
) -> Vec<(&'a str, Vec<&'a str>)> {
    let entries = whole.described.graph.topological_order().iter().map(|name| {
        let others = of(name).into_iter().map(|other| whole.ids.get(other)).collect();
        (whole.ids.get(name), others)
    });
    entries.collect()
}
