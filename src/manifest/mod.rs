//! The whole project with every name looked up: what `sources/*.yml`, `models/**`, `seeds/` and `tests/` declare,
//! settled into nodes that later floors read.
//!
//! A manifest holds no SQL that was rendered and knows no server; it is the same on every machine for the same files.

mod bad_rows;
mod capture;
mod check;
mod config;
mod contract;
mod crosswalk;
mod custom_test;
pub mod defaults;
mod drift;
mod exposure;
mod facts;
#[cfg(test)]
pub(crate) mod fixture;
mod fixture_rows;
mod freshness;
mod hook;
pub mod jinja;
mod keyless;
mod layer;
mod lookup;
mod materialization;
mod model;
mod naming;
mod ownership;
mod quarantine;
mod record;
mod reference;
mod removals;
mod resolve;
mod seed;
mod snapshot;
mod source;
mod stage;
mod test;
mod test_name;
mod test_rules;
#[cfg(test)]
mod tests;
mod unit_test;
mod upkeep;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub use bad_rows::BadRows;
pub use capture::{Alarm, Checksum, Strategy, length_of_time};
pub use contract::{Constraint, Contract, ContractColumn};
pub use crosswalk::{CrosswalkMember, CrosswalkNode, MatchRule, Matching, NewId, NoCrosswalk};
pub use custom_test::relocate;
pub use drift::{DriftPolicy, OnAdded, OnChange, OnTables};
pub use exposure::{AnalysisNode, ExposureNode, GroupNode};
pub use facts::{CROSSWALKS, NodeFacts, ResourceType, TestFacts, TestType};
pub use fixture_rows::{FixtureRow, csv_rows};
pub use freshness::FreshnessStatus;
pub use hook::{Hook, Hooks, Moment};
pub use lookup::{NoSource, SourceTable, ephemeral_cte, ephemeral_cte_name};
pub use materialization::{
    IncrementalConfig, IncrementalStrategy, MaterializedViewConfig, MergeUpdates, OnConfigurationChange,
    OnSchemaChange, Refresh,
};
pub use ownership::{Foreign, OnConflict, Triggers};
pub use quarantine::QuarantineLimit;
pub use removals::{Brake, Missing, Removals};
pub use resolve::resolve;
pub use snapshot::{CheckColumns, HardDeletes, MetaNames, SnapshotConfig, SnapshotStrategy};
pub use stage::LimitPlaces;
pub use test_rules::{KeepFailures, TestRules};
pub use unit_test::{Fixture, GivenRows, Overrides, UnitTestNode};
pub use upkeep::{IndexConfig, Logging, PersistDocs, Uniqueness, Upkeep};

use crate::diagnostic::{SourceFile, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{ConstraintDecl, PipelineDecl, SelectorDecl};

/// Every node by its name, in the order of names.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    pub project_name: String,
    /// The names of installed packages.
    pub packages: Vec<String>,
    /// Where they are, relative to the project folder.
    pub package_folders: Vec<PathBuf>,
    pub stages: BTreeMap<NodeName, StageNode>,
    /// Source tables that nobody stages: tables of the target that are only read.
    pub tables: BTreeMap<NodeName, TableNode>,
    /// Keys of staged tables as ids of the target.
    pub crosswalks: BTreeMap<NodeName, CrosswalkNode>,
    pub models: BTreeMap<NodeName, ModelNode>,
    pub seeds: BTreeMap<NodeName, SeedNode>,
    pub tests: BTreeMap<NodeName, TestNode>,
    pub unit_tests: BTreeMap<NodeName, UnitTestNode>,
    /// Selections with names, of `selectors.yml`.
    pub selectors: Vec<SelectorDecl>,
    pub pipelines: Vec<PipelineDecl>,
    /// What is compiled and never run.
    pub analyses: BTreeMap<NodeName, AnalysisNode>,
    /// What outside of the project reads it.
    pub exposures: BTreeMap<NodeName, ExposureNode>,
    /// By name.
    pub groups: BTreeMap<String, GroupNode>,
    /// Models, seeds and source tables that config switched off, and where.
    pub disabled: BTreeMap<NodeName, Span>,
    /// The same nodes and the tests that are switched off, as far as they are known; nothing refers to them.
    pub switched_off: Option<Box<Manifest>>,
}

/// One table of a source system and its permanent copy: the process `stg.<source>.<table>`.
#[derive(Debug, Clone)]
pub struct StageNode {
    pub name: NodeName,
    pub source: String,
    pub table: String,
    pub description: String,
    /// The connection of the profile that reads the source.
    pub connection: String,
    /// The table at the source.
    pub source_relation: Relation,
    /// The permanent copy in the target database.
    pub stg_relation: Relation,
    /// The view of its live rows.
    pub live_relation: Relation,
    /// Empty for a table whose whole rows are compared; its strategy is `Full` then.
    pub key: Vec<Ident>,
    pub strategy: Strategy,
    pub removals: Removals,
    pub alarm: Option<Alarm>,
    pub drift: DriftPolicy,
    pub checksum: Checksum,
    /// Without one, a row that the copy refuses fails the process.
    pub quarantine: Option<QuarantineLimit>,
    pub columns: Vec<ColumnNode>,
    /// `models/stg/<source>/<table>.sql`, which replaces the generated extraction SELECT.
    pub extraction: Option<Arc<SourceFile>>,
    pub properties: SourceProperties,
    /// The `name:` of the table in its YAML file.
    pub declared_at: Span,
    pub limits_at: LimitPlaces,
}

