//! Methods whose answer changes from run to run: `state:`, `result:`, `source_status:`, `stale:`.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::criterion::{Criterion, Method, Spec, StateCheck, VersionCheck};
use super::evaluate::Selectable;
use super::matching::Test;
use super::parse::bad;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::graph::previous::{Previous, PreviousManifest};
use crate::graph::same;
use crate::ident::NodeName;

/// What is known of the past.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment<'a> {
    /// `--state`.
    pub previous: Option<&'a Previous>,
    pub history: Option<&'a History>,
}

/// When nodes last succeeded, and which of them have something new to read.
#[derive(Debug, Clone)]
pub struct History {
    pub now: Timestamp,
    pub last_success: HashMap<NodeName, Timestamp>,
    /// Nodes of which a staged parent has changed in a batch that came after those which they have read.
    pub behind: BTreeSet<NodeName>,
}

/// Whether everything that the criteria ask for is there.
pub(super) fn check(spec: &Spec, moment: Moment<'_>) -> Result<(), Diagnostics> {
    let mistakes: Vec<Diagnostic> = spec.criteria().into_iter().filter_map(|one| missing(one, moment)).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(Diagnostics(mistakes)) }
}

fn missing(criterion: &Criterion, moment: Moment<'_>) -> Option<Diagnostic> {
    let previous = moment.previous;
    let written = criterion.written.text();
    let (is_there, file) = match &criterion.method {
        Method::State(_) => (previous.is_some_and(|previous| previous.manifest.is_some()), "manifest.json"),
        Method::Result(_) => (previous.is_some_and(|previous| previous.results.is_some()), "run_results.json"),
        Method::SourceStatus if previous.is_some_and(|previous| previous.freshness.is_some()) => {
            let is_there = previous.is_some_and(|previous| previous.freshness_now.is_some());
            let hint = "unimig source freshness writes target/sources.json, which is compared with the earlier one";
            let message = format!("\"{written}\" needs the sources.json of this project, and there is none");
            return (!is_there).then(|| missing_state(message, criterion).hint(hint));
        }
        Method::SourceStatus => (false, "sources.json"),
        Method::Version(VersionCheck::Latest | VersionCheck::Prerelease | VersionCheck::Old) => {
            let message = format!("\"{written}\" asks for versions, and no model of this project has any");
            return Some(bad(message, &criterion.written).hint("unimig does not know dbt's model versions"));
        }
        Method::Name(_)
        | Method::Bare(_)
        | Method::Fqn(_)
        | Method::Tag(_)
        | Method::Group(_)
        | Method::Access(_)
        | Method::Source(_)
        | Method::Exposure(_)
        | Method::UnitTest(_)
        | Method::Path(_)
        | Method::File(_)
        | Method::Package(_)
        | Method::Config(..)
        | Method::TestName(_)
        | Method::TestType(_)
        | Method::ResourceType(_)
        | Method::Version(VersionCheck::None)
        | Method::Layer(_) => (true, ""),
        Method::Stale(_) => {
            let message = format!("\"{written}\" asks the target when processes last succeeded");
            let hint = "this command does not ask it; run, build, test and ls do";
            return moment.history.is_none().then(|| missing_state(message, criterion).hint(hint));
        }
    };
    if is_there {
        return None;
    }
    let message = format!("\"{written}\" needs the {file} of an earlier run");
    let hint = format!("--state DIR names a folder that holds the {file} to compare with");
    Some(missing_state(message, criterion).hint(hint))
}

fn missing_state(message: String, criterion: &Criterion) -> Diagnostic {
    Diagnostic::error(Code::MissingState, message).at(criterion.written.clone())
}

pub(super) fn test<'t>(all: &'t Selectable<'_>, method: &'t Method) -> Test<'t> {
    match (method, all.moment.previous) {
        (Method::State(check), Some(previous @ Previous { manifest: Some(manifest), .. })) => {
            let now =
                same::Now { manifest: all.manifest, seeds: &previous.seeds_now, macros: &previous.changed_macros };
            state((all, manifest), now, *check)
        }
        (Method::Result(status), Some(Previous { results: Some(results), .. })) => Box::new(move |_, node| {
            results.get(&all.manifest.unique_id(node.name)).is_some_and(|found| found == status)
        }),
        (Method::SourceStatus, Some(Previous { freshness: Some(then), freshness_now: Some(now), .. })) => {
            Box::new(move |_, node| {
                let id = all.manifest.unique_id(node.name);
                now.get(&id).is_some_and(|now| then.get(&id).is_none_or(|then| later(now, then)))
            })
        }
        (Method::Stale(span), _) => stale(all, *span),
        _ => Box::new(|_, _| false),
    }
}

/// Later in time; texts that are no times are compared as texts.
fn later(now: &str, then: &str) -> bool {
    match (now.parse::<Timestamp>(), then.parse::<Timestamp>()) {
        (Ok(now), Ok(then)) => now > then,
        _ => now > then,
    }
}

fn state<'t>(
    (all, previous): (&'t Selectable<'_>, &'t PreviousManifest),
    now: same::Now<'t>,
    check: StateCheck,
) -> Test<'t> {
    Box::new(move |_, node| {
        let old = previous.node(&all.manifest.unique_id(node.name));
        match (check, old) {
            (StateCheck::New, old) => old.is_none(),
            (StateCheck::Old, old) => old.is_some(),
            (StateCheck::Unmodified, Some(old)) => !same::is_modified(now, node, old),
            (StateCheck::Unmodified, None) => false,
            (StateCheck::Modified, Some(old)) => same::is_modified(now, node, old),
            (StateCheck::Macros, _) => same::calls_changed_macros(now, node),
            (part, None) => same::has_part(node, part),
            (part, Some(old)) => same::has_part(node, part) && !same::is_same(now, node, (old, part)),
        }
    })
}

/// Nodes whose last success is further back than the span, or that never had one, or that have not read what a staged
/// parent got since; what reads them is not looked at.
fn stale<'t>(all: &'t Selectable<'_>, span: jiff::SignedDuration) -> Test<'t> {
    let stale: BTreeSet<&NodeName> = match all.moment.history {
        Some(history) => {
            let is_stale = |name: &&NodeName| match history.last_success.get(*name) {
                Some(at) => history.now.duration_since(*at) > span || history.behind.contains(*name),
                None => true,
            };
            all.graph.edges.node_weights().filter(is_stale).collect()
        }
        None => BTreeSet::new(),
    };
    Box::new(move |_, node| stale.contains(node.name))
}
