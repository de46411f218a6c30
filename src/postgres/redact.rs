//! Takes row values out of a server's texts, by a list of what is known to be free of them.
//!
//! Values stand in DETAIL, in the messages of data exceptions, in CONTEXT, and anywhere in what a function raises. A text
//! is kept where its SQLSTATE class never holds one, or where it fits a known pattern; every other text is hidden.

use crate::postgres::redact::pattern::fit;

mod context;
mod pattern;

/// What a server said, field by field.
pub struct Parts<'a> {
    pub sqlstate: &'a str,
    /// The C file that raised the error, which tells PL/pgSQL's RAISE from the server's own errors.
    pub file: &'a str,
    pub routine: &'a str,
    pub message: &'a str,
    pub detail: Option<&'a str>,
    pub hint: Option<&'a str>,
    pub context: Option<&'a str>,
    /// The error points into the statement that we sent, and so was found while it was read.
    pub in_our_statement: bool,
}

/// The same, free of values.
pub struct Redacted {
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub context: Option<String>,
}

/// Classes whose messages name objects, settings and numbers of the server, never the content of a row.
const NAMES_ONLY: [&str; 17] =
    ["03", "08", "0A", "21", "25", "26", "28", "2B", "2D", "3B", "3D", "3F", "40", "42", "53", "55", "57"];

/// `{}` is kept and `{…}` is hidden.
#[rustfmt::skip]
const MESSAGES: &[&str] = &[
    "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
    "null value in column \"{}\" violates not-null constraint",
    "column \"{}\" of relation \"{}\" contains null values",
    "duplicate key value violates unique constraint \"{}\"",
    "could not create unique index \"{}\"",
    "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
    "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
    "new row for relation \"{}\" violates check constraint \"{}\"",
    "check constraint \"{}\" of relation \"{}\" is violated by some row",
    "value for domain {} violates check constraint \"{}\"",
    "domain {} does not allow null values",
    "no partition of relation \"{}\" found for row",
    "new row for relation \"{}\" violates partition constraint",
    "conflicting key value violates exclusion constraint \"{}\"",
    "new row violates check option for view \"{}\"",
    "invalid input syntax for type {}: \"{…}\"",
    "invalid input syntax for type {}",
    "invalid input syntax for {}: \"{…}\"",
    "invalid input value for enum {}: \"{…}\"",
    "value \"{…}\" is out of range for type {}",
    "\"{…}\" is out of range for type {}",
    "value out of range: overflow",
    "value out of range: underflow",
    "value overflows numeric format",
    "value too long for type {}",
    "integer out of range",
    "bigint out of range",
    "smallint out of range",
    "interval out of range",
    "timestamp out of range",
    "date out of range",
    "date/time field value out of range: \"{…}\"",
    "interval field value out of range: \"{…}\"",
    "time zone \"{…}\" not recognized",
    "time zone displacement out of range: \"{…}\"",
    "numeric field overflow",
    "division by zero",
    "invalid byte sequence for encoding \"{}\": {…}",
    "character with byte sequence {…} in encoding \"{}\" has no equivalent in encoding \"{}\"",
    "malformed {} literal: \"{…}\"",
    "unsupported Unicode escape sequence",
    "missing data for column \"{}\"",
    "extra data after last expected column",
    "unterminated CSV quoted field",
    "index row size {} exceeds btree version {} maximum {} for index \"{}\"",
    "stack depth limit exceeded",
    "bit string length {} does not match type {}",
    "column name mismatch in header line field {}: got \"{…}\", expected \"{}\"",
    "wrong number of fields in header line: got {}, expected {}",
];

const DETAILS: &[&str] = &[
    "Key ({})=({…}) already exists.",
    "Key ({})=({…}) is duplicated.",
    "Key ({})=({…}) is not present in table \"{}\".",
    "Key ({})=({…}) is still referenced from table \"{}\".",
    "Key ({})=({…}) conflicts with existing key ({…}).",
    "Key ({})=({…}) conflicts with key ({…}).",
    "Failing row contains ({…}).",
    "Partition key of the failing row contains ({})=({…}).",
    "Partition key of the failing row contains ({}) = ({…}).",
    "MATCH FULL does not allow mixing of null and nonnull key values.",
    "A field with precision {}, scale {} must round to an absolute value less than {}.",
    "A field with precision {}, scale {} cannot hold an infinite value.",
    "Token \"{…}\" is invalid.",
    "Missing left parenthesis.",
    "The input string ended unexpectedly.",
];

/// Takes every value out of an error.
pub fn redact(parts: &Parts<'_>) -> Redacted {
    if is_raised(parts) {
        return Redacted {
            message: format!("{}, its text is hidden", raised_as(parts.sqlstate)),
            detail: None,
            hint: None,
            context: parts.context.and_then(context::redact),
        };
    }
    let names_only = NAMES_ONLY.contains(&class(parts.sqlstate)) && !may_quote_a_value(parts);
    let names = |text: Option<&str>| text.filter(|_| names_only).map(str::to_owned);
    Redacted {
        message: if names_only { parts.message.to_owned() } else { message(parts) },
        detail: names(parts.detail).or_else(|| parts.detail.and_then(|detail| fit_any(DETAILS, detail))),
        hint: names(parts.hint),
        context: parts.context.and_then(context::redact),
    }
}

fn class(sqlstate: &str) -> &str {
    sqlstate.get(..2).unwrap_or(sqlstate)
}

fn message(parts: &Parts<'_>) -> String {
    fit_any(MESSAGES, parts.message)
        .unwrap_or_else(|| format!("{} ({}), its text is hidden", class_name(parts.sqlstate), parts.sqlstate))
}

fn fit_any(patterns: &[&str], text: &str) -> Option<String> {
    patterns.iter().find_map(|pattern| fit(pattern, text))
}

/// A function of a procedural language may raise any text under any SQLSTATE.
fn is_raised(parts: &Parts<'_>) -> bool {
    class(parts.sqlstate) == "P0" && parts.sqlstate != "P0002" && parts.sqlstate != "P0003"
        || parts.routine == "exec_stmt_raise"
        || parts.file == "pl_exec.c" && parts.routine == "exec_stmt_assert"
        || ["plpy_", "plperl", "pltcl", "plv8"].iter().any(|language| parts.file.starts_with(language))
}

/// An error of syntax, or of a name, that is not in our statement may be in a value: `to_tsquery` reads its argument,
/// `regclass` looks one up, a function runs SQL that it put together.
fn may_quote_a_value(parts: &Parts<'_>) -> bool {
    let reads_values =
        ["42601", "42602", "42703", "42704", "42P01", "42883", "42725", "3D000", "3F000"].contains(&parts.sqlstate);
    reads_values && !parts.in_our_statement
}

fn raised_as(sqlstate: &str) -> String {
    format!("a function or trigger raised an exception ({sqlstate})")
}

fn class_name(sqlstate: &str) -> &'static str {
    match class(sqlstate) {
        "22" => "data exception",
        "23" => "integrity constraint violation",
        "44" => "check option violation",
        "42" => "syntax error in a value or a function",
        "54" => "program limit exceeded",
        "58" => "system error",
        "F0" => "configuration file error",
        "HV" => "foreign data wrapper error",
        "XX" => "internal error",
        _ => "error",
    }
}

#[cfg(test)]
mod tests;
