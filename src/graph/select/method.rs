//! The words before the colon: which methods there are, and what values each takes.

use serde_json::Value;

use super::criterion::{Layer, Method, StateCheck, VersionCheck};
use super::parse::bad;
use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{ResourceType, TestType};

/// Methods as users type them, for hints.
pub(super) const METHODS: &[&str] = &[
    "fqn",
    "tag",
    "source",
    "path",
    "file",
    "package",
    "config",
    "test_name",
    "test_type",
    "resource_type",
    "group",
    "access",
    "exposure",
    "unit_test",
    "state",
    "result",
    "source_status",
    "version",
    "selector",
    "layer",
    "pipeline",
    "stale",
];

/// Kinds of our node names, which a term may begin with: `bl.person` or `bl:person`.
pub(super) const KINDS: &[&str] =
    &["stg", "bl", "xref", "seed", "test", "files", "snapshot", "unit", "unit_test", "analysis", "exposure", "source"];

/// dbt's methods for kinds of nodes that unimig does not have.
const ABSENT: &[&str] = &["metric", "semantic_model", "saved_query", "function"];

const STATES: &[(&str, StateCheck)] = &[
    ("new", StateCheck::New),
    ("old", StateCheck::Old),
    ("modified", StateCheck::Modified),
    ("unmodified", StateCheck::Unmodified),
    ("modified.body", StateCheck::Body),
    ("modified.configs", StateCheck::Configs),
    ("modified.relation", StateCheck::Relation),
    ("modified.persisted_descriptions", StateCheck::PersistedDescriptions),
    ("modified.macros", StateCheck::Macros),
    ("modified.contract", StateCheck::Contract),
];

const RESULTS: &[&str] =
    &["success", "error", "fail", "warn", "skipped", "pass", "runtime error", "partial success", "no-op", "reused"];

/// A value as text; YAML may write a number or a boolean.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// What `method:value` looks for.
pub(super) fn of(written: &str, value: &Value, at: &Span) -> Result<Method, Diagnostic> {
    let mut words = written.split('.');
    let method = words.next().unwrap_or_default();
    let arguments: Vec<String> = words.map(str::to_owned).collect();
    let text = text(value);
    if !arguments.is_empty() && method != "config" && METHODS.contains(&method) {
        let message = format!("selector method \"{method}\" takes nothing behind a dot");
        return Err(
            bad(message, at).hint(format!("write {method}:{text}; only config has settings, as config.schema:{text}"))
        );
    }
    Ok(match method {
        "fqn" => Method::Fqn(text),
        "tag" => Method::Tag(text),
        "group" => Method::Group(text),
        "access" => Method::Access(choice(method, &text, &["private", "protected", "public"], at)?),
        "source" => Method::Source(dotted(method, text, 3, at)?),
        "exposure" => Method::Exposure(dotted(method, text, 2, at)?),
        "unit_test" => Method::UnitTest(dotted(method, text, 2, at)?),
        "path" => Method::Path(text),
        "file" => Method::File(text),
        "package" => Method::Package(text),
        "config" if arguments.is_empty() => {
            let message = "selector method \"config\" needs the name of a setting";
            return Err(bad(message, at).hint("write it as in config.materialized:view"));
        }
        "config" => Method::Config(arguments, value.clone()),
        "test_name" => Method::TestName(text),
        "test_type" => Method::TestType(test_type(&text, at)?),
        "resource_type" => Method::ResourceType(resource_type(&text, at)?),
        "state" => Method::State(state(&text, at)?),
        "result" => Method::Result(choice(method, &text, RESULTS, at)?),
        "source_status" => {
            choice(method, &text, &["fresher"], at)?;
            Method::SourceStatus
        }
        "version" => Method::Version(version(&text, at)?),
        "layer" => Method::Layer(layer(&text, at)?),
        "stale" => Method::Stale(span_of_time(&text, at)?),
        kind if KINDS.contains(&kind) && arguments.is_empty() => Method::Name(format!("{kind}.{text}")),
        _ => return Err(unknown(method, &text, at)),
    })
}

