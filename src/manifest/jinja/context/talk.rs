//! `log`, `print` and `exceptions`: what a template tells people.

use std::sync::Arc;

use minijinja::value::{Kwargs, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::manifest::jinja::native::Kind;
use crate::manifest::jinja::scope::{Loudness, Said, Scope};
use crate::manifest::jinja::values::print as printed;

pub const EXCEPTIONS: Kind = Kind { name: "exceptions", method: exception, ..Kind::PLAIN };

/// An error that a template raised: its text is the whole message.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Raised(String);

pub fn log(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (message, second, options): (Value, Option<bool>, Kwargs) = from_args(args)?;
    let info = second.or(options.get::<Option<bool>>("info")?).unwrap_or_default();
    options.assert_all_used()?;
    say(scope, if info { Loudness::Info } else { Loudness::Debug }, &message);
    Ok(Value::from(""))
}

pub fn print(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (message,): (Value,) = from_args(args)?;
    say(scope, Loudness::Print, &message);
    Ok(Value::from(""))
}

fn say(scope: &Scope, loudness: Loudness, message: &Value) {
    scope.notes().said.push(Said { loudness, text: printed(message) });
}

fn raised(text: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, text.clone()).with_source(Raised(text))
}

/// Whether `--warn-error-options` names the warnings of templates under a key.
fn is_chosen(scope: &Scope, key: &str) -> bool {
    let options = scope.shared.invocation.flags.get("WARN_ERROR_OPTIONS");
    let Some(names) = options.and_then(|options| options.get(key)) else { return false };
    let is_meant =
        |name: &serde_json::Value| matches!(name.as_str(), Some("all" | "*" | "template" | "JinjaLogWarning"));
    is_meant(names) || names.as_array().is_some_and(|names| names.iter().any(is_meant))
}

fn exception(scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "warn" => {
            let (message,): (Value,) = from_args(&args[..1.min(args.len())])?;
            if is_chosen(scope, "silence") {
                return Ok(Value::from(""));
            }
            let is_error = scope.shared.invocation.flags.get("WARN_ERROR") == Some(&true.into());
            if is_error || is_chosen(scope, "error") && !is_chosen(scope, "warn") {
                return Err(raised(printed(&message)));
            }
            say(scope, Loudness::Warning, &message);
            Ok(Value::from(""))
        }
        method if method.starts_with("raise") || method.ends_with("error") || method.starts_with("missing") => {
            let words: Vec<String> = args.iter().filter(|arg| !arg.is_kwargs()).take(1).map(printed).collect();
            let text = if words.is_empty() { method.to_owned() } else { words.join(" ") };
            Err(raised(text))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}
