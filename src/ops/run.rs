//! `build`, `run`, `test` and `seed`: the same way with other nodes.
//!
//! 1. compile and select, so that a mistake is told before anything is touched
//! 2. open the connections, compile anew where a model asks what the state knows
//! 3. read the target's catalog, order by its foreign keys, build the plan, try the layer out
//! 4. bring schema `unimig` up to date, execute the plan, telling the listeners
//! 5. keep the history and the artifacts

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::compile::{CompileFacts, Later, LaterHooks};
use crate::event::{Event, Listener, RunSummary};
use crate::execute::{self, Guard, GuardOptions, Hands, HandsOptions};
use crate::extract::{GrowingKey, Throttle};
use crate::ident::{NodeName, Relation};
use crate::manifest::jinja::Rows;
use crate::manifest::{Manifest, Materialization, ModelNode};
use crate::ops::OpError;
use crate::ops::compile::write_compiled;
use crate::ops::connections::{Connections, open_layer};
use crate::ops::defer::{self, Defer};
use crate::ops::empty;
use crate::ops::makers;
use crate::ops::record::run_arguments;
use crate::ops::run_hooks;
use crate::ops::sizes;
use crate::ops::warnings::WarningRules;
use crate::ops::workspace::{CompiledProject, Selection, Workspace};
use crate::plan::{self, Action, Inputs, OnError, Plan, ReadBounds, RunSettings, TargetCatalog};
use crate::postgres::{Lease, PostgresError};
use crate::project::ServerKind;
use crate::state::run::{RunId, RunRecord, RunStatus};
use crate::state::{batch, run as history, schema};
use crate::store::Store;
use crate::transform;

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Staging, seeds, models and data tests, each test as soon as what it tests is built.
    Build,
    /// Staging and models.
    Run,
    /// Data tests.
    Test,
    Seed,
    /// Models that keep every version of their rows.
    Snapshot,
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Run => "run",
            Self::Test => "test",
            Self::Seed => "seed",
            Self::Snapshot => "snapshot",
        }
    }
}

/// A run as the command line asks for it; what is `None` comes from the profile or the default.
#[derive(Debug, Clone)]
pub struct RunRequest {
    pub verb: Verb,
    pub selection: Selection,
    pub threads: Option<usize>,
    pub on_error: OnError,
    pub lock_wait: Duration,
    pub full_refresh: bool,
    pub reads: ReadBounds,
    pub fail_fast: bool,
    /// Tests that would warn fail.
    pub warn_error: bool,
    /// What becomes of other warnings.
    pub warnings: WarningRules,
    pub store_failures: bool,
    /// Whether models read rows, or only columns.
    pub rows: Rows,
    /// Read what is not built here elsewhere.
    pub defer: Option<Defer>,
}

impl RunRequest {
    /// Everything of a kind, with the defaults.
    pub fn all(verb: Verb) -> Self {
        let defaults = RunSettings::default();
        Self {
            verb,
            selection: Selection::default(),
            threads: None,
            on_error: defaults.on_error,
            lock_wait: defaults.lock_wait,
            full_refresh: false,
            reads: ReadBounds::default(),
            fail_fast: false,
            warn_error: false,
            warnings: WarningRules::default(),
            store_failures: false,
            rows: Rows::All,
            defer: None,
        }
    }
}

/// A run that is over.
#[derive(Debug)]
pub struct Ended {
    pub summary: RunSummary,
    /// What became of `on-run-end`: its failure takes nothing back.
    pub hooks: Result<(), OpError>,
}

/// Runs to the end or until `stop`; what fails inside is in the summary.
pub async fn run(
    workspace: &Workspace,
    request: &RunRequest,
    listeners: &mut [Box<dyn Listener>],
    stop: CancellationToken,
) -> Result<Ended, OpError> {
    let approve = async |_: &Settled, _: (&Connections, &Lease)| Ok(None);
    run_approved((workspace, request), (listeners, stop), approve).await
}

/// The same, if `approve` lets exactly this plan run; what it gives is told.
pub(super) async fn run_approved(
    (workspace, request): (&Workspace, &RunRequest),
    (listeners, stop): (&mut [Box<dyn Listener>], CancellationToken),
    approve: impl AsyncFnOnce(&Settled, (&Connections, &Lease)) -> Result<Option<String>, OpError>,
) -> Result<Ended, OpError> {
    let facts = CompileFacts { rows: request.rows, ..CompileFacts::default() };
    let (compiled, _) =
        workspace.compile_selected(&facts, |compiled| select(&workspace.manifest, compiled, request))?;
    request.selection.refuse_warnings(&request.warnings)?;
    workspace.write_manifest(&compiled)?;
    let threads = request.threads.unwrap_or(workspace.environment.target.threads);
    let connections = Connections::open(workspace, threads).await?;
    let outcome =
        run_connected((workspace, compiled), request, (&connections, approve), Told { listeners, stop }).await;
    connections.close().await?;
    outcome
}

