//! `keys.txt`, read: sections, their keys, and the types that a key may have.

use std::collections::BTreeMap;

/// Every section by its name.
pub(super) type Vocabulary = BTreeMap<&'static str, Vec<Key>>;

/// One key of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// `*` stands for every name that is not listed.
    pub name: &'static str,
    pub required: bool,
    /// Never empty: one of them holds.
    pub types: Vec<Type>,
    pub description: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Any scalar, as it is spelt.
    Text,
    Name,
    Bool,
    Int,
    Map,
    List,
    Any,
    Null,
    Word(&'static str),
    Number(u8),
    Section(&'static str),
    /// Settings by folder: those of the section, and folders of the same.
    Tree(&'static str),
    ListOf(Box<Type>),
    MapOf(Box<Type>),
}

/// Reads the file; its form is checked by the first test that reads it.
pub(super) fn vocabulary() -> Vocabulary {
    let mut sections = Vocabulary::new();
    let mut section = "";
    for line in include_str!("keys.txt").lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            sections.entry(section).or_default();
        } else if !line.is_empty() && !line.starts_with('#') {
            let key = key(line).expect("a line of keys.txt is: key type | description");
            sections.entry(section).or_default().push(key);
        }
    }
    sections
}

fn key(line: &'static str) -> Option<Key> {
    let (left, description) = line.split_once(" | ")?;
    let (name, types) = left.split_once(' ')?;
    let types: Option<Vec<Type>> = types.split('|').map(kind).collect();
    Some(Key {
        name: name.trim_end_matches('!'),
        required: name.ends_with('!'),
        types: types?,
        description: description.trim(),
    })
}

fn kind(text: &'static str) -> Option<Type> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix("list of ") {
        return Some(Type::ListOf(Box::new(kind(inner)?)));
    }
    if let Some(inner) = text.strip_prefix("map of ") {
        return Some(Type::MapOf(Box::new(kind(inner)?)));
    }
    if let Some(section) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) {
        return Some(match section.strip_prefix("tree ") {
            Some(section) => Type::Tree(section),
            None => Type::Section(section),
        });
    }
    if let Some(word) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Some(if word == "null" { Type::Null } else { Type::Word(word) });
    }
    match text {
        "text" => Some(Type::Text),
        "name" => Some(Type::Name),
        "bool" => Some(Type::Bool),
        "int" => Some(Type::Int),
        "map" => Some(Type::Map),
        "list" => Some(Type::List),
        "any" => Some(Type::Any),
        number => number.parse().ok().map(Type::Number),
    }
}
