//! Jinja in the strings of YAML files: `env_var`, `var` and, where an output is in use, `target`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::{EnvVars, Vars, native};
use crate::diagnostic::{Code, Diagnostic, Span};

/// Of one string: one for each operation, one for each 64 bytes that it makes.
const MOST_STEPS: u64 = 1_000_000;

/// Of one `{{ … }}` or `{% … %}`: the engine reads it by recursion.
const MOST_CODE_BYTES: usize = 10_000;

/// What a string of YAML may ask for.
#[derive(Debug)]
pub struct TextScope {
    engine: Environment<'static>,
}

/// The fields of `target`, as dbt names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetNames {
    pub name: String,
    pub profile_name: String,
    pub kind: &'static str,
    pub schema: String,
    pub dbname: String,
    pub host: String,
    pub user: String,
    pub port: u16,
    pub threads: usize,
}

/// A name that a template asked for and nothing gives.
#[derive(Debug)]
pub(crate) enum NoSuchName {
    EnvVar(String),
    Var(String),
    Doc(String),
}

impl fmt::Display for NoSuchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoSuchName::EnvVar(name) => write!(f, "environment variable \"{name}\" is not set"),
            NoSuchName::Var(name) => write!(f, "variable \"{name}\" is not defined"),
            NoSuchName::Doc(name) => write!(f, "docs block \"{name}\" does not exist"),
        }
    }
}

impl std::error::Error for NoSuchName {}

impl TargetNames {
    /// The map that templates see.
    pub fn to_value(&self) -> Value {
        minijinja::context! {
            name => self.name.as_str(), target_name => self.name.as_str(), profile_name => self.profile_name.as_str(),
            type => self.kind, schema => self.schema.as_str(), dbname => self.dbname.as_str(),
            database => self.dbname.as_str(), host => self.host.as_str(), user => self.user.as_str(),
            port => self.port, threads => self.threads,
        }
    }
}

impl TextScope {
    pub fn new(env: &EnvVars, vars: &Vars) -> Self {
        let mut engine = Environment::new();
        engine.set_debug(true);
        engine.set_fuel(Some(MOST_STEPS));
        engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        engine.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        let env = env.clone();
        engine.add_function("env_var", move |name: String, default: Option<Value>| {
            let found = env.get(&name).map(Value::from).or(default);
            found.ok_or_else(|| missing(NoSuchName::EnvVar(name)))
        });
        let vars = Arc::new(vars.clone());
        engine.add_function("var", move |name: String, default: Option<Value>| {
            let found = vars.get(&name).map(value_of_json).or(default);
            found.ok_or_else(|| missing(NoSuchName::Var(name)))
        });
        native::add_filters(&mut engine);
        Self { engine }
    }

    #[must_use]
    pub fn with_target(mut self, target: &TargetNames) -> Self {
        self.engine.add_global("target", target.to_value());
        self
    }

    /// With `doc()`, which finds a block by its package, if one is named, and its name.
    #[must_use]
    pub(super) fn with_docs(
        mut self,
        find: impl Fn(Option<&str>, &str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.engine.add_function("doc", move |first: String, second: Option<String>| {
            let (package, name) = match &second {
                Some(name) => (Some(first.as_str()), name),
                None => (None, &first),
            };
            find(package, name).ok_or_else(|| missing(NoSuchName::Doc(name.clone())))
        });
        self
    }

    /// The string with its templates evaluated; most strings have none and are passed on.
    pub fn render(&self, text: &str, span: &Span) -> Result<String, Diagnostic> {
        if !native::is_template(text) {
            return Ok(text.to_owned());
        }
        check_length(text, span)?;
        self.engine.render_str(text, ()).map_err(|error| self.mistake(&error, span))
    }

    /// A setting's value with its templates evaluated. A string that is one expression gives that expression's value,
    /// be it a boolean, a number or a list, as dbt's native rendering does.
    pub fn render_value(&self, value: &serde_json::Value, span: &Span) -> Result<serde_json::Value, Diagnostic> {
        match value {
            serde_json::Value::String(text) => self.render_native(text, span),
            serde_json::Value::Array(items) => items.iter().map(|item| self.render_value(item, span)).collect(),
            serde_json::Value::Object(entries) => {
                let rendered = entries.iter().map(|(key, item)| Ok((key.clone(), self.render_value(item, span)?)));
                rendered.collect::<Result<_, _>>().map(serde_json::Value::Object)
            }
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Ok(value.clone()),
        }
    }

    fn render_native(&self, text: &str, span: &Span) -> Result<serde_json::Value, Diagnostic> {
        let Some(expression) = native::only_expression(text) else {
            return self.render(text, span).map(|rendered| native::literal(&rendered, text));
        };
        check_length(text, span)?;
        let evaluated = self.engine.compile_expression(expression).and_then(|expression| expression.eval(()));
        let value = evaluated.map_err(|error| self.mistake(&error, span))?;
        if value.is_undefined() {
            return Ok(serde_json::Value::String(String::new()));
        }
        serde_json::to_value(&value).map_err(|_| {
            let message = format!("the value of \"{text}\" is none that config can hold");
            Diagnostic::error(Code::BadJinja, message).at(span.clone())
        })
    }

    fn mistake(&self, error: &Error, span: &Span) -> Diagnostic {
        let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<NoSuchName>());
        let diagnostic = match cause {
            Some(cause @ NoSuchName::EnvVar(name)) => Diagnostic::error(Code::MissingEnvVar, cause.to_string())
                .hint(format!("set it, or give a default: env_var('{name}', 'default')")),
            Some(cause @ NoSuchName::Var(name)) => Diagnostic::error(Code::UnknownVar, cause.to_string())
                .hint(format!("define it under \"vars\" or with --vars, or give a default: var('{name}', 'default')")),
            Some(cause @ NoSuchName::Doc(name)) => Diagnostic::error(Code::UnknownDoc, cause.to_string())
                .hint(format!("a block stands in a .md file beside the models: {{% docs {name} %}} … {{% enddocs %}}")),
            None if error.kind() == ErrorKind::OutOfFuel => {
                let message = format!("the template takes more than {MOST_STEPS} steps");
                Diagnostic::error(Code::TemplateLimit, message)
                    .hint("strings of YAML hold short templates: do the work in a model or a macro")
            }
            None => Diagnostic::error(Code::BadJinja, jinja_message(error)),
        };
        diagnostic.at(span.clone())
    }
}

/// Code that is too long to be read.
fn check_length(text: &str, span: &Span) -> Result<(), Diagnostic> {
    let is_long = |open: &str, close: &str| {
        let codes = text.split(open).skip(1);
        codes.into_iter().any(|code| code.find(close).unwrap_or(code.len()) > MOST_CODE_BYTES)
    };
    if text.len() <= MOST_CODE_BYTES || !(is_long("{{", "}}") || is_long("{%", "%}")) {
        return Ok(());
    }
    let message = format!("a template in YAML has more than {MOST_CODE_BYTES} bytes of code in one pair of braces");
    Err(Diagnostic::error(Code::TemplateLimit, message)
        .at(span.clone())
        .hint("strings of YAML hold short templates: do the work in a model or a macro"))
}

fn missing(name: NoSuchName) -> Error {
    Error::new(ErrorKind::InvalidOperation, name.to_string()).with_source(name)
}

/// What went wrong in a template, without the place that the caret shows.
pub(crate) fn jinja_message(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// A YAML or JSON value as templates see it.
pub(crate) fn value_of_json(value: &serde_json::Value) -> Value {
    Value::from(minijinja::value::Serde(value))
}
