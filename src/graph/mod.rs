//! The nodes of a manifest in their order: who reads from whom.
//!
//! Edges come from `ref`, `source` and plain names; a target's foreign keys may add edges that order only. An ephemeral
//! model is a node like any other, so edges pass through it.

mod cycle;
pub mod macros;
pub mod previous;
mod same;
mod select;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use petgraph::Direction;
use petgraph::algo::{has_path_connecting, tarjan_scc};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

pub use select::{Chosen, History, Indirect, Moment, StateCheck, Wish, select};

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
    /// Edges point from what is read to who reads it; nodes are added in the order of their names.
    edges: DiGraph<NodeName, Edge>,
    order: Vec<NodeName>,
}

/// Why one node comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Reads,
    /// A foreign key of the target.
    Orders,
}

impl Graph {
    /// Takes the compiled dependencies where there are some, and the manifest's otherwise (generic tests).
    pub fn build(manifest: &Manifest, compiled: &Dependencies) -> Result<Self, Diagnostics> {
        let mut declared: BTreeMap<&NodeName, &[NodeName]> = BTreeMap::new();
        declared.extend(manifest.stages.keys().map(|name| (name, [].as_slice())));
        declared.extend(manifest.tables.keys().map(|name| (name, [].as_slice())));
        let crosswalks = manifest.crosswalks.values();
        declared.extend(crosswalks.map(|crosswalk| (&crosswalk.name, crosswalk.depends_on.as_slice())));
        declared.extend(manifest.seeds.keys().map(|name| (name, [].as_slice())));
        declared.extend(manifest.models.values().map(|model| (&model.name, model.depends_on.as_slice())));
        declared.extend(manifest.analyses.values().map(|analysis| (&analysis.name, analysis.depends_on.as_slice())));
        declared.extend(manifest.exposures.values().map(|exposure| (&exposure.name, exposure.depends_on.as_slice())));
        declared.extend(manifest.tests.values().map(|test| (&test.name, test.depends_on.as_slice())));
        let models = manifest.unit_tests.values().map(|test| (&test.name, std::slice::from_ref(&test.model)));
        declared.extend(models);
        for (name, depends_on) in compiled {
            if let Some(entry) = declared.get_mut(name) {
                *entry = depends_on;
            }
        }
        let graph = Self::of(&declared);
        let order = sorted(&graph.edges);
        if order.len() < graph.edges.node_count() {
            return Err(cycle::report(manifest, &graph.edges, tarjan_scc(&graph.edges)));
        }
        Ok(graph.with_order(&order))
    }

    fn of(declared: &BTreeMap<&NodeName, &[NodeName]>) -> Self {
        let edge_count = declared.values().map(|parents| parents.len()).sum();
        let mut graph = Self { edges: DiGraph::with_capacity(declared.len(), edge_count), order: Vec::new() };
        for name in declared.keys() {
            graph.edges.add_node((*name).clone());
        }
        for (node, depends_on) in declared.values().enumerate() {
            let parents: BTreeSet<NodeIndex> = depends_on.iter().filter_map(|parent| graph.index(parent)).collect();
            for parent in parents {
                graph.edges.add_edge(parent, NodeIndex::new(node), Edge::Reads);
            }
        }
        graph
    }

    fn with_order(mut self, order: &[NodeIndex]) -> Self {
        self.order = order.iter().map(|node| self.edges[*node].clone()).collect();
        self
    }

    /// Adds edges that order only; those that would close a cycle are dropped and returned.
    #[must_use]
    pub fn with_ordering_edges(mut self, edges: Vec<OrderingEdge>) -> (Self, Vec<OrderingEdge>) {
        let mut dropped = Vec::new();
        for (before, after) in edges {
            let Some((first, second)) = self.index(&before).zip(self.index(&after)) else { continue };
            if has_path_connecting(&self.edges, second, first, None) {
                dropped.push((before, after));
            } else if !self.edges.contains_edge(first, second) {
                self.edges.add_edge(first, second, Edge::Orders);
            }
        }
        let order = sorted(&self.edges);
        (self.with_order(&order), dropped)
    }

