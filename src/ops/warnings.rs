//! `--warn-error` and `--warn-error-options`: which warnings are errors, which stay warnings, which are not told.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ops::OpError;
use crate::project;

/// What becomes of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    Error,
    Warn,
    Silence,
}

/// The name of what a data test that would warn gives, beside the codes of diagnostics.
pub const TEST: &str = "test";

/// The name of `exceptions.warn`.
const TEMPLATE: &str = "template";

/// Names of dbt's events, and what they are here.
const OF_DBT: &[(&str, &[&str])] = &[
    ("LogTestResult", &[TEST]),
    ("JinjaLogWarning", &[TEMPLATE]),
    ("NoNodesForSelectionCriteria", &["unknown-selector", "nothing-selected"]),
    ("UnusedResourceConfigPath", &["unknown-key"]),
    ("CustomKeyInObjectDeprecation", &["unknown-key"]),
    ("CustomTopLevelKeyDeprecation", &["unknown-key"]),
];

/// The names that the options give, each as a code or as [`TEST`].
#[derive(Debug, Clone, Default)]
pub struct WarningRules {
    error: Named,
    warn: BTreeSet<&'static str>,
    silence: BTreeSet<&'static str>,
}

#[derive(Debug, Clone)]
enum Named {
    All,
    These(BTreeSet<&'static str>),
}

impl Default for Named {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl WarningRules {
    /// `--warn-error`.
    pub fn every_warning_is_an_error() -> Self {
        Self { error: Named::All, ..Self::default() }
    }

    /// `{error: all, warn: [unknown-key], silence: [NoNodesForSelectionCriteria]}`; `include` and `exclude` are dbt's
    /// older words for the first two.
    pub fn parse(text: &str) -> Result<Self, OpError> {
        let options =
            project::parse_vars(text).map_err(|_| wrong("--warn-error-options is no map in YAML".to_owned()))?;
        let mut rules = Self::default();
        for (key, value) in &options {
            match key.as_str() {
                "error" | "include" => rules.error = named(value)?,
                "warn" | "exclude" => rules.warn = listed(value)?,
                "silence" => rules.silence = listed(value)?,
                other => return Err(wrong(format!("--warn-error-options has no key \"{other}\""))),
            }
        }
        if rules.silence.contains(TEST) {
            return Err(wrong("a test that warns is part of the result and cannot be silenced".to_owned()));
        }
        Ok(rules)
    }

    /// By a code's word or [`TEST`].
    pub fn treatment(&self, name: &str) -> Treatment {
        let is_error = match &self.error {
            Named::All => true,
            Named::These(names) => names.contains(name),
        };
        if self.silence.contains(name) {
            Treatment::Silence
        } else if is_error && !self.warn.contains(name) {
            Treatment::Error
        } else {
            Treatment::Warn
        }
    }

    /// Whether a warning is to be taken for an error.
    pub fn refuses(&self, diagnostic: &Diagnostic) -> bool {
        diagnostic.severity == Severity::Warning && self.treatment(diagnostic.code.as_str()) == Treatment::Error
    }

    /// Whether a diagnostic is a warning that nobody wants to read.
    pub fn silences(&self, diagnostic: &Diagnostic) -> bool {
        diagnostic.severity == Severity::Warning && self.treatment(diagnostic.code.as_str()) == Treatment::Silence
    }
}

fn named(value: &Value) -> Result<Named, OpError> {
    match value.as_str() {
        Some("all" | "*") => Ok(Named::All),
        Some(_) | None => listed(value).map(Named::These),
    }
}

fn listed(value: &Value) -> Result<BTreeSet<&'static str>, OpError> {
    let Value::Array(items) = value else {
        return Err(wrong(format!("{value} is no list of warnings")));
    };
    let mut names = BTreeSet::new();
    for item in items {
        let name = item.as_str().unwrap_or_default();
        let of_dbt = OF_DBT.iter().find(|(event, _)| *event == name).map(|(_, names)| *names);
        let codes = Code::ALL.iter().map(|code| code.as_str());
        match (of_dbt, codes.chain([TEST, TEMPLATE]).find(|known| *known == name)) {
            (Some(known), _) => names.extend(known),
            (None, Some(known)) => drop(names.insert(known)),
            (None, None) => return Err(wrong(format!("there is no warning {item}"))),
        }
    }
    Ok(names)
}

fn wrong(message: String) -> OpError {
    let events: Vec<&str> = OF_DBT.iter().map(|(event, _)| *event).collect();
    let hint = format!(
        "write {{error: all, warn: [], silence: []}} with lists of codes, {TEST}, {TEMPLATE}, or of dbt's {}",
        events.join(", ")
    );
    OpError::usage(message, hint)
}
