//! `nodes` of a manifest: models, seeds and data tests.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::macros::Macros;
use super::resource::{Resource, constraint};
use super::write::object;
use super::{Described, config, identity};
use crate::ident::NodeName;
use crate::manifest::{AnalysisNode, Materialization, ModelNode, SeedNode, TestKind, TestNode};

/// Seeds above it are known by their path, as in dbt.
const HASHED_BYTES_AT_MOST: u64 = 1 << 20;

/// Every entry of `nodes`, by `unique_id`.
pub(super) fn nodes(described: Described<'_>, macros: &Macros<'_>) -> Map<String, Value> {
    let manifest = described.manifest;
    let models = manifest.models.values().map(|node| (&node.name, model(described, node)));
    let seeds = manifest.seeds.values().map(|node| (&node.name, seed(described, node)));
    let tests = manifest.tests.values().map(|node| (&node.name, test(described, node)));
    let analyses = manifest.analyses.values().map(|node| (&node.name, analysis(described, node)));
    let mut entries: Vec<_> = models.chain(seeds).chain(tests).chain(analyses).collect();
    entries.par_iter_mut().for_each(|(_, entry)| macros.attach(entry));
    entries.into_iter().map(|(name, entry)| (identity::unique_id(manifest, name), Value::Object(entry))).collect()
}

fn model(described: Described<'_>, model: &ModelNode) -> Map<String, Value> {
    let mut config = config::built(model.materialization.as_str(), &model.config);
    config.insert("tags".to_owned(), json!(model.tags));
    config.entry("access").or_insert(json!("protected"));
    config.insert("unimig".to_owned(), json!({ "name": model.name }));
    let (access, mut contract) = (config["access"].clone(), config["contract"].clone());
    contract["checksum"] = Value::Null;
    let resource = Resource {
        kind: match model.materialization {
            Materialization::Snapshot(_) => "snapshot",
            Materialization::Merge(_)
            | Materialization::Table
            | Materialization::View
            | Materialization::Incremental(_)
            | Materialization::Ephemeral => "model",
        },
        node: &model.name,
        package: &model.package,
        patch_path: model.patch_path.as_deref(),
        name: &model.model,
        folders: &model.folders,
        file: &model.file.path,
        checksum: identity::checksum(model.file.text.as_bytes()),
        description: &model.description,
        columns: &model.columns,
        config,
    };
    let mut entry = resource.entry(described);
    described.place(&mut entry, &model.relation);
    match model.materialization {
        Materialization::Ephemeral => {
            entry.insert("relation_name".to_owned(), Value::Null);
        }
        Materialization::Merge(_)
        | Materialization::Table
        | Materialization::View
        | Materialization::Incremental(_)
        | Materialization::Snapshot(_) => {}
    }
    described.code(&mut entry, (&model.name, &model.file.text));
    entry.insert("compiled_path".to_owned(), described.compiled_path(&model.file.path));
    entry.insert("contract".to_owned(), contract);
    if resource.kind == "model" {
        entry.extend(object(json!({
            "access": access,
            "constraints": constraints(model),
            "version": null,
            "latest_version": null,
            "deprecation_date": model.deprecation_date,
            "primary_key": primary_key(model),
            "time_spine": null,
        })));
    }
    entry
}

fn constraints(model: &ModelNode) -> Value {
    let of_model = model.constraints.iter().map(|written| {
        let mut entry = constraint(written);
        entry["columns"] = json!(written.columns);
        entry
    });
    of_model.collect()
}

/// The columns that tell rows apart, where the project names them.
fn primary_key(model: &ModelNode) -> Value {
    match &model.materialization {
        Materialization::Merge(merge) => json!(merge.unique_key),
        Materialization::Incremental(incremental) => json!(incremental.unique_key),
        Materialization::Snapshot(snapshot) => json!(snapshot.unique_key),
        Materialization::Table | Materialization::View | Materialization::Ephemeral => json!([]),
    }
}

fn seed(described: Described<'_>, seed: &SeedNode) -> Map<String, Value> {
    let mut config = config::built("seed", &seed.config);
    let own = json!({ "column_types": seed.column_types, "delimiter": seed.delimiter, "tags": seed.tags });
    config.extend(object(own));
    config.entry("quote_columns").or_insert(Value::Null);
    config.insert("unimig".to_owned(), json!({ "name": seed.name }));
    let resource = Resource {
        kind: "seed",
        node: &seed.name,
        package: &seed.package,
        patch_path: seed.patch_path.as_deref(),
        name: &seed.seed,
        folders: &seed.folders,
        file: &seed.path,
        checksum: seed_checksum(&described.project.root, &seed.path),
        description: &seed.description,
        columns: &seed.columns,
        config,
    };
    let mut entry = resource.entry(described);
    described.place(&mut entry, &seed.relation);
    entry.insert("root_path".to_owned(), json!(described.project.root));
    entry.insert("depends_on".to_owned(), json!({ "macros": [] }));
    entry
}

