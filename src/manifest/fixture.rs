//! Temporary projects, resolved.

use super::{Manifest, resolve};
use crate::diagnostic::Diagnostics;
use crate::project::fixture::{Fixture, shown};
use crate::project::{Environment, Project};

/// A project with every name looked up.
pub(crate) struct Resolved {
    pub project: Project,
    pub environment: Environment,
    pub manifest: Manifest,
}

impl Fixture {
    pub fn try_resolve(&self) -> Result<Resolved, Diagnostics> {
        let project = self.load()?;
        let environment = self.environment(&project)?;
        let (manifest, _) = resolve(&project, &environment)?;
        Ok(Resolved { project, environment, manifest })
    }

    pub fn resolved(&self) -> Resolved {
        self.try_resolve().unwrap_or_else(|mistakes| unreachable!("the project is sound:\n{}", shown(&mistakes)))
    }

    /// The diagnostics that resolving ends with, as a user sees them.
    pub fn resolve_errors(&self) -> String {
        shown(&self.try_resolve().err().expect("the project is broken"))
    }
}
