//! A mistake in the user's files as data.

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Severity};

/// A mistake with its place, as `--output json`, the log and the results show it.
pub fn diagnostic(diagnostic: &Diagnostic) -> Value {
    let place = diagnostic.span.as_ref().map(|span| (span.path().display().to_string(), span.line_column()));
    json!({
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "code": diagnostic.code.as_str(),
        "message": diagnostic.message,
        "file": place.as_ref().map(|(path, _)| path),
        "line": place.as_ref().map(|(_, (line, _))| line),
        "column": place.as_ref().map(|(_, (_, column))| column),
        "hint": diagnostic.hint.as_deref().or(diagnostic.code.usual_hint(&diagnostic.message)),
    })
}