/// A file that went meanwhile is told where it is loaded.
fn seed_checksum(root: &Path, path: &Path) -> Value {
    let file = root.join(path);
    let is_small = fs_err::metadata(&file).is_ok_and(|found| found.len() <= HASHED_BYTES_AT_MOST);
    match fs_err::read(&file) {
        Ok(content) if is_small => identity::checksum(&content),
        Ok(_) | Err(_) => json!({ "name": "path", "checksum": path }),
    }
}

fn analysis(described: Described<'_>, analysis: &AnalysisNode) -> Map<String, Value> {
    let mut config = config::built("view", &analysis.config);
    config.insert("tags".to_owned(), json!(analysis.tags));
    config.insert("unimig".to_owned(), json!({ "name": analysis.name }));
    let resource = Resource {
        kind: "analysis",
        node: &analysis.name,
        name: &analysis.analysis,
        package: &analysis.package,
        folders: &analysis.folders,
        file: &analysis.file.path,
        checksum: identity::checksum(analysis.file.text.as_bytes()),
        description: &analysis.description,
        columns: &analysis.columns,
        patch_path: None,
        config,
    };
    let mut entry = resource.entry(described);
    described.code(&mut entry, (&analysis.name, &analysis.file.text));
    entry.insert("compiled_path".to_owned(), described.compiled_path(&analysis.file.path));
    entry
}

fn test(described: Described<'_>, test: &TestNode) -> Map<String, Value> {
    let mut config = config::test(&test.config);
    config.extend(object(json!({ "severity": test.severity.as_str(), "tags": test.tags })));
    config.insert("unimig".to_owned(), json!({ "name": test.name }));
    let file = match &test.kind {
        TestKind::Singular { file } => file.path.clone(),
        TestKind::Generic { .. } | TestKind::Custom(_) => test.declared_at.path().to_path_buf(),
    };
    let resource = Resource {
        kind: "test",
        node: &test.name,
        package: &test.package,
        patch_path: None,
        name: test.full_name(),
        folders: &test.folders,
        file: &file,
        checksum: match &test.kind {
            TestKind::Singular { file } => identity::checksum(file.text.as_bytes()),
            TestKind::Generic { .. } | TestKind::Custom(_) => identity::no_checksum(),
        },
        description: &test.description,
        columns: &[],
        config,
    };
    let mut entry = resource.entry(described);
    if let Some(audit) = &test.rules.audit {
        entry.insert("schema".to_owned(), json!(audit.schema));
        entry.insert("alias".to_owned(), json!(audit.name));
    }
    match &test.kind {
        TestKind::Singular { file } => {
            described.code(&mut entry, (&test.name, &file.text));
            entry.insert("compiled_path".to_owned(), described.compiled_path(&file.path));
        }
        TestKind::Generic { subject, .. } => generic(described, &mut entry, (test, &subject.node)),
        TestKind::Custom(custom) => generic(described, &mut entry, (test, &custom.subject)),
    }
    entry
}

/// What only tests of YAML have.
fn generic(described: Described<'_>, entry: &mut Map<String, Value>, (test, subject): (&TestNode, &NodeName)) {
    let Some(known) = &test.identity else { return };
    let manifest = described.manifest;
    let attached = manifest.facts(subject).map(|_| identity::unique_id(manifest, subject));
    let namespace = known.namespace.as_ref().map(|namespace| format!("{namespace}.")).unwrap_or_default();
    let code = format!("{{{{ {namespace}test_{}(**_dbt_generic_test_kwargs) }}}}", known.kind);
    described.code(entry, (&test.name, &code));
    entry.insert("alias".to_owned(), json!(test.short_name()));
    entry.insert("path".to_owned(), json!(format!("{}.sql", test.short_name())));
    entry.insert("column_name".to_owned(), known.arguments.get("column_name").cloned().unwrap_or_default());
    entry.insert("attached_node".to_owned(), json!(attached));
    let metadata = json!({ "name": known.kind, "kwargs": known.arguments, "namespace": known.namespace });
    entry.insert("test_metadata".to_owned(), metadata);
}

impl Described<'_> {
    /// Where `compile` puts a file's SQL.
    pub(super) fn compiled_path(self, file: &Path) -> Value {
        let folder: PathBuf = self.project.target_path.join("compiled").join(&self.project.name);
        json!(folder.join(file))
    }
}
