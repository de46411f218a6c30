//! Macros as values: looked up by name, read into the render when first called, and aware of `return()`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Kwargs, Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::library::{Package, UnitId};
use super::scope::{Fixed, Overridden, Scope};
use super::values::{Dict, List, from_json};

/// A macro that a name stands for; nothing is read before it is called.
pub(super) struct Macro {
    pub scope: Arc<Scope>,
    pub unit: UnitId,
    pub name: String,
}

/// A package's name in a template: `dbt_utils.star(…)`.
pub(super) struct Namespace {
    pub scope: Arc<Scope>,
    pub package: Package,
}

/// A macro of the engine, called as dbt calls one.
#[derive(Debug)]
pub(super) struct Returning {
    raw: Value,
    takes_varargs: bool,
    takes_kwargs: bool,
    parameters: Vec<String>,
}

/// The value of `return()`, on its way out of the macro.
#[derive(Debug)]
struct Returned(Value);

impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("return() is called outside of a macro")
    }
}

impl std::error::Error for Returned {}

/// `return(value)`: an error that the macro's caller turns into the value.
pub(super) fn returning(value: Value) -> Error {
    Error::new(ErrorKind::InvalidOperation, "return() is called outside of a macro").with_source(Returned(value))
}

/// What `return()` was given, if that is why the macro stopped.
pub(super) fn returned(error: &Error) -> Option<Value> {
    let cause = std::error::Error::source(error)?;
    cause.downcast_ref::<Returned>().map(|returned| returned.0.clone())
}

impl Returning {
    pub fn new(raw: Value) -> Self {
        let parameters: Vec<String> = match raw.get_attr("arguments").and_then(|names| names.try_iter()) {
            Ok(names) => names.map(|name| name.to_string()).collect(),
            Err(_) => Vec::new(),
        };
        let takes = |name: &str| parameters.iter().any(|parameter| parameter == name);
        let (takes_varargs, takes_kwargs) = (takes("varargs"), takes("kwargs"));
        let parameters = parameters.into_iter().filter(|name| name != "varargs" && name != "kwargs").collect();
        Self { raw, takes_varargs, takes_kwargs, parameters }
    }

    /// Arguments beyond the parameters go into `varargs` and `kwargs`, for macros that ask for them.
    fn packed(&self, args: &[Value]) -> Result<Vec<Value>, Error> {
        if !self.takes_varargs && !self.takes_kwargs {
            return Ok(args.to_vec());
        }
        let (positional, named) = match args.split_last() {
            Some((last, before)) if last.is_kwargs() => (before, Some(Kwargs::try_from(last.clone())?)),
            Some(_) | None => (args, None),
        };
        let mut passed: Vec<(String, Value)> = Vec::new();
        let mut extra = Vec::new();
        for name in named.iter().flat_map(Kwargs::args) {
            let value = named.as_ref().map(|named| named.get::<Value>(name)).transpose()?.unwrap_or_default();
            if name == "caller" || self.parameters.iter().any(|parameter| parameter == name) || !self.takes_kwargs {
                passed.push((name.to_owned(), value));
            } else {
                extra.push((Value::from(name), value));
            }
        }
        let own = if self.takes_varargs { positional.len().min(self.parameters.len()) } else { positional.len() };
        if self.takes_varargs {
            passed.push(("varargs".to_owned(), List::value(positional[own..].to_vec())));
        }
        if self.takes_kwargs {
            passed.push(("kwargs".to_owned(), Dict::value(extra)));
        }
        let mut packed = positional[..own].to_vec();
        packed.push(Kwargs::from_iter(passed).into());
        Ok(packed)
    }
}

impl Object for Returning {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.raw.get_item(key).ok().filter(|value| !value.is_undefined())
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let packed = self.packed(args)?;
        self.raw.call(state, &packed).or_else(|error| match returned(&error) {
            Some(value) => Ok(value),
            // The engine notes at the new error where the call stands: a chain of places.
            None => Err(Error::new(ErrorKind::InvalidOperation, "in a macro").with_source(error)),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.raw)
    }
}

impl fmt::Debug for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<macro {}>", self.name)
    }
}

impl Object for Macro {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let found = self.scope.loaded(state, (self.unit, &self.name))?;
        found.call(state, args)
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scope.shared.library.package_name(self.package))
    }
}

impl Namespace {
    fn find(self: &Arc<Self>, name: &str) -> Option<Value> {
        let package = self.scope.shared.library.package_name(self.package);
        if let Some(value) = self.scope.names.overridden(Overridden::Macro, &format!("{package}.{name}")) {
            return Some(Value::from_object(Fixed(from_json(&value))));
        }
        let unit = self.scope.shared.library.find_in(self.package, name)?;
        Some(self.scope.macro_value(unit, name))
    }
}

impl Object for Namespace {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.find(key.as_str()?)
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match self.find(method) {
            Some(found) => found.call(state, args),
            None => Err(Error::new(ErrorKind::UnknownFunction, format!("{method} is unknown"))),
        }
    }
}