    /// Nodes stand in the order of their names.
    fn index(&self, name: &NodeName) -> Option<NodeIndex> {
        self.edges.raw_nodes().binary_search_by(|node| node.weight.cmp(name)).ok().map(NodeIndex::new)
    }

    /// Neighbours along edges that read, in the order of their names.
    fn readers(&self, node: NodeIndex, direction: Direction) -> BTreeSet<NodeIndex> {
        self.edges
            .edges_directed(node, direction)
            .filter(|edge| *edge.weight() == Edge::Reads)
            .map(|edge| match direction {
                Direction::Incoming => edge.source(),
                Direction::Outgoing => edge.target(),
            })
            .collect()
    }

    fn named(&self, nodes: impl IntoIterator<Item = NodeIndex>) -> Vec<&NodeName> {
        nodes.into_iter().map(|node| &self.edges[node]).collect()
    }

    /// Parents first; nodes that are free of each other in the order of their names.
    pub fn topological_order(&self) -> &[NodeName] {
        &self.order
    }

    pub fn contains(&self, name: &NodeName) -> bool {
        self.index(name).is_some()
    }

    /// What a node reads directly.
    pub fn parents(&self, name: &NodeName) -> Vec<&NodeName> {
        self.index(name).map(|node| self.named(self.readers(node, Direction::Incoming))).unwrap_or_default()
    }

    /// What reads a node directly.
    pub fn children(&self, name: &NodeName) -> Vec<&NodeName> {
        self.index(name).map(|node| self.named(self.readers(node, Direction::Outgoing))).unwrap_or_default()
    }

    /// What must come before a node: its parents and those that ordering edges add.
    pub fn predecessors(&self, name: &NodeName) -> Vec<&NodeName> {
        let Some(node) = self.index(name) else { return Vec::new() };
        let before: BTreeSet<NodeIndex> = self.edges.neighbors_directed(node, Direction::Incoming).collect();
        self.named(before)
    }

    /// Everything that a node reads, directly or not; without itself.
    pub fn ancestors(&self, name: &NodeName) -> BTreeSet<&NodeName> {
        self.ancestors_within(name, usize::MAX)
    }

    /// Everything that reads a node, directly or not; without itself.
    pub fn descendants(&self, name: &NodeName) -> BTreeSet<&NodeName> {
        self.descendants_within(name, usize::MAX)
    }

    /// Ancestors at most `steps` edges away.
    pub fn ancestors_within(&self, name: &NodeName, steps: usize) -> BTreeSet<&NodeName> {
        self.reachable(name, (Direction::Incoming, steps))
    }

    /// Descendants at most `steps` edges away.
    pub fn descendants_within(&self, name: &NodeName, steps: usize) -> BTreeSet<&NodeName> {
        self.reachable(name, (Direction::Outgoing, steps))
    }

    fn reachable(&self, name: &NodeName, (direction, steps): (Direction, usize)) -> BTreeSet<&NodeName> {
        let mut seen: BTreeSet<NodeIndex> = BTreeSet::new();
        let mut frontier: Vec<NodeIndex> = self.index(name).into_iter().collect();
        let mut step = 0;
        while !frontier.is_empty() && step < steps {
            let reached = frontier.iter().flat_map(|node| self.readers(*node, direction));
            frontier = reached.filter(|node| seen.insert(*node)).collect();
            step += 1;
        }
        seen.into_iter().map(|node| &self.edges[node]).collect()
    }
}

/// A topological order by least name; nodes on or behind a cycle are missing from it.
fn sorted(edges: &DiGraph<NodeName, Edge>) -> Vec<NodeIndex> {
    let mut waiting_for: Vec<usize> =
        edges.node_indices().map(|node| edges.edges_directed(node, Direction::Incoming).count()).collect();
    let mut ready: BinaryHeap<Reverse<NodeIndex>> =
        edges.node_indices().filter(|node| waiting_for[node.index()] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(edges.node_count());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for child in edges.neighbors_directed(node, Direction::Outgoing) {
            waiting_for[child.index()] -= 1;
            if waiting_for[child.index()] == 0 {
                ready.push(Reverse(child));
            }
        }
    }
    order
}
