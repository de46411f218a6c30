//! What templates can call: `ref`, `source`, `config`, `var` and their companions, as one context object per render.
//!
//! A macro is read into the render when it is first called: the template's prelude hands over an importer, because only
//! the engine itself can build a macro that knows the render's `caller()`.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::callable::{Macro, Namespace, Returning};
use super::context;
use super::library::{Library, Package, UnitId};
use super::server::Session;
use super::values::from_json;
use crate::diagnostic::Code;
use crate::project::{EnvVars, Invocation, Vars};

/// What a pass over the project answers to a template.
pub trait Names: Send + Sync + fmt::Debug {
    fn reference(&self, package: Option<&str>, name: &str) -> Result<Value, Error>;
    fn source(&self, call: SourceCall<'_>) -> Result<Value, Error>;
    /// `xref(…)`: the relation of a crosswalk, or of one of its members.
    fn crosswalk(&self, entity: &str, member: Option<&str>) -> Result<Value, Error>;
    fn this(&self) -> Value;
    /// `config(…)`: what the template says about itself.
    fn configure(&self, settings: serde_json::Map<String, serde_json::Value>);
    /// `config.get(…)`.
    fn configured(&self, key: &str) -> Option<Value>;
    fn is_incremental(&self) -> bool;
    /// What a template may ask of a server; `execute` is true where it may ask, now or later.
    fn session(&self) -> Session;
    /// `model`: what is known of the node whose template this is.
    fn model(&self) -> Value {
        Value::from(())
    }
    /// `graph`: every node of the project, as far as it is known.
    fn graph(&self) -> Value {
        Value::from(())
    }
    /// A name that only this template has, such as `results` in a hook at the end of a run.
    fn extra(&self, _key: &str) -> Option<Value> {
        None
    }
    /// What a unit test says instead of the truth.
    fn overridden(&self, _kind: Overridden, _name: &str) -> Option<serde_json::Value> {
        None
    }
}

/// What a unit test may answer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overridden {
    Macro,
    Var,
    EnvVar,
}

/// A macro that gives one value whatever it is called with.
#[derive(Debug)]
pub(super) struct Fixed(pub Value);

impl Object for Fixed {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
        Ok(self.0.clone())
    }
}

/// The arguments of `source()`.
#[derive(Debug, Clone, Copy)]
pub struct SourceCall<'a> {
    pub source: &'a str,
    pub table: &'a str,
    /// Whether tombstones are wanted too.
    pub deleted: bool,
}

/// What every render of a pass shares.
#[derive(Debug)]
pub(super) struct Shared {
    pub env: EnvVars,
    pub vars: Vars,
    /// What `var()` gives in the files of packages.
    pub package_vars: HashMap<usize, Vars>,
    pub target: Value,
    pub dbname: String,
    pub project_name: Value,
    pub invocation: Invocation,
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
    pub entry: Option<Entry>,
    notes: Mutex<Notes>,
    /// The package of the template, whose variables hold in the macros too.
    home: Package,
    /// Whose names are looked up: the template's package, or that of the macro which is being read.
    package: AtomicUsize,
    loading: Mutex<Loading>,
}

/// What a render leaves behind beside its text.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub missing: Vec<MissingName>,
    pub said: Vec<Said>,
    /// `statement('name')`: for `load_result`.
    pub results: HashMap<String, Value>,
    /// The template was only read, and asked a server all the same.
    pub asked: bool,
    /// What the macro gave that the render is about.
    pub given: Option<Value>,
}

/// What a template says to people: `log`, `print`, `exceptions.warn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub loudness: Loudness,
    pub text: String,
}

impl Said {
    /// Puts it into the log, where `log(…, info=true)` is shown by default.
    pub fn tell(&self, node: &impl fmt::Display) {
        let text = &self.text;
        match self.loudness {
            Loudness::Debug => tracing::debug!(target: "template", %node, "{text}"),
            Loudness::Info | Loudness::Print => tracing::info!(target: "template", %node, "{text}"),
            Loudness::Warning => tracing::warn!(target: "template", %node, "{text}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    /// `log(…)`.
    Debug,
    /// `log(…, info=true)`.
    Info,
    /// `exceptions.warn(…)`.
    Warning,
    /// `print(…)`.
    Print,
}

/// A call that a render is about, instead of a template: `run-operation`, `generate_schema_name`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The macro's name, with its package before a dot or without.
    pub name: String,
    pub args: Vec<Value>,
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

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    /// dbt's order: the package's own macros and the project's, what is built in, packages, macros that come along.
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if let Some(value) = self.names.overridden(Overridden::Macro, key) {
            return Some(Value::from_object(Fixed(from_json(&value))));
        }
        let library = &self.shared.library;
        if let Some(unit) = library.find(key, self.package()) {
            return Some(self.macro_value(unit, key));
        }
        if let Some(found) = context::built_in(self, key) {
            return Some(found);
        }
        if let Some(package) = library.package(key) {
            return Some(Value::from_object(Namespace { scope: Arc::clone(self), package }));
        }
        library.built_in(key).map(|unit| self.macro_value(unit, key))
    }
}

impl Scope {
    pub fn new(names: Arc<dyn Names>, shared: &Arc<Shared>, package: Package) -> Self {
        Self {
            names,
            shared: Arc::clone(shared),
            entry: None,
            notes: Mutex::default(),
            home: package,
            package: AtomicUsize::new(package.0),
            loading: Mutex::default(),
        }
    }

    /// What `var()` gives here.
    pub fn vars(&self) -> &Vars {
        self.shared.package_vars.get(&self.home.0).unwrap_or(&self.shared.vars)
    }

    pub fn package(&self) -> Package {
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
    pub fn define(&self, name: String, raw: Value) -> Value {
        let value = Value::from_object(Returning::new(raw));
        let mut loading = self.loading();
        if let Some(unit) = loading.current {
            loading.read.insert((unit, name), value.clone());
        }
        value
    }

    /// The prelude's importer.
    pub fn take_importer(&self, importer: Value) {
        self.loading().importer = Some(importer);
    }

    /// Notes a name that nothing gives, and lets the render go on with an empty text.
    pub fn missing(&self, code: Code, function: &'static str, name: String) -> Value {
        self.notes().missing.push(MissingName { code, function, name });
        Value::from("")
    }

    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
