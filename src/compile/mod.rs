//! Models and tests, rendered to plain SQL, with the place of every piece in the user's files kept.

mod answers;
#[cfg(test)]
mod broken;
mod builder;
mod compiler;
mod described;
mod embedded;
mod empty;
mod ephemeral;
mod hooks;
mod known_relations;
mod later;
mod one_select;
mod plain_names;
#[cfg(test)]
mod plain_names_tests;
mod retarget;
mod rewrite;
mod templates;
#[cfg(test)]
mod tests;
mod tokens;
mod unit_test;

use std::collections::BTreeMap;
use std::ops::Range;

pub use builder::SqlBuilder;
pub use compiler::{CompileFacts, Compiler};
pub use embedded::Embedded;
pub use ephemeral::inject;
pub use hooks::{Asks, LaterHooks, RenderedHook, RenderedHooks};
pub use later::Later;
pub use retarget::Elsewhere;
pub use templates::{Spoken, Templates, Text};

use crate::diagnostic::Span;
use crate::ident::NodeName;

/// SQL text, and where each range of it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompiledSql {
    pub text: String,
    /// Ascending and not overlapping; gaps are text that the tool wrote.
    pub origins: Vec<Origin>,
}

/// A range of compiled text and the range of a file that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub output: Range<usize>,
    pub source: Span,
    /// Whether bytes correspond one to one (text of the template) or only as a whole (an expression's value).
    pub verbatim: bool,
}

/// A model or test as SQL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compiled {
    pub sql: CompiledSql,
    /// From `ref` and `source` and from plain names in the SQL; sorted, without repeats.
    pub depends_on: Vec<NodeName>,
    /// Whether `is_incremental()` was asked and answered yes.
    pub incremental: bool,
    /// Of an ephemeral model that has others in front of its SQL: what it says itself.
    pub own_sql: Option<CompiledSql>,
    /// Its template asks the database, so that its SQL is known when its parents are built; see [`Later`].
    pub later: bool,
}

impl CompiledSql {
    /// The place in the user's file of a server's error position: characters of the text, counted from 1.
    /// Text of the template maps exactly, an expression's value to the whole expression, the tool's own text to the
    /// nearest piece before it.
    pub fn locate(&self, position: usize) -> Option<Span> {
        let byte = self.text.char_indices().nth(position.saturating_sub(1)).map_or(self.text.len(), |(at, _)| at);
        let after = self.origins.partition_point(|origin| origin.output.start <= byte);
        let origin = self.origins[..after].last()?;
        if origin.verbatim && origin.output.contains(&byte) {
            let start = origin.source.range.start + (byte - origin.output.start);
            return Some(Span::new(&origin.source.file, start..word_end(&origin.source.file.text, start)));
        }
        Some(origin.source.clone())
    }
}

/// The end of the word that starts at `start`, so that a caret covers the name that the server means.
fn word_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let length = rest.find(|letter: char| !is_word(letter)).unwrap_or(rest.len());
    let first = rest.chars().next().map_or(0, char::len_utf8);
    start + length.max(first)
}

/// What each compiled node depends on, as [`crate::graph::Graph::build`] takes it.
pub fn dependencies(compiled: &BTreeMap<NodeName, Compiled>) -> BTreeMap<NodeName, Vec<NodeName>> {
    compiled.iter().map(|(name, node)| (name.clone(), node.depends_on.clone())).collect()
}
