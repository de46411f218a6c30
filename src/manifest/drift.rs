//! What is done when a source is no longer what it was: `drift:` of a source, with a table's word over it.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::project::{DriftDecl, Written};

/// An answer for each way in which a source may change. Without a word, what only adds is taken, and the rest stops the
/// process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriftPolicy {
    pub added: OnAdded,
    pub dropped: OnChange,
    pub retyped: OnChange,
    pub renamed: OnChange,
    pub labels: OnChange,
    pub tables: OnTables,
}

/// What becomes of a new column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnAdded {
    Add,
    /// It is not copied, and each run says so.
    Warn,
    Fail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// The run says so and goes on.
    Warn,
    Fail,
}

/// What is done about tables that came after the first run and are not declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTables {
    Ignore,
    Warn,
    Fail,
}

impl Default for DriftPolicy {
    fn default() -> Self {
        Self {
            added: OnAdded::Add,
            dropped: OnChange::Fail,
            retyped: OnChange::Fail,
            renamed: OnChange::Fail,
            labels: OnChange::Warn,
            tables: OnTables::Warn,
        }
    }
}

/// The policy of a table; mistakes are reported.
pub(super) fn drift(
    source: Option<&DriftDecl>,
    table: Option<&DriftDecl>,
    diagnostics: &mut Diagnostics,
) -> DriftPolicy {
    let mut policy = DriftPolicy::default();
    for declared in source.into_iter().chain(table) {
        let mut read = Answers { diagnostics };
        let change = [("warn", OnChange::Warn), ("fail", OnChange::Fail)];
        let added = [("add", OnAdded::Add), ("warn", OnAdded::Warn), ("fail", OnAdded::Fail)];
        let tables = [("ignore", OnTables::Ignore), ("warn", OnTables::Warn), ("fail", OnTables::Fail)];
        read.answer(declared.added.as_ref(), &added, &mut policy.added);
        read.answer(declared.dropped.as_ref(), &change, &mut policy.dropped);
        read.answer(declared.retyped.as_ref(), &change, &mut policy.retyped);
        read.answer(declared.renamed.as_ref(), &change, &mut policy.renamed);
        read.answer(declared.labels.as_ref(), &change, &mut policy.labels);
        read.answer(declared.tables.as_ref(), &tables, &mut policy.tables);
    }
    policy
}

struct Answers<'a> {
    diagnostics: &'a mut Diagnostics,
}

impl Answers<'_> {
    fn answer<T: Copy>(&mut self, written: Option<&Written<String>>, known: &[(&str, T)], answer: &mut T) {
        let Some(written) = written else { return };
        if let Some((_, meant)) = known.iter().find(|(word, _)| *word == written.value) {
            *answer = *meant;
            return;
        }
        let words: Vec<String> = known.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let mistake = Diagnostic::error(Code::BadValue, format!("\"{}\" is no answer to drift", written.value))
            .at(written.span.clone())
            .hint(format!("write {}", words.join(" or ")));
        // A source's word is read for each of its tables.
        if !self.diagnostics.0.contains(&mistake) {
            self.diagnostics.push(mistake);
        }
    }
}
