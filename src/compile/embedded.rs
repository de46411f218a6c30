//! A user's SELECT inside a statement that the tool writes around it.

use crate::compile::CompiledSql;
use crate::diagnostic::Span;

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

    /// The whole statement between a head and a tail.
    #[must_use]
    pub fn inside(self, head: &str, tail: &str) -> Self {
        Self {
            sql: format!("{head}\n\n{}{tail}", self.sql),
            characters_before: self.characters_before + head.chars().count() + 2,
        }
    }

    /// Where the server's position (in characters, from 1) lies in the user's files.
    pub fn locate(&self, position: u32, select: &CompiledSql) -> Option<Span> {
        let position = usize::try_from(position).ok()?;
        select.locate(position.checked_sub(self.characters_before)?)
    }
}