/// A table of the target that somebody else fills, declared as dbt declares a source; no process writes it.
#[derive(Debug, Clone)]
pub struct TableNode {
    pub name: NodeName,
    pub source: String,
    pub table: String,
    pub description: String,
    pub source_description: String,
    /// The folders between the model folder and the YAML file, for dbt's `fqn`.
    pub folders: Vec<String>,
    /// The package that the YAML file belongs to.
    pub package: String,
    pub relation: Relation,
    pub columns: Vec<ColumnNode>,
    pub properties: SourceProperties,
    /// The `name:` of the table in its YAML file.
    pub declared_at: Span,
}

/// What dbt lets a source table say of itself, its source's word included.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceProperties {
    pub loader: Option<String>,
    pub tags: Vec<String>,
    pub meta: serde_json::Map<String, serde_json::Value>,
    pub freshness: Option<Freshness>,
    /// An expression over the table's columns.
    pub loaded_at_field: Option<String>,
    pub loaded_at_query: Option<String>,
    /// Every setting after precedence, for the artifacts.
    pub config: serde_json::Map<String, serde_json::Value>,
}

/// How old the newest row of a source table may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freshness {
    pub warn_after: Option<FreshnessAfter>,
    pub error_after: Option<FreshnessAfter>,
    /// A condition on the rows that count.
    pub filter: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreshnessAfter {
    pub count: u64,
    pub period: Period,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Minute,
    Hour,
    Day,
}

/// A declared column of a source table, model or seed.
#[derive(Debug, Clone)]
pub struct ColumnNode {
    pub name: Ident,
    pub data_type: Option<String>,
    pub description: String,
    pub tags: Vec<String>,
    pub meta: serde_json::Value,
    pub quote: Option<bool>,
    pub constraints: Vec<ConstraintDecl>,
    pub declared_at: Span,
}

/// A SQL file of `models/` and what was said about it: the process `bl.<name>`.
#[derive(Debug, Clone)]
pub struct ModelNode {
    pub name: NodeName,
    /// The file's stem, which `ref()` takes.
    pub model: String,
    /// The package that the file belongs to: the project's own name, or an installed package's.
    pub package: String,
    /// The folders between `models/` and the file, for dbt's `fqn`.
    pub folders: Vec<String>,
    pub file: Arc<SourceFile>,
    pub relation: Relation,
    pub materialization: Materialization,
    pub upkeep: Upkeep,
    pub hooks: Hooks,
    pub description: String,
    pub columns: Vec<ColumnNode>,
    pub tags: Vec<String>,
    /// Every setting after precedence, for `config.get()` and the artifacts.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// Every `ref` and `source` that the file calls, in order, looked up.
    pub depends_on: Vec<NodeName>,
    /// Whether the file calls `is_incremental()`.
    pub asks_incremental: bool,
    /// The property file that speaks of it.
    pub patch_path: Option<PathBuf>,
    /// Of several columns, or of one that is named here.
    pub constraints: Vec<ConstraintDecl>,
    /// What the model is held to, where it is.
    pub contract: Option<Contract>,
    /// A date, as written.
    pub deprecation_date: Option<String>,
    /// Where `config(…)` stands, or the first line.
    pub configured_at: Span,
}

/// What a model becomes in the target database.
#[derive(Debug, Clone, PartialEq)]
pub enum Materialization {
    /// Rows are merged into a table that the application owns.
    Merge(MergeConfig),
    /// A table that unimig owns and replaces in one transaction.
    Table,
    View,
    /// A materialized view that unimig owns, refreshed where its SELECT gives other rows.
    MaterializedView(MaterializedViewConfig),
    /// A table that unimig owns, keeps, and brings the rows of its SELECT into.
    Incremental(IncrementalConfig),
    /// A table that unimig owns, and that keeps every version of the SELECT's rows.
    Snapshot(Box<SnapshotConfig>),
    /// Not built: its SELECT becomes a CTE of the models that refer to it.
    Ephemeral,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct MergeConfig {
    /// Empty means the target's primary key.
    pub unique_key: Vec<Ident>,
    pub deletes: Deletes,
    pub bad_rows: BadRows,
    pub foreign: Foreign,
    pub on_conflict: OnConflict,
    pub triggers: Triggers,
}

/// What happens to a row that the process inserted and whose key the SELECT no longer gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Deletes {
    #[default]
    Keep,
    /// The named timestamp column is set.
    Soft {
        column: Ident,
    },
    Hard,
}

