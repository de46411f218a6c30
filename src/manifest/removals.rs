//! How rows that are gone at a source are found, and how many may go at once.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ident::Ident;
use crate::manifest::length_of_time;
use crate::project::DeletesDecl;

/// What makes a live row of a copy a tombstone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Removals {
    pub missing: Missing,
    /// A column whose value says that its row is deleted: a time that is set, or a boolean that is true.
    pub column: Option<Ident>,
    /// Keys alone are read when the last look at all of them is older.
    pub sweep_every: Option<jiff::SignedDuration>,
    pub brake: Brake,
}

/// What becomes of keys that a batch of the whole table lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Missing {
    #[default]
    Bury,
    Keep,
}

/// How many live rows may be found gone at once before a person is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brake {
    pub max_percent: f64,
    /// Copies with fewer live rows are not held back.
    pub from_rows: u64,
}

impl Default for Brake {
    /// More than half of a table of any size that matters.
    fn default() -> Self {
        Self { max_percent: 50.0, from_rows: 1_000 }
    }
}

impl Brake {
    /// Whether so many of the live rows are too many.
    pub fn stops(self, gone: u64, live: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a share of rows needs no more digits")]
        let share = gone as f64 * 100.0 / live.max(1) as f64;
        live >= self.from_rows && share > self.max_percent
    }
}

const WAYS: &str = "\"full\", \"column\", \"sweep\" or \"never\"";

/// What a declaration asks for; mistakes are reported.
pub(super) fn removals(declared: &DeletesDecl, diagnostics: &mut Diagnostics) -> Removals {
    let mut removals = Removals::default();
    let mut report = |diagnostic: Diagnostic| diagnostics.push(diagnostic);
    let has = |way: &str| declared.detect.iter().any(|detect| detect.value == way);
    for detect in &declared.detect {
        if !["full", "column", "sweep", "never"].contains(&detect.value.as_str()) {
            let message = format!("\"{}\" is no way to find deleted rows", detect.value);
            let hint = format!("detect is {WAYS}, or a list of them");
            report(Diagnostic::error(Code::BadValue, message).at(detect.span.clone()).hint(hint));
        }
    }
    if has("never") {
        removals.missing = Missing::Keep;
        if declared.detect.len() > 1 {
            let message = "\"never\" stands alone";
            report(Diagnostic::error(Code::BadValue, message).at(declared.span.clone()));
        }
    }
    removals.column = declared.column.as_ref().map(|column| column.value.clone());
    let pairs = [
        ("column", "column", declared.column.as_ref().map(|column| &column.span), "column: deleted_at"),
        ("sweep", "every", declared.every.as_ref().map(|every| &every.span), "every: 1 day"),
    ];
    for (way, key, written, example) in pairs {
        match (has(way), written) {
            (true, None) => {
                let message = format!("detect \"{way}\" needs the key \"{key}\"");
                let hint = format!("write it as in \"{example}\"");
                report(Diagnostic::error(Code::MissingKey, message).at(declared.span.clone()).hint(hint));
            }
            (false, Some(span)) => {
                let message = format!("the key \"{key}\" is for detect \"{way}\"");
                let hint = format!("write detect: {way}, or take the key away");
                report(Diagnostic::error(Code::BadValue, message).at(span.clone()).hint(hint));
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    removals.sweep_every = sweep_every(declared, diagnostics);
    removals.brake = brake(declared, diagnostics);
    removals
}

fn sweep_every(declared: &DeletesDecl, diagnostics: &mut Diagnostics) -> Option<jiff::SignedDuration> {
    let every = declared.every.as_ref()?;
    let length = length_of_time(&every.value);
    if length.is_none() {
        let diagnostic = Diagnostic::error(Code::BadValue, format!("\"{}\" is no length of time", every.value))
            .at(every.span.clone())
            .hint("write it as in \"1 day\" or \"6 hours\"");
        diagnostics.push(diagnostic);
    }
    length
}

fn brake(declared: &DeletesDecl, diagnostics: &mut Diagnostics) -> Brake {
    let Some(written) = &declared.max_percent else { return Brake::default() };
    match written.value.parse::<f64>() {
        Ok(max_percent) if (0.0..=100.0).contains(&max_percent) => Brake { max_percent, from_rows: 0 },
        Ok(_) | Err(_) => {
            let diagnostic = Diagnostic::error(Code::BadValue, format!("\"{}\" is no percentage", written.value))
                .at(written.span.clone())
                .hint("write a number from 0 to 100");
            diagnostics.push(diagnostic);
            Brake::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_copies_are_held_back_only_where_the_project_says_so() {
        let usual = Brake::default();
        assert!(!usual.stops(999, 999));
        assert!(!usual.stops(500, 1_000));
        assert!(usual.stops(501, 1_000));
        let own = Brake { max_percent: 5.0, from_rows: 0 };
        assert!(own.stops(1, 10));
        assert!(!own.stops(5, 100));
        assert!(!own.stops(0, 0));
    }
}
