//! `nodes` of a manifest: models, seeds, data tests and analyses.

use std::borrow::Cow;
use std::path::Path;

use rayon::prelude::*;
use serde_json::{Value, json};

use super::config::Config;
use super::entry::{Constraint, Entry, OfModel, OfSeed, OfTest, TestMetadata};
use super::identity::Checksum;
use super::resource::{Resource, Whole};
use crate::ident::{Ident, NodeName};
use crate::manifest::{AnalysisNode, Manifest, Materialization, ModelNode, SeedNode, TestIdentity, TestKind, TestNode};

/// Seeds above it are known by their path, as in dbt.
const HASHED_BYTES_AT_MOST: u64 = 1 << 20;

/// What an entry is made from.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    Model(&'a ModelNode),
    Seed(&'a SeedNode),
    Test(&'a TestNode),
    Analysis(&'a AnalysisNode),
}

impl<'a> Node<'a> {
    pub fn name(self) -> &'a NodeName {
        match self {
            Self::Model(node) => &node.name,
            Self::Seed(node) => &node.name,
            Self::Test(node) => &node.name,
            Self::Analysis(node) => &node.name,
        }
    }
}

/// Every node that has its entry in `nodes`.
pub(super) fn all(manifest: &Manifest) -> Vec<Node<'_>> {
    let models = manifest.models.values().map(Node::Model);
    let seeds = manifest.seeds.values().map(Node::Seed);
    let tests = manifest.tests.values().map(Node::Test);
    models.chain(seeds).chain(tests).chain(manifest.analyses.values().map(Node::Analysis)).collect()
}

/// Every entry of `nodes` as JSON, by `unique_id`.
pub(super) fn nodes<'a>(whole: &'a Whole<'a>) -> Vec<(&'a str, String)> {
    let text = |node: Node<'a>| {
        let text = serde_json::to_string(&entry(whole, node)).expect("an entry has texts for keys");
        (whole.ids.get(node.name()), text)
    };
    all(whole.described.manifest).into_par_iter().map(text).collect()
}

/// The entry of one node, if it has one in `nodes`.
pub(super) fn node<'a>(whole: &'a Whole<'a>, name: &NodeName) -> Option<Entry<'a>> {
    let manifest = whole.described.manifest;
    let model = manifest.models.get(name).map(Node::Model);
    let test = || manifest.tests.get(name).map(Node::Test);
    let seed = || manifest.seeds.get(name).map(Node::Seed);
    let analysis = || manifest.analyses.get(name).map(Node::Analysis);
    model.or_else(test).or_else(seed).or_else(analysis).map(|node| entry(whole, node))
}

pub(super) fn entry<'a>(whole: &'a Whole<'a>, node: Node<'a>) -> Entry<'a> {
    match node {
        Node::Model(node) => model(whole, node),
        Node::Seed(node) => seed(whole, node),
        Node::Test(node) => test(whole, node),
        Node::Analysis(node) => analysis(whole, node),
    }
}

fn model<'a>(whole: &'a Whole<'a>, model: &'a ModelNode) -> Entry<'a> {
    let config = Config::built(model.materialization.as_str(), &model.config)
        .with("tags", json!(model.tags))
        .or("access", json!("protected"))
        .with("unimig", json!({ "name": model.name }));
    let setting = |key: &str| config.get(key).map(Cow::into_owned).unwrap_or_default();
    let (access, mut contract) = (setting("access"), setting("contract"));
    contract["checksum"] = Value::Null;
    let resource = Resource {
        kind: model.resource_type().as_str(),
        node: &model.name,
        package: &model.package,
        patch_path: model.patch_path.as_deref(),
        name: &model.model,
        folders: &model.folders,
        file: &model.file.path,
        checksum: Checksum::of(model.file.text.as_bytes()),
        description: &model.description,
        columns: &model.columns,
        config,
    };
    let mut entry = resource.entry(whole);
    entry.place(whole, &model.relation);
    match model.materialization {
        Materialization::Ephemeral => entry.relation_name = None,
        Materialization::Merge(_)
        | Materialization::Table
        | Materialization::View
        | Materialization::MaterializedView(_)
        | Materialization::Incremental(_)
        | Materialization::Snapshot(_) => {}
    }
    add_file(whole, &mut entry, (&model.name, &model.file.path, &model.file.text));
    if let Some(code) = &mut entry.code {
        code.contract = contract;
    }
    if entry.resource_type == "model" {
        entry.model = Some(OfModel {
            access,
            constraints: model.constraints.iter().map(Constraint::of_model).collect(),
            version: (),
            latest_version: (),
            deprecation_date: model.deprecation_date.as_deref(),
            primary_key: primary_key(model),
            time_spine: (),
        });
    }
    entry
}

/// The columns that tell rows apart, where the project names them.
fn primary_key(model: &ModelNode) -> Vec<&str> {
    match &model.materialization {
        Materialization::Merge(merge) => merge.unique_key.iter().map(Ident::as_str).collect(),
        Materialization::Incremental(incremental) => incremental.unique_key.iter().map(String::as_str).collect(),
        Materialization::Snapshot(snapshot) => snapshot.unique_key.iter().map(String::as_str).collect(),
        Materialization::Table
        | Materialization::View
        | Materialization::MaterializedView(_)
        | Materialization::Ephemeral => Vec::new(),
    }
}

