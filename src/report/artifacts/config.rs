//! A node's `config` as dbt writes it: every key of its kind, the project's settings over the defaults.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use crate::manifest::defaults;

static BUILT: LazyLock<Map<String, Value>> = LazyLock::new(defaults::built);
static TEST: LazyLock<Map<String, Value>> = LazyLock::new(defaults::test);

/// dbt's keys for hooks, and how else the project may spell them.
const HOOKS: [(&str, &str); 2] = [("pre-hook", "pre_hook"), ("post-hook", "post_hook")];

/// Settings in three layers; nothing is put together before it is written.
pub(super) struct Config<'a> {
    defaults: &'static Map<String, Value>,
    /// What the project says.
    pub own: &'a Map<String, Value>,
    /// What is known better than either says it, in front of both.
    settled: Vec<(&'static str, Value)>,
}

impl<'a> Config<'a> {
    /// Of something that is built.
    pub fn built(materialized: &str, own: &'a Map<String, Value>) -> Self {
        let hooks = HOOKS.map(|(key, other)| {
            let written = own.get(other).or_else(|| own.get(key)).unwrap_or(&Value::Null);
            (key, hooks(written))
        });
        let settled = [("materialized", json!(materialized))].into_iter().chain(hooks).collect();
        Self { defaults: &BUILT, own, settled }
    }

    /// Of a data test.
    pub fn test(own: &'a Map<String, Value>) -> Self {
        Self { defaults: &TEST, own, settled: Vec::new() }
    }

    /// The same with a value in front.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: Value) -> Self {
        self.settled.push((key, value));
        self
    }

    /// The same with a value where nobody says anything.
    #[must_use]
    pub fn or(self, key: &'static str, value: Value) -> Self {
        if self.get(key).is_some() { self } else { self.with(key, value) }
    }

    /// A null in the project means the default.
    pub fn get(&self, key: &str) -> Option<Cow<'_, Value>> {
        let settled = self.settled.iter().find(|(name, _)| *name == key).map(|(_, value)| value);
        if let Some(value) = settled {
            return Some(Cow::Borrowed(value));
        }
        match (self.defaults.get(key), self.own.get(key).filter(|value| !value.is_null())) {
            (Some(default), Some(own)) => Some(laid(default, own)),
            (default, own) => own.or(default).map(Cow::Borrowed),
        }
    }

    /// The keys, each once, those of the kind first.
    fn keys(&self) -> impl Iterator<Item = &str> {
        let is_spelling = |key: &str| HOOKS.iter().any(|(_, other)| *other == key);
        let is_written = move |(key, value): &(&String, &Value)| {
            !value.is_null() && !self.defaults.contains_key(*key) && !is_spelling(key)
        };
        let own = self.own.iter().filter(is_written).map(|(key, _)| key.as_str());
        let is_new = |key: &&str| !self.defaults.contains_key(*key) && self.own.get(*key).is_none_or(Value::is_null);
        let settled = self.settled.iter().map(|(key, _)| *key).filter(is_new);
        self.defaults.keys().map(String::as_str).chain(own).chain(settled)
    }
}

impl Serialize for Config<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for key in self.keys() {
            map.serialize_entry(key, &self.get(key))?;
        }
        map.end()
    }
}

/// Maps are joined, and one text stands for a list of one.
fn laid<'v>(default: &Value, own: &'v Value) -> Cow<'v, Value> {
    match (default, own) {
        (Value::Object(default), Value::Object(own)) if !default.is_empty() => {
            let mut joined = default.clone();
            joined.extend(own.clone());
            Cow::Owned(Value::Object(joined))
        }
        (Value::Array(_), Value::String(one)) => Cow::Owned(json!([one])),
        (_, own) => Cow::Borrowed(own),
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
