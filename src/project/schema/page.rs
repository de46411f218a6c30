//! The page of the book that lists every key, made of the same file.

use std::fmt::Write;

use super::FileKind;
use super::vocabulary::{Type, Vocabulary, vocabulary};

/// The page as Markdown: a table for each section, those of a file beneath it.
pub fn page() -> String {
    let vocabulary = vocabulary();
    let mut page = "# Every key of every YAML file\n\nThis page is made of what `unimig schema` knows. What a key does is told where \
                    it is at home: see the other pages of this reference.\n"
        .to_owned();
    let mut shown: Vec<&str> = Vec::new();
    for kind in FileKind::ALL {
        let globs: Vec<String> = kind.globs().iter().map(|glob| format!("`{glob}`")).collect();
        let _ = write!(page, "\n## {}\n\n{}\n", title(kind.as_str()), globs.join(", "));
        let mut open = vec![kind.section()];
        while let Some(section) = open.pop() {
            if shown.contains(&section) {
                continue;
            }
            shown.push(section);
            page.push_str(&table(&vocabulary, section));
            let mut inner = sections_of(&vocabulary, section);
            inner.reverse();
            open.extend(inner);
        }
    }
    page
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn table(vocabulary: &Vocabulary, section: &str) -> String {
    let mut table = format!("\n### {}\n\n| key | value | what it is |\n|---|---|---|\n", title(section));
    for key in vocabulary.get(section).map(Vec::as_slice).unwrap_or_default() {
        let name = if key.name == "*" { "any other".to_owned() } else { format!("`{}`", key.name) };
        let required = if key.required { " (required)" } else { "" };
        let types: Vec<String> = key.types.iter().map(words).collect();
        let description = key.description.replace('|', "\\|");
        let _ = writeln!(table, "| {name}{required} | {} | {description} |", types.join(" or "));
    }
    table
}

fn words(kind: &Type) -> String {
    match kind {
        Type::Text => "text".to_owned(),
        Type::Name => "a name".to_owned(),
        Type::Bool => "true or false".to_owned(),
        Type::Int => "a number".to_owned(),
        Type::Map => "a map".to_owned(),
        Type::List => "a list".to_owned(),
        Type::Any => "anything".to_owned(),
        Type::Null => "nothing".to_owned(),
        Type::Word(word) => format!("`{word}`"),
        Type::Number(number) => format!("`{number}`"),
        Type::Section(section) => (*section).to_owned(),
        Type::Tree(section) => format!("{section} by folder"),
        Type::ListOf(inner) => format!("list of {}", words(inner)),
        Type::MapOf(inner) => format!("map of {}", words(inner)),
    }
}

/// The sections that the keys of a section lead to, in order.
fn sections_of(vocabulary: &Vocabulary, section: &str) -> Vec<&'static str> {
    fn of(kind: &Type) -> Option<&'static str> {
        match kind {
            Type::Section(section) | Type::Tree(section) => Some(section),
            Type::ListOf(inner) | Type::MapOf(inner) => of(inner),
            Type::Text
            | Type::Name
            | Type::Bool
            | Type::Int
            | Type::Map
            | Type::List
            | Type::Any
            | Type::Null
            | Type::Word(_)
            | Type::Number(_) => None,
        }
    }
    let keys = vocabulary.get(section).map(Vec::as_slice).unwrap_or_default();
    let named = keys.iter().flat_map(|key| key.types.iter().filter_map(of));
    named.map(|section| if section == "data test" { "data test map" } else { section }).collect()
}
