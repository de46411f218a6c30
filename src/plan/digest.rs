//! A digest of what a step does: the same for the same SQL and settings, so that a change of either is noticed.

use sha2::{Digest, Sha256};

use super::{Action, CrosswalkAction};
use crate::compile::CompiledSql;
use crate::manifest::{CrosswalkMember, Matching, ModelNode};
use crate::materialize::contract::seal;

/// The SQL, or the template where that is compiled only when its parents are built.
fn code<'a>(select: &'a CompiledSql, node: &'a ModelNode) -> &'a str {
    if select.text.is_empty() { &node.file.text } else { &select.text }
}

/// What decides which ids are given.
fn crosswalk(action: &CrosswalkAction) -> String {
    let node = &action.node;
    let member = |member: &CrosswalkMember| {
        format!("{} {:?} {:?} {}", member.name, member.key, member.new_id, member.live_relation)
    };
    let members: Vec<String> = node.members.iter().map(member).collect();
    let matching = node.matching.as_ref().map(Matching::described).unwrap_or_default();
    format!("crosswalk {} {:?} {} {} {matching}", node.target, node.column, action.id_type, members.join(" "))
}

/// Changes when the step would do something else with the same data.
pub fn digest(action: &Action) -> String {
    let mut hasher = Sha256::new();
    let mut add = |part: &str| {
        hasher.update(part);
        hasher.update([0]);
    };
    match action {
        Action::Stage(stage) => {
            add("stage");
            add(stage.extraction.as_ref().map_or("", |select| select.text.as_str()));
            let node = &stage.node;
            add(&format!("{:?} {:?} {} {}", node.strategy, node.key, node.source_relation, node.stg_relation));
        }
        Action::Crosswalk(action) => add(&crosswalk(action)),
        Action::Merge(merge) => {
            add("merge");
            add(code(&merge.select, &merge.node));
            add(&format!("{:?} {}", merge.config, merge.target.relation));
        }
        Action::Table(select) => {
            add("table");
            add(code(&select.select, &select.node));
            add(&select.node.relation.to_string());
            if let Some(contract) = &select.node.contract {
                add(&seal(contract));
            }
        }
        Action::View(select) => {
            let relation = select.node.relation.to_string();
            ["view", code(&select.select, &select.node), &relation].into_iter().for_each(add);
        }
        Action::MaterializedView(view) => {
            add("materialized view");
            add(code(&view.select, &view.node));
            add(&format!("{:?} {}", view.config, view.node.relation));
        }
        // The SELECT of an increment differs from that of the whole, and neither is a change of the model.
        Action::Incremental(incremental) => {
            add("incremental");
            add(&incremental.node.file.text);
            add(&format!("{:?} {}", incremental.config, incremental.node.relation));
        }
        Action::Snapshot(snapshot) => {
            add("snapshot");
            add(code(&snapshot.select, &snapshot.node));
            add(&format!("{:?} {}", snapshot.config, snapshot.node.relation));
        }
        Action::Seed(seed) => {
            add("seed");
            add(&format!("{:?} {} {}", seed.node.column_types, seed.node.delimiter, seed.node.relation));
        }
        Action::UnitTest(test) => {
            let given = format!("{:?} {:?}", test.node.given.len(), test.node.overrides);
            ["unit test", &test.select.text, &given].into_iter().for_each(add);
        }
        Action::Test(test) => ["test", &test.select.text].into_iter().for_each(add),
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
