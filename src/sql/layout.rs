//! The filters with which templates lay out lists of column names.
//!
//! Each takes a list of quoted names, and optionally the aliases to put before them.

use minijinja::value::Value;
use minijinja::{Error, ErrorKind};

/// `a, b` or `alias.a, alias.b`.
pub(super) fn inline(names: &Value, alias: Option<&str>) -> Result<Value, Error> {
    let names = qualified(names, alias)?;
    Ok(Value::from_safe_string(names.join(", ")))
}

/// `a::text, b::text`, for showing values of any type.
pub(super) fn inline_text(names: &Value) -> Result<Value, Error> {
    let names: Vec<String> = quoted_names(names)?.iter().map(|name| format!("{name}::text")).collect();
    Ok(Value::from_safe_string(names.join(", ")))
}

/// One name a line, indented by four.
pub(super) fn lines(names: &Value, alias: Option<&str>) -> Result<Value, Error> {
    let names = qualified(names, alias)?;
    Ok(Value::from_safe_string(format!("    {}", names.join(",\n    "))))
}

/// `left.a = right.a and left.b = right.b`.
pub(super) fn matching(names: &Value, left: &str, right: &str) -> Result<Value, Error> {
    let pairs: Vec<String> =
        quoted_names(names)?.iter().map(|name| format!("{left}.{name} = {right}.{name}")).collect();
    Ok(Value::from_safe_string(pairs.join(" and ")))
}

/// `a = alias.a`, one a line, indented by four.
pub(super) fn setting(names: &Value, alias: &str) -> Result<Value, Error> {
    let pairs: Vec<String> = quoted_names(names)?.iter().map(|name| format!("    {name} = {alias}.{name}")).collect();
    Ok(Value::from_safe_string(pairs.join(",\n")))
}

fn qualified(names: &Value, alias: Option<&str>) -> Result<Vec<String>, Error> {
    let names = quoted_names(names)?;
    Ok(match alias {
        Some(alias) => names.iter().map(|name| format!("{alias}.{name}")).collect(),
        None => names,
    })
}

fn quoted_names(names: &Value) -> Result<Vec<String>, Error> {
    names
        .try_iter()?
        .map(|name| {
            if name.is_safe() {
                Ok(name.to_string())
            } else {
                Err(Error::new(ErrorKind::InvalidOperation, "a list of names holds one that is unquoted string"))
            }
        })
        .collect()
}
