//! What templates can call: `ref`, `source`, `config`, `var` and their companions, as one context object per render.
//!
//! A macro is read into the render when it is first called: the template's prelude hands over an importer, because only
//! the engine itself can build a macro that knows the render's `caller()`.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::callable::{Macro, Namespace, Returning, returning};
use super::library::{Library, Package, UnitId};
use super::values::{Dict, List, changeable, from_json};
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
    /// What `var()` gives in the files of packages.
    pub package_vars: HashMap<usize, Vars>,
    pub target: Value,
    pub project_name: Value,
    pub library: Library,
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
    missing: Mutex<Vec<MissingName>>,
    /// The package of the template, whose variables hold in the macros too.
    home: Package,
    /// Whose names are looked up: the template's package, or that of the macro which is being read.
    package: AtomicUsize,
    loading: Mutex<Loading>,
}

/// The macros that a render has read.
#[derive(Debug, Default)]
struct Loading {
    /// Reads a template of macros into the render.
    importer: Option<Value>,
    /// The template that is being read.
    current: Option<UnitId>,
    read: HashMap<(UnitId, String), Value>,
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
    Adapter,
    // What templates are rewritten to call.
    Import,
    Define,
    List,
    Dict,
    Changeable,
    Do,
    Format,
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

    /// dbt's order: the package's own macros and the project's, what is built in, packages, macros that come along.
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let library = &self.shared.library;
        if let Some(unit) = library.find(key, self.package()) {
            return Some(self.macro_value(unit, key));
        }
        if let Some(found) = self.built_in(key) {
            return Some(found);
        }
        if let Some(package) = library.package(key) {
            return Some(Value::from_object(Namespace { scope: Arc::clone(self), package }));
        }
        library.built_in(key).map(|unit| self.macro_value(unit, key))
    }
}

impl Scope {
    fn built_in(self: &Arc<Self>, key: &str) -> Option<Value> {
        let function = match key {
            "ref" => Function::Ref,
            "source" => Function::Source,
            "config" => Function::Config,
            "var" => Function::Var,
            "env_var" => Function::EnvVar,
            "is_incremental" => Function::IsIncremental,
            "return" => Function::Return,
            "adapter" => Function::Adapter,
            "dict" => Function::Dict,
            "__importer" => Function::Import,
            "__macro" => Function::Define,
            "__list" => Function::List,
            "__dict" => Function::Dict,
            "__value" => Function::Changeable,
            "__do" => Function::Do,
            "__format" => Function::Format,
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
            Function::Return => {
                let (value,): (Option<Value>,) = from_args(args)?;
                Err(returning(value.unwrap_or(Value::from(()))))
            }
            Function::Adapter => Err(Error::new(ErrorKind::InvalidOperation, "adapter is not a function")),
            Function::Import => {
                let (importer,): (Value,) = from_args(args)?;
                self.scope.loading().importer = Some(importer);
                Ok(Value::from(""))
            }
            Function::Define => self.scope.define(args),
            Function::List => {
                let (items,): (Value,) = from_args(args)?;
                Ok(List::value(items.try_iter()?.collect()))
            }
            Function::Dict => Dict::made(args),
            Function::Changeable => {
                let (value,): (Value,) = from_args(args)?;
                Ok(changeable(value))
            }
            Function::Do => Ok(Value::from("")),
            Function::Format => {
                let (text, values): (&str, Value) = from_args(args)?;
                let values: Vec<Value> = if values.is_tuple() { values.try_iter()?.collect() } else { vec![values] };
                minijinja::formatting::format(minijinja::formatting::FormatStyle::Printf, text, &values)
                    .map(Value::from)
            }
        }
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        if let (Function::Adapter, "dispatch") = (self.function, method) {
            return self.scope.dispatch(args);
        }
        let (Function::Config, "get" | "require") = (self.function, method) else {
            return Err(Error::from(ErrorKind::UnknownMethod));
        };
        let (key, default): (String, Option<Value>) = from_args(args)?;
        Ok(self.scope.names.configured(&key).or(default).unwrap_or(Value::from(())))
    }
}

/// Names as a render by itself begins.
impl Scope {
    pub fn new(names: Arc<dyn Names>, shared: &Arc<Shared>, package: Package) -> Self {
        Self {
            names,
            shared: Arc::clone(shared),
            missing: Mutex::default(),
            home: package,
            package: AtomicUsize::new(package.0),
            loading: Mutex::default(),
        }
    }

    /// The names that the template asked for and that nothing gives.
    pub fn missing_names(&self) -> Vec<MissingName> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn package(&self) -> Package {
        Package(self.package.load(Ordering::Relaxed))
    }

    fn loading(&self) -> MutexGuard<'_, Loading> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn macro_value(self: &Arc<Self>, unit: UnitId, name: &str) -> Value {
        Value::from_object(Macro { scope: Arc::clone(self), unit, name: name.to_owned() })
    }

    /// The engine's macro, read into this render if it has not been yet.
    pub fn loaded(&self, state: &mut State<'_, '_>, (unit, name): (UnitId, &str)) -> Result<Value, Error> {
        let key = (unit, name.to_owned());
        let loading = self.loading();
        if let Some(found) = loading.read.get(&key) {
            return Ok(found.clone());
        }
        let importer = loading.importer.clone();
        drop(loading);
        let Some(importer) = importer else {
            return Err(Error::new(ErrorKind::UnknownFunction, format!("{name} is unknown")));
        };
        let before = self.loading().current.replace(unit);
        let package = self.package.swap(self.shared.library.unit(unit).package.0, Ordering::Relaxed);
        let imported = importer.call(state, &[Value::from(unit.template())]);
        self.package.store(package, Ordering::Relaxed);
        let mut loading = self.loading();
        loading.current = before;
        imported?;
        let found = loading.read.get(&key).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::UnknownFunction, format!("{name} is unknown")))
    }

    /// `__macro('name', name)`: after each macro, in macro files and in templates.
    fn define(&self, args: &[Value]) -> Result<Value, Error> {
        let (name, raw): (String, Value) = from_args(args)?;
        let value = Value::from_object(Returning::new(raw));
        let mut loading = self.loading();
        if let Some(unit) = loading.current {
            loading.read.insert((unit, name), value.clone());
        }
        Ok(value)
    }

    /// `adapter.dispatch('name', 'package')`.
    fn dispatch(self: &Arc<Self>, args: &[Value]) -> Result<Value, Error> {
        let (name, package, options): (String, Option<String>, Kwargs) = from_args(args)?;
        let named = options.get::<Option<String>>("macro_namespace")?;
        options.assert_all_used()?;
        let package = package.or(named);
        match self.shared.library.dispatch(&name, package.as_deref(), self.package()) {
            Some((unit, found)) => Ok(self.macro_value(unit, &found)),
            None => Err(Error::new(ErrorKind::UnknownFunction, format!("default__{name} is unknown"))),
        }
    }

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
        let vars = self.shared.package_vars.get(&self.home.0).unwrap_or(&self.shared.vars);
        let found = vars.get(&name).map(from_json);
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
