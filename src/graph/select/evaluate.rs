//! A [`Spec`] becomes the nodes that it means, by dbt's rules.
//!
//! Every step gives two sets: nodes that are selected, and tests that touch what is selected without having all that
//! they read. The second kind gets another chance when selections are joined.

use petgraph::Direction;
use petgraph::graph::NodeIndex;

use super::criterion::{Criterion, Group, Indirect, Method, Relatives, Spec};
use super::node_set::NodeSet;
use super::{Moment, matching};
use crate::graph::{Edge, Graph};
use crate::manifest::{Manifest, NodeFacts};

/// Everything that selectors are tried on.
pub(super) struct Selectable<'a> {
    pub graph: &'a Graph,
    pub manifest: &'a Manifest,
    /// In the order of the graph's indices.
    pub facts: Vec<NodeFacts<'a>>,
    pub moment: Moment<'a>,
}

/// What a selection means so far.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub selected: NodeSet,
    /// Tests that were touched and not taken.
    pub touched: NodeSet,
}

impl<'a> Selectable<'a> {
    pub fn new(graph: &'a Graph, manifest: &'a Manifest, moment: Moment<'a>) -> Self {
        let facts = graph.edges.node_weights().filter_map(|name| manifest.facts(name)).collect();
        Self { graph, manifest, facts, moment }
    }

    pub fn len(&self) -> usize {
        self.facts.len()
    }

    pub fn find(&self, spec: &Spec) -> Found {
        match spec {
            Spec::Criterion(criterion) => self.criterion(criterion),
            Spec::Union(group) => self.joined(group, NodeSet::add),
            Spec::Intersection(group) => self.joined(group, NodeSet::keep),
            Spec::Difference(members) => self.combined(members, NodeSet::take_away),
            Spec::Around(inner, relatives, indirect) => {
                let core = self.find(inner).selected;
                self.expanded(self.with_relatives(&core, *relatives), *indirect)
            }
        }
    }

    /// The nodes that the method itself finds.
    pub fn matching(&self, method: &Method) -> NodeSet {
        let test = matching::test(self, method);
        NodeSet::of(self.len(), |node| test(node, &self.facts[node]))
    }

    fn criterion(&self, criterion: &Criterion) -> Found {
        let found = self.matching(&criterion.method);
        self.expanded(self.with_relatives(&found, criterion.relatives), criterion.indirect)
    }

    fn joined(&self, group: &Group, join: fn(&mut NodeSet, &NodeSet)) -> Found {
        let mut found = self.combined(&group.members, join);
        self.look_again(&mut found, group.indirect);
        found
    }

    fn combined(&self, members: &[Spec], join: fn(&mut NodeSet, &NodeSet)) -> Found {
        let mut members = members.iter().map(|member| {
            let Found { selected, mut touched } = self.find(member);
            touched.add(&selected);
            Found { selected, touched }
        });
        let Some(mut all) = members.next() else {
            return Found { selected: NodeSet::empty(self.len()), touched: NodeSet::empty(self.len()) };
        };
        for member in members {
            join(&mut all.selected, &member.selected);
            join(&mut all.touched, &member.touched);
        }
        all
    }

    fn with_relatives(&self, found: &NodeSet, relatives: Relatives) -> NodeSet {
        let mut all = found.clone();
        if relatives.childrens_parents {
            let mut family = self.reached(found, Direction::Outgoing, usize::MAX);
            family.add(found);
            all.add(&self.reached(&family, Direction::Incoming, usize::MAX));
            all.add(&family);
        }
        all.add(&self.reached(found, Direction::Incoming, relatives.parents));
        all.add(&self.reached(found, Direction::Outgoing, relatives.children));
        all
    }

    /// What lies at most so many generations from any of the nodes.
    fn reached(&self, from: &NodeSet, direction: Direction, generations: usize) -> NodeSet {
        let mut reached = NodeSet::empty(self.len());
        let mut frontier: Vec<usize> = from.iter().collect();
        let mut generation = 0;
        while !frontier.is_empty() && generation < generations {
            let neighbours = frontier.iter().flat_map(|node| self.neighbours(*node, direction));
            frontier = neighbours.filter(|node| reached.insert(*node)).collect();
            generation += 1;
        }
        reached
    }

    /// Who reads a node, or what it reads; edges that order alone do not count.
    fn neighbours(&self, node: usize, direction: Direction) -> impl Iterator<Item = usize> + '_ {
        let edges = self.graph.edges.edges_directed(NodeIndex::new(node), direction);
        edges.filter(|edge| *edge.weight() == Edge::Reads).map(move |edge| {
            use petgraph::visit::EdgeRef;
            match direction {
                Direction::Incoming => edge.source().index(),
                Direction::Outgoing => edge.target().index(),
            }
        })
    }

    /// Takes the tests of what is selected along.
    fn expanded(&self, selected: NodeSet, indirect: Indirect) -> Found {
        let mut touched = NodeSet::empty(self.len());
        let within = match indirect {
            Indirect::Empty => return Found { selected, touched },
            Indirect::Eager | Indirect::Cautious => selected.clone(),
            Indirect::Buildable => {
                let mut within = self.with_parents(&selected);
                within.add(&self.matching(&Method::ResourceType(crate::manifest::ResourceType::Source)));
                within
            }
        };
        let mut all = selected.clone();
        for node in selected.iter() {
            for test in self.neighbours(node, Direction::Outgoing).filter(|child| self.is_test(*child)) {
                if indirect == Indirect::Eager || self.reads_only(test, &within) {
                    all.insert(test);
                } else {
                    touched.insert(test);
                }
            }
        }
        Found { selected: all, touched }
    }

    /// Tests that were touched are taken when all that they read has come together; unit tests read one model alone.
    fn look_again(&self, found: &mut Found, indirect: Indirect) {
        let within = match indirect {
            Indirect::Eager | Indirect::Empty => return,
            Indirect::Cautious => found.selected.clone(),
            Indirect::Buildable => self.with_parents(&found.selected),
        };
        let touched: Vec<usize> = found.touched.iter().filter(|test| self.reads_only(*test, &within)).collect();
        for test in touched.into_iter().filter(|node| self.is_test(*node)) {
            found.selected.insert(test);
        }
    }

    fn with_parents(&self, selected: &NodeSet) -> NodeSet {
        let mut all = self.reached(selected, Direction::Incoming, usize::MAX);
        all.add(selected);
        all
    }

    fn is_test(&self, node: usize) -> bool {
        self.facts[node].resource_type.is_test()
    }

    fn reads_only(&self, test: usize, within: &NodeSet) -> bool {
        self.neighbours(test, Direction::Incoming).all(|parent| within.contains(parent))
    }
}
