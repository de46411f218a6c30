//! The project's templates, ready to be rendered at any time: with a session for what asks the database, without one for
//! everything else.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use minijinja::Value;

use super::answers::{Answers, Directory, Side, Subject, Unknown};
use super::known_relations::KnownRelations;
use super::plain_names::{self, Reading};
use super::tokens::{Token, tokens};
use super::{CompileFacts, Compiled, CompiledSql, Origin, described, empty, one_select, rewrite};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::jinja::{Engine, Names, Plan, Render, Rendered, Rows, Said, Session, from_json};
use crate::manifest::{Manifest, Materialization, ModelNode, TestKind, TestNode, relocate};
use crate::project::{Environment, Project};

/// The templates of a project and what their names mean.
pub struct Templates<'a> {
    manifest: Cow<'a, Manifest>,
    engine: Engine,
    directory: Arc<Directory>,
    known: KnownRelations,
    /// Where relations go that say nothing else.
    schema: Ident,
    graph: OnceLock<Value>,
}

/// A template to compile, and what becomes of it.
pub(super) struct Work {
    pub name: NodeName,
    /// `model "person"`, for messages.
    what: String,
    pub file: Arc<SourceFile>,
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

/// A piece of text that is rendered by itself: a hook, an inline query.
#[derive(Debug, Clone)]
pub struct Text {
    pub file: Arc<SourceFile>,
    /// The node that the text belongs to, which is its `this` and its `model`.
    pub node: Option<NodeName>,
}

/// What a text or a macro gave.
#[derive(Debug, Clone, Default)]
pub struct Spoken {
    pub text: String,
    /// What it told people, in order.
    pub said: Vec<Said>,
    /// The value of a macro, where JSON can say it.
    pub value: Option<serde_json::Value>,
}

impl<'a> Templates<'a> {
    /// Reads every macro; their mistakes are among the diagnostics.
    pub fn new(
        project: &Project,
        manifest: Cow<'a, Manifest>,
        environment: &Environment,
    ) -> (Templates<'a>, Diagnostics) {
        let (engine, diagnostics) = Engine::new(project, environment);
        let directory = Arc::new(Directory::new(&manifest, &environment.target_names().dbname));
        let schema = environment.target.schema.clone();
        let known = KnownRelations::new(&manifest, schema.as_str());
        (Self { manifest, engine, directory, known, schema, graph: OnceLock::new() }, diagnostics)
    }

    /// Templates that outlive the project's files in memory, for renders in the middle of a run.
    pub fn owned(
        project: &Project,
        manifest: &Manifest,
        environment: &Environment,
    ) -> Result<Templates<'static>, Diagnostics> {
        let (templates, diagnostics) = Templates::new(project, Cow::Owned(manifest.clone()), environment);
        diagnostics.guard(templates).map(|(templates, _)| templates)
    }

    /// Renders a text by itself.
    pub fn render_text(&self, text: &Text, session: Session) -> Result<Spoken, Diagnostics> {
        let plan = self.engine.plan(&text.file);
        let answers = self.answers(self.subject_of(text.node.as_ref()), session, &plan);
        let render = self.engine.render(&plan, Arc::clone(&answers) as _);
        self.spoken(render, &answers, &plan)
    }

    /// Calls a macro by its name, with its package before a dot or without; the arguments are keyword arguments.
    pub fn call_macro(
        &self,
        name: &str,
        args: &serde_json::Map<String, serde_json::Value>,
        session: Session,
    ) -> Result<Spoken, Diagnostics> {
        let args: Vec<(&str, Value)> = args.iter().map(|(name, value)| (name.as_str(), from_json(value))).collect();
        let plan = self.engine.plan(&Arc::new(SourceFile { path: name.into(), text: String::new(), written: None }));
        let answers = self.answers(self.subject_of(None), session, &plan);
        let render = self.engine.call(name, &args, Arc::clone(&answers) as _);
        self.spoken(render, &answers, &plan)
    }

    pub(super) fn plan_text(&self, file: &Arc<SourceFile>) -> Plan {
        self.engine.plan(file)
    }

    pub(super) fn render_plan(&self, plan: &Plan, answers: Arc<dyn Names>) -> Render {
        self.engine.render(plan, answers)
    }

    /// Answers to a hook of a node, or to one of the whole run.
    pub(super) fn hook_answers(&self, (node, incremental): (Option<&NodeName>, bool), session: Session) -> Answers {
        let subject = Subject { incremental, ..self.subject_of(node) };
        Answers::new(&self.directory, subject).with(session, None)
    }

    fn spoken(&self, render: Render, answers: &Answers, plan: &Plan) -> Result<Spoken, Diagnostics> {
        let Render { rendered, mut diagnostics, said, given, .. } = render;
        for unknown in answers.finish().0.unknown {
            diagnostics.push(self.mistake(unknown, plan));
        }
        let (text, _) = diagnostics.guard(rendered.map(|rendered| rendered.text).unwrap_or_default())?;
        Ok(Spoken { text, said, value: given.and_then(|value| serde_json::to_value(&value).ok()) })
    }

