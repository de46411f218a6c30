//! Whether a node is what an earlier manifest says it was, part by part, by dbt's rules.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::macros::ChangedMacros;
use super::previous::PreviousNode;
use super::select::StateCheck;
use crate::ident::{NodeName, Relation};
use crate::manifest::{ColumnNode, Manifest, NodeFacts, ResourceType, TestKind, TestType};

/// The project as it is now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now<'n> {
    pub manifest: &'n Manifest,
    /// What the files of seeds hold.
    pub seeds: &'n HashMap<NodeName, String>,
    pub macros: &'n ChangedMacros,
}

/// Settings whose change is no change of the node; where it is kept is looked at apart.
const UNCOMPARED: &[&str] = &["alias", "schema", "database", "tags", "group", "docs"];

/// Where a relation is kept.
const PLACE: &[&str] = &["database", "schema", "alias"];

const PARTS: &[StateCheck] = &[
    StateCheck::Body,
    StateCheck::Configs,
    StateCheck::Relation,
    StateCheck::PersistedDescriptions,
    StateCheck::Contract,
];

/// Whether any part of the node differs.
pub(super) fn is_modified(now: Now<'_>, node: &NodeFacts<'_>, old: &PreviousNode) -> bool {
    let is_generic = node.test.as_ref().is_some_and(|test| test.test_type == TestType::Generic);
    let parts: &[StateCheck] = if is_generic { &[StateCheck::Configs] } else { PARTS };
    let differs = |part: &StateCheck| has_part(node, *part) && !is_same(now, node, (old, *part));
    calls_changed_macros(now, node)
        || node.fqn.iter().ne(old.fqn.iter())
        || access_differs(now, node, old)
        || parts.iter().any(differs)
}

/// Whether a kind of node has such a part at all.
pub(super) fn has_part(node: &NodeFacts<'_>, part: StateCheck) -> bool {
    use ResourceType as Kind;
    let is_ours = match node.resource_type {
        Kind::Analysis | Kind::Model | Kind::Seed | Kind::Snapshot | Kind::Test => true,
        Kind::Source => matches!(part, StateCheck::Configs | StateCheck::Relation),
        Kind::Exposure | Kind::UnitTest => false,
    };
    match part {
        StateCheck::Contract => node.resource_type == Kind::Model,
        StateCheck::Body
        | StateCheck::Configs
        | StateCheck::Relation
        | StateCheck::PersistedDescriptions
        | StateCheck::Macros
        | StateCheck::New
        | StateCheck::Old
        | StateCheck::Modified
        | StateCheck::Unmodified => is_ours,
    }
}

/// Whether one part of the node is as it was.
pub(super) fn is_same(now: Now<'_>, node: &NodeFacts<'_>, (old, part): (&PreviousNode, StateCheck)) -> bool {
    match part {
        StateCheck::Body => same_body(now, node, old),
        StateCheck::Configs => same_config(&now.manifest.written_config(node.name), old),
        StateCheck::Relation => same_place(now, node, old),
        StateCheck::PersistedDescriptions => same_descriptions(now, node, old),
        StateCheck::Contract => same_contract(now, node, old),
        StateCheck::New | StateCheck::Old | StateCheck::Modified | StateCheck::Unmodified | StateCheck::Macros => true,
    }
}

/// Whether a node's code, or the kind of test that it is, leads to a macro that changed.
pub(super) fn calls_changed_macros(now: Now<'_>, node: &NodeFacts<'_>) -> bool {
    let text = match (now.manifest.models.get(node.name), now.manifest.tests.get(node.name).map(|test| &test.kind)) {
        (Some(model), _) => &model.file.text,
        (None, Some(TestKind::Singular { file })) => &file.text,
        (None, Some(TestKind::Custom(custom))) => {
            return now.macros.is_changed(&format!("test_{}", custom.name), node.package);
        }
        (None, Some(TestKind::Generic { .. }) | None) => return false,
    };
    now.macros.are_called_in(text, node.package)
}

fn then(old: &PreviousNode) -> &Map<String, Value> {
    old.unrendered_config.as_ref().unwrap_or(&old.config)
}

fn same_body(now: Now<'_>, node: &NodeFacts<'_>, old: &PreviousNode) -> bool {
    if let Some(checksum) = now.seeds.get(node.name) {
        return old.checksum.as_ref().and_then(|old| old.get("checksum")).and_then(Value::as_str)
            == Some(checksum.as_str());
    }
    let text = match (now.manifest.models.get(node.name), now.manifest.tests.get(node.name).map(|test| &test.kind)) {
        (Some(model), _) => &model.file.text,
        (None, Some(TestKind::Singular { file })) => &file.text,
        (None, Some(TestKind::Generic { .. } | TestKind::Custom(_)) | None) => return true,
    };
    old.raw_code.as_deref().map(str::trim) == Some(text.trim())
}