/// Who hears of a run, and who may stop it.
struct Told<'a> {
    listeners: &'a mut [Box<dyn Listener>],
    stop: CancellationToken,
}

async fn run_connected(
    (workspace, compiled): (&Workspace, CompiledProject),
    request: &RunRequest,
    (connections, approve): (
        &Connections,
        impl AsyncFnOnce(&Settled, (&Connections, &Lease)) -> Result<Option<String>, OpError>,
    ),
    told: Told<'_>,
) -> Result<Ended, OpError> {
    let mut session = connections.target.lease(request.verb.as_str()).await?;
    let settled = settle((workspace, request), compiled, &session).await?;
    if let Some(message) = approve(&settled, (connections, &session)).await? {
        let event = Event::Noted { node: None, message };
        told.listeners.iter_mut().for_each(|listener| listener.hear(&event));
    }
    let Settled { mut compiled, plan, compiled_anew, facts } = settled;
    if compiled_anew {
        workspace.write_manifest(&compiled)?;
    }
    let project = (&workspace.project, &workspace.manifest, &workspace.environment);
    let later = Later::of(project, &facts, &compiled.compiled)?.map(Arc::new);
    let later_hooks = LaterHooks::of(project, &facts, &compiled.hooks)?.map(Arc::new);
    let layer = writable_layer(workspace, &plan).await?;
    let names: BTreeSet<&NodeName> = plan.steps.iter().map(|step| &step.name).collect();
    write_compiled(workspace, &compiled, |name| names.contains(name))?;
    schema::prepare(&mut session).await?;
    run_hooks::start(workspace, connections, &told.stop).await?;
    empty::tell((workspace, &compiled), request, told.listeners)?;
    let run_id = RunId(workspace.environment.invocation.id.clone());
    let record = history::begin(&session, &run_id, (&plan.command, Timestamp::now())).await?;
    let last_good = batch::all_last_loaded(&session).await?;
    let taken = makers::taken(&workspace.manifest, &plan, &transform::makers(&session).await?);
    // A session that idles through a long run would be the first to be lost.
    drop(session);
    let hands = Hands::new(HandsOptions {
        run: record.clone(),
        target: connections.target.clone(),
        sources: connections.sources.clone(),
        layer,
        project_root: workspace.project.root.clone(),
        later: later.clone(),
        lock_wait: plan.settings.lock_wait,
        full_refresh: plan.settings.full_refresh,
        reads: plan.settings.reads.clone(),
        sizes: sizes::of_first_loads(connections, &plan, &last_good).await,
        last_good,
        taken,
        hooks: compiled.hooks.clone(),
        later_hooks,
        stages_per_connection: plan.stages_per_connection(),
        growing_keys: growing_keys(&plan),
        guards: guards((workspace, connections), &plan),
    });
    let Told { listeners, stop } = told;
    let summary = execute::execute(&plan, Arc::new(hands), listeners, stop.clone()).await;
    if let Err(error) = finish(connections, &record, &summary).await {
        tracing::warn!(run = %record.id.0, %error, "the end of the run could not be recorded");
    }
    if let Some(later) = later {
        keep_late(workspace, &mut compiled, &later)?;
    }
    workspace.write_results(&compiled, (&summary, &run_arguments(workspace, request)))?;
    let hooks = match summary.interrupted {
        true => Ok(()),
        false => run_hooks::end(workspace, connections, (&summary, &stop)).await,
    };
    Ok(Ended { summary, hooks })
}

/// The growing keys of the tables that the plan reads, by connection.
fn growing_keys(plan: &Plan) -> BTreeMap<String, Vec<GrowingKey>> {
    let mut keys: BTreeMap<String, Vec<GrowingKey>> = BTreeMap::new();
    for step in &plan.steps {
        if let Action::Stage(stage) = &step.action {
            let key = GrowingKey::of(&stage.node, stage.extraction.as_ref());
            keys.entry(stage.node.connection.clone()).or_default().extend(key);
        }
    }
    keys
}

/// What the profile asks of each source that the plan reads.
fn guards((workspace, connections): (&Workspace, &Connections), plan: &Plan) -> BTreeMap<String, Guard> {
    let guard = |(name, tables): (String, Vec<Relation>)| {
        let connection = workspace.environment.connections.get(&name)?;
        let watcher = connections.watchers.get(&name).cloned();
        let options = GuardOptions {
            require_read_only: connection.limits.require_read_only.clone(),
            throttle: Throttle::new(connection.limits.clone(), &workspace.project.root, watcher),
            tables,
            is_private: connection.kind == ServerKind::Embedded,
        };
        Some((name, Guard::new(options)))
    };
    plan.tables_per_connection().into_iter().filter_map(guard).collect()
}

