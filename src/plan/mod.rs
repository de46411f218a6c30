//! What a run will do, as data: steps with everything they need, and what each waits for.
//!
//! A plan is made from the project and the target's catalog alone; making one changes nothing anywhere.

mod build;
mod digest;
pub mod explain;
mod gates;
mod unit_test;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::compile::{CompiledSql, Elsewhere};
use crate::data_test;
use crate::data_test::unit_test::TypedColumn;
use crate::diagnostic::Span;
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::{
    CrosswalkNode, Fixture, IncrementalConfig, MaterializedViewConfig, MergeConfig, ModelNode, SeedNode,
    SnapshotConfig, StageNode, TestRules, TestSeverity, UnitTestNode,
};
use crate::materialize::TargetTable;

pub use self::unit_test::unit_test;
pub use build::{
    Inputs, TargetCatalog, build, crosswalk_action, foreign_key_order, unknown_crosswalk_target, unknown_target,
};
pub use digest::digest;
pub use gates::with_gates;

/// Steps in an order in which every step comes after those it waits for.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The command that the plan is of, as history and artifacts name it.
    pub command: String,
    pub steps: Vec<Step>,
    pub settings: RunSettings,
}

#[derive(Debug, Clone)]
pub struct Step {
    pub name: NodeName,
    pub action: Action,
    /// Steps of this plan that end before this one starts.
    pub waits_for: Vec<Wait>,
}

/// Why one step waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    pub parent: NodeName,
    pub on_failure: OnFailure,
}

/// What becomes of a step whose parent failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It runs on what the parent left before, if there is anything.
    UseLastGood,
    /// It runs all the same: only the order mattered.
    Proceed,
    Skip,
}

#[derive(Debug, Clone)]
pub enum Action {
    Stage(StageAction),
    Crosswalk(CrosswalkAction),
    Merge(MergeAction),
    Table(SelectAction),
    View(SelectAction),
    MaterializedView(MaterializedViewAction),
    Incremental(IncrementalAction),
    Snapshot(SnapshotAction),
    Seed(SeedAction),
    Test(TestAction),
    UnitTest(UnitTestAction),
}

/// Source table → layer → permanent copy.
#[derive(Debug, Clone)]
pub struct StageAction {
    pub node: Arc<StageNode>,
    /// The SELECT of `models/stg/**`, where it replaces the generated one.
    pub extraction: Option<CompiledSql>,
    pub around: Arc<SourceSurroundings>,
}

/// Ids of the target for the rows of staged tables that have none yet.
#[derive(Debug, Clone)]
pub struct CrosswalkAction {
    pub node: Arc<CrosswalkNode>,
    /// The type of the target's column.
    pub id_type: String,
    /// Members whose key is that of their staged table.
    pub unique_keys: BTreeSet<String>,
    pub staged_parents: Vec<NodeName>,
}

/// What the project knows around a source table.
#[derive(Debug, Clone, Default)]
pub struct SourceSurroundings {
    /// Models that read the copy, with their SQL where it is known.
    pub readers: Vec<(NodeName, Option<String>)>,
    /// All tables of the source that the project declares.
    pub declared: Vec<Relation>,
    /// The step that speaks for the whole source.
    pub speaker: Option<NodeName>,
}

/// A SELECT merged into an application's table.
#[derive(Debug, Clone)]
pub struct MergeAction {
    pub node: Arc<ModelNode>,
    pub config: MergeConfig,
    pub select: CompiledSql,
    pub target: TargetTable,
    /// Tables that the target refers to and that are merged after it, as they refer back to it.
    pub open_references: Vec<Relation>,
    /// Models that were merged before with references to this target left open, to be merged again after it.
    pub again: Vec<MergeAction>,
    /// Staged tables that the SELECT reads.
    pub staged_parents: Vec<NodeName>,
}

/// A SELECT that becomes a relation of ours.
#[derive(Debug, Clone)]
pub struct SelectAction {
    pub node: Arc<ModelNode>,
    pub select: CompiledSql,
    pub staged_parents: Vec<NodeName>,
}

/// A SELECT that becomes a materialized view of ours.
#[derive(Debug, Clone)]
pub struct MaterializedViewAction {
    pub node: Arc<ModelNode>,
    pub config: MaterializedViewConfig,
    pub select: CompiledSql,
    /// Whole: it is made anew even where its definition is the same.
    pub extent: Extent,
    pub staged_parents: Vec<NodeName>,
}

/// A SELECT that comes into a table of ours which stays.
#[derive(Debug, Clone)]
pub struct IncrementalAction {
    pub node: Arc<ModelNode>,
    pub config: IncrementalConfig,
    pub select: CompiledSql,
    pub extent: Extent,
    pub staged_parents: Vec<NodeName>,
}

/// A SELECT whose versions are kept.
#[derive(Debug, Clone)]
pub struct SnapshotAction {
    pub node: Arc<ModelNode>,
    pub config: SnapshotConfig,
    pub select: CompiledSql,
    pub staged_parents: Vec<NodeName>,
}

/// How much of a model's rows its SELECT was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of them: the table is made anew.
    Whole,
    /// `is_incremental()` said yes: they are added to what is there.
    Increment,
}

#[derive(Debug, Clone)]
pub struct SeedAction {
    pub node: Arc<SeedNode>,
}

