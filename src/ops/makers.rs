//! Relations of a plan that another process made: who may take one over, and who may not.
//!
//! A process that is renamed, and keeps its relation's name, goes on with the relation. One whose maker is still in the
//! project is the maker's, wherever that builds now; and a history is never replaced by something that can be made again.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::{NodeName, Relation};
use crate::manifest::Manifest;
use crate::plan::{Action, Plan, Step};

/// The mistakes of the steps that would write a relation of somebody else's.
pub(super) fn taken(
    manifest: &Manifest,
    plan: &Plan,
    makers: &BTreeMap<Relation, NodeName>,
) -> BTreeMap<NodeName, Diagnostic> {
    let mistakes = plan.steps.iter().filter_map(|step| {
        let mut made = written(step).into_iter().filter_map(|relation| Some((relation, makers.get(relation)?)));
        let mistake = made.find_map(|(relation, maker)| mistake(manifest, step, (relation, maker)))?;
        Some((step.name.clone(), mistake))
    });
    mistakes.collect()
}

fn mistake(manifest: &Manifest, step: &Step, (relation, maker): (&Relation, &NodeName)) -> Option<Diagnostic> {
    let name = &step.name;
    let hint = if maker == name {
        return None;
    } else if is_there(manifest, maker) {
        format!(
            "{maker} is part of the project: if it no longer needs the relation, drop or rename that yourself, or give \
             {name} another alias"
        )
    } else if keeps_history(maker) && kind(maker) != kind(name) {
        "it keeps what can't be made again: rename or drop it yourself, or set another alias".to_owned()
    } else {
        return None;
    };
    let message = format!("{relation} was made by {maker}, and {name} would replace it");
    let mistake = Diagnostic::error(Code::NotOurs, message).hint(hint);
    Some(match declared_at(&step.action) {
        Some(span) => mistake.at(span.clone()),
        None => mistake,
    })
}

/// Relations that the step makes where they are not.
fn written(step: &Step) -> Vec<&Relation> {
    match &step.action {
        Action::Stage(stage) => vec![&stage.node.stg_relation, &stage.node.live_relation],
        Action::Table(select) | Action::View(select) => vec![&select.node.relation],
        Action::MaterializedView(view) => vec![&view.node.relation],
        Action::Incremental(incremental) => vec![&incremental.node.relation],
        Action::Snapshot(snapshot) => vec![&snapshot.node.relation],
        Action::Seed(seed) => vec![&seed.node.relation],
        Action::Crosswalk(crosswalk) => {
            let node = &crosswalk.node;
            let members = node.members.iter().flat_map(|member| [&member.table, &member.relation]);
            members.chain([&node.relation]).collect()
        }
        Action::Test(test) => test.keep.iter().map(|kept| &kept.relation).collect(),
        Action::Merge(_) | Action::UnitTest(_) => Vec::new(),
    }
}

fn declared_at(action: &Action) -> Option<&Span> {
    match action {
        Action::Stage(stage) => Some(&stage.node.declared_at),
        Action::Table(select) | Action::View(select) => Some(&select.node.configured_at),
        Action::MaterializedView(view) => Some(&view.node.configured_at),
        Action::Incremental(incremental) => Some(&incremental.node.configured_at),
        Action::Snapshot(snapshot) => Some(&snapshot.node.configured_at),
        Action::Test(test) => Some(&test.declared_at),
        Action::Crosswalk(crosswalk) => Some(&crosswalk.node.declared_at),
        Action::Seed(_) | Action::Merge(_) | Action::UnitTest(_) => None,
    }
}

fn is_there(manifest: &Manifest, node: &NodeName) -> bool {
    manifest.models.contains_key(node)
        || manifest.seeds.contains_key(node)
        || manifest.stages.contains_key(node)
        || manifest.crosswalks.contains_key(node)
        || manifest.tests.contains_key(node)
}

fn keeps_history(node: &NodeName) -> bool {
    matches!(kind(node), "snapshot" | "stg" | "xref")
}

fn kind(node: &NodeName) -> &str {
    node.as_str().split('.').next().unwrap_or_default()
}
