//! Looks up every name of a project, renders each model once to learn what it refers to, and settles its config.

use super::Manifest;
use crate::diagnostic::Diagnostics;
use crate::project::{Environment, Project};

/// Settles the project into nodes; the second half of the pair are warnings.
pub fn resolve(_project: &Project, _environment: &Environment) -> Result<(Manifest, Diagnostics), Diagnostics> {
    Err(Diagnostics::default())
}
