//! Models and tests, rendered to plain SQL, with the place of every piece in the user's files kept.

use std::ops::Range;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    pub sql: CompiledSql,
    /// From `ref` and `source` and from plain names in the SQL; sorted, without repeats.
    pub depends_on: Vec<NodeName>,
    /// Whether `is_incremental()` was asked and answered yes.
    pub incremental: bool,
}
