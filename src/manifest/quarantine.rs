//! How many rows may be set aside because their copy refuses them.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::project::{QuarantineDecl, Written};

/// Both hold where both are set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuarantineLimit {
    pub max_rows: Option<u64>,
    pub max_percent: Option<f64>,
}

impl QuarantineLimit {
    /// However many.
    pub const NONE: Self = Self { max_rows: None, max_percent: None };

    /// Whether so many of a batch's rows may be set aside.
    pub fn admits(self, refused: u64, rows: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a share of rows needs no more digits")]
        let percent = refused as f64 * 100.0 / rows.max(1) as f64;
        self.max_rows.is_none_or(|max_rows| refused <= max_rows)
            && self.max_percent.is_none_or(|max_percent| percent <= max_percent)
    }
}

/// The limit of a declaration; mistakes are reported.
pub(super) fn limit(declared: &QuarantineDecl, diagnostics: &mut Diagnostics) -> Option<QuarantineLimit> {
    let mut refuse = |written: &Written<String>, what: &str| {
        let mistake =
            Diagnostic::error(Code::BadValue, format!("\"{}\" is no {what}", written.value)).at(written.span.clone());
        if !diagnostics.0.contains(&mistake) {
            diagnostics.push(mistake);
        }
    };
    let max_rows = declared.max_rows.as_ref().and_then(|written| {
        let rows = written.value.replace('_', "").parse().ok();
        if rows.is_none() {
            refuse(written, "number of rows");
        }
        rows
    });
    let max_percent = declared.max_percent.as_ref().and_then(|written| {
        let percent = written.value.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
        if percent.is_none() {
            refuse(written, "percentage");
        }
        percent
    });
    if declared.max_rows.is_none() && declared.max_percent.is_none() {
        let mistake = Diagnostic::error(Code::MissingKey, "quarantine needs the key \"max_rows\" or \"max_percent\"")
            .at(declared.span.clone())
            .hint("say how many rows may be set aside, as in \"max_rows: 100\"");
        if !diagnostics.0.contains(&mistake) {
            diagnostics.push(mistake);
        }
    }
    (max_rows.is_some() || max_percent.is_some()).then_some(QuarantineLimit { max_rows, max_percent })
}