fn unknown(method: &str, value: &str, at: &Span) -> Diagnostic {
    let diagnostic = bad(format!("there is no selector method \"{method}\""), at);
    if ABSENT.contains(&method) {
        return diagnostic.hint(format!("dbt has it, and unimig has no {}", method.replace('_', " ")));
    }
    let diagnostic = diagnostic.did_you_mean(method, METHODS.iter().copied());
    match diagnostic.hint {
        Some(_) => diagnostic,
        None => {
            diagnostic.hint(format!("methods are {}; \"{value}\" alone is looked up as a name", METHODS.join(", ")))
        }
    }
}

/// One of a few words.
fn choice(method: &str, value: &str, words: &[&str], at: &Span) -> Result<String, Diagnostic> {
    if words.contains(&value) {
        return Ok(value.to_owned());
    }
    let diagnostic = bad(format!("\"{value}\" is no value of selector method \"{method}\""), at)
        .did_you_mean(value, words.iter().copied());
    Err(match diagnostic.hint {
        Some(_) => diagnostic,
        None => diagnostic.hint(format!("it is one of {}", words.join(", "))),
    })
}

/// A name with at most so many parts.
fn dotted(method: &str, value: String, most: usize, at: &Span) -> Result<String, Diagnostic> {
    if value.split('.').count() <= most {
        return Ok(value);
    }
    let form = match method {
        "source" => "source:svp, source:svp.labors or source:package.svp.labors",
        "exposure" => "exposure:name or exposure:package.name",
        _ => "unit_test:name or unit_test:package.name",
    };
    Err(bad(format!("\"{value}\" has too many parts for selector method \"{method}\""), at)
        .hint(format!("write it as {form}")))
}

fn test_type(value: &str, at: &Span) -> Result<Vec<TestType>, Diagnostic> {
    Ok(match choice("test_type", value, &["generic", "singular", "unit", "data", "schema"], at)?.as_str() {
        "generic" | "schema" => vec![TestType::Generic],
        "singular" => vec![TestType::Singular],
        "unit" => vec![TestType::Unit],
        _ => vec![TestType::Generic, TestType::Singular],
    })
}

fn resource_type(value: &str, at: &Span) -> Result<ResourceType, Diagnostic> {
    if let Some(found) = ResourceType::of(value) {
        return Ok(found);
    }
    let words: Vec<&str> = ResourceType::ALL.iter().map(|kind| kind.as_str()).collect();
    choice("resource_type", value, &words, at)?;
    Err(bad(format!("\"{value}\" is no kind of node"), at))
}

fn state(value: &str, at: &Span) -> Result<StateCheck, Diagnostic> {
    let words: Vec<&str> = STATES.iter().map(|(word, _)| *word).collect();
    let word = choice("state", value, &words, at)?;
    let found = STATES.iter().find(|(known, _)| *known == word);
    found.map(|(_, check)| *check).ok_or_else(|| bad(format!("\"{value}\" is no state"), at))
}

fn version(value: &str, at: &Span) -> Result<VersionCheck, Diagnostic> {
    Ok(match choice("version", value, &["latest", "prerelease", "old", "none"], at)?.as_str() {
        "latest" => VersionCheck::Latest,
        "prerelease" => VersionCheck::Prerelease,
        "old" => VersionCheck::Old,
        _ => VersionCheck::None,
    })
}

fn layer(value: &str, at: &Span) -> Result<Layer, Diagnostic> {
    Ok(match choice("layer", value, &["stg", "bl", "files"], at)?.as_str() {
        "stg" => Layer::Stg,
        "bl" => Layer::Bl,
        _ => Layer::Files,
    })
}

fn span_of_time(value: &str, at: &Span) -> Result<jiff::SignedDuration, Diagnostic> {
    let bad_time =
        || bad(format!("\"{value}\" is no span of time"), at).hint("write it as in stale:1d, stale:6h or stale:30m");
    let span: jiff::Span = value.parse().map_err(|_| bad_time())?;
    // A day is 24 hours here: what is stale must not depend on a time zone.
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| bad_time())?;
    if duration.is_negative() { Err(bad_time()) } else { Ok(duration) }
}
