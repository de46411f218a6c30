//! A YAML file as a tree of nodes that know their place in the file.
//!
//! The tree is untyped; [`super::fields`] reads it and collects every mistake of form, where a typed parser would stop
//! at the first.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

/// A value and the bytes of the file that wrote it; collections span their first token only.
#[derive(Debug, Clone, PartialEq)]
pub struct Yaml {
    pub value: YamlValue,
    pub range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum YamlValue {
    Null,
    Bool(bool),
    /// The number as it is spelt in the file is the text of its range.
    Number(serde_json::Number),
    Text(String),
    List(Vec<Yaml>),
    /// In the order of the file.
    Map(Vec<(Key, Yaml)>),
}

/// A key of a map, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub name: String,
    pub range: Range<usize>,
}

impl YamlValue {
    /// What people call this kind of value.
    pub fn kind(&self) -> &'static str {
        match self {
            YamlValue::Null => "nothing",
            YamlValue::Bool(_) => "a boolean",
            YamlValue::Number(_) => "a number",
            YamlValue::Text(_) => "text",
            YamlValue::List(_) => "a list",
            YamlValue::Map(_) => "a map",
        }
    }
}

impl Yaml {
    /// The same value for templates and artifacts.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            YamlValue::Null => serde_json::Value::Null,
            YamlValue::Bool(value) => (*value).into(),
            YamlValue::Number(value) => serde_json::Value::Number(value.clone()),
            YamlValue::Text(value) => value.as_str().into(),
            YamlValue::List(items) => items.iter().map(Yaml::to_json).collect(),
            YamlValue::Map(entries) => serde_json::Value::Object(
                entries.iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect(),
            ),
        }
    }
}

/// Parses one document; an empty file is [`YamlValue::Null`].
pub fn parse(file: &Arc<SourceFile>) -> Result<Yaml, Diagnostic> {
    let parsed: Result<Yaml, _> = serde_yaml::from_str_with_options(&file.text, options());
    parsed.map_err(|error| syntax_error(file, &error))
}

/// A YAML text as a value, read as the project's files are; [`None`] where it is not YAML.
pub fn yaml_value(text: &str) -> Option<serde_json::Value> {
    serde_yaml::from_str_with_options(text, options()).ok()
}

fn options() -> serde_yaml::Options {
    let mut options = serde_yaml::Options::default();
    options.strict_booleans = true;
    options.leading_zero_numbers_as_strings = true;
    options.underscored_numbers_as_strings = true;
    options.emit_comments = false;
    options.with_snippet = false;
    if let Some(budget) = &mut options.budget {
        budget.max_events = 50_000_000;
        budget.max_nodes = 20_000_000;
        budget.max_total_scalar_bytes = 1 << 30;
    }
    options
}

fn syntax_error(file: &Arc<SourceFile>, error: &serde_yaml::Error) -> Diagnostic {
    let message = error.without_snippet().to_string();
    // The parser appends its own place, which the caret shows already, and advice for programmers.
    let message = message.split(" at line ").next().unwrap_or(&message);
    let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or(message).trim();
    let diagnostic = Diagnostic::error(Code::BadYaml, format!("file is not valid YAML: {}", lower_first(message)));
    let diagnostic = match message.contains("duplicate") {
        true => diagnostic.hint("a key may stand once in a map: keep one of the two"),
        false => diagnostic,
    };
    match error.location().and_then(|location| offset(&file.text, location)) {
        Some(start) => {
            let rest = &file.text[start..];
            let word = rest.find(|letter: char| letter.is_whitespace() || letter == ':').unwrap_or(rest.len());
            let first = rest.chars().next().map_or(0, char::len_utf8);
            diagnostic.at(Span::new(file, start..start + word.max(first)))
        }
        None => diagnostic.at(Span::whole(file)),
    }
}

/// The byte that a location means; the scanner knows line and column only.
fn offset(text: &str, location: serde_yaml::Location) -> Option<usize> {
    let known = location.span().byte_offset().and_then(|at| usize::try_from(at).ok());
    if let Some(at) = known.filter(|at| text.is_char_boundary(*at)) {
        return Some(at);
    }
    let line = usize::try_from(location.line()).ok()?.checked_sub(1)?;
    let column = usize::try_from(location.column()).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let within = text[start..].char_indices().nth(column).map_or(text.len() - start, |(at, _)| at);
    Some(start + within)
}

fn lower_first(message: &str) -> String {
    let mut letters = message.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

fn byte_range<T>(spanned: &Spanned<T>) -> Range<usize> {
    // An alias points to where it is used: that is the line a reader has to change.
    let span = spanned.referenced.span();
    let start = span.byte_offset().and_then(|at| usize::try_from(at).ok()).unwrap_or_default();
    let length = span.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    start..start + length
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<YamlValue>::deserialize(deserializer)?;
        let range = byte_range(&spanned);
        Ok(Self { value: spanned.value, range })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        let range = byte_range(&spanned);
        Ok(Self { name: spanned.value, range })
    }
}

impl<'de> Deserialize<'de> for YamlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = YamlValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<YamlValue, E> {
        Ok(YamlValue::Null)
    }

    fn visit_none<E>(self) -> Result<YamlValue, E> {
        Ok(YamlValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<YamlValue, D::Error> {
        YamlValue::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<YamlValue, E> {
        Ok(YamlValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<YamlValue, E> {
        Ok(YamlValue::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<YamlValue, E> {
        Ok(YamlValue::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<YamlValue, E> {
        Ok(serde_json::Number::from_f64(value).map_or_else(|| YamlValue::Text(value.to_string()), YamlValue::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<YamlValue, E> {
        Ok(YamlValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<YamlValue, E> {
        Ok(YamlValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<YamlValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(YamlValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<YamlValue, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(YamlValue::Map(map))
    }
}
