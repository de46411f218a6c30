//! The nodes of a manifest in their order: who reads from whom.
//!
//! Edges come from `ref`, `source` and plain names; a target's foreign keys may add edges that order only.

mod select;

use std::collections::{BTreeMap, BTreeSet};

pub use select::select;

use crate::diagnostic::Diagnostics;
use crate::ident::NodeName;
use crate::manifest::Manifest;

/// What each node reads, by name.
pub type Dependencies = BTreeMap<NodeName, Vec<NodeName>>;

/// A pair `(before, after)` that orders two nodes without one reading the other.
pub type OrderingEdge = (NodeName, NodeName);

/// A directed graph without cycles over all nodes of a manifest, tests included.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    order: Vec<NodeName>,
}

impl Graph {
    /// Takes the compiled dependencies where there are some, and the manifest's otherwise (generic tests).
    pub fn build(_manifest: &Manifest, _compiled: &Dependencies) -> Result<Self, Diagnostics> {
        Err(Diagnostics::default())
    }

    /// Adds edges that order only; those that would close a cycle are dropped and returned.
    pub fn with_ordering_edges(self, _edges: Vec<OrderingEdge>) -> (Self, Vec<OrderingEdge>) {
        (self, Vec::new())
    }

    /// Parents first; nodes that are free of each other in the order of their names.
    pub fn topological_order(&self) -> &[NodeName] {
        &self.order
    }

    pub fn contains(&self, _name: &NodeName) -> bool {
        false
    }

    /// What a node reads directly.
    pub fn parents(&self, _name: &NodeName) -> Vec<&NodeName> {
        Vec::new()
    }

    /// What reads a node directly.
    pub fn children(&self, _name: &NodeName) -> Vec<&NodeName> {
        Vec::new()
    }

    /// What must come before a node: its parents and those that ordering edges add.
    pub fn predecessors(&self, _name: &NodeName) -> Vec<&NodeName> {
        Vec::new()
    }

    /// Everything that a node reads, directly or not; without itself.
    pub fn ancestors(&self, _name: &NodeName) -> BTreeSet<&NodeName> {
        BTreeSet::new()
    }

    /// Everything that reads a node, directly or not; without itself.
    pub fn descendants(&self, _name: &NodeName) -> BTreeSet<&NodeName> {
        BTreeSet::new()
    }
}
