//! The second render of a template: `ref` and its companions answer with real relations.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::{Error, ErrorKind, Value};

use super::described;
use crate::diagnostic::{Code, Diagnostic};
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::jinja::{Names, Overridden, RelationValue, Rows, Session, SourceCall, from_json};
use crate::manifest::{Manifest, Materialization, ModelNode, Overrides, ephemeral_cte};

/// Every name that templates may ask for, with its answer made ready; shared by all renders.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub database: Arc<str>,
    refs: HashMap<String, RefAnswer>,
    sources: HashMap<String, HashMap<String, SourceAnswers>>,
    /// By entity, then by member; without a member all of them.
    crosswalks: HashMap<String, HashMap<Option<String>, Value>>,
}

#[derive(Debug)]
struct RefAnswer {
    node: NodeName,
    package: String,
    value: Value,
}

#[derive(Debug)]
struct SourceAnswers {
    node: NodeName,
    live: Value,
    /// Tables that nobody stages have none.
    with_tombstones: Option<Value>,
    at_source: Value,
}

impl Directory {
    pub fn new(manifest: &Manifest, database: &str) -> Self {
        let database: Arc<str> = Arc::from(database);
        let mut directory = Self { database: Arc::clone(&database), ..Self::default() };
        let relation =
            |relation: &Relation, kind| RelationValue::new(relation).in_database(&database).of_kind(kind).into_value();
        for seed in manifest.seeds.values() {
            let value = relation(&seed.relation, "table");
            let answer = RefAnswer { node: seed.name.clone(), package: seed.package.clone(), value };
            directory.refs.insert(seed.seed.clone(), answer);
        }
        for model in manifest.models.values() {
            let value = if manifest.is_ephemeral(&model.name) {
                RelationValue::printed_as(&model.relation, ephemeral_cte(&model.model))
            } else if model.materialization == Materialization::View {
                relation(&model.relation, "view")
            } else if let Materialization::MaterializedView(_) = model.materialization {
                relation(&model.relation, "materialized_view")
            } else {
                relation(&model.relation, "table")
            };
            let answer = RefAnswer { node: model.name.clone(), package: model.package.clone(), value };
            directory.refs.insert(model.model.clone(), answer);
        }
        for node in manifest.crosswalks.values() {
            let answers = directory.crosswalks.entry(node.entity.clone()).or_default();
            answers.insert(None, relation(&node.relation, "view"));
            for member in &node.members {
                answers.insert(Some(member.name.clone()), relation(&member.relation, "view"));
            }
        }
        for stage in manifest.stages.values() {
            let answers = SourceAnswers {
                node: stage.name.clone(),
                live: relation(&stage.live_relation, "view"),
                with_tombstones: Some(relation(&stage.stg_relation, "table")),
                at_source: relation(&stage.source_relation, "table"),
            };
            directory.sources.entry(stage.source.clone()).or_default().insert(stage.table.clone(), answers);
        }
        for table in manifest.tables.values() {
            let relation = relation(&table.relation, "table");
            let answers = SourceAnswers {
                node: table.name.clone(),
                live: relation.clone(),
                with_tombstones: None,
                at_source: relation,
            };
            directory.sources.entry(table.source.clone()).or_default().insert(table.table.clone(), answers);
        }
        directory
    }
}

/// Where the rendered SQL will run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// On the source: an extraction override.
    Source,
    Target,
}

/// A template about to be rendered.
#[derive(Debug)]
pub(super) struct Subject {
    pub this: Relation,
    pub side: Side,
    pub incremental: bool,
    pub config: serde_json::Map<String, serde_json::Value>,
    /// For `model`.
    pub model: Option<Arc<ModelNode>>,
    /// Whether what it reads gives rows.
    pub rows: Rows,
    /// Of a unit test.
    pub overrides: Option<Overrides>,
}

/// What a render turned out to read.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    pub nodes: Vec<NodeName>,
    pub unknown: Vec<Unknown>,
}

/// A name that only this render asked for and that means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unknown {
    Ref { package: Option<String>, name: String },
    Source { source: String, table: String },
    Crosswalk { entity: String, member: Option<String> },
}

#[derive(Debug)]
pub(super) struct Answers {
    directory: Arc<Directory>,
    subject: Subject,
    asked_incremental: AtomicBool,
    reads: Mutex<Reads>,
    session: Session,
    graph: Option<Value>,
    /// Names that only this template has.
    names: BTreeMap<String, Value>,
}

impl Unknown {
    /// What is said of it, without its place.
    pub fn mistake(&self) -> Diagnostic {
        match self {
            Self::Ref { name, .. } => {
                Diagnostic::error(Code::UnknownRef, format!("model or seed \"{name}\" does not exist"))
            }
            Self::Source { source, table } => {
                Diagnostic::error(Code::UnknownSource, format!("source table \"{source}.{table}\" does not exist"))
            }
            Self::Crosswalk { entity, .. } => {
                Diagnostic::error(Code::UnknownCrosswalk, format!("crosswalk \"{entity}\" does not exist"))
            }
        }
    }
}

