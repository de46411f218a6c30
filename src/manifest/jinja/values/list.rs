//! Python's list.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{DynObject, Enumerator, Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::nesting::{Identity, check};
use super::print::repr;
use crate::manifest::jinja::limits::{collected, pay_for_items};

#[derive(Debug)]
pub struct List(Mutex<Vec<Value>>);

impl List {
    pub fn value(items: Vec<Value>) -> Value {
        Value::from_object(Self(Mutex::new(items)))
    }

    fn items(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The items as they are now.
    pub fn snapshot(&self) -> Vec<Value> {
        self.items().clone()
    }

    fn identity(&self) -> Identity {
        std::ptr::from_ref(self).cast()
    }

    /// A place of Python's: negative counts from the end.
    fn place(&self, at: i64) -> Option<usize> {
        let length = self.items().len();
        let at = if at < 0 { i64::try_from(length).ok()? + at } else { at };
        usize::try_from(at).ok().filter(|at| *at < length)
    }

    fn pop(&self, at: i64) -> Result<Value, Error> {
        let place = self.place(at).ok_or_else(|| failed("pop from a list that has no such item"))?;
        Ok(self.items().remove(place))
    }

    fn position(&self, item: &Value) -> Result<usize, Error> {
        let found = self.snapshot().iter().position(|other| other == item);
        found.ok_or_else(|| failed(format!("{} is not in the list", repr(item))))
    }

    fn sort(&self, args: &[Value]) -> Result<(), Error> {
        let (options,): (Kwargs,) = from_args(args)?;
        let reverse = options.get::<Option<bool>>("reverse")?.unwrap_or_default();
        options.assert_all_used()?;
        // Not while it is locked: to compare lists reads them.
        let mut items = self.snapshot();
        items.sort();
        if reverse {
            items.reverse();
        }
        *self.items() = items;
        Ok(())
    }
}

pub(super) fn failed(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.items().get(key.as_usize()?).cloned()
    }

    /// The items as they are when a loop starts.
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.snapshot())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.items().len())
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if !matches!(method, "append" | "pop") {
            pay_for_items(state, self.items().len())?;
        }
        match method {
            "append" => {
                let (item,): (Value,) = from_args(args)?;
                check(state, Some(self.identity()), [&item])?;
                self.items().push(item);
            }
            "extend" => {
                let (more,): (Value,) = from_args(args)?;
                let more = collected(state, &more)?;
                check(state, Some(self.identity()), &more)?;
                self.items().extend(more);
            }
            "insert" => {
                let (at, item): (i64, Value) = from_args(args)?;
                check(state, Some(self.identity()), [&item])?;
                let end = self.items().len();
                let place = self.place(at).unwrap_or(if at < 0 { 0 } else { end });
                self.items().insert(place, item);
            }
            "pop" => {
                let (at,): (Option<i64>,) = from_args(args)?;
                return self.pop(at.unwrap_or(-1));
            }
            "remove" => {
                let (item,): (Value,) = from_args(args)?;
                let at = self.position(&item)?;
                self.items().remove(at);
            }
            "index" => {
                let (item,): (Value,) = from_args(args)?;
                return self.position(&item).map(Value::from);
            }
            "count" => {
                let (item,): (Value,) = from_args(args)?;
                return Ok(self.snapshot().iter().filter(|other| **other == item).count().into());
            }
            "clear" => self.items().clear(),
            "reverse" => self.items().reverse(),
            "sort" => self.sort(args)?,
            "copy" => return Ok(Self::value(self.snapshot())),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?.snapshot();
        Some(self.snapshot().cmp(&other))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items: Vec<String> = self.snapshot().iter().map(repr).collect();
        write!(f, "[{}]", items.join(", "))
    }
}
