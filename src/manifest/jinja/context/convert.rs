//! JSON, YAML, sets, pairs and hashes.

use std::fmt::Write;
use std::sync::Arc;

use md5::{Digest, Md5};
use minijinja::value::{Kwargs, Tuple, Value, from_args};
use minijinja::{Error, State};

use crate::manifest::jinja::native::refused;
use crate::manifest::jinja::scope::Scope;
use crate::manifest::jinja::values::{Dict, List, from_json};
use crate::project::yaml_value;

type Given = Result<Value, Error>;

/// `fromjson(text, default)`.
pub fn fromjson(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (text, default): (String, Option<Value>) = from_args(args)?;
    let parsed: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    Ok(parsed.as_ref().map(from_json).or(default).unwrap_or(Value::from(())))
}

/// `tojson(value, default, sort_keys=false)`, as Python writes JSON.
pub fn tojson(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (value, default, options): (Value, Option<Value>, Kwargs) = from_args(args)?;
    let sorted = options.get::<Option<bool>>("sort_keys")?.unwrap_or_default();
    match serde_json::to_value(&value) {
        Ok(json) => {
            let mut text = String::new();
            write_json(&json, sorted, &mut text);
            Ok(Value::from(text))
        }
        Err(_) => Ok(default.unwrap_or(Value::from(()))),
    }
}

/// With a blank after each comma and colon.
fn write_json(json: &serde_json::Value, sorted: bool, text: &mut String) {
    match json {
        serde_json::Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ", " });
                write_json(item, sorted, text);
            }
            text.push(']');
        }
        serde_json::Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            if sorted {
                entries.sort_by_key(|(key, _)| key.as_str());
            }
            text.push('{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ", " });
                text.push_str(&serde_json::Value::from(key.as_str()).to_string());
                text.push_str(": ");
                write_json(value, sorted, text);
            }
            text.push('}');
        }
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => text.push_str(&json.to_string()),
    }
}

/// `fromyaml(text, default)`.
pub fn fromyaml(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (text, default): (String, Option<Value>) = from_args(args)?;
    let parsed: Option<serde_json::Value> = yaml_value(&text);
    Ok(parsed.as_ref().map(from_json).or(default).unwrap_or(Value::from(())))
}

/// `toyaml(value, default)`.
pub fn toyaml(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (value, default, _options): (Value, Option<Value>, Kwargs) = from_args(args)?;
    let written = serde_json::to_value(&value).ok().and_then(|json| serde_yaml::to_string(&json).ok());
    Ok(written.map(Value::from).or(default).unwrap_or(Value::from(())))
}

/// The distinct items in the order in which they came; `none` of what is no sequence.
pub fn set(scope: &Arc<Scope>, state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (_, default): (Value, Option<Value>) = from_args(args)?;
    Ok(set_strict(scope, state, &args[..1]).ok().or(default).unwrap_or(Value::from(())))
}

pub fn set_strict(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (items,): (Value,) = from_args(args)?;
    let mut distinct: indexmap::IndexSet<Value> = indexmap::IndexSet::new();
    distinct.extend(items.try_iter()?);
    Ok(List::value(distinct.into_iter().collect()))
}

/// Tuples of the lists' items, as many as the shortest has; `none` where one is no sequence.
pub fn zip(scope: &Arc<Scope>, state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (lists, default) = match args.split_last() {
        Some((last, lists)) if last.is_kwargs() => {
            (lists, Kwargs::try_from(last.clone())?.get::<Option<Value>>("default")?)
        }
        Some(_) | None => (args, None),
    };
    Ok(zip_strict(scope, state, lists).ok().or(default).unwrap_or(Value::from(())))
}

pub fn zip_strict(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let lists: Vec<Vec<Value>> =
        args.iter().map(|list| list.try_iter().map(Iterator::collect)).collect::<Result<_, _>>()?;
    let length = lists.iter().map(Vec::len).min().unwrap_or_default();
    let tuples = (0..length).map(|at| {
        let items: Vec<Value> = lists.iter().map(|list| list[at].clone()).collect();
        Value::from(Tuple::from(items))
    });
    Ok(List::value(tuples.collect()))
}

pub fn local_md5(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (text,): (Value,) = from_args(args)?;
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(text.to_string().as_bytes()) {
        write!(hex, "{byte:02x}").map_err(|error| refused(error.to_string()))?;
    }
    Ok(Value::from(hex))
}

pub fn dict(_scope: &Arc<Scope>, state: &mut State<'_, '_>, args: &[Value]) -> Given {
    Dict::made(state, args)
}

/// The engine's own: only that one can be assigned to.
pub fn namespace(_scope: &Arc<Scope>, state: &mut State<'_, '_>, args: &[Value]) -> Given {
    match state.env().globals().find(|(name, _)| *name == "namespace") {
        Some((_, namespace)) => namespace.call(state, args),
        None => Err(refused("namespace is unknown")),
    }
}
