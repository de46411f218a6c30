//! `ref`, `source`, `config`, `var`, `env_var`, `flags`: what the project itself answers.

use std::sync::Arc;

use minijinja::value::{Kwargs, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::diagnostic::Code;
use crate::manifest::jinja::callable::returning;
use crate::manifest::jinja::native::{Kind, object, refused};
use crate::manifest::jinja::scope::{Overridden, Scope, SourceCall};
use crate::manifest::jinja::values::from_json;

pub const CONFIG: Kind = Kind { name: "config", call: configure, method: config_method, ..Kind::PLAIN };
pub const VAR: Kind = Kind { name: "var", call: var, method: var_method, ..Kind::PLAIN };
pub const FLAGS: Kind = Kind { name: "flags", member: flag, ..Kind::PLAIN };
/// dbt's own functions under the names that a project's macros may have taken.
pub const BUILTINS: Kind = Kind { name: "builtins", member: super::built_in, ..Kind::PLAIN };
/// Every name, for templates that compute one.
pub const CONTEXT: Kind = Kind { name: "context", member: any_name, method: context_method, ..Kind::PLAIN };
/// The package of what comes along.
pub const DBT: Kind = Kind { name: "dbt", member: dbt_name, ..Kind::PLAIN };

pub fn reference(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (first, second, kwargs): (String, Option<String>, Kwargs) = from_args(args)?;
    for version in ["v", "version"] {
        if kwargs.get::<Option<Value>>(version)?.is_some_and(|version| !version.is_none()) {
            return Err(refused("models have no versions here: write ref('name')"));
        }
    }
    kwargs.assert_all_used()?;
    match second {
        Some(name) => scope.names.reference(Some(&first), &name),
        None => scope.names.reference(None, &first),
    }
}

pub fn source(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (source, table, kwargs): (String, String, Kwargs) = from_args(args)?;
    let deleted = kwargs.get::<Option<bool>>("deleted")?.unwrap_or_default();
    kwargs.assert_all_used()?;
    scope.names.source(SourceCall { source: &source, table: &table, deleted })
}

pub fn crosswalk(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (entity, member): (String, Option<String>) = from_args(args)?;
    scope.names.crosswalk(&entity, member.as_deref())
}

pub fn give_back(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (value,): (Option<Value>,) = from_args(args)?;
    Err(returning(value.unwrap_or(Value::from(()))))
}

/// Keyword arguments, or one map.
fn configure(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    for arg in args {
        match serde_json::to_value(arg) {
            Ok(serde_json::Value::Object(settings)) => scope.names.configure(settings),
            Ok(_) | Err(_) => return Err(refused("config takes keyword arguments or one map")),
        }
    }
    Ok(Value::from(""))
}

fn config_method(scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "get" | "require" => {
            // `validator=` is dbt's own.
            let (key, default, options): (String, Option<Value>, Kwargs) = from_args(args)?;
            let named = options.get::<Option<Value>>("default")?;
            let found = scope.names.configured(&key).or(default).or(named);
            match found {
                None if method == "require" => Err(refused(format!("config \"{key}\" is required and not set"))),
                found => Ok(found.unwrap_or(Value::from(()))),
            }
        }
        "meta_get" | "meta_require" => {
            let (key, default, options): (String, Option<Value>, Kwargs) = from_args(args)?;
            let named = options.get::<Option<Value>>("default")?;
            let meta = scope.names.configured("meta");
            let own = meta.and_then(|meta| meta.get_attr(&key).ok()).filter(|value| !value.is_undefined());
            match own.or(default).or(named) {
                None if method == "meta_require" => Err(refused(format!("meta \"{key}\" is required and not set"))),
                found => Ok(found.unwrap_or(Value::from(()))),
            }
        }
        "set" => {
            let (key, value): (String, Value) = from_args(args)?;
            let value = serde_json::to_value(&value).map_err(|error| refused(error.to_string()))?;
            scope.names.configure(std::iter::once((key, value)).collect());
            Ok(Value::from(""))
        }
        "persist_relation_docs" | "persist_column_docs" => Ok(Value::from(false)),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn var(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, default, options): (String, Option<Value>, Kwargs) = from_args(args)?;
    let default = default.or(options.get::<Option<Value>>("default")?);
    let told = scope.names.overridden(Overridden::Var, &name).map(|value| from_json(&value));
    let found = told.or_else(|| scope.vars().get(&name).map(from_json));
    Ok(found.or(default).unwrap_or_else(|| scope.missing(Code::UnknownVar, "var", name)))
}

fn var_method(scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "has_var" => {
            let (name,): (String,) = from_args(args)?;
            Ok(scope.vars().contains_key(&name).into())
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

pub fn env_var(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, default): (String, Option<Value>) = from_args(args)?;
    if let Some(value) = scope.names.overridden(Overridden::EnvVar, &name) {
        return Ok(from_json(&value));
    }
    let found = scope.shared.env.get(&name).map(Value::from);
    Ok(found.or(default).unwrap_or_else(|| scope.missing(Code::MissingEnvVar, "env_var", name)))
}

pub fn should_full_refresh(scope: &Arc<Scope>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
    let own = scope.names.configured("full_refresh").filter(|value| !value.is_none());
    Ok(own.unwrap_or_else(|| scope.shared.invocation.full_refresh.into()))
}

pub fn should_store_failures(scope: &Arc<Scope>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
    let own = scope.names.configured("store_failures").filter(|value| !value.is_none());
    Ok(own.unwrap_or_else(|| scope.shared.invocation.store_failures.into()))
}

/// What the command line asks for; a flag that dbt does not show is undefined.
fn flag(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    let invocation = &scope.shared.invocation;
    Some(match name {
        "FULL_REFRESH" => invocation.full_refresh.into(),
        "STORE_FAILURES" => invocation.store_failures.into(),
        "WHICH" => invocation.command.as_str().into(),
        name => from_json(invocation.flags.get(name)?),
    })
}

fn any_name(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    minijinja::value::Object::get_value_by_str(scope, name)
}

fn context_method(
    scope: &Arc<Scope>,
    _state: &mut State<'_, '_>,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match method {
        "get" => {
            let (name, default): (String, Option<Value>) = from_args(args)?;
            Ok(any_name(scope, &name).or(default).unwrap_or(Value::from(())))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn dbt_name(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    let library = &scope.shared.library;
    match library.built_in(name) {
        Some(unit) => Some(scope.macro_value(unit, name)),
        None => super::built_in(scope, name),
    }
}

/// For the member tables of other objects.
pub fn bound(scope: &Arc<Scope>, kind: &'static Kind) -> Option<Value> {
    Some(object(scope, kind))
}
