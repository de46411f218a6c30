//! Renders models, singular tests and extraction overrides with real relations, and learns their edges.

use std::collections::{BTreeMap, BTreeSet};

use super::Compiled;
use crate::diagnostic::Diagnostics;
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::project::{Environment, Project};

/// What a server knows and files do not; empty for `compile` without a connection.
#[derive(Debug, Clone, Default)]
pub struct CompileFacts {
    /// Models that have merged before and are not asked to start afresh: `is_incremental()` answers yes.
    pub incremental: BTreeSet<NodeName>,
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
        let _ = (self.project, self.manifest, self.environment, self.facts);
        Err(Diagnostics::default())
    }
}
