//! What templates are rewritten to call; see [`super::super::rewrite`].

use std::sync::Arc;

use minijinja::formatting::{FormatStyle, format as format_text};
use minijinja::value::{Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::manifest::jinja::limits::{check_format, check_width, collected};
use crate::manifest::jinja::scope::Scope;
use crate::manifest::jinja::values::{List, check_nesting, is_fixed_list};

pub fn importer(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (importer,): (Value,) = from_args(args)?;
    scope.take_importer(importer);
    Ok(Value::from(""))
}

pub fn define(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, raw): (String, Value) = from_args(args)?;
    Ok(scope.define(name, raw))
}

/// Calls the macro that the render is about, and keeps what it gives.
pub fn entry(scope: &Arc<Scope>, state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
    let Some(entry) = &scope.entry else { return Ok(Value::from("")) };
    let library = &scope.shared.library;
    let (package, name) = match entry.name.split_once('.') {
        Some((package, name)) => (library.package(package), name),
        None => (None, entry.name.as_str()),
    };
    let unit = match package {
        Some(package) => library.find_in(package, name),
        None => library.find(name, scope.package()).or_else(|| library.built_in(name)),
    };
    let Some(unit) = unit else {
        return Err(Error::new(ErrorKind::UnknownFunction, format!("{} is unknown", entry.name)));
    };
    let value = scope.macro_value(unit, name).call(state, &entry.args)?;
    scope.notes().given = Some(value.clone());
    Ok(if value.is_none() { Value::from("") } else { value })
}

pub fn list(_scope: &Arc<Scope>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (items,): (Value,) = from_args(args)?;
    let items = collected(state, &items)?;
    check_nesting(state, None, &items)?;
    Ok(List::value(items))
}

pub fn value(_scope: &Arc<Scope>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (value,): (Value,) = from_args(args)?;
    if value.is_tuple() {
        check_nesting(state, None, [&value])?;
    }
    if !is_fixed_list(&value) {
        return Ok(value);
    }
    let items = collected(state, &value)?;
    check_nesting(state, None, &items)?;
    Ok(List::value(items))
}

pub fn nothing(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
    Ok(Value::from(""))
}

/// `'%s' % x`.
pub fn format(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (text, values): (&str, Value) = from_args(args)?;
    check_format(text)?;
    let values: Vec<Value> = if values.is_tuple() { values.try_iter()?.collect() } else { vec![values] };
    check_stars(text, &values)?;
    format_text(FormatStyle::Printf, text, &values).map(Value::from)
}

/// `'%*d' % (width, x)` has its width among the values.
fn check_stars(text: &str, values: &[Value]) -> Result<(), Error> {
    if text.contains('*') {
        for width in values.iter().filter_map(Value::as_i64).filter_map(|width| usize::try_from(width.abs()).ok()) {
            check_width(width)?;
        }
    }
    Ok(())
}
