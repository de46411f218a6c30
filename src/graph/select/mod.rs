//! `--select`, `--exclude`, `--selector`: text becomes a [`Spec`], a `Spec` the nodes that it means.
//!
//! 1. `parse` and `definition` read terms and `selectors.yml`; 2. `evaluate` finds the nodes, a method a time
//!    (`matching`, `place`, `moment`), their relatives and their tests; 3. `missing` says of what found nothing why.

mod criterion;
mod definition;
mod evaluate;
mod matching;
mod method;
mod missing;
mod moment;
mod node_set;
mod parse;
mod place;
#[cfg(test)]
mod tests;
mod wildcard;

pub use criterion::{Indirect, StateCheck};
pub use moment::{History, Moment};

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::graph::Graph;
use crate::ident::NodeName;
use crate::manifest::Manifest;
use criterion::{Criterion, Method, Relatives, Spec};
use evaluate::Selectable;
use node_set::NodeSet;
use parse::Terms;

/// What the command line asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'w> {
    pub select: &'w [String],
    pub exclude: &'w [String],
    /// A name of `selectors.yml`; it stands alone.
    pub selector: Option<&'w str>,
    pub indirect: Indirect,
    pub moment: Moment<'w>,
}

/// The nodes that are meant.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Parents first.
    pub nodes: Vec<NodeName>,
    /// Terms that match nothing while others do.
    pub warnings: Diagnostics,
    /// The selection asks about state, results or age, so that nothing is an ordinary answer.
    pub may_be_empty: bool,
}

/// The nodes that the wish means; everything, when it names nothing and no selector is the default one.
pub fn select(graph: &Graph, manifest: &Manifest, wish: &Wish<'_>) -> Result<Chosen, Diagnostics> {
    let terms = Terms { manifest, indirect: wish.indirect };
    definition::check(terms)?;
    let spec = spec(terms, wish)?;
    let Some(spec) = spec else {
        return Ok(Chosen { nodes: graph.topological_order().to_vec(), ..Chosen::default() });
    };
    moment::check(&spec, wish.moment)?;
    let all = Selectable::new(graph, manifest, wish.moment);
    let found = all.find(&spec).selected;
    let may_be_empty = spec.criteria().iter().any(|one| one.method.is_momentary());
    let warnings = unmatched(&all, &spec);
    if found.is_empty() && !may_be_empty && all.len() > 0 {
        return Err(nothing(warnings));
    }
    Ok(Chosen { nodes: ordered(graph, &found), warnings: Diagnostics(warnings), may_be_empty })
}

fn spec(terms: Terms<'_>, wish: &Wish<'_>) -> Result<Option<Spec>, Diagnostics> {
    if let Some(selector) = wish.selector {
        return definition::of_option(terms, selector).map(Some);
    }
    if wish.select.is_empty() && wish.exclude.is_empty() {
        return definition::default(terms);
    }
    let selected = match wish.select {
        [] => Ok(everything()),
        select => terms.arguments("--select", select),
    };
    let excluded = match wish.exclude {
        [] => Ok(None),
        exclude => terms.arguments("--exclude", exclude).map(Some),
    };
    match (selected, excluded) {
        (Ok(selected), Ok(None)) => Ok(Some(selected)),
        (Ok(selected), Ok(Some(excluded))) => Ok(Some(Spec::Difference(vec![selected, excluded]))),
        (Err(mut mistakes), Err(more)) => {
            mistakes.append(more);
            Err(mistakes)
        }
        (Err(mistakes), Ok(_)) | (Ok(_), Err(mistakes)) => Err(mistakes),
    }
}

fn everything() -> Spec {
    let file = crate::diagnostic::SourceFile { path: "--select".into(), text: "*".to_owned(), written: None };
    let written = crate::diagnostic::Span::whole(&std::sync::Arc::new(file));
    let (relatives, indirect) = (Relatives::default(), Indirect::Empty);
    Spec::Criterion(Criterion { written, method: Method::Name("*".to_owned()), relatives, indirect })
}

/// Of each term of `--select` and `--exclude` that finds nothing, why.
fn unmatched(all: &Selectable<'_>, spec: &Spec) -> Vec<Diagnostic> {
    match spec {
        Spec::Union(group) => {
            let empty = group.members.iter().filter(|member| all.find(member).selected.is_empty());
            empty.flat_map(|member| missing::report(all, member)).collect()
        }
        Spec::Difference(members) => members.iter().flat_map(|member| unmatched(all, member)).collect(),
        Spec::Criterion(_) | Spec::Intersection(_) | Spec::Around(..) => Vec::new(),
    }
}

/// When nothing at all is selected, what would have been a warning is why.
fn nothing(warnings: Vec<Diagnostic>) -> Diagnostics {
    if warnings.is_empty() {
        let diagnostic = Diagnostic::error(Code::NothingSelected, "the selection is empty");
        return parse::one(diagnostic.hint("what is excluded takes away everything that is selected"));
    }
    let errors = warnings.into_iter().map(|warning| Diagnostic { severity: Severity::Error, ..warning });
    Diagnostics(errors.collect())
}

fn ordered(graph: &Graph, found: &NodeSet) -> Vec<NodeName> {
    let is_meant = |name: &&NodeName| graph.index(name).is_some_and(|index| found.contains(index.index()));
    graph.topological_order().iter().filter(is_meant).cloned().collect()
}
