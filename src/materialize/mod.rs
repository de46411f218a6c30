//! A SELECT becomes statements: one file a materialization, `merge.rs` beside `merge.sql`.
//!
//! Nothing here talks to a server or reads the clock: catalogs come in as values, SQL text goes out.

pub mod merge;
pub mod seed;
pub mod stage;
pub mod table;
pub mod view;

use crate::compile::CompiledSql;
use crate::diagnostic::Span;
use crate::ident::{Ident, NodeName, Relation};

/// A table of the target as its catalog describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetTable {
    pub relation: Relation,
    pub columns: Vec<TargetColumn>,
    pub primary_key: Vec<Ident>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetColumn {
    pub name: Ident,
    /// As `format_type` spells it, with its modifier.
    pub data_type: String,
    pub filled: FilledBy,
}

/// Who gives a column its value when an INSERT does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilledBy {
    /// A default, or NULL.
    Default,
    IdentityByDefault,
    /// Inserts need OVERRIDING SYSTEM VALUE, and updates are refused.
    IdentityAlways,
    /// `GENERATED ALWAYS AS (…) STORED`: it can't be written at all.
    Expression,
}

impl TargetTable {
    pub fn column(&self, name: &Ident) -> Option<&TargetColumn> {
        self.columns.iter().find(|column| &column.name == name)
    }
}

/// A statement with a user's SELECT in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    pub sql: String,
    /// Characters before the SELECT begins.
    characters_before: usize,
}

impl Embedded {
    /// A SELECT by itself.
    pub fn bare(select: &CompiledSql) -> Self {
        Self { sql: select.text.clone(), characters_before: 0 }
    }

    /// Puts a SELECT behind a head, on a line of its own.
    pub fn after(head: &str, select: &CompiledSql) -> Self {
        Self { sql: format!("{head}\n\n{}\n", select.text), characters_before: head.chars().count() + 2 }
    }

    /// Puts a SELECT between a head and a tail.
    pub fn around(head: &str, select: &CompiledSql, tail: &str) -> Self {
        let mut embedded = Self::after(head, select);
        embedded.sql.push_str(tail);
        embedded
    }

    /// Where the server's position (in characters, from 1) lies in the user's files.
    pub fn locate(&self, position: u32, select: &CompiledSql) -> Option<Span> {
        let position = usize::try_from(position).ok()?;
        select.locate(position.checked_sub(self.characters_before)?)
    }
}

/// What a relation that unimig made says of itself, so that it is known again even when the state is lost.
pub fn mark(node: &NodeName) -> String {
    format!("made by unimig: {node}")
}

/// Whether a comment says that unimig made the relation.
pub fn is_marked(comment: &str) -> bool {
    comment.starts_with("made by unimig: ")
}
