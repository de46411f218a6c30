//! A user's mistake, with its place in a file.
//!
//! Every stage that reads what people wrote collects [`Diagnostic`]s and goes on; the door shows them all at once.
//! Failures of the world (a server, a disk) are not diagnostics: they are the error types of their modules.

mod code;
mod render;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use code::Code;
pub use render::{Style, render};

/// The text of one project file, kept for as long as something may point into it.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the project folder, as people say it.
    pub path: PathBuf,
    pub text: String,
    /// The file as people see it, where `text` has blanks in place of a part of it: byte for byte as long.
    pub written: Option<Arc<SourceFile>>,
}

/// A range of bytes in a [`SourceFile`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub file: Arc<SourceFile>,
    pub range: Range<usize>,
}

impl Span {
    pub fn new(file: &Arc<SourceFile>, range: Range<usize>) -> Self {
        Self { file: Arc::clone(file), range }
    }

    /// The first line of the file, for mistakes that have no narrower place.
    pub fn whole(file: &Arc<SourceFile>) -> Self {
        let end = file.text.find('\n').unwrap_or(file.text.len());
        Self::new(file, 0..end)
    }

    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Line and column where the span starts, both from 1; the column counts characters.
    pub fn line_column(&self) -> (usize, usize) {
        let start = self.range.start.min(self.file.text.len());
        let before = self.file.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// What is shown around the place.
    pub fn shown_text(&self) -> &str {
        self.file.written.as_ref().map_or(&self.file.text, |written| &written.text)
    }

    /// One line of a file, counted from 1.
    pub fn line(file: &Arc<SourceFile>, line: u64) -> Self {
        let before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let start: usize = file.text.split_inclusive('\n').take(before).map(str::len).sum();
        let length = file.text[start..].find('\n').unwrap_or(file.text.len() - start);
        Self::new(file, start..start + length)
    }

    /// The text that the span covers.
    pub fn text(&self) -> &str {
        self.file.text.get(self.range.clone()).unwrap_or_default()
    }
}

/// How grave a diagnostic is: only errors stop a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One mistake: what is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: Code,
    /// PostgreSQL's manner: lower case, no full stop, kind and quoted name.
    pub message: String,
    pub span: Option<Span>,
    /// What stands beside the caret; may be empty.
    pub label: String,
    /// Other places that belong to the mistake: the first of two definitions, the steps of a cycle.
    pub related: Vec<(Span, String)>,
    pub hint: Option<String>,
}

impl Diagnostic {
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span: None,
            label: String::new(),
            related: Vec::new(),
            hint: None,
        }
    }

    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With this hint where there is none yet.
    #[must_use]
    pub fn or_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Adds `did you mean "…"?` when one of the candidates is close to what was written.
    #[must_use]
    pub fn did_you_mean<'a>(self, written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(written, candidates) {
            Some(candidate) => self.hint(format!("did you mean \"{candidate}\"?")),
            None => self,
        }
    }
}

impl Diagnostic {
    /// With the code's usual hint where the mistake has none of its own.
    #[must_use]
    pub fn or_usual_hint(mut self) -> Self {
        self.hint = self.hint.or_else(|| self.code.usual_hint(&self.message).map(str::to_owned));
        self
    }
}

/// The candidate that is nearest to what was written, if any is near enough to be meant.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count().max(written.chars().count()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Mistakes in the order in which they were found.
#[derive(Debug, Default, Clone)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    pub fn append(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }

    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Passes the value on if no error was collected; warnings travel with it.
    pub fn guard<T>(self, value: T) -> Result<(T, Diagnostics), Diagnostics> {
        if self.has_errors() { Err(self) } else { Ok((value, self)) }
    }
}