/// Writes down what was compiled in the middle of the run.
fn keep_late(workspace: &Workspace, compiled: &mut CompiledProject, later: &Later) -> Result<(), OpError> {
    let done = std::mem::take(&mut *later.done());
    let names: BTreeSet<NodeName> = done.keys().cloned().collect();
    compiled.compiled.extend(done);
    write_compiled(workspace, compiled, |name| names.contains(name))?;
    workspace.write_manifest(compiled)
}

/// A project compiled with what the state knows, and what will be done.
pub(super) struct Settled {
    pub compiled: CompiledProject,
    pub plan: Plan,
    /// Whether the state knew something that changes the SQL.
    pub compiled_anew: bool,
    pub facts: CompileFacts,
}

/// Makes the plan of a request: reads only.
pub(super) async fn settle(
    (workspace, request): (&Workspace, &RunRequest),
    compiled: CompiledProject,
    session: &Lease,
) -> Result<Settled, OpError> {
    let facts = facts(workspace, session, request).await?;
    let facts = facts.map(|incremental| CompileFacts { incremental, rows: request.rows });
    let compiled_anew = facts.is_some();
    let compiled = match &facts {
        Some(facts) => workspace.compile(facts)?,
        None => compiled,
    };
    let facts = facts.unwrap_or_else(|| CompileFacts { rows: request.rows, ..CompileFacts::default() });
    let plan = plan((workspace, request), (&compiled, facts.incremental.clone()), session).await?;
    let plan = match &request.defer {
        Some(options) => defer::defer(workspace, options, plan, session).await?,
        None => plan,
    };
    Ok(Settled { compiled, plan, compiled_anew, facts })
}

async fn finish(connections: &Connections, record: &RunRecord, summary: &RunSummary) -> Result<(), PostgresError> {
    let session = connections.target.lease(&summary.command).await?;
    history::finish(&session, &record.id, status(summary)).await
}

/// The layer, tried out, where a step of the plan needs it.
async fn writable_layer(workspace: &Workspace, plan: &Plan) -> Result<Option<Store>, OpError> {
    if plan.stages_per_connection().is_empty() {
        return Ok(None);
    }
    let layer = open_layer(workspace)?;
    layer.check_writable().await?;
    Ok(Some(layer))
}

/// What the state knows, where a model asks for it.
async fn facts(
    workspace: &Workspace,
    session: &Lease,
    request: &RunRequest,
) -> Result<Option<BTreeSet<NodeName>>, OpError> {
    let mut incremental = incremental_models(workspace, session, request).await?;
    let asks = |model: &ModelNode| model.asks_incremental && matches!(model.materialization, Materialization::Merge(_));
    let some_merge = !request.full_refresh && workspace.manifest.models.values().any(asks);
    if !some_merge || !schema::exists(session).await? {
        return Ok((!incremental.is_empty()).then_some(incremental));
    }
    for name in batch::models_that_merged(session).await? {
        // A table that was made anew, or emptied, has to be filled from the start.
        let model = workspace.manifest.models.get(&name).filter(|model| asks(model));
        if let Some(model) = model
            && transform::has_rows(session, &model.relation).await?
        {
            incremental.insert(name);
        }
    }
    Ok(Some(incremental))
}

/// Incremental models whose table is there and not to be made anew.
async fn incremental_models(
    workspace: &Workspace,
    session: &Lease,
    request: &RunRequest,
) -> Result<BTreeSet<NodeName>, OpError> {
    let is_added_to = |model: &&ModelNode| match &model.materialization {
        Materialization::Incremental(config) => !config.refresh.applies(request.full_refresh),
        Materialization::Merge(_)
        | Materialization::Table
        | Materialization::View
        | Materialization::MaterializedView(_)
        | Materialization::Snapshot(_)
        | Materialization::Ephemeral => false,
    };
    let mut models = workspace.manifest.models.values().filter(is_added_to).peekable();
    if models.peek().is_none() {
        return Ok(BTreeSet::new());
    }
    let there = transform::our_tables(session).await?;
    Ok(models.filter(|model| there.contains(&model.relation)).map(|model| model.name.clone()).collect())
}

