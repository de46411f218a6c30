//! `macros` of a manifest, and which of them a template calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Described;
use crate::diagnostic::SourceFile;
use crate::manifest::jinja::{Block, BlockKind, Call, blocks, scan};
use crate::project::built_in_macros;

/// Every macro that templates of the project may call, by package and name.
pub(super) struct Macros<'a> {
    project: &'a str,
    found: BTreeMap<String, BTreeMap<String, (Arc<SourceFile>, Block)>>,
}

impl<'a> Macros<'a> {
    /// Those of the project, of its packages, and those that come along.
    pub fn of(described: Described<'a>) -> Self {
        let project = described.project;
        let own = project.macros.iter().map(|file| (project.package_of(&file.path).to_owned(), Arc::clone(file)));
        let tests = project.tests.iter().map(|file| (project.package_of(&file.path).to_owned(), Arc::clone(file)));
        let built_in = built_in_macros().iter().filter(|built_in| !project.has_package(built_in.package));
        let built_in = built_in.map(|built_in| (built_in.package.to_owned(), Arc::clone(&built_in.file)));
        let files = own.chain(tests).chain(built_in);
        let mut found: BTreeMap<String, BTreeMap<_, _>> = BTreeMap::new();
        for (package, file) in files {
            let named = blocks(&file.text).found.into_iter().filter_map(|block| Some((name(&block)?, block)));
            found.entry(package).or_default().extend(named.map(|(name, block)| (name, (Arc::clone(&file), block))));
        }
        Self { project: &project.name, found }
    }

    /// Every entry of `macros`, by `unique_id`.
    pub fn entries(&self, described: Described<'_>) -> Map<String, Value> {
        let packages = self.found.iter();
        let all = packages.flat_map(|(package, macros)| macros.iter().map(move |(name, found)| (package, name, found)));
        let entries = all.map(|(package, name, (file, block))| {
            let id = id(package, name);
            let body = &file.text[block.whole.clone()];
            let declared = described.project.declared.macros.iter().find(|declared| declared.name.value == *name);
            let meta = declared.map(|declared| &declared.meta).filter(|meta| meta.is_object());
            let meta = meta.cloned().unwrap_or_else(|| json!({}));
            let arguments = declared.map(|declared| declared.arguments.as_slice()).unwrap_or_default();
            let argument = |(name, kind, description): &(String, Option<String>, String)| {
                json!({ "name": name, "type": kind, "description": description })
            };
            let arguments: Vec<Value> = arguments.iter().map(argument).collect();
            let entry = json!({
                "resource_type": "macro",
                "unique_id": id,
                "name": name,
                "package_name": package,
                "path": file.path,
                "original_file_path": file.path,
                "macro_sql": body,
                "depends_on": { "macros": self.called_in(body, package).into_iter().filter(|other| *other != id).collect::<Vec<_>>() },
                "description": declared.map(|declared| declared.description.as_str()).unwrap_or_default(),
                "meta": meta,
                "docs": { "show": true, "node_color": null },
                "config": { "meta": meta, "docs": { "show": true, "node_color": null } },
                "patch_path": null,
                "arguments": arguments,
                "created_at": described.created_at(),
                "supported_languages": null,
            });
            (id, entry)
        });
        entries.collect()
    }

    /// The macros that a text of a package calls, each once.
    pub fn called_in(&self, text: &str, package: &str) -> Vec<String> {
        let scan = scan(text);
        let called = |call: &Call| {
            let of = scan.members.iter().find(|(_, name)| *name == call.function);
            let start = of.map_or(call.function.start, |(object, _)| object.start);
            self.find(&text[start..call.function.end], package)
        };
        let mut ids: Vec<String> = scan.calls.iter().filter_map(called).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// dbt's order: the package of the caller, the project, what comes along.
    pub fn find(&self, called: &str, package: &str) -> Option<String> {
        let known = |package: &str, name: &str| self.found.get(package)?.contains_key(name).then(|| id(package, name));
        match called.split_once('.') {
            Some((package, name)) => known(package, name),
            None => [package, self.project, "dbt"].into_iter().find_map(|package| known(package, called)),
        }
    }
}

fn id(package: &str, name: &str) -> String {
    format!("macro.{package}.{name}")
}

/// dbt's name for the macro that a block becomes.
fn name(block: &Block) -> Option<String> {
    match block.kind {
        BlockKind::Macro => Some(block.name.clone()),
        BlockKind::Test => Some(format!("test_{}", block.name)),
        BlockKind::Materialization => Some(format!("materialization_{}_default", block.name)),
        BlockKind::Snapshot | BlockKind::Docs => None,
    }
}
