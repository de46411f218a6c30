//! `target/manifest.json` and `target/run_results.json`, in dbt's shape, for the tools that read dbt's.
//!
//! What dbt has no word for goes under `unimig` or into `adapter_response`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::compile::Compiled;
use crate::diagnostic::{Diagnostic, Severity};
use crate::event::{Failure, RunSummary, StepReport};
use crate::graph::Graph;
use crate::ident::NodeName;
use crate::manifest::{ColumnNode, Manifest, ModelNode, SeedNode, TestKind, TestNode};
use crate::report::words;
use crate::state::run::StepStatus;

const MANIFEST_SCHEMA: &str = "https://schemas.getdbt.com/dbt/manifest/v12.json";
const RUN_RESULTS_SCHEMA: &str = "https://schemas.getdbt.com/dbt/run-results/v6.json";

/// dbt's identity of a node: `model.unipacc.person`, `source.unipacc.svp.labors`.
pub fn unique_id(manifest: &Manifest, name: &NodeName) -> String {
    let project = &manifest.project_name;
    if let Some(stage) = manifest.stages.get(name) {
        format!("source.{project}.{}.{}", stage.source, stage.table)
    } else if let Some(model) = manifest.models.get(name) {
        format!("model.{project}.{}", model.model)
    } else if let Some(seed) = manifest.seeds.get(name) {
        format!("seed.{project}.{}", seed.seed)
    } else {
        format!("test.{project}.{}", name.as_str().trim_start_matches("test."))
    }
}

type Written = Result<(), (PathBuf, io::Error)>;

pub fn write_manifest(
    folder: &Path,
    manifest: &Manifest,
    compiled: &BTreeMap<NodeName, Compiled>,
    graph: &Graph,
) -> Written {
    let described = Described { manifest, compiled, graph };
    let models = manifest.models.values().map(|model| described.model(model));
    let seeds = manifest.seeds.values().map(|seed| described.seed(seed));
    let tests = manifest.tests.values().map(|test| described.test(test));
    let nodes: serde_json::Map<String, Value> = models.chain(seeds).chain(tests).collect();
    let document = json!({
        "metadata": metadata(MANIFEST_SCHEMA, None),
        "nodes": nodes,
        "sources": sources(manifest),
        "macros": {},
        "docs": {},
        "exposures": {},
        "metrics": {},
        "groups": {},
        "selectors": {},
        "disabled": {},
        "parent_map": neighbours(manifest, graph, |name| graph.parents(name)),
        "child_map": neighbours(manifest, graph, |name| graph.children(name)),
    });
    write(folder, "manifest.json", &document)
}

/// Everything that a node's entry is made from.
#[derive(Clone, Copy)]
struct Described<'a> {
    manifest: &'a Manifest,
    compiled: &'a BTreeMap<NodeName, Compiled>,
    graph: &'a Graph,
}

