//! Python's dict: in the order in which keys were first given.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::list::{List, failed};
use super::nesting::check;
use super::print::repr;
use super::{entries, pair};
use crate::manifest::jinja::limits::pay_for_items;

#[derive(Debug)]
pub struct Dict(Mutex<IndexMap<Value, Value>>);

impl Dict {
    pub fn value(entries: Vec<(Value, Value)>) -> Value {
        Value::from_object(Self(Mutex::new(entries.into_iter().collect())))
    }

    /// What `dict(…)` and a literal make: the entries of a mapping, of pairs, of keyword arguments.
    pub fn made(state: &State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let entries = given(args)?;
        check(state, None, entries.iter().map(|(_, value)| value))?;
        Ok(Self::value(entries))
    }

    fn entries(&self) -> MutexGuard<'_, IndexMap<Value, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entries as they are now.
    pub fn snapshot(&self) -> Vec<(Value, Value)> {
        self.entries().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// A mapping and keyword arguments, either of which may be missing.
fn given(args: &[Value]) -> Result<Vec<(Value, Value)>, Error> {
    let (first, named): (Option<Value>, Kwargs) = from_args(args)?;
    let mut found = first.map(|first| entries(&first)).transpose()?.unwrap_or_default();
    for name in named.args() {
        found.push((Value::from(name), named.get(name)?));
    }
    Ok(found)
}

impl Object for Dict {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.entries().get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries().keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.entries().len())
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let identity = || Some(std::ptr::from_ref(&**self).cast());
        if !matches!(method, "get" | "setdefault") {
            pay_for_items(state, self.entries().len())?;
        }
        Ok(match method {
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                self.get_value(&key).or(default).unwrap_or(Value::from(()))
            }
            "items" => List::value(self.snapshot().into_iter().map(|(key, value)| pair(key, value)).collect()),
            "keys" => List::value(self.entries().keys().cloned().collect()),
            "values" => List::value(self.entries().values().cloned().collect()),
            "update" => {
                let more = given(args)?;
                check(state, identity(), more.iter().map(|(_, value)| value))?;
                self.entries().extend(more);
                Value::from(())
            }
            "setdefault" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                check(state, identity(), &default)?;
                self.entries().entry(key).or_insert(default.unwrap_or(Value::from(()))).clone()
            }
            "pop" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                let found = self.entries().shift_remove(&key).or(default);
                found.ok_or_else(|| failed(format!("the dict has no key {}", repr(&key))))?
            }
            "clear" => {
                self.entries().clear();
                Value::from(())
            }
            "copy" => Self::value(self.snapshot()),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.snapshot();
        let shown: Vec<String> = entries.iter().map(|(key, value)| format!("{}: {}", repr(key), repr(value))).collect();
        write!(f, "{{{}}}", shown.join(", "))
    }
}
