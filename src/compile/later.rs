//! What is compiled in the middle of a run: templates that ask the database for what their parents made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{CompileFacts, Compiled, Templates, ephemeral};
use crate::diagnostic::Diagnostics;
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::manifest::jinja::Session;
use crate::project::{Environment, Project};

/// Nodes whose SQL is known only with a session, and everything that is needed to compile them then.
pub struct Later {
    templates: Templates<'static>,
    facts: CompileFacts,
    /// The ephemeral models, which become CTEs of others.
    ephemerals: BTreeMap<NodeName, Compiled>,
    waiting: BTreeSet<NodeName>,
    done: Mutex<BTreeMap<NodeName, Compiled>>,
}

impl Later {
    /// What is left of a compiled project; absent where nothing is.
    pub fn of(
        (project, manifest, environment): (&Project, &Manifest, &Environment),
        facts: &CompileFacts,
        compiled: &BTreeMap<NodeName, Compiled>,
    ) -> Result<Option<Later>, Diagnostics> {
        let waiting = compiled.iter().filter(|(_, node)| node.later);
        let waiting: BTreeSet<NodeName> = waiting.map(|(name, _)| name.clone()).collect();
        if waiting.is_empty() {
            return Ok(None);
        }
        let templates = Templates::owned(project, manifest, environment)?;
        let ephemerals = compiled.iter().filter(|(name, _)| manifest.is_ephemeral(name));
        let ephemerals = ephemerals.map(|(name, node)| (name.clone(), node.clone())).collect();
        Ok(Some(Later { templates, facts: facts.clone(), ephemerals, waiting, done: Mutex::default() }))
    }

    /// Compiles a node with a session; the ephemeral models that it reads too.
    pub fn compile(&self, name: &NodeName, session: &Session) -> Result<Compiled, Diagnostics> {
        let mut ephemerals = self.ephemerals.clone();
        let waiting: Vec<NodeName> =
            ephemerals.iter().filter(|(_, node)| node.later).map(|(name, _)| name.clone()).collect();
        let needed = self.ephemerals_of(name);
        for ephemeral in waiting.into_iter().filter(|ephemeral| needed.contains(ephemeral)) {
            let compiled = self.render(&ephemeral, session)?;
            ephemerals.insert(ephemeral, compiled);
        }
        let compiled = self.render(name, session)?;
        // A unit test has tables in place of ephemeral models.
        let compiled = match self.templates.manifest().unit_tests.contains_key(name) {
            true => compiled,
            false => Compiled { sql: ephemeral::inject(self.templates.manifest(), &ephemerals, &compiled), ..compiled },
        };
        self.done().insert(name.clone(), compiled.clone());
        Ok(compiled)
    }

    pub fn is_waiting(&self, name: &NodeName) -> bool {
        self.waiting.contains(name)
    }

    /// What has been compiled so far.
    pub fn done(&self) -> MutexGuard<'_, BTreeMap<NodeName, Compiled>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn render(&self, name: &NodeName, session: &Session) -> Result<Compiled, Diagnostics> {
        let Some(work) = self.templates.work_of(name, &self.facts) else { return Ok(Compiled::default()) };
        let plan = self.templates.plan(&work);
        self.templates.compile(work, &plan, session.clone())
    }

    /// The ephemeral models among what a node reads, through any number of them.
    fn ephemerals_of(&self, name: &NodeName) -> Vec<NodeName> {
        let mut found: Vec<NodeName> = Vec::new();
        let mut open = self.parents(name);
        while let Some(parent) = open.pop() {
            if self.ephemerals.contains_key(&parent) && !found.contains(&parent) {
                open.extend(self.parents(&parent));
                found.push(parent);
            }
        }
        found
    }

    fn parents(&self, name: &NodeName) -> Vec<NodeName> {
        let manifest = self.templates.manifest();
        let model = manifest.models.get(name).map(|model| &model.depends_on);
        model.or_else(|| manifest.tests.get(name).map(|test| &test.depends_on)).cloned().unwrap_or_default()
    }
}