/// Settings as they are written; `meta` of all levels adds up, so it is compared as it was settled.
fn same_config(written: &Map<String, Value>, old: &PreviousNode) -> bool {
    let then = then(old);
    let compared = |key: &&String| !UNCOMPARED.contains(&key.as_str()) && *key != "meta";
    written.keys().chain(then.keys()).filter(compared).all(|key| value(written, key) == value(then, key))
        && value(written, "meta") == value(&old.config, "meta")
}

/// A key that is absent and one that holds nothing say the same.
fn value(map: &Map<String, Value>, key: &str) -> Value {
    match map.get(key) {
        None => Value::Null,
        Some(Value::Object(empty)) if empty.is_empty() => Value::Null,
        Some(Value::Array(empty)) if empty.is_empty() => Value::Null,
        Some(value) => value.clone(),
    }
}

fn same_place(now: Now<'_>, node: &NodeFacts<'_>, old: &PreviousNode) -> bool {
    if let Some(stage) = now.manifest.stages.get(node.name) {
        let relation = &stage.source_relation;
        // The artifact of a source names what models read, dbt's the table at the source.
        return [relation, &stage.live_relation].into_iter().any(|relation| is_at(relation, old));
    }
    if let Some(table) = now.manifest.tables.get(node.name) {
        return is_at(&table.relation, old);
    }
    if let Some(crosswalk) = now.manifest.crosswalks.get(node.name) {
        return is_at(&crosswalk.relation, old);
    }
    let written = now.manifest.written_config(node.name);
    // Failures of tests have a schema of their own, written or not.
    let value = |map: &Map<String, Value>, key: &str| match value(map, key) {
        Value::String(schema) if key == "schema" && schema == "dbt_test__audit" => Value::Null,
        value => value,
    };
    PLACE.iter().all(|key| value(&written, key) == value(then(old), key))
}

fn is_at(relation: &Relation, old: &PreviousNode) -> bool {
    let (schema, name) = (old.schema.as_deref(), old.identifier.as_deref());
    schema == Some(relation.schema.as_str()) && name == Some(relation.name.as_str())
}

fn columns<'m>(now: Now<'m>, node: &NodeFacts<'_>) -> &'m [ColumnNode] {
    let model = now.manifest.models.get(node.name).map(|model| model.columns.as_slice());
    model.or_else(|| now.manifest.seeds.get(node.name).map(|seed| seed.columns.as_slice())).unwrap_or_default()
}

fn description<'m>(now: Now<'m>, node: &NodeFacts<'_>) -> &'m str {
    let model = now.manifest.models.get(node.name).map(|model| model.description.as_str());
    model.or_else(|| now.manifest.seeds.get(node.name).map(|seed| seed.description.as_str())).unwrap_or_default()
}

/// Descriptions count where they are written into the database.
fn same_descriptions(now: Now<'_>, node: &NodeFacts<'_>, old: &PreviousNode) -> bool {
    let config = now.manifest.config(node.name);
    let persists = |what: &str| config.get("persist_docs").and_then(|docs| docs.get(what)) == Some(&Value::Bool(true));
    if persists("relation") && old.description.as_deref().unwrap_or_default() != description(now, node) {
        return false;
    }
    !persists("columns") || same_columns(now, node, (old, "description"))
}

fn same_columns(now: Now<'_>, node: &NodeFacts<'_>, (old, key): (&PreviousNode, &str)) -> bool {
    let columns = columns(now, node);
    columns.len() == old.columns.len()
        && columns.iter().all(|column| {
            let now = match key {
                "data_type" => column.data_type.as_deref().unwrap_or_default(),
                _ => &column.description,
            };
            let then = old.columns.get(column.name.as_str());
            then.is_some_and(|then| then.get(key).and_then(Value::as_str).unwrap_or_default() == now)
        })
}

fn same_contract(now: Now<'_>, node: &NodeFacts<'_>, old: &PreviousNode) -> bool {
    let enforced = |config: &Map<String, Value>| {
        config.get("contract").and_then(|contract| contract.get("enforced")) == Some(&Value::Bool(true))
    };
    match (enforced(&now.manifest.config(node.name)), enforced(&old.config)) {
        (false, false) => true,
        (true, true) => same_columns(now, node, (old, "data_type")),
        (true, false) | (false, true) => false,
    }
}

fn access_differs(now: Now<'_>, node: &NodeFacts<'_>, old: &PreviousNode) -> bool {
    let Some(model) = now.manifest.models.get(node.name) else { return false };
    let then = old.config.get("access").and_then(Value::as_str).unwrap_or("protected");
    model.access() != then
}
