//! A node's `config` as dbt writes it: every key of its kind, the project's settings over the defaults.

use serde_json::{Map, Value, json};

use crate::manifest::defaults;

/// The config of something that is built, `own` being what the project says.
pub(super) fn built(materialized: &str, own: &Map<String, Value>) -> Map<String, Value> {
    let mut config = defaults::built();
    lay(&mut config, own);
    config.insert("materialized".to_owned(), json!(materialized));
    for key in ["pre-hook", "post-hook"] {
        // The same setting may be written with an underscore.
        let other = config.shift_remove(&key.replace('-', "_"));
        let written = other.or_else(|| config.get(key).cloned()).unwrap_or_default();
        config.insert(key.to_owned(), hooks(&written));
    }
    config
}

/// The config of a data test.
pub(super) fn test(own: &Map<String, Value>) -> Map<String, Value> {
    let mut config = defaults::test();
    lay(&mut config, own);
    config
}

/// A null in the project means the default.
fn lay(config: &mut Map<String, Value>, own: &Map<String, Value>) {
    for (key, value) in own.iter().filter(|(_, value)| !value.is_null()) {
        match (config.get_mut(key), value) {
            (Some(Value::Object(default)), Value::Object(own)) => default.extend(own.clone()),
            (Some(Value::Array(_)), Value::String(one)) => {
                config.insert(key.clone(), json!([one]));
            }
            (Some(_) | None, value) => {
                config.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Hooks in dbt's long form.
fn hooks(written: &Value) -> Value {
    let one = |hook: &Value| match hook {
        Value::Object(hook) => json!({
            "sql": hook.get("sql").cloned().unwrap_or_default(),
            "transaction": hook.get("transaction").cloned().unwrap_or(Value::Bool(true)),
            "index": null,
        }),
        other => json!({ "sql": other, "transaction": true, "index": null }),
    };
    match written {
        Value::Null => json!([]),
        Value::Array(list) => list.iter().map(one).collect(),
        other => json!([one(other)]),
    }
}