async fn plan(
    (workspace, request): (&Workspace, &RunRequest),
    (compiled, incremental): (&CompiledProject, BTreeSet<NodeName>),
    session: &Lease,
) -> Result<Plan, OpError> {
    let manifest = &workspace.manifest;
    let selected = select(manifest, compiled, request)?;
    let catalog = match request.verb {
        Verb::Build | Verb::Run => read_catalog(manifest, session, &selected).await?,
        Verb::Test | Verb::Seed | Verb::Snapshot => TargetCatalog::default(),
    };
    let catalog = TargetCatalog { incremental, ..catalog };
    let order = plan::foreign_key_order(manifest, &catalog);
    let (graph, dropped) = compiled.graph.clone().with_ordering_edges(order);
    for (before, after) in dropped {
        tracing::debug!(%before, %after, "a foreign key runs against the order of the models and does not order them");
    }
    let settings = RunSettings {
        threads: request.threads.unwrap_or(workspace.environment.target.threads),
        on_error: request.on_error,
        lock_wait: request.lock_wait,
        full_refresh: request.full_refresh,
        reads: request.reads.clone(),
        fail_fast: request.fail_fast,
        warn_error: request.warn_error,
        store_failures: request.store_failures,
    };
    let inputs = Inputs { manifest, compiled: &compiled.compiled, graph: &graph, catalog: &catalog };
    let plan = plan::build(inputs, &selected, request.verb.as_str(), settings)?;
    if request.reads.reload.is_some() && !is_one_stage(&plan) {
        return Err(OpError::usage(
            "--reload takes one table",
            "a batch is of one table: name it, as in --select stg.svp.labors --reload 1790000000000000",
        ));
    }
    Ok(match request.verb {
        Verb::Build => plan::with_gates(plan, inputs),
        Verb::Run | Verb::Test | Verb::Seed | Verb::Snapshot => plan,
    })
}

fn is_one_stage(plan: &Plan) -> bool {
    matches!(plan.steps.as_slice(), [step] if matches!(step.action, Action::Stage(_)))
}

/// Nodes of the verb's kind, without those that `--empty` keeps as they are. Tests are also selected by what they test.
pub(super) fn select(
    manifest: &Manifest,
    compiled: &CompiledProject,
    request: &RunRequest,
) -> Result<BTreeSet<NodeName>, OpError> {
    let mut selected = select_any(manifest, compiled, request)?;
    if request.rows == Rows::None {
        selected.retain(|name| !empty::keeps(manifest, name));
    }
    Ok(selected)
}

/// Nodes of the verb's kind.
pub(super) fn select_any(
    manifest: &Manifest,
    compiled: &CompiledProject,
    request: &RunRequest,
) -> Result<BTreeSet<NodeName>, OpError> {
    let is_test = |name: &NodeName| manifest.tests.contains_key(name) || manifest.unit_tests.contains_key(name);
    match request.verb {
        Verb::Build => compiled.select(manifest, &request.selection, |name| {
            manifest.stages.contains_key(name)
                || manifest.crosswalks.contains_key(name)
                || manifest.models.contains_key(name)
                || manifest.seeds.contains_key(name)
                || is_test(name)
        }),
        Verb::Run => compiled.select(manifest, &request.selection, |name| {
            manifest.stages.contains_key(name)
                || manifest.crosswalks.contains_key(name)
                || manifest.models.contains_key(name) && !manifest.is_snapshot(name)
        }),
        Verb::Snapshot => compiled.select(manifest, &request.selection, |name| manifest.is_snapshot(name)),
        Verb::Seed => compiled.select(manifest, &request.selection, |name| manifest.seeds.contains_key(name)),
        Verb::Test => compiled.select(manifest, &request.selection, is_test),
    }
}

async fn read_catalog(
    manifest: &Manifest,
    session: &Lease,
    selected: &BTreeSet<NodeName>,
) -> Result<TargetCatalog, OpError> {
    let merged = manifest
        .models
        .values()
        .filter(|model| selected.contains(&model.name) && matches!(model.materialization, Materialization::Merge(_)));
    let crosswalks = manifest.crosswalks.values().filter(|node| selected.contains(&node.name));
    let schemas = merged.map(|model| model.relation.schema.as_str());
    let schemas: BTreeSet<&str> = schemas.chain(crosswalks.map(|node| node.target.schema.as_str())).collect();
    if schemas.is_empty() {
        return Ok(TargetCatalog::default());
    }
    let schemas: Vec<&str> = schemas.into_iter().collect();
    Ok(transform::read_catalog(session, &schemas).await?)
}

fn status(summary: &RunSummary) -> RunStatus {
    if summary.interrupted {
        RunStatus::Interrupted
    } else if summary.succeeded() {
        RunStatus::Success
    } else {
        RunStatus::Failed
    }
}