#[derive(Debug, Clone)]
pub struct TestAction {
    pub node: NodeName,
    pub select: CompiledSql,
    pub severity: TestSeverity,
    pub rules: TestRules,
    /// Whether a warning is a failure.
    pub warn_error: bool,
    /// Where failing rows are kept, if they are.
    pub keep: Option<KeptRows>,
    pub declared_at: Span,
    /// Relations that must exist, for the message where they don't.
    pub subjects: Vec<Relation>,
}

/// A model's SELECT on literal rows.
#[derive(Debug, Clone)]
pub struct UnitTestAction {
    pub node: Arc<UnitTestNode>,
    /// Reads the tables of the inputs.
    pub select: CompiledSql,
    pub inputs: Vec<UnitInput>,
    /// Where the SELECT finds what it reads.
    pub elsewhere: Elsewhere,
}

/// A temporary table that stands in for what a model reads.
#[derive(Debug, Clone)]
pub struct UnitInput {
    pub table: Ident,
    pub fixture: Fixture,
    /// Columns and types that are known for certain: where there are some, nothing else is asked.
    pub known: Vec<TypedColumn>,
    /// What they are taken from otherwise, the first that is there.
    pub relation: Option<Relation>,
    pub declared: Vec<TypedColumn>,
    pub select: Option<CompiledSql>,
    pub declared_at: Span,
}

/// Where and how failing rows are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRows {
    pub relation: Relation,
    pub kept_as: KeptAs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptAs {
    Table,
    View,
}

/// How a run behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSettings {
    pub threads: usize,
    pub on_error: OnError,
    /// How long a step waits for a target that another process holds.
    pub lock_wait: Duration,
    /// Read whole tables whatever their strategy, and answer `is_incremental()` with no.
    pub full_refresh: bool,
    /// Which rows of source tables are read, where their strategies are overruled.
    pub reads: ReadBounds,
    /// Stop at the first failure.
    pub fail_fast: bool,
    /// A test that would warn fails.
    pub warn_error: bool,
    /// Keep failing rows of every test that does not say otherwise.
    pub store_failures: bool,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            threads: 4,
            on_error: OnError::Continue,
            lock_wait: Duration::from_secs(60),
            full_refresh: false,
            reads: ReadBounds::default(),
            fail_fast: false,
            warn_error: false,
            store_failures: false,
        }
    }
}

/// Bounds that a run gives for what it reads of source tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBounds {
    /// Whole tables, whatever their strategy.
    pub full: bool,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// How far back from the source's clock.
    pub window: Option<SignedDuration>,
    /// A batch of the layer that is loaded again; no source is read.
    pub reload: Option<i64>,
    /// However many rows are gone, a person has looked.
    pub accept_deletes: bool,
    /// However the source has changed, a person has looked.
    #[serde(default)]
    pub accept_drift: bool,
}

impl ReadBounds {
    /// Whether times are bounded.
    pub fn bounds_times(&self) -> bool {
        self.since.is_some() || self.until.is_some() || self.window.is_some()
    }
}

/// `--on-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// A model runs on the last good state of a staged parent that failed; children of a failed model are skipped.
    #[default]
    Continue,
    /// Everything below a failed step is skipped.
    Skip,
}

impl Action {
    /// The same with a SELECT that was not known when the plan was made.
    #[must_use]
    pub fn with_select(&self, select: CompiledSql) -> Self {
        match self {
            Self::Stage(stage) => Self::Stage(stage.clone()),
            Self::Crosswalk(crosswalk) => Self::Crosswalk(crosswalk.clone()),
            Self::Merge(merge) => Self::Merge(MergeAction { select, ..merge.clone() }),
            Self::Incremental(incremental) => Self::Incremental(IncrementalAction { select, ..incremental.clone() }),
            Self::Table(table) => Self::Table(SelectAction { select, ..table.clone() }),
            Self::View(view) => Self::View(SelectAction { select, ..view.clone() }),
            Self::MaterializedView(view) => Self::MaterializedView(MaterializedViewAction { select, ..view.clone() }),
            Self::Seed(seed) => Self::Seed(seed.clone()),
            Self::Snapshot(snapshot) => Self::Snapshot(SnapshotAction { select, ..snapshot.clone() }),
            Self::UnitTest(test) => {
                Self::UnitTest(UnitTestAction { select: test.elsewhere.apply(&select), ..test.clone() })
            }
            Self::Test(test) => {
                Self::Test(TestAction { select: data_test::limited(&select, test.rules.limit), ..test.clone() })
            }
        }
    }

    /// Whether the step looks at what others made, and writes no target.
    pub fn is_test(&self) -> bool {
        match self {
            Self::Test(_) | Self::UnitTest(_) => true,
            Self::Stage(_)
            | Self::Crosswalk(_)
            | Self::Merge(_)
            | Self::Incremental(_)
            | Self::Snapshot(_)
            | Self::Table(_)
            | Self::View(_)
            | Self::MaterializedView(_)
            | Self::Seed(_) => false,
        }
    }
}

impl Plan {
    /// The source tables that are read over each connection.
    pub fn tables_per_connection(&self) -> BTreeMap<String, Vec<Relation>> {
        let mut tables: BTreeMap<String, Vec<Relation>> = BTreeMap::new();
        for step in &self.steps {
            if let Action::Stage(stage) = &step.action {
                tables.entry(stage.node.connection.clone()).or_default().push(stage.node.source_relation.clone());
            }
        }
        tables
    }

    /// How many steps each source still has to read, so that its snapshot can be let go after the last.
    pub fn stages_per_connection(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for step in &self.steps {
            if let Action::Stage(stage) = &step.action {
                *counts.entry(stage.node.connection.clone()).or_default() += 1;
            }
        }
        counts
    }
}
