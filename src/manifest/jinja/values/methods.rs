//! Python's methods of strings and of sequences that the engine made.

use minijinja::value::{Tuple, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat;

use super::List;
use super::changeable;
use super::list::failed;
use crate::manifest::jinja::limits::{check_format, check_width, collected, pay_for_bytes};

/// What the engine asks when it knows no method of that name.
pub fn method(state: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if let Some(text) = value.as_str()
        && let Some(given) = text_method(text, method, args)
    {
        return given;
    }
    if let Some(text) = value.as_str() {
        pay_for_method(state, text, (method, args))?;
    }
    if value.kind() == ValueKind::Seq && matches!(method, "append" | "extend" | "insert") {
        return Err(failed(format!("this sequence cannot be changed: make a list of it first, and then .{method}()")));
    }
    if value.is_tuple() && method == "index" {
        let (item,): (Value,) = from_args(args)?;
        let found = value.try_iter()?.position(|other| other == item);
        return found.map(Value::from).ok_or_else(|| failed("the tuple has no such item"));
    }
    pycompat::unknown_method_callback(state, value, method, args).map(changeable)
}

/// Those that [`pycompat`] lacks.
fn text_method(text: &str, method: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    Some(match method {
        "zfill" => from_args(args).and_then(|(width,): (usize,)| Ok(zero_filled(text, check_width(width)?))),
        "ljust" => padded(args, |width, with| format!("{text}{}", with.repeat(missing(text, width)))),
        "rjust" => padded(args, |width, with| format!("{}{text}", with.repeat(missing(text, width)))),
        "center" => padded(args, |width, with| {
            let left = missing(text, width) / 2;
            format!("{}{text}{}", with.repeat(left), with.repeat(missing(text, width) - left))
        }),
        "removeprefix" => from_args(args).map(|(part,): (&str,)| text.strip_prefix(part).unwrap_or(text).into()),
        "removesuffix" => from_args(args).map(|(part,): (&str,)| text.strip_suffix(part).unwrap_or(text).into()),
        "casefold" => Ok(text.to_lowercase().into()),
        "swapcase" => Ok(swapped(text).into()),
        "partition" => from_args(args).map(|(by,): (&str,)| parts(text, by, text.split_once(by), Whole::First)),
        "rpartition" => from_args(args).map(|(by,): (&str,)| parts(text, by, text.rsplit_once(by), Whole::Last)),
        "rsplit" => from_args(args).map(|(by, most): (Option<&str>, Option<usize>)| rsplit(text, by, most)),
        "index" => from_args(args).and_then(|(part,): (&str,)| match text.find(part) {
            Some(at) => Ok(text[..at].chars().count().into()),
            None => Err(failed(format!("'{part}' is not in the text"))),
        }),
        "encode" => Ok(text.into()),
        _ => return None,
    })
}

/// Takes steps for what the engine's own methods are about to make.
fn pay_for_method(state: &State<'_, '_>, text: &str, (method, args): (&str, &[Value])) -> Result<(), Error> {
    match (method, args) {
        ("replace", [old, new, ..]) => {
            let found = match old.as_str() {
                Some(old) if !old.is_empty() => text.matches(old).count(),
                Some(_) | None => text.len() + 1,
            };
            pay_for_bytes(state, text.len() + found.saturating_mul(new.as_str().map_or(0, str::len)))
        }
        ("join", [items, ..]) => {
            let count = items.len().unwrap_or_default();
            let inside: usize = match items.try_iter() {
                Ok(items) => items.filter_map(|item| item.as_str().map(str::len)).sum(),
                Err(_) => 0,
            };
            pay_for_bytes(state, inside.saturating_add(count.saturating_mul(text.len())))
        }
        ("format", _) => check_format(text),
        _ => pay_for_bytes(state, text.len()),
    }
}

fn missing(text: &str, width: usize) -> usize {
    width.saturating_sub(text.chars().count())
}

fn padded(args: &[Value], pad: impl FnOnce(usize, &str) -> String) -> Result<Value, Error> {
    let (width, with): (usize, Option<&str>) = from_args(args)?;
    Ok(pad(check_width(width)?, with.unwrap_or(" ")).into())
}

fn zero_filled(text: &str, width: usize) -> Value {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    format!("{sign}{}{digits}", "0".repeat(missing(text, width))).into()
}

fn swapped(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let other: Vec<char> =
                if letter.is_uppercase() { letter.to_lowercase().collect() } else { letter.to_uppercase().collect() };
            other
        })
        .collect()
}

/// Where the whole text goes when there is nothing to part it by.
enum Whole {
    First,
    Last,
}

fn parts(text: &str, by: &str, parts: Option<(&str, &str)>, whole: Whole) -> Value {
    let three = match (parts, whole) {
        (Some((before, after)), _) => [before, by, after],
        (None, Whole::First) => [text, "", ""],
        (None, Whole::Last) => ["", "", text],
    };
    Value::from(Tuple::from(three.map(Value::from).to_vec()))
}

fn rsplit(text: &str, by: Option<&str>, most: Option<usize>) -> Value {
    let limit = most.map_or(usize::MAX, |most| most + 1);
    let mut parts: Vec<&str> = match by {
        Some(by) => text.rsplitn(limit, by).collect(),
        None => text.trim().rsplitn(limit, char::is_whitespace).filter(|part| !part.is_empty()).collect(),
    };
    parts.reverse();
    List::value(parts.into_iter().map(Value::from).collect())
}

/// `x | list`.
pub fn to_list(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(List::value(Vec::new())),
        ValueKind::None => Err(Error::new(ErrorKind::InvalidOperation, "None is not a sequence")),
        _ => collected(state, value).map(List::value),
    }
}
