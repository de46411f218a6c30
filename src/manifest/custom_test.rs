//! Generic tests that a project or a package defines, `{% test is_even(model, column_name) %}`: a line of YAML becomes a
//! template that calls the test's macro.

use std::path::PathBuf;
use std::sync::Arc;

use super::jinja::scan;
use super::test::Place;
use super::test_name::TestKindName;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile, Span};
use crate::project::{TestDecl, Yaml, YamlValue};

/// Functions that dbt calls where an argument is nothing but a call of one.
const FUNCTIONS: &[&str] = &["env_var", "ref", "var", "source", "doc"];

/// A call of the test's macro, as a template of its own.
pub(super) fn template(place: &Place<'_>, test: &TestDecl, model: &str) -> Arc<SourceFile> {
    let kind = TestKindName::of(test);
    let mut before = String::new();
    let mut arguments = vec![format!("model={model}")];
    if let Some(column) = place.column.filter(|_| !test.arguments.iter().any(|(key, _)| key.value == "column_name")) {
        arguments.push(format!("column_name={}", literal(column.name.value.as_str())));
    }
    for (key, value) in &test.arguments {
        let value = match key.value.as_str() {
            "column_name" => literal(value.to_json().as_str().unwrap_or_default()),
            _ => expression(value, &mut before),
        };
        arguments.push(format!("{}={value}", key.value));
    }
    let namespace = kind.namespace.map(|namespace| format!("{namespace}.")).unwrap_or_default();
    let text = format!("{before}{{{{ {namespace}test_{}({}) }}}}", kind.name, arguments.join(", "));
    let path: PathBuf = test.file.path.clone();
    Arc::new(SourceFile { path, text, written: None })
}

/// Mistakes in the template's text are shown at the line of YAML that it was made from.
pub fn relocate(diagnostics: &mut Diagnostics, (template, place): (&Arc<SourceFile>, &Span)) {
    for diagnostic in &mut diagnostics.0 {
        move_span(diagnostic, (template, place));
    }
}

fn move_span(diagnostic: &mut Diagnostic, (template, place): (&Arc<SourceFile>, &Span)) {
    let is_ours = |span: &Span| Arc::ptr_eq(&span.file, template);
    if diagnostic.span.as_ref().is_none_or(is_ours) {
        diagnostic.span = Some(place.clone());
    }
    for related in &mut diagnostic.related {
        if is_ours(&related.0) {
            related.0 = place.clone();
        }
    }
}

/// A YAML value as Jinja writes it; text with code in it is rendered first, into a variable.
fn expression(value: &Yaml, before: &mut String) -> String {
    match &value.value {
        YamlValue::Null => "none".to_owned(),
        YamlValue::Bool(value) => value.to_string(),
        YamlValue::Number(number) => number.to_string(),
        YamlValue::Text(text) if is_call(text) => text.trim().to_owned(),
        YamlValue::Text(text) if text.contains("{{") || text.contains("{%") => match alone(text) {
            Some(code) => format!("({code})"),
            None => {
                let name = format!("__argument_{}", before.matches("{% endset %}").count());
                before.push_str(&format!("{{% set {name} %}}{text}{{% endset %}}"));
                name
            }
        },
        YamlValue::Text(text) => literal(text),
        YamlValue::List(items) => {
            let items: Vec<String> = items.iter().map(|item| expression(item, before)).collect();
            format!("[{}]", items.join(", "))
        }
        YamlValue::Map(entries) => {
            let entries =
                entries.iter().map(|(key, item)| format!("{}: {}", literal(&key.name), expression(item, before)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The code of a text that is one `{{ }}` and nothing else.
fn alone(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inside.contains("{{") && !inside.contains("}}")).then(|| inside.trim_matches('-').trim())
}

/// `ref('country')`, without braces.
fn is_call(text: &str) -> bool {
    let text = text.trim();
    let Some((function, rest)) = text.split_once('(') else { return false };
    FUNCTIONS.contains(&function.trim()) && rest.ends_with(')') && !scan(&format!("{{{{ {text} }}}}")).calls.is_empty()
}

/// Text in Jinja's quotes.
pub(super) fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for letter in text.chars() {
        match letter {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}
