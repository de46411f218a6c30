//! Unit tests in the manifest, in dbt's shape.

use serde_json::{Map, Value, json};

use super::{Described, identity};
use crate::manifest::{Fixture, FixtureRow, UnitTestNode};

/// Every entry of `unit_tests`, by `unique_id`.
pub(super) fn unit_tests(described: Described<'_>) -> Map<String, Value> {
    let tests = described.manifest.unit_tests.values();
    tests.map(|test| (identity::unique_id(described.manifest, &test.name), unit_test(described, test))).collect()
}

fn unit_test(described: Described<'_>, test: &UnitTestNode) -> Value {
    let manifest = described.manifest;
    let path = test.declared_at.path();
    let mut fqn = identity::fqn(&test.package, &test.folders, test.model_name());
    fqn.push(&test.test);
    let given: Vec<Value> = test
        .given
        .iter()
        .map(|given| {
            let mut entry = fixture(&given.fixture);
            entry.insert("input".to_owned(), json!(given.declared_at.text().trim_matches(['\'', '"'])));
            Value::Object(entry)
        })
        .collect();
    json!({
        "resource_type": "unit_test",
        "unique_id": identity::unique_id(manifest, &test.name),
        "name": test.test,
        "model": test.model_name(),
        "package_name": test.package,
        "path": path,
        "original_file_path": path,
        "fqn": fqn,
        "description": test.description,
        "given": given,
        "expect": fixture(&test.expect),
        "overrides": {
            "macros": test.overrides.macros,
            "vars": test.overrides.vars,
            "env_vars": test.overrides.env_vars,
        },
        "depends_on": { "macros": [], "nodes": [identity::unique_id(manifest, &test.model)] },
        "config": {
            "tags": test.tags,
            "meta": test.config.get("meta").cloned().unwrap_or_else(|| json!({})),
            "enabled": test.config.get("enabled").cloned().unwrap_or_else(|| json!(true)),
        },
        "created_at": described.created_at(),
    })
}

fn fixture(fixture: &Fixture) -> Map<String, Value> {
    let (format, rows) = match fixture {
        Fixture::Rows(rows) => ("dict", rows.iter().map(row).collect()),
        Fixture::Sql { text, .. } => ("sql", json!(text)),
        Fixture::Seed(_) => ("dict", Value::Null),
    };
    Map::from_iter([("format".to_owned(), json!(format)), ("rows".to_owned(), rows)])
}

fn row(row: &FixtureRow) -> Value {
    Value::Object(row.cells.iter().map(|(column, value)| (column.clone(), json!(value))).collect())
}
