//! What selectors, listings and artifacts ask of any node, whatever its kind.
//!
//! This is the one place that knows every kind of node: who adds one adds its [`NodeFacts`] here, and `--select`, `ls` and
//! `--state` know it.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{
    AnalysisNode, Check, CrosswalkNode, ExposureNode, Manifest, Materialization, ModelNode, SeedNode, StageNode,
    TableNode, TestKind, TestNode, TestSeverity, UnitTestNode, defaults,
};
use crate::ident::NodeName;

/// dbt's words for kinds of nodes; a stage is a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceType {
    Analysis,
    Exposure,
    Model,
    Seed,
    Snapshot,
    Source,
    Test,
    UnitTest,
}

/// The source that crosswalks are tables of, in dbt's words.
pub const CROSSWALKS: &str = "xref";

/// How a test comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestType {
    /// Declared in YAML under a model, seed, source or column.
    Generic,
    /// A SQL file of `tests/`.
    Singular,
    Unit,
}

/// What can be asked of any node.
#[derive(Debug, Clone)]
pub struct NodeFacts<'m> {
    pub name: &'m NodeName,
    pub resource_type: ResourceType,
    pub package: &'m str,
    /// What the user calls it: a model's stem, `labors` of `svp.labors`.
    pub short_name: &'m str,
    /// The package, the folders, the name; `ref` and bare selectors look at it.
    pub fqn: Vec<&'m str>,
    /// The file that holds the node, relative to the project folder.
    pub path: &'m Path,
    /// The property file that speaks of it.
    pub patch_path: Option<&'m Path>,
    pub tags: Cow<'m, [String]>,
    /// Of a table of a source.
    pub source: Option<&'m str>,
    pub test: Option<TestFacts<'m>>,
}

/// What can be asked of a test.
#[derive(Debug, Clone)]
pub struct TestFacts<'m> {
    pub test_type: TestType,
    /// The name of a generic test's kind, without its package; of a unit test its own.
    pub kind: Option<&'m str>,
}

