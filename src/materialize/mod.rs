//! A SELECT becomes statements: one file a materialization, `merge.rs` beside `merge.sql`.
//!
//! Nothing here talks to a server or reads the clock: catalogs come in as values, SQL text goes out.

pub mod contract;
pub mod crosswalk;
pub mod crosswalk_import;
pub mod crosswalk_match;
pub mod digest;
pub mod edits;
pub mod given;
mod image;
pub mod incremental;
mod keyless;
pub mod materialized_view;
pub mod merge;
pub mod quarantine;
pub mod rules;
pub mod seed;
pub mod shell;
pub mod snapshot;
pub mod stage;
pub mod table;
pub mod upkeep;
pub mod view;

#[cfg(test)]
mod tests;

use crate::ident::{Ident, NodeName, Relation};

/// A table of the target as its catalog describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetTable {
    pub relation: Relation,
    pub columns: Vec<TargetColumn>,
    pub primary_key: Vec<Ident>,
    /// Of users, that fire when the table is written.
    pub triggers: Vec<Ident>,
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

/// What a relation that unimig made says of itself, so that it is known again even when the state is lost.
pub fn mark(node: &NodeName) -> String {
    format!("made by unimig: {node}")
}

/// Whether a comment says that unimig made the relation: its last line does, below a description.
pub fn is_marked(comment: &str) -> bool {
    comment.lines().next_back().is_some_and(|last| last.starts_with("made by unimig: "))
}