/// A CSV file of `seeds/`: the process `seed.<name>`.
#[derive(Debug, Clone)]
pub struct SeedNode {
    pub name: NodeName,
    pub seed: String,
    /// The package that the file belongs to.
    pub package: String,
    /// The folders between `seeds/` and the file, for dbt's `fqn`.
    pub folders: Vec<String>,
    /// Relative to the project folder.
    pub path: PathBuf,
    pub relation: Relation,
    pub upkeep: Upkeep,
    pub hooks: Hooks,
    pub description: String,
    pub columns: Vec<ColumnNode>,
    pub tags: Vec<String>,
    pub config: serde_json::Map<String, serde_json::Value>,
    /// The property file that speaks of it.
    pub patch_path: Option<PathBuf>,
    /// Types that the project states; the others are found from the values.
    pub column_types: BTreeMap<String, String>,
    pub delimiter: char,
    pub quoting: SeedQuoting,
    pub decimals: SeedDecimals,
}

/// The type of a seed's column whose values have decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedDecimals {
    /// `numeric`, which keeps every digit.
    Exact,
    /// `double precision`, as dbt takes it.
    Float,
}

/// `quote_columns`: whether the names of a seed's header keep their case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedQuoting {
    AsWritten,
    /// As SQL reads a bare name, in lower case.
    Folded,
}

/// A data test: a SELECT that returns the rows that are wrong.
#[derive(Debug, Clone)]
pub struct TestNode {
    pub name: NodeName,
    /// Of a generic test.
    pub identity: Option<TestIdentity>,
    /// The package that declares the test.
    pub package: String,
    pub kind: TestKind,
    pub severity: TestSeverity,
    pub rules: TestRules,
    pub description: String,
    /// The folders between `models/` or `tests/` and the file, for dbt's `fqn`.
    pub folders: Vec<String>,
    pub tags: Vec<String>,
    pub config: serde_json::Map<String, serde_json::Value>,
    /// Nodes that the test speaks of, looked up.
    pub depends_on: Vec<NodeName>,
    /// The test's place: its file, or its line in the YAML.
    pub declared_at: Span,
}

/// What dbt knows a generic test by, as its manifest writes it.
#[derive(Debug, Clone)]
pub struct TestIdentity {
    /// Whole; the node's own name is cut to what a relation may be called.
    pub name: String,
    pub kind: String,
    pub namespace: Option<String>,
    /// As written, with `model` and `column_name`.
    pub arguments: serde_json::Map<String, serde_json::Value>,
    /// Ten digits, the end of its `unique_id`.
    pub hash: String,
}

#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly every test is of the large one")]
pub enum TestKind {
    Singular {
        file: Arc<SourceFile>,
    },
    Generic {
        subject: TestSubject,
        column: Ident,
        check: Check,
        filter: Option<String>,
    },
    /// A generic test that a macro of the project or of a package defines.
    Custom(CustomTest),
}

/// A line of YAML as a call of the macro that defines its test.
#[derive(Debug, Clone)]
pub struct CustomTest {
    /// Renders the rows that are wrong; its text is nobody's file.
    pub template: Arc<SourceFile>,
    pub subject: NodeName,
    /// The kind, without `test_` and without its package.
    pub name: String,
}

/// What a generic test looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSubject {
    pub node: NodeName,
    pub relation: Relation,
    /// An ephemeral model is read by its CTE instead.
    pub cte: Option<String>,
}

/// The generic tests that ship with the tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    NotNull,
    Unique,
    AcceptedValues { values: Vec<String>, quote: bool },
    Relationships { to: TestSubject, field: Ident },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TestSeverity {
    #[default]
    Error,
    Warn,
}

impl Materialization {
    /// As `materialized` spells it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Merge(_) => "merge",
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView(_) => "materialized_view",
            Self::Incremental(_) => "incremental",
            Self::Snapshot(_) => "snapshot",
            Self::Ephemeral => "ephemeral",
        }
    }
}

impl Manifest {
    /// Where nodes go that are switched off.
    pub(super) fn off(&mut self) -> &mut Manifest {
        let name = self.project_name.clone();
        self.switched_off.get_or_insert_with(|| Box::new(Manifest { project_name: name, ..Manifest::default() }))
    }

    /// The relation that a node maintains, or that a plain source table is; ephemeral models and tests have none.
    pub fn relation(&self, name: &NodeName) -> Option<&Relation> {
        if let Some(table) = self.tables.get(name) {
            return Some(&table.relation);
        }
        if let Some(stage) = self.stages.get(name) {
            return Some(&stage.stg_relation);
        }
        if let Some(seed) = self.seeds.get(name) {
            return Some(&seed.relation);
        }
        if let Some(crosswalk) = self.crosswalks.get(name) {
            return Some(&crosswalk.relation);
        }
        let model = self.models.get(name)?;
        match model.materialization {
            Materialization::Merge(_)
            | Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_)
            | Materialization::Incremental(_)
            | Materialization::Snapshot(_) => Some(&model.relation),
            Materialization::Ephemeral => None,
        }
    }
}
