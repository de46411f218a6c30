//! The first render of a template: nothing is looked up, everything that it asks for is noted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use minijinja::{Error, Value};

use super::jinja::{Engine, Names, Plan, RelationValue, Session, SourceCall, from_json};
use crate::diagnostic::Diagnostics;
use crate::ident::{Ident, Relation};

/// What a template asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    pub refs: Vec<RefCall>,
    pub sources: Vec<(String, String)>,
    /// Entity and member.
    pub crosswalks: Vec<(String, Option<String>)>,
    pub config: serde_json::Map<String, serde_json::Value>,
}

/// The arguments of `ref()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefCall {
    pub package: Option<String>,
    pub name: String,
}

/// The first render's outcome.
#[derive(Debug, Default)]
pub(super) struct Recording {
    pub noted: Noted,
    pub asks_incremental: bool,
    /// The template asks a server, which gave nothing yet.
    pub asks_server: bool,
    pub diagnostics: Diagnostics,
}

/// The template of a first render, as it may ask about itself.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub this: Relation,
    /// What YAML says; the template's own `config()` lies over it.
    pub config: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug)]
struct Recorder {
    subject: Subject,
    incremental: bool,
    asked_incremental: AtomicBool,
    noted: Mutex<Noted>,
}

impl Recorder {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A relation for the text of a first render, which nobody reads.
    fn placeholder(&self, name: &str) -> Value {
        RelationValue::value(&Relation::new(self.subject.this.schema.clone(), Ident::from_catalog(name)))
    }
}

impl Names for Recorder {
    fn reference(&self, package: Option<&str>, name: &str) -> Result<Value, Error> {
        let call = RefCall { package: package.map(str::to_owned), name: name.to_owned() };
        let mut noted = self.noted();
        if !noted.refs.contains(&call) {
            noted.refs.push(call);
        }
        drop(noted);
        Ok(self.placeholder(name))
    }

    fn source(&self, call: SourceCall<'_>) -> Result<Value, Error> {
        let named = (call.source.to_owned(), call.table.to_owned());
        let mut noted = self.noted();
        if !noted.sources.contains(&named) {
            noted.sources.push(named);
        }
        drop(noted);
        Ok(self.placeholder(call.table))
    }

    fn crosswalk(&self, entity: &str, member: Option<&str>) -> Result<Value, Error> {
        let named = (entity.to_owned(), member.map(str::to_owned));
        let mut noted = self.noted();
        if !noted.crosswalks.contains(&named) {
            noted.crosswalks.push(named);
        }
        drop(noted);
        Ok(self.placeholder(entity))
    }

    fn this(&self) -> Value {
        RelationValue::value(&self.subject.this)
    }

    fn configure(&self, settings: serde_json::Map<String, serde_json::Value>) {
        self.noted().config.extend(settings);
    }

    fn configured(&self, key: &str) -> Option<Value> {
        let noted = self.noted();
        noted.config.get(key).or_else(|| self.subject.config.get(key)).map(from_json)
    }

    fn is_incremental(&self) -> bool {
        self.asked_incremental.store(true, Ordering::Relaxed);
        self.incremental
    }

    fn session(&self) -> Session {
        Session::Reading
    }

    fn model(&self) -> Value {
        let this = &self.subject.this;
        from_json(&serde_json::json!({
            "resource_type": "model",
            "package_name": "",
            "unique_id": "",
            "name": this.name.as_str(),
            "alias": this.name.as_str(),
            "schema": this.schema.as_str(),
            "config": self.subject.config,
            "tags": [],
            "meta": {},
            "columns": {},
            "depends_on": { "nodes": [], "macros": [] },
        }))
    }

    /// Nothing is known yet.
    fn graph(&self) -> Value {
        from_json(&serde_json::json!({ "nodes": {}, "sources": {}, "exposures": {}, "metrics": {}, "groups": {} }))
    }
}

impl Subject {
    pub fn without_config(this: Relation) -> Self {
        Self { this, config: serde_json::Map::new() }
    }
}

/// Renders a template for what it asks; a template that asks whether it is incremental is rendered both ways, so that
/// its edges are the same on every run.
pub(super) fn record(engine: &Engine, plan: &Plan, subject: Subject) -> Recording {
    let mut recording = record_once(engine, plan, (subject.clone(), false));
    if recording.asks_incremental && !recording.diagnostics.has_errors() {
        let second = record_once(engine, plan, (subject, true));
        let noted = &mut recording.noted;
        noted.refs.extend(second.noted.refs.into_iter().filter(|call| !noted.refs.contains(call)).collect::<Vec<_>>());
        let sources: Vec<_> = second.noted.sources.into_iter().filter(|call| !noted.sources.contains(call)).collect();
        noted.sources.extend(sources);
        let crosswalks: Vec<_> =
            second.noted.crosswalks.into_iter().filter(|call| !noted.crosswalks.contains(call)).collect();
        noted.crosswalks.extend(crosswalks);
        recording.diagnostics.append(second.diagnostics);
    }
    if recording.diagnostics.has_errors() {
        note_literals(plan, &mut recording.noted);
    }
    if recording.asks_server {
        // What it makes of an answer is seen when there is one.
        recording.diagnostics = Diagnostics::default();
    }
    recording
}

/// The text of a first render, for templates that are no statement.
pub(super) fn render_text(engine: &Engine, plan: &Plan, subject: Subject) -> (Option<String>, Diagnostics) {
    let recorder = Recorder {
        subject,
        incremental: false,
        asked_incremental: AtomicBool::new(false),
        noted: Mutex::new(Noted::default()),
    };
    let render = engine.render(plan, std::sync::Arc::new(recorder));
    (render.rendered.map(|rendered| rendered.text), render.diagnostics)
}

fn record_once(engine: &Engine, plan: &Plan, (subject, incremental): (Subject, bool)) -> Recording {
    let recorder = std::sync::Arc::new(Recorder {
        subject,
        incremental,
        asked_incremental: AtomicBool::new(false),
        noted: Mutex::new(Noted::default()),
    });
    let names: std::sync::Arc<dyn Names> = std::sync::Arc::clone(&recorder) as _;
    let render = engine.render(plan, names);
    let noted = std::mem::take(&mut *recorder.noted());
    Recording {
        noted,
        asks_incremental: recorder.asked_incremental.load(Ordering::Relaxed),
        asks_server: render.asked,
        diagnostics: render.diagnostics,
    }
}

/// A render that stopped has not reached every call: those with plain strings are read from the text, so that their
/// mistakes are shown together.
fn note_literals(plan: &Plan, noted: &mut Noted) {
    let text = &plan.file.text;
    for call in &plan.scan.calls {
        let literals: Vec<String> = call.literals.iter().map(|at| text[at.clone()].to_owned()).collect();
        match (&text[call.function.clone()], literals.as_slice()) {
            ("ref", [name]) => noted.refs.push(RefCall { package: None, name: name.clone() }),
            ("source", [source, table]) => noted.sources.push((source.clone(), table.clone())),
            ("xref", [entity]) => noted.crosswalks.push((entity.clone(), None)),
            ("xref", [entity, member]) => noted.crosswalks.push((entity.clone(), Some(member.clone()))),
            _ => {}
        }
    }
    noted.crosswalks.dedup();
    noted.refs.dedup();
    noted.sources.dedup();
}
