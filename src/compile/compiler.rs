//! Renders models, singular tests and extraction overrides with real relations, and learns their edges.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::answers::{Answers, Directory, Side, Subject, Unknown};
use super::plain_names::KnownRelations;
use super::tokens::tokens;
use super::{Compiled, CompiledSql, Origin, ephemeral, one_select};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::jinja::{Engine, Plan, Rendered};
use crate::manifest::{Manifest, TestKind, TestNode, relocate};
use crate::project::{Environment, Project};

/// What a server knows and files do not; empty for `compile` without a connection.
#[derive(Debug, Clone, Default)]
pub struct CompileFacts {
    /// Models that have merged before and are not asked to start afresh: `is_incremental()` answers yes.
    pub incremental: BTreeSet<NodeName>,
}

/// Turns every template of a project into plain SQL.
pub struct Compiler<'a> {
    project: &'a Project,
    manifest: &'a Manifest,
    environment: &'a Environment,
    facts: &'a CompileFacts,
}

/// A template to compile, and what becomes of it.
struct Work {
    name: NodeName,
    /// `model "person"`, for messages.
    what: String,
    file: Arc<SourceFile>,
    subject: Subject,
    /// Edges that the manifest knows.
    depends_on: Vec<NodeName>,
    /// The line that the file's text was made from, where it is nobody's file.
    made_from: Option<Span>,
    shape: Shape,
}

/// What a text must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    OneSelect,
    /// Nobody runs it.
    Anything,
}

/// What all renders share.
struct Shared<'a> {
    manifest: &'a Manifest,
    engine: Engine,
    directory: Arc<Directory>,
    known: KnownRelations,
}

impl<'a> Compiler<'a> {
    pub fn new(
        project: &'a Project,
        manifest: &'a Manifest,
        environment: &'a Environment,
        facts: &'a CompileFacts,
    ) -> Self {
        Self { project, manifest, environment, facts }
    }

    /// Models, singular tests and extraction overrides (under their stage's name).
    pub fn compile_all(&self) -> Result<BTreeMap<NodeName, Compiled>, Diagnostics> {
        let (engine, mut diagnostics) = Engine::new(self.project, self.environment);
        let work = self.work();
        let plans: Vec<Plan> = work.par_iter().map(|work| engine.plan(&work.file)).collect();
        let shared = Shared {
            manifest: self.manifest,
            engine,
            directory: Arc::new(Directory::new(self.manifest)),
            known: KnownRelations::new(self.manifest, self.environment.target.schema.as_str()),
        };
        let compiled: Vec<_> = work
            .into_par_iter()
            .zip(&plans)
            .map(|(work, plan)| {
                let name = work.name.clone();
                (name, shared.compile(work, plan))
            })
            .collect();
        let mut all = BTreeMap::new();
        for (name, result) in compiled {
            match result {
                Ok(node) => {
                    all.insert(name, node);
                }
                Err(mistakes) => diagnostics.append(mistakes),
            }
        }
        let (all, _) = diagnostics.guard(all)?;
        Ok(with_ephemerals(self.manifest, all))
    }

    fn work(&self) -> Vec<Work> {
        let target = &self.environment.target.schema;
        let models = self.manifest.models.values().map(|model| Work {
            name: model.name.clone(),
            what: format!("model \"{}\"", model.model),
            file: Arc::clone(&model.file),
            subject: Subject {
                this: model.relation.clone(),
                side: Side::Target,
                incremental: self.facts.incremental.contains(&model.name),
                config: model.config.clone(),
            },
            depends_on: model.depends_on.clone(),
            made_from: None,
            shape: Shape::OneSelect,
        });
        let tests = self.manifest.tests.values().filter_map(|test| match &test.kind {
            TestKind::Singular { file } => Some(Work {
                name: test.name.clone(),
                what: format!("test \"{}\"", file.path.display()),
                file: Arc::clone(file),
                subject: test_subject(target, test),
                depends_on: test.depends_on.clone(),
                made_from: None,
                shape: Shape::OneSelect,
            }),
            TestKind::Custom(custom) => Some(Work {
                name: test.name.clone(),
                what: format!("test \"{}\"", test.short_name()),
                file: Arc::clone(&custom.template),
                subject: test_subject(target, test),
                depends_on: test.depends_on.clone(),
                made_from: Some(test.declared_at.clone()),
                shape: Shape::OneSelect,
            }),
            TestKind::Generic { .. } => None,
        });
        let extractions = self.manifest.stages.values().filter_map(|stage| {
            Some(Work {
                name: stage.name.clone(),
                what: format!("extraction of \"{}.{}\"", stage.source, stage.table),
                file: Arc::clone(stage.extraction.as_ref()?),
                subject: subject(stage.source_relation.clone(), Side::Source),
                depends_on: Vec::new(),
                made_from: None,
                shape: Shape::OneSelect,
            })
        });
        let analyses = self.manifest.analyses.values().map(|analysis| Work {
            name: analysis.name.clone(),
            what: format!("analysis \"{}\"", analysis.analysis),
            file: Arc::clone(&analysis.file),
            subject: subject(Relation::new(target.clone(), Ident::from_catalog(&analysis.analysis)), Side::Target),
            depends_on: analysis.depends_on.clone(),
            made_from: None,
            shape: Shape::Anything,
        });
        models.chain(tests).chain(extractions).chain(analyses).collect()
    }
}

