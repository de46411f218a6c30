//! How a data test judges what it finds, and where it keeps it: dbt's config of tests after precedence.

use serde_json::Value;

use super::config::Settled;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::Relation;
use crate::project::{ConfigPatch, Environment, Setting};

/// The schema of kept rows unless config names another; dbt's name for it.
const AUDIT_SCHEMA: &str = "dbt_test__audit";

/// When a test fails and when it warns, what is counted, and where failing rows are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRules {
    /// What follows the count in SQL: `> 10`, `between 1 and 3`.
    pub warn_if: String,
    pub error_if: String,
    /// An aggregate over the failing rows.
    pub fail_calc: String,
    /// How many rows are looked at.
    pub limit: Option<u64>,
    pub keep: KeepFailures,
    /// Where failing rows go when they are kept.
    pub audit: Option<Relation>,
}

/// Whether failing rows are kept in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepFailures {
    /// Only where `--store-failures` asks for it.
    #[default]
    IfAsked,
    Never,
    Table,
    View,
}

impl Default for TestRules {
    fn default() -> Self {
        Self {
            warn_if: "!= 0".to_owned(),
            error_if: "!= 0".to_owned(),
            fail_calc: "count(*)".to_owned(),
            limit: None,
            keep: KeepFailures::IfAsked,
            audit: None,
        }
    }
}

/// Lies under every other setting.
pub(super) fn defaults(place: &Span) -> ConfigPatch {
    let schema = Setting { value: AUDIT_SCHEMA.into(), span: place.clone() };
    ConfigPatch::from([("schema".to_owned(), schema)])
}

/// Reads what was laid; kept rows go to a relation called `name` unless an alias is set.
pub(super) fn settle(settled: &mut Settled, environment: &Environment, name: &str) -> TestRules {
    let usual = TestRules::default();
    database(settled, environment);
    TestRules {
        warn_if: condition(settled, "warn_if").unwrap_or(usual.warn_if),
        error_if: condition(settled, "error_if").unwrap_or(usual.error_if),
        fail_calc: settled.text("fail_calc").unwrap_or(usual.fail_calc),
        limit: limit(settled),
        keep: keep(settled),
        audit: settled.own_relation(environment, name),
    }
}

fn condition(settled: &mut Settled, key: &str) -> Option<String> {
    let setting = settled.get(key)?.clone();
    let written = settled.text(key)?;
    match read_condition(&written) {
        Some(condition) => Some(condition),
        None => {
            settled.mistakes.push(
                Diagnostic::error(Code::BadConfig, format!("\"{written}\" is no condition for \"{key}\""))
                    .at(setting.span)
                    .hint("write what the count is compared with, as in \"> 10\", \"!= 0\" or \"between 1 and 3\""),
            );
            None
        }
    }
}

/// A comparison with numbers, in SQL's spelling.
fn read_condition(written: &str) -> Option<String> {
    let text = written.trim().trim_end_matches(';').to_lowercase();
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok_and(f64::is_finite);
    let operators =
        [("==", "="), ("!=", "!="), ("<>", "<>"), ("<=", "<="), (">=", ">="), ("=", "="), ("<", "<"), (">", ">")];
    for (operator, sql) in operators {
        if let Some(number) = text.strip_prefix(operator) {
            return is_number(number).then(|| format!("{sql} {}", number.trim()));
        }
    }
    let (negation, rest) = match text.strip_prefix("not ") {
        Some(rest) => ("not ", rest.trim_start()),
        None => ("", text.as_str()),
    };
    if let Some((low, high)) = rest.strip_prefix("between ").and_then(|bounds| bounds.split_once(" and ")) {
        let bounds = format!("{negation}between {} and {}", low.trim(), high.trim());
        return (is_number(low) && is_number(high)).then_some(bounds);
    }
    let list = rest.strip_prefix("in").map(str::trim)?.strip_prefix('(')?.strip_suffix(')')?;
    let numbers: Vec<&str> = list.split(',').map(str::trim).collect();
    numbers.iter().all(|number| is_number(number)).then(|| format!("{negation}in ({})", numbers.join(", ")))
}

fn limit(settled: &mut Settled) -> Option<u64> {
    let setting = settled.get("limit")?.clone();
    let found = match &setting.value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    if found.is_none() {
        settled
            .mistakes
            .push(Diagnostic::error(Code::BadConfig, "\"limit\" must be a number of rows").at(setting.span));
    }
    found
}

/// `store_failures_as` wins over `store_failures`, whichever stands nearer.
fn keep(settled: &mut Settled) -> KeepFailures {
    match settled.text("store_failures_as").map(|text| text.to_lowercase()).as_deref() {
        Some("table") => return KeepFailures::Table,
        Some("view") => return KeepFailures::View,
        Some("ephemeral") => return KeepFailures::Never,
        Some(other) => settled.bad_choice("store_failures_as", other, &["table", "view", "ephemeral"]),
        None => {}
    }
    let Some(setting) = settled.get("store_failures").cloned() else { return KeepFailures::IfAsked };
    match &setting.value {
        Value::Bool(true) => KeepFailures::Table,
        Value::Bool(false) => KeepFailures::Never,
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            let message = "\"store_failures\" must be true or false";
            settled.mistakes.push(Diagnostic::error(Code::BadConfig, message).at(setting.span));
            KeepFailures::IfAsked
        }
    }
}

/// A test runs in the target's database, and in no other.
fn database(settled: &mut Settled, environment: &Environment) {
    let Some(setting) = settled.get("database").cloned() else { return };
    let Some(written) = settled.text("database") else { return };
    if written != environment.target.dbname {
        let message = format!("the target's database is \"{}\", not \"{written}\"", environment.target.dbname);
        settled.mistakes.push(
            Diagnostic::error(Code::BadConfig, message)
                .at(setting.span)
                .hint("failing rows are kept in the target's database: remove \"database\", or set \"schema\""),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_comparisons_with_numbers() {
        let good = [
            (">10", "> 10"),
            ("!= 0", "!= 0"),
            ("==1", "= 1"),
            ("between 1 and 3", "between 1 and 3"),
            ("NOT BETWEEN 1 AND 3", "not between 1 and 3"),
            ("in (1,2)", "in (1, 2)"),
            ("<= -0.5", "<= -0.5"),
        ];
        for (written, read) in good {
            assert_eq!(read_condition(written).as_deref(), Some(read), "{written}");
        }
        for bad in ["", "10", "> ten", "between 1", "> 1; drop table x", "in ()", "!", "> nan"] {
            assert_eq!(read_condition(bad), None, "{bad}");
        }
    }
}
