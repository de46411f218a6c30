//! Errors of the template engine as diagnostics that point into the user's file.

use std::ops::Range;
use std::sync::Arc;

use minijinja::{Error, ErrorKind};

use super::context::Raised;
use super::engine::{CALL, Engine, Plan, TEMPLATE};
use super::library::UnitId;
use super::limits;
use super::scope::MissingName;
use super::server::ServerRefused;
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

/// A file that does not parse.
pub(super) fn syntax(error: &Error, (file, at): (&Arc<SourceFile>, Range<usize>)) -> Diagnostic {
    stopped(error).at(Span::new(file, at))
}

pub(super) fn duplicate_macro((file, at): (&Arc<SourceFile>, Range<usize>), first: &Arc<SourceFile>) -> Diagnostic {
    let name = &file.text[at.clone()];
    let other = first.text.find(&format!("macro {name}")).map_or(0..0, |at| at + 6..at + 6 + name.len());
    Diagnostic::error(Code::DuplicateName, format!("macro \"{name}\" is defined twice"))
        .at(Span::new(file, at))
        .related(Span::new(first, other), "first defined here")
}

/// `var` or `env_var` of a name that nothing gives.
pub(super) fn missing_name(missing: &MissingName, plan: &Plan, engine: &Engine) -> Diagnostic {
    let name = &missing.name;
    let (message, hint) = if missing.code == Code::MissingEnvVar {
        (
            format!("environment variable \"{name}\" is not set"),
            format!("set it, or give a default: env_var('{name}', 'default')"),
        )
    } else {
        (
            format!("variable \"{name}\" is not defined"),
            format!("define it under \"vars\" or with --vars, or give a default: var('{name}', 'default')"),
        )
    };
    Diagnostic::error(missing.code, message).at(engine.literal_span(plan, missing.function, name)).hint(hint)
}

/// A template that does not parse, or whose render stopped; in macros, with the way of calls that led there.
pub(super) fn render(error: &Error, plan: &Plan, engine: &Engine) -> Diagnostic {
    let frames = frames(error);
    let inner = frames.last().copied().unwrap_or(error);
    let mut diagnostic = match unknown_function(inner) {
        Some(name) => unknown_macro(name, engine),
        None => stopped(inner),
    };
    let mut way = Vec::new();
    for frame in &frames {
        let is_inner = std::ptr::eq(*frame, inner);
        if let Some(span) = span(frame, plan, engine, is_inner) {
            way.push((span, is_inner));
        }
    }
    if plan.file.text == CALL {
        // It was called by its name, which is in no file.
        way.retain(|(span, _)| !Arc::ptr_eq(&span.file, &plan.file));
        diagnostic.span = way.pop().map(|(span, _)| span);
        return diagnostic;
    }
    let place = way.iter().rposition(|(span, _)| Arc::ptr_eq(&span.file, &plan.file));
    let innermost = way.last().map(|(span, _)| span.text().to_owned());
    if inner.kind() == ErrorKind::UndefinedError && inner.detail().is_none() {
        let code = innermost.unwrap_or_default();
        diagnostic.message = format!("{}: `{code}` is undefined", inner.kind());
    }
    diagnostic = diagnostic.at(place.map_or_else(|| Span::whole(&plan.file), |place| way[place].0.clone()));
    let calls = way.into_iter().skip(place.map_or(0, |place| place + 1));
    let mut shown: Vec<Span> = Vec::new();
    for (span, is_inner) in calls {
        // Macros that call each other in a circle give the same places again and again.
        if shown.contains(&span) {
            continue;
        }
        shown.push(span.clone());
        diagnostic = diagnostic.related(span, if is_inner { "in this macro" } else { "called here" });
    }
    diagnostic
}

fn unknown_macro(name: &str, engine: &Engine) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::UnknownMacro, format!("macro \"{name}\" does not exist"));
    match engine.library().package_with(name) {
        Some(package) => diagnostic.hint(format!("package \"{package}\" has it: write {package}.{name}")),
        None => diagnostic.did_you_mean(name, engine.callable_names()),
    }
}