fn test_subject(target: &Ident, test: &TestNode) -> Subject {
    let this = || Relation::new(target.clone(), Ident::from_catalog("test"));
    let this = test.rules.audit.clone().unwrap_or_else(this);
    Subject { config: test.config.clone(), ..subject(this, Side::Target) }
}

fn subject(this: Relation, side: Side) -> Subject {
    Subject { this, side, incremental: false, config: serde_json::Map::new() }
}

impl Shared<'_> {
    fn compile(&self, work: Work, plan: &Plan) -> Result<Compiled, Diagnostics> {
        match &work.made_from {
            None => self.compile_file(work, plan),
            Some(place) => {
                let (file, place) = (Arc::clone(&work.file), place.clone());
                let mut compiled = self.compile_file(work, plan).map_err(|mut mistakes| {
                    relocate(&mut mistakes, (&file, &place));
                    mistakes
                })?;
                let output = 0..compiled.sql.text.len();
                compiled.sql.origins = vec![Origin { output, source: place, verbatim: false }];
                Ok(compiled)
            }
        }
    }

    fn compile_file(&self, work: Work, plan: &Plan) -> Result<Compiled, Diagnostics> {
        let Work { name, what, file, subject, mut depends_on, shape, made_from: _ } = work;
        let side = subject.side;
        let answers = Arc::new(Answers::new(&self.directory, subject));
        let (rendered, mut diagnostics) = self.engine.render(plan, Arc::clone(&answers) as _);
        let (reads, incremental) = answers.finish();
        for unknown in reads.unknown {
            diagnostics.push(self.mistake(unknown, plan));
        }
        let Some(rendered) = rendered.filter(|_| !diagnostics.has_errors()) else { return Err(diagnostics) };
        let sql = with_origins(rendered, &file);
        let tokens = tokens(&sql.text);
        let range = match shape {
            Shape::OneSelect => one_select::check(&sql.text, &tokens)
                .map_err(|no| Diagnostics(vec![not_one_select(&what, &no, (&sql, &file))]))?,
            Shape::Anything => 0..sql.text.len(),
        };
        match side {
            Side::Target => {
                depends_on.extend(reads.nodes);
                let own = depends_on.iter().cloned().chain([name.clone()]).collect::<Vec<_>>();
                depends_on
                    .extend(self.known.read_by(&sql.text, &tokens, &own).into_iter().filter(|node| *node != name));
            }
            Side::Source => depends_on.clear(),
        }
        depends_on.sort();
        depends_on.dedup();
        Ok(Compiled { sql: one_select::trimmed(&sql, range), depends_on, incremental })
    }

    fn mistake(&self, unknown: Unknown, plan: &Plan) -> Diagnostic {
        match unknown {
            Unknown::Ref { package, name } => {
                let span = self.engine.literal_span(plan, "ref", &name);
                let found = self.manifest.find_ref(package.as_deref(), &name);
                found.err().unwrap_or_else(|| unknown_ref(&name)).at(span)
            }
            Unknown::Source { source, table } => match self.manifest.find_source(&source, &table) {
                Ok(_) => unknown_ref(&table),
                Err(no) => no.diagnostic.at(self.engine.literal_span(plan, "source", &no.written)),
            },
        }
    }
}

fn unknown_ref(name: &str) -> Diagnostic {
    Diagnostic::error(Code::UnknownRef, format!("model or seed \"{name}\" does not exist"))
}

fn with_origins(rendered: Rendered, file: &Arc<SourceFile>) -> CompiledSql {
    let pieces = rendered.pieces.into_iter();
    let origins = pieces
        .map(|piece| Origin { output: piece.output, source: Span::new(file, piece.source), verbatim: piece.verbatim })
        .collect();
    CompiledSql { text: rendered.text, origins }
}

fn not_one_select(
    what: &str,
    no: &one_select::NotOneSelect,
    (sql, file): (&CompiledSql, &Arc<SourceFile>),
) -> Diagnostic {
    let position = sql.text.get(..no.at.start).map_or(0, |before| before.chars().count()) + 1;
    let span = sql.locate(position).unwrap_or_else(|| Span::whole(file));
    Diagnostic::error(Code::NotOneSelect, format!("{what} is not one SELECT: it {}", no.why))
        .at(span)
        .hint("write one SELECT; unimig writes the statements around it")
}

fn with_ephemerals(manifest: &Manifest, all: BTreeMap<NodeName, Compiled>) -> BTreeMap<NodeName, Compiled> {
    let reads_ephemeral = |node: &Compiled| node.depends_on.iter().any(|parent| manifest.is_ephemeral(parent));
    let injected: Vec<(NodeName, CompiledSql)> = all
        .par_iter()
        .filter(|(_, node)| reads_ephemeral(node))
        .map(|(name, node)| (name.clone(), ephemeral::inject(manifest, &all, node)))
        .collect();
    let mut all = all;
    for (name, sql) in injected {
        if let Some(node) = all.get_mut(&name) {
            node.sql = sql;
        }
    }
    all
}
