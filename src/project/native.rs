//! Values that are not text out of templates in YAML: dbt renders config natively.

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

/// Whether a text holds Jinja.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// Whether a value holds a text with Jinja.
pub fn has_template(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => is_template(text),
        serde_json::Value::Array(items) => items.iter().any(has_template),
        serde_json::Value::Object(entries) => entries.values().any(has_template),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => false,
    }
}

/// The code of a text that is one `{{ … }}` and nothing else.
pub(super) fn only_expression(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let alone = !inner.contains("{{") && !inner.contains("}}") && !inner.contains("{%");
    alone.then(|| inner.trim_start_matches('-').trim_end_matches('-').trim())
}

/// What a text that a template gave reads as: Python's numbers and booleans become themselves, as in dbt. A text without a
/// template is itself.
pub(super) fn literal(rendered: &str, written: &str) -> serde_json::Value {
    if !is_template(written) {
        return rendered.into();
    }
    match rendered {
        "True" => true.into(),
        "False" => false.into(),
        "None" => serde_json::Value::Null,
        other => number(other).unwrap_or_else(|| other.into()),
    }
}

fn number(text: &str) -> Option<serde_json::Value> {
    if let Ok(whole) = text.parse::<i64>() {
        // Python has no numbers with a leading zero.
        return (whole.to_string() == text).then(|| whole.into());
    }
    let looks = text.starts_with(|first: char| first.is_ascii_digit() || first == '-') && text.contains('.');
    let parsed: f64 = text.parse().ok().filter(|_| looks)?;
    serde_json::Number::from_f64(parsed).map(serde_json::Value::Number)
}

/// `as_number`, `as_bool`, `as_native` and `as_text`.
pub(super) fn add_filters(engine: &mut Environment<'static>) {
    engine.add_filter("as_native", |value: Value| match value.as_str() {
        Some(text) => native(text),
        None => value,
    });
    engine.add_filter("as_text", |value: Value| value.to_string());
    engine.add_filter("as_bool", |value: Value| match value.as_str() {
        _ if value.kind() == ValueKind::Bool => Ok(value),
        Some("true" | "True") => Ok(true.into()),
        Some("false" | "False") => Ok(false.into()),
        Some(_) | None => Err(no_value(&value, "as_bool", "true or false")),
    });
    engine.add_filter("as_number", |value: Value| match value.as_str().map(|text| number(text.trim())) {
        None if value.is_number() => Ok(value),
        Some(Some(number)) => Ok(Value::from(minijinja::value::Serde(&number))),
        Some(None) | None => Err(no_value(&value, "as_number", "a number")),
    });
}

fn native(text: &str) -> Value {
    match literal(text, "{{") {
        serde_json::Value::String(text) => Value::from(text),
        other => Value::from(minijinja::value::Serde(&other)),
    }
}

fn no_value(value: &Value, filter: &str, wanted: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{filter}: \"{value}\" is not {wanted}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::{EnvVars, TextScope, Vars};
    use crate::diagnostic::{SourceFile, Span};

    fn rendered(text: &str) -> serde_json::Value {
        let vars: Vars = [("on".to_owned(), json!(true)), ("list".to_owned(), json!([1, "a"]))].into_iter().collect();
        let env: EnvVars = [("PORT".to_owned(), "5432".to_owned())].into_iter().collect();
        let file = Arc::new(SourceFile { path: "dbt_project.yml".into(), text: String::new(), written: None });
        TextScope::new(&env, &vars)
            .render_value(&json!(text), &Span::whole(&file))
            .unwrap_or_else(|no| json!(no.message))
    }

    #[test]
    fn one_expression_keeps_the_type_of_its_value() {
        assert_eq!(rendered("{{ var('on') }}"), json!(true));
        assert_eq!(rendered("{{ not var('on') }}"), json!(false));
        assert_eq!(rendered("{{ var('list') }}"), json!([1, "a"]));
        assert_eq!(rendered("{{ env_var('PORT') }}"), json!("5432"));
        assert_eq!(rendered("{{ env_var('PORT') | as_number }}"), json!(5432));
        assert_eq!(rendered("{{ 'False' | as_bool }}"), json!(false));
        assert_eq!(rendered("{{ var('on') | as_bool }}"), json!(true));
        assert_eq!(
            rendered("{{ 'maybe' | as_bool }}"),
            json!("invalid operation: as_bool: \"maybe\" is not true or false")
        );
    }

    #[test]
    fn text_around_an_expression_makes_text_unless_python_reads_a_literal() {
        assert_eq!(rendered("a_{{ var('on') }}"), json!("a_True"));
        assert_eq!(rendered("{% if var('on') %}12{% endif %}"), json!(12));
        assert_eq!(rendered("0{{ 12 }}"), json!("012"));
        assert_eq!(rendered("12"), json!("12"));
    }
}
