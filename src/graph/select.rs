//! `--select` and `--exclude`: names with wildcards and `+` become the nodes that they mean.

use super::Graph;
use crate::diagnostic::Diagnostics;
use crate::ident::NodeName;
use crate::manifest::Manifest;

/// The nodes that any term of `select` names (all, when there is none) without those of `exclude`, parents first.
pub fn select(
    _graph: &Graph,
    _manifest: &Manifest,
    _select: &[String],
    _exclude: &[String],
) -> Result<Vec<NodeName>, Diagnostics> {
    Err(Diagnostics::default())
}
