//! Values as Python prints them: `True`, `None`, `['a', 1]`.

use minijinja::value::{Value, ValueKind};

/// What `{{ value }}` writes.
pub fn print(value: &Value) -> String {
    match value.kind() {
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::Bool | ValueKind::None | ValueKind::Seq => repr(value),
        _ if is_foreign(value) => repr(value),
        _ => value.to_string(),
    }
}

/// A container that the engine made, whose own way of printing is not Python's.
fn is_foreign(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    value.is_kwargs() || object.repr() == minijinja::value::ObjectRepr::Iterable
}

/// How a value is written inside a list.
pub fn repr(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => "Undefined".to_owned(),
        ValueKind::None => "None".to_owned(),
        ValueKind::Bool => (if value.is_true() { "True" } else { "False" }).to_owned(),
        ValueKind::String => quoted(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => sequence(value),
        _ => value.to_string(),
    }
}

fn sequence(value: &Value) -> String {
    let Ok(items) = value.try_iter() else { return value.to_string() };
    let items: Vec<String> = items.map(|item| repr(&item)).collect();
    if !value.is_tuple() {
        return format!("[{}]", items.join(", "));
    }
    match items.as_slice() {
        [one] => format!("({one},)"),
        many => format!("({})", many.join(", ")),
    }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for letter in text.chars() {
        match letter {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if letter == quote => {
                quoted.push('\\');
                quoted.push(letter);
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push(quote);
    quoted
}