impl ResourceType {
    pub const ALL: &'static [Self] = &[
        Self::Analysis,
        Self::Exposure,
        Self::Model,
        Self::Seed,
        Self::Snapshot,
        Self::Source,
        Self::Test,
        Self::UnitTest,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Analysis => "analysis",
            Self::Exposure => "exposure",
            Self::Model => "model",
            Self::Seed => "seed",
            Self::Snapshot => "snapshot",
            Self::Source => "source",
            Self::Test => "test",
            Self::UnitTest => "unit_test",
        }
    }

    /// Takes dbt's word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// Whether it is selected along with what it tests.
    pub fn is_test(self) -> bool {
        matches!(self, Self::Test | Self::UnitTest)
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Manifest {
    /// What is known of a node of the graph.
    pub fn facts<'m>(&'m self, name: &NodeName) -> Option<NodeFacts<'m>> {
        if let Some(test) = self.unit_tests.get(name) {
            Some(unit_test_facts(test))
        } else if let Some(test) = self.tests.get(name) {
            Some(test_facts(test))
        } else if let Some(model) = self.models.get(name) {
            Some(model_facts(model))
        } else if let Some(stage) = self.stages.get(name) {
            Some(self.stage_facts(stage))
        } else if let Some(table) = self.tables.get(name) {
            Some(self.table_facts(table))
        } else if let Some(crosswalk) = self.crosswalks.get(name) {
            Some(self.crosswalk_facts(crosswalk))
        } else if let Some(analysis) = self.analyses.get(name) {
            Some(analysis_facts(analysis))
        } else if let Some(exposure) = self.exposures.get(name) {
            Some(exposure_facts(exposure))
        } else {
            self.seeds.get(name).map(seed_facts)
        }
    }

    fn stage_facts<'m>(&'m self, stage: &'m StageNode) -> NodeFacts<'m> {
        NodeFacts {
            name: &stage.name,
            resource_type: ResourceType::Source,
            package: &self.project_name,
            short_name: &stage.table,
            fqn: vec![&self.project_name, &stage.source, &stage.table],
            path: stage.declared_at.path(),
            patch_path: None,
            tags: Cow::Borrowed(&stage.properties.tags),
            source: Some(&stage.source),
            test: None,
        }
    }

    /// dbt has no word for it: to what comes after, it is a table that others fill.
    fn crosswalk_facts<'m>(&'m self, crosswalk: &'m CrosswalkNode) -> NodeFacts<'m> {
        NodeFacts {
            name: &crosswalk.name,
            resource_type: ResourceType::Source,
            package: &self.project_name,
            short_name: &crosswalk.entity,
            fqn: vec![&self.project_name, CROSSWALKS, &crosswalk.entity],
            path: crosswalk.declared_at.path(),
            patch_path: None,
            tags: Cow::Borrowed(&[]),
            source: Some(CROSSWALKS),
            test: None,
        }
    }

    fn table_facts<'m>(&'m self, table: &'m TableNode) -> NodeFacts<'m> {
        NodeFacts {
            name: &table.name,
            resource_type: ResourceType::Source,
            package: &table.package,
            short_name: &table.table,
            fqn: fqn_of_source(table),
            path: table.declared_at.path(),
            patch_path: None,
            tags: Cow::Borrowed(&table.properties.tags),
            source: Some(&table.source),
            test: None,
        }
    }

    /// The names of all nodes, kind by kind.
    pub fn names(&self) -> impl Iterator<Item = &NodeName> {
        let built = self.models.keys().chain(self.seeds.keys());
        let read = self.stages.keys().chain(self.tables.keys()).chain(self.exposures.keys());
        built.chain(read).chain(self.crosswalks.keys()).chain(self.tests.keys()).chain(self.analyses.keys())
    }

    /// A node's settings with dbt's defaults under them, as `config.…:` selectors and listings see them.
    pub fn config(&self, name: &NodeName) -> Map<String, Value> {
        let mut config = object(json!({ "enabled": true, "tags": [], "meta": {} }));
        if let Some(model) = self.models.get(name) {
            config.extend(defaults::built());
            config.extend(model.config.clone());
            config.insert("materialized".to_owned(), model.materialization.as_str().into());
            config.insert("tags".to_owned(), json!(model.tags));
        } else if let Some(seed) = self.seeds.get(name) {
            config.extend(defaults::built());
            config.insert("materialized".to_owned(), "seed".into());
            config.extend(seed.config.clone());
            config.insert("tags".to_owned(), json!(seed.tags));
        } else if let Some(test) = self.tests.get(name) {
            config.extend(defaults::test());
            config.extend(test.config.clone());
            config.insert("severity".to_owned(), test.severity.as_str().into());
            config.insert("tags".to_owned(), json!(test.tags));
        } else if let Some(table) = self.tables.get(name) {
            config.extend(table.properties.config.clone());
            config.insert("tags".to_owned(), json!(table.properties.tags));
        } else if let Some(analysis) = self.analyses.get(name) {
            config.insert("materialized".to_owned(), "view".into());
            config.extend(analysis.config.clone());
            config.insert("tags".to_owned(), json!(analysis.tags));
        } else if let Some(exposure) = self.exposures.get(name) {
            config.extend(exposure.config.clone());
            config.insert("tags".to_owned(), json!(exposure.tags));
        } else if let Some(stage) = self.stages.get(name) {
            config.insert("tags".to_owned(), json!(stage.properties.tags));
            config.insert("meta".to_owned(), Value::Object(stage.properties.meta.clone()));
        }
        config
    }

    /// A node's settings as the project writes them, without defaults.
    pub fn written_config(&self, name: &NodeName) -> Map<String, Value> {
        let model = self.models.get(name).map(|model| &model.config);
        let seed = || self.seeds.get(name).map(|seed| &seed.config);
        let test = || self.tests.get(name).map(|test| &test.config);
        if let Some(config) = model.or_else(seed).or_else(test) {
            return config.clone();
        }
        let mut config = self.tables.get(name).map(|table| table.properties.config.clone()).unwrap_or_default();
        if let Some(stage) = self.stages.get(name) {
            config.insert("meta".to_owned(), Value::Object(stage.properties.meta.clone()));
        }
        config
    }

    /// dbt's identity of a node: `model.unipacc.person`, `source.unipacc.svp.labors`.
    pub fn unique_id(&self, name: &NodeName) -> String {
        if let Some(test) = self.unit_tests.get(name) {
            return format!("unit_test.{}.{}.{}", test.package, test.model_name(), test.test);
        }
        let Some(facts) = self.facts(name) else { return name.to_string() };
        if let Some(identity) = self.tests.get(name).and_then(|test| test.identity.as_ref()) {
            return format!("test.{}.{}.{}", facts.package, identity.name, identity.hash);
        }
        let NodeFacts { resource_type, package, short_name, .. } = facts;
        match facts.source {
            Some(source) => format!("{resource_type}.{package}.{source}.{short_name}"),
            None => format!("{resource_type}.{package}.{short_name}"),
        }
    }
}

fn model_facts(model: &ModelNode) -> NodeFacts<'_> {
    NodeFacts {
        name: &model.name,
        resource_type: model.resource_type(),
        package: &model.package,
        short_name: &model.model,
        fqn: fqn_of_model(model),
        path: &model.file.path,
        patch_path: model.patch_path.as_deref(),
        tags: Cow::Borrowed(&model.tags),
        source: None,
        test: None,
    }
}

fn seed_facts(seed: &SeedNode) -> NodeFacts<'_> {
    NodeFacts {
        name: &seed.name,
        resource_type: ResourceType::Seed,
        package: &seed.package,
        short_name: &seed.seed,
        fqn: fqn(&seed.package, &seed.folders, &seed.seed),
        path: &seed.path,
        patch_path: seed.patch_path.as_deref(),
        tags: Cow::Borrowed(&seed.tags),
        source: None,
        test: None,
    }
}

