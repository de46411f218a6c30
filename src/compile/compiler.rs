//! Renders models, singular tests and extraction overrides with real relations, and learns their edges.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{Compiled, CompiledSql, Templates, ephemeral, unit_test};
use crate::diagnostic::Diagnostics;
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::manifest::jinja::{Rows, Session};
use crate::project::{Environment, Project};

/// What a server knows and files do not; empty for `compile` without a connection.
#[derive(Debug, Clone, Default)]
pub struct CompileFacts {
    /// Models that have merged before and are not asked to start afresh: `is_incremental()` answers yes.
    pub incremental: BTreeSet<NodeName>,
    /// Whether the relations that models read give rows.
    pub rows: Rows,
}

/// Turns every template of a project into plain SQL.
pub struct Compiler<'a> {
    project: &'a Project,
    manifest: &'a Manifest,
    environment: &'a Environment,
    facts: &'a CompileFacts,
}

impl<'a> Compiler<'a> {
    pub fn new(
        project: &'a Project,
        manifest: &'a Manifest,
        environment: &'a Environment,
        facts: &'a CompileFacts,
    ) -> Self {
        Self { project, manifest, environment, facts }
    }

    /// Models, singular tests and extraction overrides (under their stage's name).
    pub fn compile_all(&self) -> Result<BTreeMap<NodeName, Compiled>, Diagnostics> {
        let (templates, mut diagnostics) = Templates::new(self.project, Cow::Borrowed(self.manifest), self.environment);
        let compiled: Vec<_> = templates
            .work(self.facts)
            .into_par_iter()
            .map(|work| {
                let name = work.name.clone();
                let plan = templates.plan(&work);
                (name, templates.compile(work, &plan, Session::Absent))
            })
            .collect();
        let (compiled, unit_tests) = unit_test::take(self.manifest, compiled);
        let mut all = BTreeMap::new();
        for (name, result) in compiled {
            match result {
                Ok(node) => {
                    all.insert(name, node);
                }
                Err(mistakes) => diagnostics.append(mistakes),
            }
        }
        let (all, _) = diagnostics.guard(all)?;
        let mut all = with_ephemerals(self.manifest, all);
        all.extend(unit_tests);
        Ok(all)
    }
}

fn with_ephemerals(manifest: &Manifest, all: BTreeMap<NodeName, Compiled>) -> BTreeMap<NodeName, Compiled> {
    let reads_ephemeral = |node: &Compiled| node.depends_on.iter().any(|parent| manifest.is_ephemeral(parent));
    let injected: Vec<(NodeName, CompiledSql)> = all
        .par_iter()
        .filter(|(_, node)| reads_ephemeral(node))
        .map(|(name, node)| (name.clone(), ephemeral::inject(manifest, &all, node)))
        .collect();
    let mut all = all;
    for (name, sql) in injected {
        if let Some(node) = all.get_mut(&name) {
            let own = std::mem::replace(&mut node.sql, sql);
            node.own_sql = manifest.is_ephemeral(&name).then_some(own);
        }
    }
    wait_for_ephemerals(manifest, &mut all);
    all
}

/// Whoever reads an ephemeral model that is compiled later is compiled later too.
fn wait_for_ephemerals(manifest: &Manifest, all: &mut BTreeMap<NodeName, Compiled>) {
    let mut open: Vec<NodeName> = all
        .iter()
        .filter(|(name, node)| node.later && manifest.is_ephemeral(name))
        .map(|(name, _)| name.clone())
        .collect();
    while let Some(ephemeral) = open.pop() {
        let readers = all.iter_mut().filter(|(_, node)| !node.later && node.depends_on.contains(&ephemeral));
        for (name, node) in readers {
            node.later = true;
            if manifest.is_ephemeral(name) {
                open.push(name.clone());
            }
        }
    }
}
