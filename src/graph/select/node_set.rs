//! Sets of nodes by their index in the graph.

/// A set over a fixed number of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeSet(Vec<bool>);

impl NodeSet {
    pub fn empty(nodes: usize) -> Self {
        Self(vec![false; nodes])
    }

    pub fn of(nodes: usize, is_member: impl Fn(usize) -> bool) -> Self {
        Self((0..nodes).map(is_member).collect())
    }

    pub fn contains(&self, node: usize) -> bool {
        self.0[node]
    }

    /// Whether the node was not there before.
    pub fn insert(&mut self, node: usize) -> bool {
        !std::mem::replace(&mut self.0[node], true)
    }

    pub fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().filter(|(_, member)| **member).map(|(node, _)| node)
    }

    pub fn add(&mut self, other: &Self) {
        self.combine(other, |mine, others| mine || others);
    }

    pub fn keep(&mut self, other: &Self) {
        self.combine(other, |mine, others| mine && others);
    }

    pub fn take_away(&mut self, other: &Self) {
        self.combine(other, |mine, others| mine && !others);
    }

    fn combine(&mut self, other: &Self, how: impl Fn(bool, bool) -> bool) {
        for (mine, others) in self.0.iter_mut().zip(&other.0) {
            *mine = how(*mine, *others);
        }
    }
}