    fn answers(&self, subject: Subject, session: Session, plan: &Plan) -> Arc<Answers> {
        let graph = self.engine.mentions(plan, "graph").then(|| self.graph());
        Arc::new(Answers::new(&self.directory, subject).with(session, graph))
    }

    fn graph(&self) -> Value {
        self.graph.get_or_init(|| described::graph(&self.manifest)).clone()
    }

    fn subject_of(&self, node: Option<&NodeName>) -> Subject {
        let relation = node.and_then(|node| self.manifest.relation(node)).cloned();
        let this = relation.unwrap_or_else(|| Relation::new(self.schema.clone(), Ident::from_catalog("this")));
        let model = node.and_then(|node| self.manifest.models.get(node));
        Subject {
            config: node.map(|node| self.manifest.config(node)).unwrap_or_default(),
            model: model.cloned().map(Arc::new),
            ..subject(this, Side::Target)
        }
    }

    pub(super) fn plan(&self, work: &Work) -> Plan {
        self.engine.plan(&work.file)
    }

    /// Models, tests that have templates, extraction overrides and analyses.
    pub(super) fn work(&self, facts: &CompileFacts) -> Vec<Work> {
        let models = self.manifest.models.keys().filter_map(|name| self.work_of(name, facts));
        let tests = self.manifest.tests.keys().filter_map(|name| self.work_of(name, facts));
        let stages = self.manifest.stages.keys().filter_map(|name| self.work_of(name, facts));
        let analyses = self.manifest.analyses.keys().filter_map(|name| self.work_of(name, facts));
        let unit_tests = self.manifest.unit_tests.keys().filter_map(|name| self.work_of(name, facts));
        models.chain(tests).chain(stages).chain(analyses).chain(unit_tests).collect()
    }

    /// The template of a node, if it has one.
    pub(super) fn work_of(&self, name: &NodeName, facts: &CompileFacts) -> Option<Work> {
        if let Some(model) = self.manifest.models.get(name) {
            return Some(Work {
                name: name.clone(),
                what: format!("model \"{}\"", model.model),
                file: Arc::clone(&model.file),
                subject: Subject {
                    incremental: facts.incremental.contains(name),
                    rows: self.rows_for(model, facts),
                    config: model.config.clone(),
                    model: Some(Arc::new(model.clone())),
                    ..subject(model.relation.clone(), Side::Target)
                },
                depends_on: model.depends_on.clone(),
                made_from: None,
                shape: Shape::OneSelect,
            });
        }
        if let Some(test) = self.manifest.tests.get(name) {
            return self.test_work(test);
        }
        if let Some(test) = self.manifest.unit_tests.get(name) {
            let model = self.work_of(&test.model, &CompileFacts::default())?;
            let subject = Subject { overrides: Some(test.overrides.clone()), ..model.subject };
            return Some(Work { name: name.clone(), subject, depends_on: Vec::new(), ..model });
        }
        if let Some(analysis) = self.manifest.analyses.get(name) {
            let this = Relation::new(self.schema.clone(), Ident::from_catalog(&analysis.analysis));
            return Some(Work {
                name: name.clone(),
                what: format!("analysis \"{}\"", analysis.analysis),
                file: Arc::clone(&analysis.file),
                subject: subject(this, Side::Target),
                depends_on: analysis.depends_on.clone(),
                made_from: None,
                shape: Shape::Anything,
            });
        }
        let stage = self.manifest.stages.get(name)?;
        Some(Work {
            name: name.clone(),
            what: format!("extraction of \"{}.{}\"", stage.source, stage.table),
            file: Arc::clone(stage.extraction.as_ref()?),
            subject: subject(stage.source_relation.clone(), Side::Source),
            depends_on: Vec::new(),
            made_from: None,
            shape: Shape::OneSelect,
        })
    }