/// The code of a file that holds one node.
fn add_file<'a>(whole: &'a Whole<'a>, entry: &mut Entry<'a>, (name, path, text): (&NodeName, &Path, &'a str)) {
    let (mut code, reads) = whole.code(name);
    code.compiled_path = Some(compiled_path(whole, path));
    entry.code = Some(code);
    entry.raw_code = Cow::Borrowed(text);
    entry.depends_on.macros = whole.macros.called_in(text, entry.package_name);
    entry.depends_on.nodes = Some(reads);
}

fn seed<'a>(whole: &'a Whole<'a>, seed: &'a SeedNode) -> Entry<'a> {
    let config = Config::built("seed", &seed.config)
        .with("column_types", json!(seed.column_types))
        .with("delimiter", json!(seed.delimiter))
        .with("tags", json!(seed.tags))
        .or("quote_columns", Value::Null)
        .with("unimig", json!({ "name": seed.name }));
    let root = &whole.described.project.root;
    let resource = Resource {
        kind: "seed",
        node: &seed.name,
        package: &seed.package,
        patch_path: seed.patch_path.as_deref(),
        name: &seed.seed,
        folders: &seed.folders,
        file: &seed.path,
        checksum: seed_checksum(root, &seed.path),
        description: &seed.description,
        columns: &seed.columns,
        config,
    };
    let mut entry = resource.entry(whole);
    entry.place(whole, &seed.relation);
    entry.seed = Some(OfSeed { root_path: root.to_string_lossy() });
    entry
}

/// A file that went meanwhile is told where it is loaded.
fn seed_checksum<'a>(root: &Path, path: &'a Path) -> Checksum<'a> {
    let file = root.join(path);
    let is_small = fs_err::metadata(&file).is_ok_and(|found| found.len() <= HASHED_BYTES_AT_MOST);
    match fs_err::read(&file) {
        Ok(content) if is_small => Checksum::of(&content),
        Ok(_) | Err(_) => Checksum { name: "path", checksum: path.to_string_lossy() },
    }
}

fn analysis<'a>(whole: &'a Whole<'a>, analysis: &'a AnalysisNode) -> Entry<'a> {
    let config = Config::built("view", &analysis.config)
        .with("tags", json!(analysis.tags))
        .with("unimig", json!({ "name": analysis.name }));
    let resource = Resource {
        kind: "analysis",
        node: &analysis.name,
        name: &analysis.analysis,
        package: &analysis.package,
        folders: &analysis.folders,
        file: &analysis.file.path,
        checksum: Checksum::of(analysis.file.text.as_bytes()),
        description: &analysis.description,
        columns: &analysis.columns,
        patch_path: None,
        config,
    };
    let mut entry = resource.entry(whole);
    add_file(whole, &mut entry, (&analysis.name, &analysis.file.path, &analysis.file.text));
    entry
}

fn test<'a>(whole: &'a Whole<'a>, test: &'a TestNode) -> Entry<'a> {
    let config = Config::test(&test.config)
        .with("severity", json!(test.severity.as_str()))
        .with("tags", json!(test.tags))
        .with("unimig", json!({ "name": test.name }));
    let (file, checksum) = match &test.kind {
        TestKind::Singular { file } => (file.path.as_path(), Checksum::of(file.text.as_bytes())),
        TestKind::Generic { .. } | TestKind::Custom(_) => (test.declared_at.path(), Checksum::none()),
    };
    let resource = Resource {
        kind: "test",
        node: &test.name,
        package: &test.package,
        patch_path: None,
        name: test.full_name(),
        folders: &test.folders,
        file,
        checksum,
        description: &test.description,
        columns: &[],
        config,
    };
    let mut entry = resource.entry(whole);
    if let Some(audit) = &test.rules.audit {
        entry.schema = audit.schema.as_str();
        entry.alias = audit.name.as_str();
    }
    match (&test.kind, &test.identity) {
        (TestKind::Singular { file }, _) => add_file(whole, &mut entry, (&test.name, &file.path, &file.text)),
        (TestKind::Generic { subject, .. }, Some(known)) => {
            add_line(whole, &mut entry, (test, known, &subject.node));
        }
        (TestKind::Custom(custom), Some(known)) => add_line(whole, &mut entry, (test, known, &custom.subject)),
        (TestKind::Generic { .. } | TestKind::Custom(_), None) => {}
    }
    entry
}

/// What only tests of YAML have.
fn add_line<'a>(
    whole: &'a Whole<'a>,
    entry: &mut Entry<'a>,
    (test, known, subject): (&'a TestNode, &'a TestIdentity, &'a NodeName),
) {
    let namespace = known.namespace.as_ref().map(|namespace| format!("{namespace}.")).unwrap_or_default();
    let call = format!("{namespace}test_{}", known.kind);
    let (code, reads) = whole.code(&test.name);
    entry.code = Some(code);
    entry.raw_code = format!("{{{{ {call}(**_dbt_generic_test_kwargs) }}}}").into();
    entry.depends_on.macros = whole.macros.find(&call, entry.package_name).into_iter().collect();
    entry.depends_on.nodes = Some(reads);
    entry.alias = test.short_name();
    entry.path = format!("{}.sql", test.short_name());
    entry.test = Some(OfTest {
        column_name: known.arguments.get("column_name"),
        attached_node: whole.described.manifest.facts(subject).map(|_| whole.ids.get(subject)),
        test_metadata: TestMetadata {
            name: &known.kind,
            kwargs: &known.arguments,
            namespace: known.namespace.as_deref(),
        },
    });
}

/// Where `compile` puts a file's SQL.
fn compiled_path(whole: &Whole<'_>, file: &Path) -> String {
    let project = whole.described.project;
    project.target_path.join("compiled").join(&project.name).join(file).to_string_lossy().into_owned()
}