fn test_facts(test: &TestNode) -> NodeFacts<'_> {
    let (test_type, kind) = match &test.kind {
        TestKind::Singular { .. } => (TestType::Singular, None),
        TestKind::Generic { check, .. } => (TestType::Generic, Some(check.kind())),
        TestKind::Custom(custom) => (TestType::Generic, Some(custom.name.as_str())),
    };
    let short_name = test.full_name();
    NodeFacts {
        name: &test.name,
        resource_type: ResourceType::Test,
        package: &test.package,
        short_name,
        fqn: fqn(&test.package, &test.folders, short_name),
        path: test.declared_at.path(),
        patch_path: None,
        tags: Cow::Borrowed(&test.tags),
        source: None,
        test: Some(TestFacts { test_type, kind }),
    }
}

fn analysis_facts(analysis: &AnalysisNode) -> NodeFacts<'_> {
    NodeFacts {
        name: &analysis.name,
        resource_type: ResourceType::Analysis,
        package: &analysis.package,
        short_name: &analysis.analysis,
        // dbt puts its own word for the folder there.
        fqn: [&analysis.package, "analysis"]
            .into_iter()
            .chain(analysis.folders.iter().map(String::as_str))
            .chain([analysis.analysis.as_str()])
            .collect(),
        path: &analysis.file.path,
        patch_path: None,
        tags: Cow::Borrowed(&analysis.tags),
        source: None,
        test: None,
    }
}

fn exposure_facts(exposure: &ExposureNode) -> NodeFacts<'_> {
    NodeFacts {
        name: &exposure.name,
        resource_type: ResourceType::Exposure,
        package: &exposure.package,
        short_name: &exposure.exposure,
        fqn: fqn(&exposure.package, &exposure.folders, &exposure.exposure),
        path: exposure.declared_at.path(),
        patch_path: None,
        tags: Cow::Borrowed(&exposure.tags),
        source: None,
        test: None,
    }
}

fn unit_test_facts(test: &UnitTestNode) -> NodeFacts<'_> {
    NodeFacts {
        name: &test.name,
        resource_type: ResourceType::UnitTest,
        package: &test.package,
        short_name: &test.test,
        fqn: {
            let mut names = fqn(&test.package, &test.folders, test.model_name());
            names.push(&test.test);
            names
        },
        path: test.declared_at.path(),
        patch_path: None,
        tags: Cow::Borrowed(&test.tags),
        source: None,
        test: Some(TestFacts { test_type: TestType::Unit, kind: Some(&test.test) }),
    }
}

fn fqn<'m>(package: &'m str, folders: &'m [String], name: &'m str) -> Vec<&'m str> {
    let folders = folders.iter().map(String::as_str);
    std::iter::once(package).chain(folders).chain([name]).collect()
}

/// A snapshot in a SQL file has the file's name before its own, as one file may hold several.
fn fqn_of_model(model: &ModelNode) -> Vec<&str> {
    let mut fqn = fqn(&model.package, &model.folders, &model.model);
    let stem = model.file.path.file_stem().and_then(|stem| stem.to_str());
    let is_block = model.file.path.extension().is_some_and(|extension| extension == "sql");
    match (&model.materialization, stem) {
        (Materialization::Snapshot(_), Some(stem)) if is_block => fqn.insert(fqn.len() - 1, stem),
        _ => {}
    }
    fqn
}

fn fqn_of_source(table: &TableNode) -> Vec<&str> {
    let folders = table.folders.iter().map(String::as_str);
    std::iter::once(table.package.as_str())
        .chain(folders)
        .chain([table.source.as_str(), table.table.as_str()])
        .collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

impl ModelNode {
    /// dbt counts what keeps versions apart from models.
    pub fn resource_type(&self) -> ResourceType {
        match self.materialization {
            Materialization::Snapshot(_) => ResourceType::Snapshot,
            Materialization::Merge(_)
            | Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_)
            | Materialization::Incremental(_)
            | Materialization::Ephemeral => ResourceType::Model,
        }
    }

    /// dbt's `access:`; without one, every model of the project may refer to it.
    pub fn access(&self) -> &str {
        self.config.get("access").and_then(Value::as_str).unwrap_or("protected")
    }
}

impl UnitTestNode {
    /// The model's name as `ref` takes it.
    pub fn model_name(&self) -> &str {
        let name = self.model.as_str();
        name.split_once('.').map_or(name, |(_, model)| model)
    }
}

impl TestNode {
    /// dbt's name, however long.
    pub fn full_name(&self) -> &str {
        self.identity.as_ref().map_or_else(|| self.short_name(), |identity| &identity.name)
    }

    /// The name without our `test.`, which files and relations are called by.
    pub fn short_name(&self) -> &str {
        let name = self.name.as_str();
        name.strip_prefix("test.").unwrap_or(name)
    }
}

impl Check {
    /// As YAML spells it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotNull => "not_null",
            Self::Unique => "unique",
            Self::AcceptedValues { .. } => "accepted_values",
            Self::Relationships { .. } => "relationships",
        }
    }
}

impl TestSeverity {
    /// As dbt spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
        }
    }
}
