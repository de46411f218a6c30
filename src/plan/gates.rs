//! `build`: tests become gates. What reads a tested node waits for its tests, and is skipped where one says no.
//!
//! dbt's rule: a test holds back a node when everything that the test speaks of lies above that node. Only the nearest
//! such steps get a wait of their own; what is further down is skipped through them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::{Action, Inputs, OnFailure, Plan, Step, Wait};
use crate::graph::Graph;
use crate::ident::NodeName;

/// Adds the waits of gates, and puts the steps in an order in which each still comes after those it waits for.
#[must_use]
pub fn with_gates(mut plan: Plan, inputs: Inputs<'_>) -> Plan {
    let places: BTreeMap<NodeName, usize> =
        plan.steps.iter().enumerate().map(|(at, step)| (step.name.clone(), at)).collect();
    let mut gates: Vec<(usize, Wait)> = Vec::new();
    for step in &plan.steps {
        if !step.action.is_test() {
            continue;
        }
        let held = if let Action::UnitTest(test) = &step.action {
            held_by_unit_test(&plan, inputs.graph, (&test.node.model, &places))
        } else {
            held_back(&plan, inputs.graph, (&step.name, &places))
        };
        let gate = || Wait { parent: step.name.clone(), on_failure: OnFailure::Skip };
        gates.extend(held.into_iter().map(|at| (at, gate())));
    }
    for (at, gate) in gates {
        plan.steps[at].waits_for.push(gate);
    }
    plan.steps = in_order(std::mem::take(&mut plan.steps), &places);
    plan
}

/// The model that a unit test tests, or what reads it where it makes no step itself.
fn held_by_unit_test(
    plan: &Plan,
    graph: &Graph,
    (model, places): (&NodeName, &BTreeMap<NodeName, usize>),
) -> BTreeSet<usize> {
    match places.get(model) {
        Some(at) => BTreeSet::from([*at]),
        None => {
            nearest_below(graph, model, |name| places.get(name).copied().filter(|at| !plan.steps[*at].action.is_test()))
        }
    }
}

/// The nearest steps below everything that a test speaks of.
fn held_back(plan: &Plan, graph: &Graph, (test, places): (&NodeName, &BTreeMap<NodeName, usize>)) -> BTreeSet<usize> {
    let process = |name: &NodeName| places.get(name).copied().filter(|at| !plan.steps[*at].action.is_test());
    match graph.parents(test).as_slice() {
        [] => BTreeSet::new(),
        [subject] => nearest_below(graph, subject, process),
        [first, others @ ..] => {
            let mut below = graph.descendants(first);
            for other in others {
                let theirs = graph.descendants(other);
                below.retain(|name| theirs.contains(name));
            }
            let steps: BTreeSet<usize> = below.into_iter().filter_map(process).collect();
            let waits_for_another = |at: usize| {
                let skips = plan.steps[at].waits_for.iter().filter(|wait| wait.on_failure == OnFailure::Skip);
                skips.filter_map(|wait| places.get(&wait.parent)).any(|parent| steps.contains(parent))
            };
            steps.iter().copied().filter(|at| !waits_for_another(*at)).collect()
        }
    }
}

/// Steps that read a node, those behind nodes that make no step included.
fn nearest_below(graph: &Graph, node: &NodeName, process: impl Fn(&NodeName) -> Option<usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = graph.children(node);
    while let Some(child) = open.pop() {
        if !seen.insert(child) {
            continue;
        }
        match process(child) {
            Some(at) => {
                found.insert(at);
            }
            None => open.extend(graph.children(child)),
        }
    }
    found
}

/// Parents first; steps that are free of each other keep their order.
fn in_order(steps: Vec<Step>, places: &BTreeMap<NodeName, usize>) -> Vec<Step> {
    let mut children = vec![Vec::new(); steps.len()];
    let mut open_parents = vec![0_usize; steps.len()];
    for (at, step) in steps.iter().enumerate() {
        for parent in step.waits_for.iter().filter_map(|wait| places.get(&wait.parent)) {
            children[*parent].push(at);
            open_parents[at] += 1;
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..steps.len()).filter(|at| open_parents[*at] == 0).map(Reverse).collect();
    let mut order = vec![usize::MAX; steps.len()];
    let mut next = 0;
    while let Some(Reverse(at)) = ready.pop() {
        order[at] = next;
        next += 1;
        for child in &children[at] {
            open_parents[*child] -= 1;
            if open_parents[*child] == 0 {
                ready.push(Reverse(*child));
            }
        }
    }
    let mut placed: Vec<(usize, Step)> = order.into_iter().zip(steps).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, step)| step).collect()
}
