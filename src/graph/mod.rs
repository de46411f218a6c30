//! The nodes of a manifest in their order: who reads from whom.
//!
//! Edges come from `ref`, `source` and plain names; a target's foreign keys may add edges that order only. An ephemeral
//! model is a node like any other, so edges pass through it.

mod cycle;
mod select;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

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
    /// Sorted; an index into it stands for a node below.
    names: Vec<NodeName>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    /// Nodes that come before, by ordering edges alone.
    ordered_after: Vec<Vec<usize>>,
    order: Vec<NodeName>,
}

impl Graph {
    /// Takes the compiled dependencies where there are some, and the manifest's otherwise (generic tests).
    pub fn build(manifest: &Manifest, compiled: &Dependencies) -> Result<Self, Diagnostics> {
        let mut declared: BTreeMap<&NodeName, &[NodeName]> = BTreeMap::new();
        declared.extend(manifest.stages.keys().map(|name| (name, [].as_slice())));
        declared.extend(manifest.seeds.keys().map(|name| (name, [].as_slice())));
        declared.extend(manifest.models.values().map(|model| (&model.name, model.depends_on.as_slice())));
        declared.extend(manifest.tests.values().map(|test| (&test.name, test.depends_on.as_slice())));
        for (name, depends_on) in compiled {
            if let Some(entry) = declared.get_mut(name) {
                *entry = depends_on;
            }
        }
        let graph = Self::of(&declared);
        let (order, rest) = sorted(&graph.parents, &graph.children);
        if !rest.is_empty() {
            return Err(cycle::report(manifest, &graph.names, (&graph.parents, rest)));
        }
        Ok(graph.with_order(&order))
    }

    fn of(declared: &BTreeMap<&NodeName, &[NodeName]>) -> Self {
        let names: Vec<NodeName> = declared.keys().map(|name| (*name).clone()).collect();
        let mut graph = Self {
            parents: vec![Vec::new(); names.len()],
            children: vec![Vec::new(); names.len()],
            ordered_after: vec![Vec::new(); names.len()],
            names,
            order: Vec::new(),
        };
        for (node, depends_on) in declared.values().enumerate() {
            let mut parents: Vec<usize> = depends_on.iter().filter_map(|parent| graph.index(parent)).collect();
            parents.sort_unstable();
            parents.dedup();
            for parent in &parents {
                graph.children[*parent].push(node);
            }
            graph.parents[node] = parents;
        }
        graph
    }

    fn with_order(mut self, order: &[usize]) -> Self {
        self.order = order.iter().map(|node| self.names[*node].clone()).collect();
        self
    }

    /// Adds edges that order only; those that would close a cycle are dropped and returned.
    #[must_use]
    pub fn with_ordering_edges(mut self, edges: Vec<OrderingEdge>) -> (Self, Vec<OrderingEdge>) {
        let mut before_all: Vec<Vec<usize>> = self.parents.clone();
        for (node, before) in self.ordered_after.iter().enumerate() {
            before_all[node].extend(before);
        }
        let mut dropped = Vec::new();
        for (before, after) in edges {
            let Some((first, second)) = self.index(&before).zip(self.index(&after)) else { continue };
            if first == second || reaches(&before_all, first, second) {
                dropped.push((before, after));
            } else if !before_all[second].contains(&first) {
                before_all[second].push(first);
                self.ordered_after[second].push(first);
            }
        }
        let mut after_all = vec![Vec::new(); before_all.len()];
        for (node, before) in before_all.iter().enumerate() {
            for first in before {
                after_all[*first].push(node);
            }
        }
        let (order, _) = sorted(&before_all, &after_all);
        (self.with_order(&order), dropped)
    }

    fn index(&self, name: &NodeName) -> Option<usize> {
        self.names.binary_search(name).ok()
    }

    fn named(&self, nodes: &[usize]) -> Vec<&NodeName> {
        nodes.iter().map(|node| &self.names[*node]).collect()
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
        self.index(name).map(|node| self.named(&self.parents[node])).unwrap_or_default()
    }

    /// What reads a node directly.
    pub fn children(&self, name: &NodeName) -> Vec<&NodeName> {
        self.index(name).map(|node| self.named(&self.children[node])).unwrap_or_default()
    }

    /// What must come before a node: its parents and those that ordering edges add.
    pub fn predecessors(&self, name: &NodeName) -> Vec<&NodeName> {
        let Some(node) = self.index(name) else { return Vec::new() };
        let mut before = self.named(&self.parents[node]);
        before.extend(self.named(&self.ordered_after[node]));
        before
    }

    /// Everything that a node reads, directly or not; without itself.
    pub fn ancestors(&self, name: &NodeName) -> BTreeSet<&NodeName> {
        self.reachable(name, (&self.parents, usize::MAX))
    }

    /// Everything that reads a node, directly or not; without itself.
    pub fn descendants(&self, name: &NodeName) -> BTreeSet<&NodeName> {
        self.reachable(name, (&self.children, usize::MAX))
    }

    /// Ancestors at most `steps` edges away.
    pub fn ancestors_within(&self, name: &NodeName, steps: usize) -> BTreeSet<&NodeName> {
        self.reachable(name, (&self.parents, steps))
    }

    /// Descendants at most `steps` edges away.
    pub fn descendants_within(&self, name: &NodeName, steps: usize) -> BTreeSet<&NodeName> {
        self.reachable(name, (&self.children, steps))
    }

    fn reachable(&self, name: &NodeName, (edges, steps): (&[Vec<usize>], usize)) -> BTreeSet<&NodeName> {
        let mut seen: BTreeSet<usize> = BTreeSet::new();
        let mut frontier: Vec<usize> = self.index(name).into_iter().collect();
        let mut step = 0;
        while !frontier.is_empty() && step < steps {
            let reached = frontier.iter().flat_map(|node| &edges[*node]).copied();
            frontier = reached.filter(|node| seen.insert(*node)).collect();
            step += 1;
        }
        seen.into_iter().map(|node| &self.names[node]).collect()
    }
}

/// Whether `to` lies on some way from `from` along `edges`.
fn reaches(edges: &[Vec<usize>], from: usize, to: usize) -> bool {
    let mut seen = vec![false; edges.len()];
    let mut waiting = vec![from];
    while let Some(node) = waiting.pop() {
        if node == to {
            return true;
        }
        if !std::mem::replace(&mut seen[node], true) {
            waiting.extend(&edges[node]);
        }
    }
    false
}

/// A topological order by least index, and the nodes that lie on or behind a cycle.
fn sorted(parents: &[Vec<usize>], children: &[Vec<usize>]) -> (Vec<usize>, Vec<usize>) {
    let mut waiting_for: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..parents.len()).filter(|node| waiting_for[*node] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(parents.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for child in &children[node] {
            waiting_for[*child] -= 1;
            if waiting_for[*child] == 0 {
                ready.push(Reverse(*child));
            }
        }
    }
    let rest = (0..parents.len()).filter(|node| waiting_for[*node] > 0).collect();
    (order, rest)
}
