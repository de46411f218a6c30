//! The fields that every node of a manifest has, whatever its kind.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::write::object;
use super::{Described, identity};
use crate::ident::{NodeName, Relation};
use crate::manifest::{ColumnNode, ephemeral_cte};
use crate::project::ConstraintDecl;

/// What tells one node from another; from it come the fields that all kinds share.
pub(super) struct Resource<'a> {
    /// dbt's word: `model`, `seed`, `test`, …
    pub kind: &'static str,
    pub node: &'a NodeName,
    pub package: &'a str,
    /// As `ref()` names it.
    pub name: &'a str,
    pub folders: &'a [String],
    pub file: &'a Path,
    pub checksum: Value,
    pub description: &'a str,
    pub columns: &'a [ColumnNode],
    /// The YAML file that speaks of it.
    pub patch_path: Option<&'a Path>,
    pub config: Map<String, Value>,
}

impl Resource<'_> {
    /// The entry so far, to which a kind adds what only it has.
    pub fn entry(&self, described: Described<'_>) -> Map<String, Value> {
        let manifest = described.manifest;
        let setting = |key: &str, missing: Value| match self.config.get(key) {
            None | Some(Value::Null) => missing,
            Some(value) => value.clone(),
        };
        object(json!({
            "resource_type": self.kind,
            "unique_id": identity::unique_id(manifest, self.node),
            "name": self.name,
            "alias": self.name,
            "package_name": self.package,
            "database": described.environment.target.dbname,
            "schema": described.environment.target.schema,
            "path": identity::inner_path(self.folders, self.file),
            "original_file_path": self.file,
            "fqn": identity::fqn(self.package, self.folders, self.name),
            "checksum": self.checksum,
            "description": self.description,
            "columns": columns(self.columns),
            "config": self.config,
            "unrendered_config": manifest.written_config(self.node),
            "tags": setting("tags", json!([])),
            "meta": setting("meta", json!({})),
            "group": setting("group", Value::Null),
            "docs": setting("docs", json!({ "show": true, "node_color": null })),
            "patch_path": self.patch_path.map(|path| format!("{}://{}", self.package, path.display())),
            "build_path": null,
            "relation_name": null,
            "raw_code": "",
            "doc_blocks": [],
            "created_at": described.created_at(),
        }))
    }
}

