//! dbt's names of generic tests, to the letter: the kind, what it stands under, then every argument.

use md5::{Digest, Md5};

use super::test::Place;
use crate::project::{TestDecl, Yaml, YamlValue};

/// The longest name that dbt leaves uncut.
const MAX_NAME_BYTES: usize = 63;

/// How much of the hash dbt keeps.
const HASH_DIGITS: usize = 10;

/// The kind of a test, apart from the package that it is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TestKindName<'t> {
    pub namespace: Option<&'t str>,
    pub name: &'t str,
}

impl<'t> TestKindName<'t> {
    /// `unique`, `dbt.unique` or `dbt_utils.expression_is_true`.
    pub fn of(test: &'t TestDecl) -> Self {
        match test.kind.value.split_once('.') {
            Some((namespace, name)) => Self { namespace: Some(namespace), name },
            None => Self { namespace: None, name: &test.kind.value },
        }
    }
}

/// What dbt calls a test.
pub(super) struct TestNames {
    /// Whole, however long.
    pub full: String,
    /// The same, cut to what a relation may be called.
    pub short: String,
}

/// The kind, the table, then the values of all arguments in the order of their keys. A longer name is cut and ends in
/// the MD5 of the whole.
pub(super) fn generic_names(place: &Place<'_>, test: &TestDecl, column: Option<&str>) -> TestNames {
    if let Some(name) = &test.name {
        return TestNames { full: name.value.clone(), short: name.value.clone() };
    }
    let mut arguments: Vec<(&str, Vec<String>)> = Vec::new();
    if let Some(column) = column {
        arguments.push(("column_name", vec![column.to_owned()]));
    }
    let others = test.arguments.iter().filter(|(key, _)| column.is_none() || key.value != "column_name");
    arguments.extend(others.map(|(key, value)| (key.value.as_str(), parts(value))));
    arguments.sort_by_key(|(key, _)| *key);
    let flat: Vec<String> = arguments.into_iter().flat_map(|(_, parts)| parts).map(|part| plain(&part)).collect();
    let kind = TestKindName::of(test);
    let namespace = kind.namespace.map(|namespace| format!("{namespace}_")).unwrap_or_default();
    let stem = format!("{namespace}{}{}_{}", place.prefix, kind.name, place.label);
    let full = format!("{stem}_{}", flat.join("__"));
    if full.chars().count() <= MAX_NAME_BYTES {
        return TestNames { short: full.clone(), full };
    }
    let cut: String = stem.chars().take(30).collect();
    TestNames { short: format!("{cut}_{}", md5(&full)), full }
}

/// What makes the test's `unique_id` its own: the end of a hash over its name, its kind and its arguments.
pub(super) fn hash(
    name: &str,
    kind: TestKindName<'_>,
    arguments: &serde_json::Map<String, serde_json::Value>,
) -> String {
    let metadata = serde_json::json!({ "namespace": kind.namespace, "name": kind.name, "kwargs": arguments });
    let whole = md5(&format!("{name}{}", hashable(&metadata)));
    whole[whole.len() - HASH_DIGITS..].to_owned()
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Python's `repr()` of the value, its keys sorted and everything within it made text.
fn hashable(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            let entries = entries.into_iter().map(|(key, value)| format!("{}: {}", quoted(key), hashable(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        serde_json::Value::Array(items) => format!("[{}]", items.iter().map(hashable).collect::<Vec<_>>().join(", ")),
        serde_json::Value::String(text) => quoted(text),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => quoted(&python(value)),
    }
}

/// Python's `repr()` of text.
fn quoted(text: &str) -> String {
    let mark = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::from(mark);
    for letter in text.chars() {
        match letter {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if letter == mark => quoted.extend(['\\', letter]),
            letter if letter.is_ascii_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push(mark);
    quoted
}

/// A list or map counts by its items, as Python prints them.
fn parts(value: &Yaml) -> Vec<String> {
    match &value.value {
        YamlValue::List(items) => items.iter().map(printed).collect(),
        YamlValue::Map(entries) => entries.iter().map(|(_, item)| printed(item)).collect(),
        YamlValue::Text(_) | YamlValue::Bool(_) | YamlValue::Null | YamlValue::Number(_) => vec![printed(value)],
    }
}

/// Python's `str()`.
fn printed(value: &Yaml) -> String {
    match &value.value {
        YamlValue::Text(text) => text.clone(),
        YamlValue::Bool(_) | YamlValue::Null | YamlValue::Number(_) | YamlValue::List(_) | YamlValue::Map(_) => {
            python(&value.to_json())
        }
    }
}

/// Python's `repr()`.
fn python(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "None".to_owned(),
        serde_json::Value::Bool(true) => "True".to_owned(),
        serde_json::Value::Bool(false) => "False".to_owned(),
        serde_json::Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e16 => format!("{float:.1}"),
            Some(float) => float.to_string(),
            None => number.to_string(),
        },
        serde_json::Value::String(text) => quoted(text),
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", "))
        }
        serde_json::Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}: {}", quoted(key), python(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Runs of anything but letters, digits and underscores become one underscore.
fn plain(part: &str) -> String {
    let mut name = String::with_capacity(part.len());
    let mut in_run = false;
    for letter in part.chars() {
        let keeps = letter.is_ascii_alphanumeric() || letter == '_';
        if keeps {
            name.push(letter);
        } else if !in_run {
            name.push('_');
        }
        in_run = !keeps;
    }
    name
}