/// What stopped a render, with a hint that fits it.
fn stopped(error: &Error) -> Diagnostic {
    if error.kind() == ErrorKind::OutOfFuel {
        return limits::too_much_work();
    }
    let diagnostic = Diagnostic::error(Code::BadJinja, message(error));
    match error.detail() {
        Some(detail) if detail.contains("maximum recursion limits") => limits::nests_too_deep(),
        Some(detail) if detail.contains("recursion limit") => {
            diagnostic.hint("a macro that calls itself has to stop at some point: test for that before the call")
        }
        _ => diagnostic,
    }
}

/// The errors from the template inwards; each but the last stands for a call.
fn frames(error: &Error) -> Vec<&Error> {
    let mut frames = vec![error];
    let mut at: &(dyn std::error::Error + 'static) = error;
    while let Some(cause) = at.source() {
        frames.extend(cause.downcast_ref::<Error>());
        at = cause;
    }
    frames
}

/// A frame's place: in the template, or in a file of macros.
fn span(error: &Error, plan: &Plan, engine: &Engine, is_inner: bool) -> Option<Span> {
    let (file, range) = match error.name() {
        // The engine's own limits know no place; a frame further out does.
        None if error.range().is_none() && error.line().is_none() => return None,
        Some(TEMPLATE) | None => (&plan.file, place(error, (plan.text(), |range| plan.in_file(range)), 0)),
        Some(name) => {
            let unit = engine.library().unit(UnitId::of_template(name)?);
            (&unit.file, unit.in_file(error.range()?))
        }
    };
    let range = if is_inner { narrowed(error, &file.text, range) } else { called(&file.text, range) };
    Some(Span::new(file, range))
}

/// The name of what is called.
fn called(text: &str, range: Range<usize>) -> Range<usize> {
    let code = text.get(range.clone()).unwrap_or_default();
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    let length = code.find(|letter: char| !is_name(letter)).unwrap_or(code.len());
    if length == 0 { range } else { range.start..range.start + length }
}

impl Engine {
    /// The place of a string that a call was given: in the template, else at the template's first line when a macro or
    /// a variable made it.
    pub fn literal_span(&self, plan: &Plan, function: &str, name: &str) -> Span {
        if let Some(range) = plan.scan.literal(&plan.file.text, function, name) {
            return Span::new(&plan.file, range);
        }
        for (file, scan) in self.library().files() {
            if let Some(range) = scan.literal(&file.text, function, name) {
                return Span::new(file, range);
            }
        }
        match plan.scan.call(&plan.file.text, function) {
            Some(call) => Span::new(&plan.file, call.function.clone()),
            None => Span::whole(&plan.file),
        }
    }
}

fn unknown_function(error: &Error) -> Option<&str> {
    if error.kind() != ErrorKind::UnknownFunction {
        return None;
    }
    error.detail()?.strip_suffix(" is unknown")
}

/// The cause of an error that is of one type, however deep.
pub(super) fn cause<T: std::error::Error + 'static>(error: &Error) -> Option<&T> {
    let mut at: &(dyn std::error::Error + 'static) = error;
    while let Some(cause) = at.source() {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        at = cause;
    }
    None
}

fn message(error: &Error) -> String {
    if let Some(said) = cause::<Raised>(error) {
        return said.to_string();
    }
    if let Some(refused) = cause::<ServerRefused>(error) {
        return format!("the server refused a statement of this template: {refused}");
    }
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// For an unknown function, the name alone instead of the whole call.
fn narrowed(error: &Error, text: &str, range: Range<usize>) -> Range<usize> {
    let Some(name) = unknown_function(error) else { return range };
    let within = text.get(range.clone()).and_then(|code| code.find(name));
    match within {
        Some(offset) => range.start + offset..range.start + offset + name.len(),
        None => range,
    }
}

/// The error's range in its file, or its line when the engine knows no more. The text is what the engine read, beside
/// it how its ranges map into the file; lines are the same in both, counted from a place of the file.
pub(super) fn place(
    error: &Error,
    (text, in_file): (&str, impl Fn(Range<usize>) -> Range<usize>),
    start_in_file: usize,
) -> Range<usize> {
    if let Some(range) = error.range() {
        return in_file(range);
    }
    let line = error.line().unwrap_or(1).saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let length = text[start..].find('\n').unwrap_or(text.len() - start);
    let found = in_file(start..start + length);
    found.start.max(start_in_file)..found.end.max(start_in_file)
}
