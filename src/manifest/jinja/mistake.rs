//! Errors of the template engine as diagnostics that point into the user's file.

use std::ops::Range;
use std::sync::Arc;

use minijinja::{Error, ErrorKind};

use super::engine::{Engine, Plan, TEMPLATE};
use super::scope::MissingName;
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

/// A file that does not parse.
pub(super) fn syntax(error: &Error, file: &Arc<SourceFile>) -> Diagnostic {
    Diagnostic::error(Code::BadJinja, message(error)).at(Span::new(file, place(error, &file.text)))
}

pub(super) fn duplicate_macro(
    name: &str,
    (file, at): (&Arc<SourceFile>, &Range<usize>),
    first: &Arc<SourceFile>,
) -> Diagnostic {
    let other = first.text.find(&format!("macro {name}")).map_or(0..0, |at| at + 6..at + 6 + name.len());
    Diagnostic::error(Code::DuplicateName, format!("macro \"{name}\" is defined twice"))
        .at(Span::new(file, at.clone()))
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

/// A template that does not parse, or whose render stopped.
pub(super) fn render(error: &Error, plan: &Plan, engine: &Engine) -> Diagnostic {
    let diagnostic = match unknown_function(error) {
        Some(name) => Diagnostic::error(Code::UnknownMacro, format!("macro \"{name}\" does not exist"))
            .did_you_mean(name, engine.callable_names()),
        None => Diagnostic::error(Code::BadJinja, message(error)),
    };
    match error.name() {
        Some(bundle) if bundle != TEMPLATE => in_macro(diagnostic, (error, bundle), plan, engine),
        Some(_) | None => {
            let text = &plan.file.text;
            let range = match error.range() {
                Some(range) => plan.in_file(range),
                None => place(error, text),
            };
            diagnostic.at(Span::new(&plan.file, narrowed(error, text, range)))
        }
    }
}

/// The caret stands at the template's call, the macro's place beside it.
fn in_macro(diagnostic: Diagnostic, (error, bundle): (&Error, &str), plan: &Plan, engine: &Engine) -> Diagnostic {
    let Some(bundle) = engine.bundles.get(bundle) else { return diagnostic.at(Span::whole(&plan.file)) };
    let range = error.range().unwrap_or(0..0);
    let at = bundle.starts.partition_point(|(start, _)| *start <= range.start).saturating_sub(1);
    let (start, index) = bundle.starts[at];
    let macro_file = &engine.macro_files[index];
    let inside = range.start - start..range.end.saturating_sub(start);
    let inside = narrowed(error, &macro_file.file.text, inside);
    let mut diagnostic = diagnostic;
    if error.kind() == ErrorKind::UndefinedError && error.detail().is_none() {
        let code = macro_file.file.text.get(inside.clone()).unwrap_or_default();
        diagnostic.message = format!("{}: `{code}` is undefined", error.kind());
    }
    let text = &plan.file.text;
    let calls = || plan.scan.calls.iter().map(|call| call.function.clone());
    let site = calls()
        .find(|call| macro_file.names.iter().any(|name| *name == text[call.clone()]))
        .or_else(|| calls().find(|call| engine.is_macro(&text[call.clone()])));
    let span = site.map_or_else(|| Span::whole(&plan.file), |site| Span::new(&plan.file, site));
    diagnostic.at(span).related(Span::new(&macro_file.file, inside), "in this macro")
}

impl Engine {
    /// The place of a string that a call was given: in the template, else at the template's first line when a macro or
    /// a variable made it.
    pub fn literal_span(&self, plan: &Plan, function: &str, name: &str) -> Span {
        if let Some(range) = plan.scan.literal(&plan.file.text, function, name) {
            return Span::new(&plan.file, range);
        }
        for found in &self.macro_files {
            if let Some(range) = found.scan.literal(&found.file.text, function, name) {
                return Span::new(&found.file, range);
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

fn message(error: &Error) -> String {
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

/// The error's range, or its line when the engine knows no more.
fn place(error: &Error, text: &str) -> Range<usize> {
    if let Some(range) = error.range() {
        return range.start.min(text.len())..range.end.min(text.len());
    }
    let line = error.line().unwrap_or(1).saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let length = text[start..].find('\n').unwrap_or(text.len() - start);
    start..start + length
}
