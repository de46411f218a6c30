//! One schema: the section of the whole file, and every section that it leads to under `$defs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::FileKind;
use super::vocabulary::{Key, Type, Vocabulary};

/// A test is written as its kind alone, or as a map.
const DATA_TEST: &str = "data test";

/// The schema of a kind of file.
pub(super) fn document(kind: FileKind, vocabulary: &Vocabulary) -> Value {
    let mut definitions = Definitions { vocabulary, made: BTreeMap::new(), open: BTreeSet::new() };
    let mut schema = definitions.section(kind.section());
    definitions.finish();
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("unimig: {} file", kind.as_str()),
        "$comment": format!("made by unimig {} schema", env!("CARGO_PKG_VERSION")),
    });
    let mut whole = Map::new();
    whole.extend(head.as_object().cloned().unwrap_or_default());
    whole.append(&mut schema);
    whole.insert("$defs".to_owned(), json!(definitions.made));
    Value::Object(whole)
}

/// The sections that were asked for, made or still to be made.
struct Definitions<'v> {
    vocabulary: &'v Vocabulary,
    made: BTreeMap<String, Value>,
    open: BTreeSet<Definition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Definition {
    Section(&'static str),
    Tree(&'static str),
}

impl Definition {
    fn name(self) -> String {
        let text = match self {
            Self::Section(section) => section.to_owned(),
            Self::Tree(section) => format!("{section} by folder"),
        };
        text.replace(' ', "_")
    }
}

impl Definitions<'_> {
    fn finish(&mut self) {
        while let Some(definition) = self.open.pop_first() {
            let made = match definition {
                Definition::Section(DATA_TEST) => self.data_test(),
                Definition::Section(section) => Value::Object(self.section(section)),
                Definition::Tree(section) => self.tree(section),
            };
            self.made.insert(definition.name(), made);
        }
    }

    fn refer(&mut self, definition: Definition) -> Value {
        let name = definition.name();
        if !self.made.contains_key(&name) {
            self.open.insert(definition);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn keys(&self, section: &str) -> Vec<Key> {
        self.vocabulary.get(section).cloned().unwrap_or_default()
    }

    /// A map with the section's keys and no others; configs take dbt's two ways to write a key.
    fn section(&mut self, section: &str) -> Map<String, Value> {
        let mut properties = Map::new();
        let (mut required, mut others) = (Vec::new(), json!(false));
        for key in self.keys(section) {
            let described = self.described(&key);
            if key.name == "*" {
                others = described;
                continue;
            }
            if key.required {
                required.push(key.name);
            }
            for name in spellings(section, key.name) {
                properties.insert(name, described.clone());
            }
        }
        let mut made = Map::new();
        made.insert("type".to_owned(), json!("object"));
        made.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() {
            made.insert("required".to_owned(), json!(required));
        }
        made.insert("additionalProperties".to_owned(), others);
        made
    }

    /// Settings of folders: `+key` always is a setting, a key without it may be a folder of that name.
    fn tree(&mut self, section: &'static str) -> Value {
        let folder = self.refer(Definition::Tree(section));
        let mut properties = Map::new();
        for key in self.keys(section) {
            let described = self.described(&key);
            for name in spellings(section, key.name) {
                if !name.starts_with('+') {
                    properties.insert(name, json!({ "anyOf": [described, folder] }));
                } else {
                    properties.insert(name, described.clone());
                }
            }
        }
        json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": folder })
    }

    fn data_test(&mut self) -> Value {
        let map = self.refer(Definition::Section("data test map"));
        json!({ "anyOf": [{ "type": "string" }, map] })
    }

    fn described(&mut self, key: &Key) -> Value {
        let mut schema = Map::new();
        schema.insert("description".to_owned(), json!(key.description));
        match key.types.as_slice() {
            [one] => {
                if let Value::Object(one) = self.kind(one) {
                    schema.extend(one);
                }
            }
            many => {
                let many: Vec<Value> = many.iter().map(|kind| self.kind(kind)).collect();
                schema.insert("anyOf".to_owned(), json!(many));
            }
        }
        Value::Object(schema)
    }

    fn kind(&mut self, kind: &Type) -> Value {
        match kind {
            Type::Text => json!({ "type": ["string", "number", "boolean"] }),
            Type::Name => json!({ "type": "string" }),
            Type::Bool => json!({ "anyOf": [{ "type": "boolean" }, template()] }),
            Type::Int => json!({ "anyOf": [{ "type": "integer" }, template()] }),
            Type::Map => json!({ "type": "object" }),
            Type::List => json!({ "type": "array" }),
            Type::Any => json!({}),
            Type::Null => json!({ "type": "null" }),
            Type::Word(word) => json!({ "const": word }),
            Type::Number(number) => json!({ "const": number }),
            Type::Section(section) => self.refer(Definition::Section(section)),
            Type::Tree(section) => self.refer(Definition::Tree(section)),
            Type::ListOf(item) => json!({ "type": ["array", "null"], "items": self.kind(item) }),
            Type::MapOf(value) => json!({ "type": "object", "additionalProperties": self.kind(value) }),
        }
    }
}

/// A value that is rendered when the file is read.
fn template() -> Value {
    json!({ "type": "string", "pattern": "\\{\\{" })
}

/// How a key may be written: in configs with `+` too, and hooks as dbt writes them.
fn spellings(section: &str, key: &str) -> Vec<String> {
    if !section.ends_with(" config") {
        return vec![key.to_owned()];
    }
    let mut names = vec![key.to_owned()];
    if key.ends_with("_hook") {
        names.push(key.replace('_', "-"));
    }
    let plus: Vec<String> = names.iter().map(|name| format!("+{name}")).collect();
    names.extend(plus);
    names
}