impl Answers {
    pub fn with_names(mut self, names: BTreeMap<String, Value>) -> Self {
        self.names = names;
        self
    }

    pub fn new(directory: &Arc<Directory>, subject: Subject) -> Self {
        let directory = Arc::clone(directory);
        Self {
            directory,
            subject,
            asked_incremental: AtomicBool::new(false),
            reads: Mutex::new(Reads::default()),
            session: Session::Absent,
            graph: None,
            names: BTreeMap::new(),
        }
    }

    /// With what a server can be asked, and the graph where it is wanted.
    pub fn with(self, session: Session, graph: Option<Value>) -> Self {
        Self { session, graph, ..self }
    }

    /// What was read, and whether `is_incremental()` was asked and answered yes.
    pub fn finish(&self) -> (Reads, bool) {
        let incremental = self.subject.incremental && self.asked_incremental.load(Ordering::Relaxed);
        (std::mem::take(&mut *self.reads()), incremental)
    }

    /// A relation as this template reads it.
    fn read(&self, relation: &Value) -> Value {
        match self.subject.rows {
            Rows::All => relation.clone(),
            Rows::None => RelationValue::without_rows(relation),
        }
    }

    fn reads(&self) -> MutexGuard<'_, Reads> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown(&self, unknown: Unknown, name: &str) -> Value {
        self.reads().unknown.push(unknown);
        RelationValue::value(&Relation::new(self.subject.this.schema.clone(), Ident::from_catalog(name)))
    }
}

impl Names for Answers {
    fn reference(&self, package: Option<&str>, name: &str) -> Result<Value, Error> {
        let is_meant = |answer: &&RefAnswer| package.is_none_or(|package| package == answer.package);
        match self.directory.refs.get(name).filter(is_meant) {
            Some(answer) => {
                self.reads().nodes.push(answer.node.clone());
                Ok(self.read(&answer.value))
            }
            None => Ok(self.unknown(Unknown::Ref { package: package.map(str::to_owned), name: name.to_owned() }, name)),
        }
    }

    fn source(&self, call: SourceCall<'_>) -> Result<Value, Error> {
        let SourceCall { source, table, deleted } = call;
        let Some(answers) = self.directory.sources.get(source).and_then(|tables| tables.get(table)) else {
            return Ok(self.unknown(Unknown::Source { source: source.to_owned(), table: table.to_owned() }, table));
        };
        match self.subject.side {
            Side::Source => return Ok(answers.at_source.clone()),
            Side::Target => self.reads().nodes.push(answers.node.clone()),
        }
        if !deleted {
            return Ok(self.read(&answers.live));
        }
        answers.with_tombstones.as_ref().map(|relation| self.read(relation)).ok_or_else(|| {
            let message = format!("source \"{source}\" is not staged, so that \"{table}\" has no deleted rows");
            Error::new(ErrorKind::InvalidOperation, message)
        })
    }

    fn crosswalk(&self, entity: &str, member: Option<&str>) -> Result<Value, Error> {
        if self.subject.side == Side::Source {
            let message = "an extraction reads the source only, and xref names a relation of the target";
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        let member = member.map(str::to_owned);
        match self.directory.crosswalks.get(entity).and_then(|members| members.get(&member)) {
            Some(relation) => {
                self.reads().nodes.push(NodeName::crosswalk(entity));
                Ok(self.read(relation))
            }
            None => Ok(self.unknown(Unknown::Crosswalk { entity: entity.to_owned(), member }, entity)),
        }
    }

    fn this(&self) -> Value {
        RelationValue::new(&self.subject.this).in_database(&self.directory.database).into_value()
    }

    /// Config was settled before.
    fn configure(&self, _settings: serde_json::Map<String, serde_json::Value>) {}

    fn configured(&self, key: &str) -> Option<Value> {
        self.subject.config.get(key).map(from_json)
    }

    fn extra(&self, key: &str) -> Option<Value> {
        self.names.get(key).cloned()
    }

    fn is_incremental(&self) -> bool {
        self.asked_incremental.store(true, Ordering::Relaxed);
        self.subject.incremental
    }

    fn session(&self) -> Session {
        self.session.clone()
    }

    fn model(&self) -> Value {
        self.subject.model.as_ref().map_or(Value::from(()), |model| described::model(model))
    }

    fn graph(&self) -> Value {
        self.graph.clone().unwrap_or(Value::from(()))
    }

    fn overridden(&self, kind: Overridden, name: &str) -> Option<serde_json::Value> {
        let overrides = self.subject.overrides.as_ref()?;
        let values = match kind {
            Overridden::Macro => &overrides.macros,
            Overridden::Var => &overrides.vars,
            Overridden::EnvVar => &overrides.env_vars,
        };
        values.get(name).cloned()
    }
}
