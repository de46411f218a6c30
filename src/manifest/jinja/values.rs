//! Python's lists and dicts: values that templates can change, with Python's methods and Python's way of printing.

mod dict;
mod list;
mod methods;
mod nesting;
mod print;

use minijinja::value::{ObjectRepr, Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind};

pub(super) use dict::Dict;
pub(super) use list::List;
pub(super) use methods::{method, to_list};
pub(super) use nesting::check as check_nesting;
pub(super) use print::print;

/// A value of JSON as templates see it; lists and objects can be changed.
pub fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Array(items) => List::value(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => {
            Dict::value(entries.iter().map(|(key, value)| (Value::from(key.as_str()), from_json(value))).collect())
        }
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) | serde_json::Value::String(_) => {
            Value::from(minijinja::value::Serde(json))
        }
    }
}

/// What `set` stores: sequences that the engine made become lists; everything else is left as it is.
pub(super) fn changeable(value: Value) -> Value {
    if !is_fixed_list(&value) {
        return value;
    }
    match value.try_iter() {
        Ok(items) => List::value(items.collect()),
        Err(_) => value,
    }
}

/// A sequence that the engine made and that no template can change.
pub(super) fn is_fixed_list(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    !value.is_tuple() && (object.is::<Vec<Value>>() || object.repr() == ObjectRepr::Iterable)
}

/// The entries of anything that is a mapping, or a sequence of pairs.
fn entries(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if value.kind() == ValueKind::Map {
        let Some(object) = value.as_object() else { return Ok(Vec::new()) };
        return Ok(object.try_iter_pairs().map(Iterator::collect).unwrap_or_default());
    }
    let pairs = value.try_iter()?.map(|pair| {
        let mut items = pair.try_iter()?;
        match (items.next(), items.next(), items.next()) {
            (Some(key), Some(value), None) => Ok((key, value)),
            _ => Err(Error::new(ErrorKind::InvalidOperation, "a dict is made of pairs")),
        }
    });
    pairs.collect()
}

fn pair(key: Value, value: Value) -> Value {
    Value::from(Tuple::from([key, value]))
}