impl Described<'_> {
    fn model(self, model: &ModelNode) -> (String, Value) {
        let id = unique_id(self.manifest, &model.name);
        let mut config = model.config.clone();
        config.insert("materialized".to_owned(), json!(model.materialization.as_str()));
        config.insert("tags".to_owned(), json!(model.tags));
        let node = json!({
            "resource_type": "model",
            "name": model.model,
            "alias": model.relation.name,
            "schema": model.relation.schema,
            "relation_name": model.relation.to_string(),
            "package_name": self.manifest.project_name,
            "path": model.file.path,
            "original_file_path": model.file.path,
            "fqn": fqn(self.manifest, &model.folders, &model.model),
            "unique_id": id,
            "description": model.description,
            "columns": columns(&model.columns),
            "tags": model.tags,
            "config": config,
            "language": "sql",
            "raw_code": model.file.text,
            "compiled_code": self.compiled.get(&model.name).map(|node| &node.sql.text),
            "depends_on": { "macros": [], "nodes": parents(self.manifest, self.graph, &model.name) },
            "unimig": { "name": model.name },
        });
        (id, node)
    }

    fn seed(self, seed: &SeedNode) -> (String, Value) {
        let id = unique_id(self.manifest, &seed.name);
        let node = json!({
            "resource_type": "seed",
            "name": seed.seed,
            "alias": seed.relation.name,
            "schema": seed.relation.schema,
            "relation_name": seed.relation.to_string(),
            "package_name": self.manifest.project_name,
            "path": seed.path,
            "original_file_path": seed.path,
            "fqn": fqn(self.manifest, &[], &seed.seed),
            "unique_id": id,
            "description": seed.description,
            "columns": columns(&seed.columns),
            "config": { "materialized": "seed", "column_types": seed.column_types },
            "depends_on": { "macros": [] },
            "unimig": { "name": seed.name },
        });
        (id, node)
    }

    fn test(self, test: &TestNode) -> (String, Value) {
        let id = unique_id(self.manifest, &test.name);
        let (path, column) = match &test.kind {
            TestKind::Singular { file } => (file.path.clone(), None),
            TestKind::Generic { column, .. } => (test.declared_at.path().to_path_buf(), Some(column)),
        };
        let short = test.name.as_str().trim_start_matches("test.");
        let node = json!({
            "resource_type": "test",
            "name": short,
            "package_name": self.manifest.project_name,
            "path": path,
            "original_file_path": path,
            "fqn": fqn(self.manifest, &[], short),
            "unique_id": id,
            "column_name": column,
            "compiled_code": self.compiled.get(&test.name).map(|node| &node.sql.text),
            "depends_on": { "macros": [], "nodes": parents(self.manifest, self.graph, &test.name) },
            "unimig": { "name": test.name },
        });
        (id, node)
    }
}

fn sources(manifest: &Manifest) -> serde_json::Map<String, Value> {
    let entries = manifest.stages.values().map(|stage| {
        let id = unique_id(manifest, &stage.name);
        let node = json!({
            "resource_type": "source",
            "source_name": stage.source,
            "name": stage.table,
            "identifier": stage.source_relation.name,
            "schema": stage.source_relation.schema,
            "relation_name": stage.live_relation.to_string(),
            "package_name": manifest.project_name,
            "path": stage.declared_at.path(),
            "original_file_path": stage.declared_at.path(),
            "fqn": [manifest.project_name, stage.source, stage.table],
            "unique_id": id,
            "description": stage.description,
            "columns": columns(&stage.columns),
            "unimig": {
                "name": stage.name,
                "connection": stage.connection,
                "key": stage.key,
                "staging": stage.stg_relation.to_string(),
            },
        });
        (id, node)
    });
    entries.collect()
}

fn columns(columns: &[ColumnNode]) -> Value {
    let entries = columns.iter().map(|column| {
        let value = json!({
            "name": column.name,
            "data_type": column.data_type,
            "description": column.description,
        });
        (column.name.as_str().to_owned(), value)
    });
    Value::Object(entries.collect())
}

fn fqn(manifest: &Manifest, folders: &[String], name: &str) -> Vec<String> {
    let project = std::iter::once(manifest.project_name.clone());
    project.chain(folders.iter().cloned()).chain([name.to_owned()]).collect()
}

fn parents(manifest: &Manifest, graph: &Graph, name: &NodeName) -> Vec<String> {
    graph.parents(name).into_iter().map(|parent| unique_id(manifest, parent)).collect()
}

fn neighbours<'a>(manifest: &Manifest, graph: &'a Graph, of: impl Fn(&'a NodeName) -> Vec<&'a NodeName>) -> Value {
    let entries = graph.topological_order().iter().map(|name| {
        let others: Vec<String> = of(name).into_iter().map(|other| unique_id(manifest, other)).collect();
        (unique_id(manifest, name), json!(others))
    });
    Value::Object(entries.collect())
}

/// The results of a run, as `target/run_results.json` and `--output json` show them.
pub fn run_results(manifest: &Manifest, compiled: &BTreeMap<NodeName, Compiled>, summary: &RunSummary) -> Value {
    let results: Vec<Value> =
        summary.reports.iter().map(|report| result(manifest, compiled.get(&report.node), report)).collect();
    json!({
        "metadata": metadata(RUN_RESULTS_SCHEMA, Some(&summary.run_id)),
        "results": results,
        "elapsed_time": summary.elapsed.as_secs_f64(),
        "args": { "which": summary.command },
    })
}