    /// Ephemeral models are read through others, which may be tests: they keep their rows, and nobody reads these rows here.
    fn rows_for(&self, model: &ModelNode, facts: &CompileFacts) -> Rows {
        match model.materialization {
            Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_)
            | Materialization::Incremental(_) => facts.rows,
            Materialization::Merge(_) | Materialization::Snapshot(_) | Materialization::Ephemeral => Rows::All,
        }
    }

    fn test_work(&self, test: &TestNode) -> Option<Work> {
        let (what, file, made_from) = match &test.kind {
            TestKind::Singular { file } => (file.path.display().to_string(), file, None),
            TestKind::Custom(custom) => {
                (test.short_name().to_owned(), &custom.template, Some(test.declared_at.clone()))
            }
            TestKind::Generic { .. } => return None,
        };
        let this = || Relation::new(self.schema.clone(), Ident::from_catalog("test"));
        let this = test.rules.audit.clone().unwrap_or_else(this);
        Some(Work {
            name: test.name.clone(),
            what: format!("test \"{what}\""),
            file: Arc::clone(file),
            subject: Subject { config: test.config.clone(), ..subject(this, Side::Target) },
            depends_on: test.depends_on.clone(),
            made_from,
            shape: Shape::OneSelect,
        })
    }

    /// Renders a node's template; without a session, one that asks for it is left for later.
    pub(super) fn compile(&self, work: Work, plan: &Plan, session: Session) -> Result<Compiled, Diagnostics> {
        match &work.made_from {
            None => self.compile_file(work, plan, session),
            Some(place) => {
                let (file, place) = (Arc::clone(&work.file), place.clone());
                let mut compiled = self.compile_file(work, plan, session).map_err(|mut mistakes| {
                    relocate(&mut mistakes, (&file, &place));
                    mistakes
                })?;
                let output = 0..compiled.sql.text.len();
                compiled.sql.origins = vec![Origin { output, source: place, verbatim: false }];
                Ok(compiled)
            }
        }
    }

    fn compile_file(&self, work: Work, plan: &Plan, session: Session) -> Result<Compiled, Diagnostics> {
        let Work { name, what, file, subject, mut depends_on, shape, made_from: _ } = work;
        let (side, rows) = (subject.side, subject.rows);
        let answers = self.answers(subject, session, plan);
        let Render { rendered, mut diagnostics, needs_server, said, .. } =
            self.engine.render(plan, Arc::clone(&answers) as _);
        let (reads, incremental) = answers.finish();
        for unknown in reads.unknown {
            diagnostics.push(self.mistake(unknown, plan));
        }
        if needs_server && side == Side::Target {
            depends_on.extend(reads.nodes);
            depends_on.sort();
            depends_on.dedup();
            return Ok(Compiled { depends_on, later: true, ..Compiled::default() });
        }
        let Some(rendered) = rendered.filter(|_| !diagnostics.has_errors()) else { return Err(diagnostics) };
        said.iter().for_each(|said| said.tell(&name));
        let sql = with_origins(rendered, &file);
        let tokens = tokens(&sql.text);
        let range = match shape {
            Shape::OneSelect => one_select::check(&sql.text, &tokens)
                .map_err(|no| Diagnostics(vec![not_one_select(&what, &no, (&sql, &file))]))?,
            Shape::Anything => 0..sql.text.len(),
        };
        let tokens = shifted(tokens, &range);
        let sql = one_select::trimmed(&sql, range);
        let sql = match side {
            Side::Target => {
                depends_on.extend(reads.nodes);
                let (sql, tokens) = match rows {
                    Rows::All => (sql, tokens),
                    Rows::None => empty::with_aliases(&sql, &tokens),
                };
                self.with_plain_names((sql, &tokens), (&name, rows), &mut depends_on)
            }
            Side::Source => {
                depends_on.clear();
                sql
            }
        };
        depends_on.sort();
        depends_on.dedup();
        Ok(Compiled { sql, depends_on, incremental, ..Compiled::default() })
    }

    /// Plain table names are edges, and become the relations of this environment.
    fn with_plain_names(
        &self,
        (sql, tokens): (CompiledSql, &[Token]),
        (reader, rows): (&NodeName, Rows),
        depends_on: &mut Vec<NodeName>,
    ) -> CompiledSql {
        let reading = Reading { text: &sql.text, tokens, reader, known_edges: depends_on, rows };
        let names = plain_names::find(&self.known, reading);
        depends_on.extend(names.iter().map(|name| name.node.clone()));
        let replacements: Vec<_> = match rows {
            Rows::All => names.into_iter().filter_map(|name| name.rewriting).collect(),
            Rows::None => empty::replacements(&sql.text, tokens, &names),
        };
        match replacements.is_empty() {
            true => sql,
            false => rewrite::replaced(&sql, &replacements),
        }
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
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
            Unknown::Crosswalk { entity, member } => match self.manifest.find_crosswalk(&entity, member.as_deref()) {
                Ok(_) => unknown_ref(&entity),
                Err(no) => no.diagnostic.at(self.engine.literal_span(plan, "xref", &no.written)),
            },
        }
    }
}

fn subject(this: Relation, side: Side) -> Subject {
    Subject {
        this,
        side,
        incremental: false,
        config: serde_json::Map::new(),
        model: None,
        rows: Rows::All,
        overrides: None,
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

/// The tokens of a part of a text.
fn shifted(tokens: Vec<Token>, part: &std::ops::Range<usize>) -> Vec<Token> {
    let within = tokens.into_iter().filter(|token| part.start <= token.range.start && token.range.end <= part.end);
    let shift = part.start;
    within.map(|token| Token { range: token.range.start - shift..token.range.end - shift, ..token }).collect()
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
