//! `[@][n+]method[.argument]:value[+n]`, spaces as union and commas as intersection, become a [`Spec`].
//!
//! Names of selectors and pipelines are replaced by what they stand for; a name that leads back to itself is refused.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::criterion::{Criterion, Group, Indirect, Method, Relatives, Spec};
use super::{definition, method};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::manifest::Manifest;

/// Reads terms; knows the selectors and pipelines that they may name.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub manifest: &'a Manifest,
    /// `--indirect-selection`.
    pub indirect: Indirect,
}

/// The selectors and pipelines that are being read, the innermost last.
pub(super) type Within<'a> = &'a [String];

impl Terms<'_> {
    /// The arguments of `--select` or `--exclude` as one union.
    pub fn arguments(self, option: &str, arguments: &[String]) -> Result<Spec, Diagnostics> {
        let file = Arc::new(SourceFile { path: PathBuf::from(option), text: arguments.join(" "), written: None });
        self.union(&Span::new(&file, 0..file.text.len()), &[])
    }

    /// A text of several terms.
    pub fn union(self, text: &Span, within: Within<'_>) -> Result<Spec, Diagnostics> {
        let mut mistakes = Diagnostics::default();
        let mut members = Vec::new();
        for term in parts(text, char::is_whitespace).into_iter().filter(|term| !term.text().is_empty()) {
            match self.intersection(&term, within) {
                Ok(spec) => members.push(spec),
                Err(mistake) => mistakes.append(mistake),
            }
        }
        if members.is_empty() && !mistakes.has_errors() {
            let message = "the selection is written, and empty";
            let hint = "leave the option out to select everything; a shell variable in it may be unset";
            mistakes.push(bad(message, text).hint(hint));
        }
        if mistakes.has_errors() { Err(mistakes) } else { Ok(Spec::Union(Group { members, indirect: self.indirect })) }
    }

    fn intersection(self, text: &Span, within: Within<'_>) -> Result<Spec, Diagnostics> {
        let mut mistakes = Diagnostics::default();
        let mut members = Vec::new();
        for term in parts(text, |letter| letter == ',') {
            match self.term(&term, within) {
                Ok(spec) => members.push(spec),
                Err(mistake) => mistakes.append(mistake),
            }
        }
        if mistakes.has_errors() {
            return Err(mistakes);
        }
        Ok(Spec::Intersection(Group { members, indirect: self.indirect }))
    }

    /// One term, as dbt's pattern reads it.
    pub fn term(self, written: &Span, within: Within<'_>) -> Result<Spec, Diagnostics> {
        let pieces = Pieces::of(written.text());
        let relatives = pieces.relatives(written)?;
        if pieces.value.is_empty() {
            let hint = "write a name, or a method with a value, such as tag:nightly";
            return Err(one(
                bad(format!("\"{}\" selects nothing: it has no value", written.text()), written).hint(hint)
            ));
        }
        let value = Value::from(pieces.value);
        self.criterion((pieces.method, &value), (written, relatives, self.indirect), within)
    }

    /// A method and its value, from a term or from a map of `selectors.yml`.
    pub fn criterion(
        self,
        (method, value): (Option<&str>, &Value),
        (written, relatives, indirect): (&Span, Relatives, Indirect),
        within: Within<'_>,
    ) -> Result<Spec, Diagnostics> {
        if let Some(kind @ ("selector" | "pipeline")) = method {
            let name = method::text(value);
            let inner = definition::named(self, (kind, &name), written, within)?;
            return Ok(match relatives.any() {
                true => Spec::Around(Box::new(inner), relatives, indirect),
                false => inner,
            });
        }
        let method = match method {
            Some(method) => method::of(method, value, written).map_err(one)?,
            None => default_method(&method::text(value)),
        };
        Ok(Spec::Criterion(Criterion { written: written.clone(), method, relatives, indirect }))
    }
}

/// dbt's rule for a term without a method; property files count as files too.
fn default_method(value: &str) -> Method {
    let lower = value.to_lowercase();
    if value.contains('/') {
        Method::Path(value.to_owned())
    } else if [".sql", ".py", ".csv", ".yml", ".yaml"].iter().any(|end| lower.ends_with(end)) {
        Method::File(value.to_owned())
    } else {
        Method::Bare(value.to_owned())
    }
}

/// A term taken apart.
struct Pieces<'t> {
    at: bool,
    /// What stands before a leading `+`.
    before: Option<&'t str>,
    method: Option<&'t str>,
    value: &'t str,
    /// What stands behind a trailing `+`.
    after: Option<&'t str>,
}

impl<'t> Pieces<'t> {
    fn of(term: &'t str) -> Self {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (at, rest) = match term.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, term),
        };
        let (before, rest) = match rest.split_once('+') {
            Some((before, rest)) if digits(before) => (Some(before), rest),
            Some(_) | None => (None, rest),
        };
        let word = |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '.');
        let (method, rest) = match rest.split_once(':') {
            Some((method, rest)) if !method.is_empty() && word(method) => (Some(method), rest),
            Some(_) | None => (None, rest),
        };
        let (value, after) = match rest.rsplit_once('+') {
            Some((value, after)) if digits(after) => (value, Some(after)),
            Some(_) | None => (rest, None),
        };
        Self { at, before, method, value, after }
    }

    fn relatives(&self, written: &Span) -> Result<Relatives, Diagnostics> {
        if self.at && self.after.is_some() {
            let message = format!("\"{}\" has both \"@\" and a \"+\" behind it", written.text());
            let hint = "\"@\" already takes what reads the node, and everything that these read";
            return Err(one(bad(message, written).hint(hint)));
        }
        let generations = |digits: Option<&str>| match digits {
            None => Ok(0),
            Some("") => Ok(usize::MAX),
            Some(digits) => digits.parse().map_err(|_| {
                let message = format!("\"{digits}\" is too large a number of generations");
                one(bad(message, written).hint("a \"+\" without a number takes all of them"))
            }),
        };
        Ok(Relatives {
            childrens_parents: self.at,
            parents: generations(self.before)?,
            children: generations(self.after)?,
        })
    }
}

/// The text between separators, each with its place.
fn parts(text: &Span, is_separator: impl Fn(char) -> bool) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = text.range.start;
    for piece in text.text().split(is_separator) {
        found.push(Span::new(&text.file, start..start + piece.len()));
        // Separators are single bytes, or white space whose length the next piece makes up for.
        start += piece.len();
        start += text.file.text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    found
}

pub(super) fn bad(message: impl Into<String>, at: &Span) -> Diagnostic {
    Diagnostic::error(Code::BadSelector, message).at(at.clone())
}

pub(super) fn one(mistake: Diagnostic) -> Diagnostics {
    Diagnostics(vec![mistake])
}
