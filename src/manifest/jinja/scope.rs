//! What templates can call: `ref`, `source`, `config`, `var` and their companions, as one context object per render.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::diagnostic::Code;
use crate::ident::Relation;
use crate::project::{EnvVars, Vars};

/// What a pass over the project answers to a template.
pub trait Names: Send + Sync + fmt::Debug {
    fn reference(&self, package: Option<&str>, name: &str) -> Result<Value, Error>;
    fn source(&self, call: SourceCall<'_>) -> Result<Value, Error>;
    fn this(&self) -> Value;
    /// `config(…)`: what the template says about itself.
    fn configure(&self, settings: serde_json::Map<String, serde_json::Value>);
    /// `config.get(…)`.
    fn configured(&self, key: &str) -> Option<Value>;
    fn is_incremental(&self) -> bool;
    /// Whether this pass makes SQL that will run.
    fn executes(&self) -> bool;
}

/// The arguments of `source()`.
#[derive(Debug, Clone, Copy)]
pub struct SourceCall<'a> {
    pub source: &'a str,
    pub table: &'a str,
    /// Whether tombstones are wanted too.
    pub deleted: bool,
}

/// A relation as templates see it: prints itself quoted, has `schema`, `identifier` and dbt's other names.
#[derive(Debug)]
pub struct RelationValue {
    relation: Relation,
    printed: String,
}

impl RelationValue {
    pub fn value(relation: &Relation) -> Value {
        Value::from_object(Self { relation: relation.clone(), printed: relation.to_string() })
    }

    /// A relation that is written otherwise than by its quoted name: the CTE of an ephemeral model.
    pub fn printed_as(relation: &Relation, printed: String) -> Value {
        Value::from_object(Self { relation: relation.clone(), printed })
    }
}

impl Object for RelationValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "schema" => Some(self.relation.schema.as_str().into()),
            "identifier" | "name" | "table" => Some(self.relation.name.as_str().into()),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.printed)
    }
}

/// What every render of a pass shares.
#[derive(Debug)]
pub(super) struct Shared {
    pub env: EnvVars,
    pub vars: Vars,
    pub target: Value,
    pub project_name: Value,
}

/// A name that a template asked for and nothing gives; the render goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MissingName {
    pub code: Code,
    /// `var` or `env_var`.
    pub function: &'static str,
    pub name: String,
}

/// The root context of one render.
#[derive(Debug)]
pub(super) struct Scope {
    pub names: Arc<dyn Names>,
    pub shared: Arc<Shared>,
    pub missing: Mutex<Vec<MissingName>>,
}

#[derive(Debug, Clone, Copy)]
enum Function {
    Ref,
    Source,
    Config,
    Var,
    EnvVar,
    IsIncremental,
    Return,
}

#[derive(Debug)]
struct BoundFunction {
    function: Function,
    scope: Arc<Scope>,
}

/// The names of the context, for "did you mean".
pub(super) const NAMES: &[&str] = &[
    "ref",
    "source",
    "config",
    "var",
    "env_var",
    "is_incremental",
    "this",
    "target",
    "execute",
    "range",
    "dict",
    "namespace",
    "debug",
];

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let function = match key {
            "ref" => Function::Ref,
            "source" => Function::Source,
            "config" => Function::Config,
            "var" => Function::Var,
            "env_var" => Function::EnvVar,
            "is_incremental" => Function::IsIncremental,
            "return" => Function::Return,
            "this" => return Some(self.names.this()),
            "target" => return Some(self.shared.target.clone()),
            "project_name" => return Some(self.shared.project_name.clone()),
            "execute" => return Some(self.names.executes().into()),
            _ => return None,
        };
        Some(Value::from_object(BoundFunction { function, scope: Arc::clone(self) }))
    }
}

impl Object for BoundFunction {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        match self.function {
            Function::Ref => self.scope.reference(args),
            Function::Source => self.scope.source(args),
            Function::Config => self.scope.configure(args),
            Function::Var => self.scope.var(args),
            Function::EnvVar => self.scope.env_var(args),
            Function::IsIncremental => Ok(self.scope.names.is_incremental().into()),
            Function::Return => Err(Error::new(
                ErrorKind::InvalidOperation,
                "dbt's return() is not supported yet: print the value instead",
            )),
        }
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let (Function::Config, "get" | "require") = (self.function, method) else {
            return Err(Error::from(ErrorKind::UnknownMethod));
        };
        let (key, default): (String, Option<Value>) = from_args(args)?;
        Ok(self.scope.names.configured(&key).or(default).unwrap_or(Value::from(())))
    }
}

impl Scope {
    fn reference(&self, args: &[Value]) -> Result<Value, Error> {
        let (first, second, kwargs): (String, Option<String>, Kwargs) = from_args(args)?;
        kwargs.assert_all_used()?;
        match second {
            Some(name) => self.names.reference(Some(&first), &name),
            None => self.names.reference(None, &first),
        }
    }

    fn source(&self, args: &[Value]) -> Result<Value, Error> {
        let (source, table, kwargs): (String, String, Kwargs) = from_args(args)?;
        let deleted = kwargs.get::<Option<bool>>("deleted")?.unwrap_or_default();
        kwargs.assert_all_used()?;
        self.names.source(SourceCall { source: &source, table: &table, deleted })
    }

    /// Keyword arguments, or one map.
    fn configure(&self, args: &[Value]) -> Result<Value, Error> {
        for arg in args {
            match serde_json::to_value(arg) {
                Ok(serde_json::Value::Object(settings)) => self.names.configure(settings),
                Ok(_) | Err(_) => {
                    return Err(Error::new(ErrorKind::InvalidOperation, "config takes keyword arguments or one map"));
                }
            }
        }
        Ok(Value::from(""))
    }

    fn var(&self, args: &[Value]) -> Result<Value, Error> {
        let (name, default): (String, Option<Value>) = from_args(args)?;
        let found = self.shared.vars.get(&name).map(|value| Value::from(minijinja::value::Serde(value)));
        Ok(found.or(default).unwrap_or_else(|| self.missing(Code::UnknownVar, "var", name)))
    }

    fn env_var(&self, args: &[Value]) -> Result<Value, Error> {
        let (name, default): (String, Option<Value>) = from_args(args)?;
        let found = self.shared.env.get(&name).map(Value::from);
        Ok(found.or(default).unwrap_or_else(|| self.missing(Code::MissingEnvVar, "env_var", name)))
    }

    /// Notes the mistake and lets the render go on with an empty text.
    fn missing(&self, code: Code, function: &'static str, name: String) -> Value {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).push(MissingName { code, function, name });
        Value::from("")
    }
}
