//! The fields that every node of a manifest has, whatever its kind.

use std::borrow::Cow;
use std::path::Path;

use serde_json::{Value, json};

use super::Described;
use super::config::Config;
use super::entry::{Code, Columns, Cte, DependsOn, Entry, Ref};
use super::identity::{self, Checksum, Ids};
use super::macros::Macros;
use crate::ident::{NodeName, Relation};
use crate::manifest::{CROSSWALKS, ColumnNode, ephemeral_cte};

/// What all entries are made from.
pub(super) struct Whole<'a> {
    pub described: Described<'a>,
    pub macros: &'a Macros<'a>,
    pub ids: Ids<'a>,
}

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
    pub checksum: Checksum<'a>,
    pub description: &'a str,
    pub columns: &'a [ColumnNode],
    /// The YAML file that speaks of it.
    pub patch_path: Option<&'a Path>,
    pub config: Config<'a>,
}

impl<'a> Resource<'a> {
    /// The entry so far, to which a kind adds what only it has.
    pub fn entry(self, whole: &'a Whole<'a>) -> Entry<'a> {
        let setting = |key: &str, missing: Value| match self.config.get(key) {
            Some(value) if !value.is_null() => value.into_owned(),
            Some(_) | None => missing,
        };
        let target = &whole.described.environment.target;
        Entry {
            resource_type: self.kind,
            unique_id: whole.ids.get(self.node),
            name: self.name,
            alias: self.name,
            package_name: self.package,
            database: &target.dbname,
            schema: target.schema.as_str(),
            path: identity::inner_path(self.folders, self.file),
            original_file_path: self.file.to_string_lossy(),
            fqn: identity::fqn(self.package, self.folders, self.name),
            checksum: self.checksum,
            description: self.description,
            columns: Columns(self.columns),
            tags: setting("tags", json!([])),
            meta: setting("meta", json!({})),
            group: setting("group", Value::Null),
            docs: setting("docs", json!({ "show": true, "node_color": null })),
            unrendered_config: self.config.own,
            patch_path: self.patch_path.map(|path| format!("{}://{}", self.package, path.display())),
            build_path: (),
            relation_name: None,
            raw_code: Cow::Borrowed(""),
            doc_blocks: [],
            created_at: whole.described.created_at(),
            config: self.config,
            depends_on: DependsOn::default(),
            code: None,
            model: None,
            seed: None,
            test: None,
        }
    }
}

impl<'a> Entry<'a> {
    /// Where a node that is built stands.
    pub fn place(&mut self, whole: &Whole<'_>, relation: &'a Relation) {
        self.schema = relation.schema.as_str();
        self.alias = relation.name.as_str();
        self.relation_name = Some(identity::relation_name(whole.described.environment, relation));
    }
}

impl<'a> Whole<'a> {
    /// The fields of a node whose code is a SELECT: what it reads, and what became of it. Its macros are added by whoever
    /// knows which it calls.
    pub fn code(&'a self, node: &NodeName) -> (Code<'a>, Vec<&'a str>) {
        let described = self.described;
        let reads = described.reads(&described.graph.parents(node));
        let compiled = described.compiled.get(node);
        let mut ctes = Vec::new();
        if compiled.is_some() {
            described.add_ctes(node, &mut ctes);
        }
        let code = Code {
            language: "sql",
            refs: reads.refs,
            sources: reads.sources,
            metrics: [],
            functions: [],
            compiled_path: None,
            compiled: compiled.is_some(),
            compiled_code: compiled.map(|compiled| compiled.sql.text.as_str()),
            extra_ctes_injected: compiled.is_some(),
            extra_ctes: ctes.into_iter().map(|(parent, name)| self.cte(parent, name)).collect(),
            contract: json!({ "enforced": false, "alias_types": true, "checksum": null }),
        };
        (code, reads.nodes.into_iter().map(|node| self.ids.get(node)).collect())
    }

    /// One of them as dbt writes it.
    fn cte(&'a self, node: &'a NodeName, model: &str) -> Cte<'a> {
        let compiled = self.described.compiled.get(node);
        let sql = compiled.map(|compiled| compiled.own_sql.as_ref().unwrap_or(&compiled.sql).text.as_str());
        let sql = format!(" {} as (\n{}\n)", ephemeral_cte(model), sql.unwrap_or_default());
        Cte { id: self.ids.get(node), sql }
    }
}

impl<'a> Described<'a> {
    /// Seconds since 1970, as dbt counts them.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit")]
    pub(super) fn created_at(self) -> f64 {
        self.environment.invocation.started_at.as_millisecond() as f64 / 1_000.0
    }

    /// The ephemeral models that a node reads, through any number of them, those first that others read.
    fn add_ctes(self, node: &NodeName, found: &mut Vec<(&'a NodeName, &'a str)>) {
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

    /// What a node reads, in dbt's three forms; tests that it waits for are not among them.
    pub(super) fn reads(self, parents: &[&'a NodeName]) -> Reads<'a> {
        let manifest = self.manifest;
        let read: Vec<&NodeName> =
            parents.iter().copied().filter(|parent| !manifest.tests.contains_key(*parent)).collect();
        let source = |parent: &NodeName| match (manifest.stages.get(parent), manifest.tables.get(parent)) {
            (Some(stage), _) => Some([stage.source.as_str(), stage.table.as_str()]),
            (None, Some(table)) => Some([table.source.as_str(), table.table.as_str()]),
            (None, None) => manifest.crosswalks.get(parent).map(|node| [CROSSWALKS, node.entity.as_str()]),
        };
        Reads {
            refs: read.iter().filter_map(|parent| self.as_ref(parent)).collect(),
            sources: read.iter().filter_map(|parent| source(parent)).collect(),
            nodes: read,
        }
    }

    /// The package is named where it is not the project's own.
    fn as_ref(self, parent: &NodeName) -> Option<Ref<'a>> {
        let manifest = self.manifest;
        let model = manifest.models.get(parent).map(|model| (&model.model, &model.package));
        let seed = || manifest.seeds.get(parent).map(|seed| (&seed.seed, &seed.package));
        let (name, package) = model.or_else(seed)?;
        let package = Some(package.as_str()).filter(|package| *package != manifest.project_name);
        Some(Ref { name, package, version: () })
    }
}

/// `refs`, `sources` and `depends_on.nodes`.
pub(super) struct Reads<'a> {
    pub refs: Vec<Ref<'a>>,
    pub sources: Vec<[&'a str; 2]>,
    pub nodes: Vec<&'a NodeName>,
}
