//! Cycles, each shown once as the path that closes it.

use std::collections::BTreeSet;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use super::Edge;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::manifest::jinja::scan;

/// One diagnostic for each cycle, found in the strongly connected components.
pub(super) fn report(
    manifest: &Manifest,
    edges: &DiGraph<NodeName, Edge>,
    components: Vec<Vec<NodeIndex>>,
) -> Diagnostics {
    let mut left: BTreeSet<NodeIndex> = components
        .into_iter()
        .filter(|component| match component.as_slice() {
            [alone] => edges.contains_edge(*alone, *alone),
            _ => true,
        })
        .flatten()
        .collect();
    let mut diagnostics = Diagnostics::default();
    while let Some(start) = left.first().copied() {
        match find(edges, &left, start) {
            Some(path) => {
                diagnostics.push(diagnostic(manifest, edges, &path));
                for node in &path {
                    left.remove(node);
                }
            }
            // Its cycles went through nodes of cycles that are told already.
            None => {
                left.remove(&start);
            }
        }
    }
    diagnostics
}

/// Follows what nodes read until one comes again; a dead end goes back one step.
fn find(edges: &DiGraph<NodeName, Edge>, left: &BTreeSet<NodeIndex>, start: NodeIndex) -> Option<Vec<NodeIndex>> {
    let mut path = vec![start];
    let mut done: BTreeSet<NodeIndex> = BTreeSet::new();
    while let Some(node) = path.last().copied() {
        let open = |parent: &NodeIndex| left.contains(parent) && !done.contains(parent);
        match edges.neighbors_directed(node, Direction::Incoming).filter(open).min() {
            Some(parent) => match path.iter().position(|seen| *seen == parent) {
                Some(at) => return Some(path.split_off(at)),
                None => path.push(parent),
            },
            None => {
                done.insert(node);
                path.pop();
            }
        }
    }
    None
}

fn diagnostic(manifest: &Manifest, edges: &DiGraph<NodeName, Edge>, path: &[NodeIndex]) -> Diagnostic {
    let steps: Vec<&NodeName> = path.iter().chain(path.first()).map(|node| &edges[*node]).collect();
    let shown: Vec<&str> = steps.iter().map(|name| name.as_str()).collect();
    let mut diagnostic =
        Diagnostic::error(Code::Cycle, format!("models read each other in a circle: {}", shown.join(" → ")))
            .hint("break the circle: one of these has to read something else");
    for pair in steps.windows(2) {
        let Some(span) = place(manifest, pair[0], pair[1]) else { continue };
        if diagnostic.span.is_none() {
            diagnostic = diagnostic.at(span).label(format!("reads {}", pair[1]));
        } else {
            diagnostic = diagnostic.related(span, format!("reads {}", pair[1]));
        }
    }
    diagnostic
}

/// The `ref` that makes the edge, or the reader's first line when a plain name makes it.
fn place(manifest: &Manifest, reader: &NodeName, read: &NodeName) -> Option<Span> {
    let model = manifest.models.get(reader)?;
    let name = manifest.models.get(read).map_or("", |model| model.model.as_str());
    let found = scan(&model.file.text).literal(&model.file.text, "ref", name);
    Some(found.map_or_else(|| Span::whole(&model.file), |range| Span::new(&model.file, range)))
}
