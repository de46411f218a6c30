//! Functions and objects of the context: each bound to the render that looked it up.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::scope::Scope;

/// A function of the context.
pub(super) type Native = fn(&Arc<Scope>, &mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

/// An object of the context: what calling it does, its methods and its members.
pub(super) struct Kind {
    pub name: &'static str,
    pub call: Native,
    pub method: Method,
    pub member: fn(&Arc<Scope>, &str) -> Option<Value>,
}

/// `object.name(…)`; [`ErrorKind::UnknownMethod`] lets a member of that name be called.
pub(super) type Method = fn(&Arc<Scope>, &mut State<'_, '_>, &str, &[Value]) -> Result<Value, Error>;

impl Kind {
    /// An object that does nothing yet.
    pub const PLAIN: Self = Self {
        name: "object",
        call: |_, _, _| Err(Error::new(ErrorKind::InvalidOperation, "this is not a function")),
        method: |_, _, _, _| Err(Error::from(ErrorKind::UnknownMethod)),
        member: |_, _| None,
    };
}

struct Bound {
    scope: Arc<Scope>,
    kind: &'static Kind,
}

struct BoundFunction {
    scope: Arc<Scope>,
    name: &'static str,
    call: Native,
}

pub(super) fn object(scope: &Arc<Scope>, kind: &'static Kind) -> Value {
    Value::from_object(Bound { scope: Arc::clone(scope), kind })
}

pub(super) fn function(scope: &Arc<Scope>, name: &'static str, call: Native) -> Value {
    Value::from_object(BoundFunction { scope: Arc::clone(scope), name, call })
}

/// A mistake that a template made in calling what it is given.
pub(super) fn refused(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.kind.name)
    }
}

impl Object for Bound {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (self.kind.member)(&self.scope, key.as_str()?)
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.kind.call)(&self.scope, state, args)
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        (self.kind.method)(&self.scope, state, method, args).map_err(|error| match error.kind() {
            ErrorKind::UnknownMethod
                if error.detail().is_none() && (self.kind.member)(&self.scope, method).is_none() =>
            {
                Error::new(ErrorKind::UnknownFunction, format!("{}.{method} is unknown", self.kind.name))
            }
            _ => error,
        })
    }
}

impl fmt::Debug for BoundFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<function {}>", self.name)
    }
}

impl Object for BoundFunction {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.call)(&self.scope, state, args)
    }
}
