//! Cycles, each shown once as the path that closes it.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::manifest::jinja::scan;

/// One diagnostic for each cycle among the nodes that no order could take.
pub(super) fn report(
    manifest: &Manifest,
    names: &[NodeName],
    (parents, rest): (&[Vec<usize>], Vec<usize>),
) -> Diagnostics {
    let mut left: BTreeSet<usize> = rest.into_iter().collect();
    let mut diagnostics = Diagnostics::default();
    while let Some(start) = left.first().copied() {
        match find(parents, &left, start) {
            Some(path) => {
                diagnostics.push(diagnostic(manifest, names, &path));
                for node in &path {
                    left.remove(node);
                }
            }
            // The node lies behind cycles that are told already.
            None => {
                left.remove(&start);
            }
        }
    }
    diagnostics
}

/// Follows what nodes read until one comes again; a dead end goes back one step.
fn find(parents: &[Vec<usize>], left: &BTreeSet<usize>, start: usize) -> Option<Vec<usize>> {
    let mut path = vec![start];
    let mut done: BTreeSet<usize> = BTreeSet::new();
    while let Some(node) = path.last().copied() {
        let next = parents[node].iter().copied().find(|parent| left.contains(parent) && !done.contains(parent));
        match next {
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

fn diagnostic(manifest: &Manifest, names: &[NodeName], path: &[usize]) -> Diagnostic {
    let steps: Vec<&NodeName> = path.iter().chain(path.first()).map(|node| &names[*node]).collect();
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