pub fn write_run_results(
    folder: &Path,
    manifest: &Manifest,
    compiled: &BTreeMap<NodeName, Compiled>,
    summary: &RunSummary,
) -> Written {
    write(folder, "run_results.json", &run_results(manifest, compiled, summary))
}

fn result(manifest: &Manifest, compiled: Option<&Compiled>, report: &StepReport) -> Value {
    let elapsed = SignedDuration::try_from(report.elapsed).unwrap_or(SignedDuration::MAX);
    let completed_at = report.started_at.saturating_add(elapsed).unwrap_or(Timestamp::MAX);
    let layer = report.layer.unwrap_or_default();
    json!({
        "unique_id": unique_id(manifest, &report.node),
        "status": dbt_status(report.status),
        "thread_id": "",
        "execution_time": report.elapsed.as_secs_f64(),
        "timing": [{
            "name": "execute",
            "started_at": report.started_at.to_string(),
            "completed_at": completed_at.to_string(),
        }],
        "message": message(report),
        "failures": report.failing_rows,
        "compiled": compiled.is_some(),
        "compiled_code": compiled.map(|node| &node.sql.text),
        "relation_name": manifest.relation(&report.node).map(ToString::to_string),
        "unimig": report.failure.as_ref().map(failure),
        "adapter_response": {
            "_message": words::status(report.status),
            "code": words::status(report.status),
            "rows_affected": report.tally.inserted + report.tally.updated + report.tally.deleted,
            "rows_inserted": report.tally.inserted,
            "rows_updated": report.tally.updated,
            "rows_deleted": report.tally.deleted,
            "rows_extracted": layer.rows,
            "layer_bytes": layer.bytes,
            "node": report.node,
        },
    })
}

/// A mistake with its place, as `--output json` and the results show it.
pub fn diagnostic(diagnostic: &Diagnostic) -> Value {
    let place = diagnostic.span.as_ref().map(|span| (span.path().display().to_string(), span.line_column()));
    json!({
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "code": diagnostic.code.as_str(),
        "message": diagnostic.message,
        "file": place.as_ref().map(|(path, _)| path),
        "line": place.as_ref().map(|(_, (line, _))| line),
        "column": place.as_ref().map(|(_, (_, column))| column),
        "hint": diagnostic.hint.as_deref().or(diagnostic.code.usual_hint()),
    })
}

/// What dbt's shape has no room for.
fn failure(failure: &Failure) -> Value {
    json!({
        "causes": failure.causes,
        "hint": failure.hint,
        "because_of": failure.parent,
        "diagnostic": failure.diagnostic.as_deref().map(diagnostic),
    })
}

fn message(report: &StepReport) -> Option<String> {
    report.failure.as_ref().map(|failure| failure.message.clone())
}

/// dbt knows `error` for what could not be run, and `skipped` for what was not.
fn dbt_status(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Success | StepStatus::Unchanged => "success",
        StepStatus::Failed => "error",
        StepStatus::Skipped | StepStatus::Cancelled => "skipped",
        StepStatus::Pass => "pass",
        StepStatus::Warn => "warn",
        StepStatus::Fail => "fail",
    }
}

fn metadata(schema: &str, invocation: Option<&str>) -> Value {
    json!({
        "dbt_schema_version": schema,
        "dbt_version": "1.11.0",
        "generated_at": Timestamp::now().to_string(),
        "invocation_id": invocation,
        "env": {},
        "adapter_type": "postgres",
        "unimig_version": env!("CARGO_PKG_VERSION"),
    })
}

/// Under a temporary name first: a reader never sees half a file.
fn write(folder: &Path, name: &str, document: &Value) -> Written {
    let path = folder.join(name);
    let written = || -> io::Result<()> {
        fs_err::create_dir_all(folder)?;
        let temporary = folder.join(format!(".{name}.{}", std::process::id()));
        fs_err::write(&temporary, serde_json::to_vec(document)?)?;
        fs_err::rename(&temporary, &path)
    };
    written().map_err(|error| (path.clone(), error))
}