impl Described<'_> {
    /// Seconds since 1970, as dbt counts them.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit")]
    pub(super) fn created_at(self) -> f64 {
        self.environment.invocation.started_at.as_millisecond() as f64 / 1_000.0
    }

    /// Where a node that is built stands.
    pub(super) fn place(self, entry: &mut Map<String, Value>, relation: &Relation) {
        entry.insert("schema".to_owned(), json!(relation.schema));
        entry.insert("alias".to_owned(), json!(relation.name));
        entry.insert("relation_name".to_owned(), json!(identity::relation_name(self.environment, relation)));
    }

    /// The fields of a node whose code is a SELECT: what it reads, and what became of it.
    pub(super) fn code(self, entry: &mut Map<String, Value>, (node, raw): (&NodeName, &str)) {
        let reads = self.reads(&self.graph.parents(node));
        let compiled = self.compiled.get(node);
        let mut ctes = Vec::new();
        if compiled.is_some() {
            self.add_ctes(node, &mut ctes);
        }
        let ctes: Vec<Value> = ctes.into_iter().map(|(parent, name)| self.cte(parent, name)).collect();
        entry.extend(object(json!({
            "language": "sql",
            "raw_code": raw,
            "refs": reads.refs,
            "sources": reads.sources,
            "metrics": [],
            "functions": [],
            "depends_on": { "macros": [], "nodes": reads.nodes },
            "compiled_path": null,
            "compiled": compiled.is_some(),
            "compiled_code": compiled.map(|compiled| &compiled.sql.text),
            "extra_ctes_injected": compiled.is_some(),
            "extra_ctes": ctes,
            "contract": { "enforced": false, "alias_types": true, "checksum": null },
        })));
    }

    /// The ephemeral models that a node reads, through any number of them, those first that others read.
    fn add_ctes<'a>(self, node: &NodeName, found: &mut Vec<(&'a NodeName, &'a str)>)
    where
        Self: 'a,
    {
        for parent in self.graph.parents(node) {
            let Some(model) = self.manifest.models.get(parent).filter(|_| self.manifest.is_ephemeral(parent)) else {
                continue;
            };
            if found.iter().all(|(there, _)| *there != &model.name) {
                self.add_ctes(&model.name, found);
                found.push((&model.name, &model.model));
            }
        }
    }

    /// One of them as dbt writes it.
    fn cte(self, node: &NodeName, model: &str) -> Value {
        let compiled = self.compiled.get(node);
        let sql = compiled.map(|compiled| compiled.own_sql.as_ref().unwrap_or(&compiled.sql).text.as_str());
        let sql = format!(" {} as (\n{}\n)", ephemeral_cte(model), sql.unwrap_or_default());
        json!({ "id": identity::unique_id(self.manifest, node), "sql": sql })
    }

    /// What a node reads, in dbt's three forms; tests that it waits for are not among them.
    pub(super) fn reads(self, parents: &[&NodeName]) -> Reads {
        let manifest = self.manifest;
        let read: Vec<&NodeName> =
            parents.iter().copied().filter(|parent| !manifest.tests.contains_key(*parent)).collect();
        let source = |parent: &NodeName| match (manifest.stages.get(parent), manifest.tables.get(parent)) {
            (Some(stage), _) => Some([stage.source.clone(), stage.table.clone()]),
            (None, table) => table.map(|table| [table.source.clone(), table.table.clone()]),
        };
        Reads {
            refs: read.iter().filter_map(|parent| self.as_ref(parent)).collect(),
            sources: read.iter().filter_map(|parent| source(parent)).collect(),
            nodes: read.iter().map(|parent| identity::unique_id(manifest, parent)).collect(),
        }
    }

    /// The package is named where it is not the project's own.
    fn as_ref(self, parent: &NodeName) -> Option<Value> {
        let manifest = self.manifest;
        let model = manifest.models.get(parent).map(|model| (&model.model, &model.package));
        let seed = || manifest.seeds.get(parent).map(|seed| (&seed.seed, &seed.package));
        let (name, package) = model.or_else(seed)?;
        let package = Some(package).filter(|package| **package != manifest.project_name);
        Some(json!({ "name": name, "package": package, "version": null }))
    }
}

/// `refs`, `sources` and `depends_on.nodes`.
pub(super) struct Reads {
    pub refs: Vec<Value>,
    pub sources: Vec<[String; 2]>,
    pub nodes: Vec<String>,
}

pub(super) fn columns(columns: &[ColumnNode]) -> Value {
    let entries = columns.iter().map(|column| {
        let meta = if column.meta.is_null() { json!({}) } else { column.meta.clone() };
        let value = json!({
            "name": column.name,
            "description": column.description,
            "meta": meta,
            "data_type": column.data_type,
            "constraints": column.constraints.iter().map(constraint).collect::<Vec<_>>(),
            "quote": column.quote,
            "config": { "meta": meta, "tags": column.tags },
            "tags": column.tags,
            "granularity": null,
            "doc_blocks": [],
        });
        (column.name.as_str().to_owned(), value)
    });
    Value::Object(entries.collect())
}

/// A constraint of a column; one of a model has `columns` too.
pub(super) fn constraint(constraint: &ConstraintDecl) -> Value {
    json!({
        "type": constraint.kind.value.as_str(),
        "name": constraint.name,
        "expression": constraint.expression,
        "warn_unenforced": true,
        "warn_unsupported": true,
        "to": constraint.to.as_ref().map(|to| &to.value),
        "to_columns": constraint.to_columns,
    })
}
