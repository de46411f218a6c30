//! Matching as statements: every key as a numbered row, the groups that each rule gives, and clusters back into the
//! tables of ids.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::ident::{Ident, Literal, NodeName, Relation};
use crate::manifest::{CrosswalkMember, MatchRule};
use crate::materialize::crosswalk::{TypedMember, key_text, key_text_of};
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> =
    LazyLock::new(|| StatementFile::parse(include_str!("crosswalk_match.sql")));

fn of_ids(name: &str, id_type: &str) -> String {
    STATEMENTS.render(name, context! { id_type => quoted(id_type) })
}

pub fn create_nodes(id_type: &str) -> String {
    of_ids("create_nodes", id_type)
}

pub fn create_clusters(id_type: &str) -> String {
    of_ids("create_clusters", id_type)
}

/// A statement that needs nothing.
pub fn plain(name: &str) -> String {
    STATEMENTS.render(name, context! {})
}

fn member(member: &CrosswalkMember) -> Value {
    context! {
        member => quoted(Literal(&member.name)),
        live => quoted(&member.live_relation),
        table => quoted(&member.table),
        keys => quoted_list(&member.key),
    }
}

/// Numbers the keys of a member, after those of the members before it.
pub fn fill_nodes(of: &TypedMember<'_>) -> String {
    let context = context! { key_text => quoted(key_text_of(of.node, "every")), ..member(of.node) };
    STATEMENTS.render("fill_nodes", context)
}

/// Lists of rows that are one thing by a rule; `None` where no member takes part.
pub fn groups(members: &[TypedMember<'_>], rule: &MatchRule) -> Option<String> {
    let taking_part = members.iter().zip(&rule.on).filter(|(_, on)| !on.is_empty());
    let width = rule.on.iter().map(Vec::len).max().unwrap_or_default();
    let side = |(of, on): (&TypedMember<'_>, &Vec<String>)| {
        context! {
            key_text => quoted(key_text_of(of.node, "live")),
            expressions => quoted_list(on),
            ..member(of.node)
        }
    };
    let sides: Vec<Value> = taking_part.map(side).collect();
    if sides.is_empty() {
        return None;
    }
    Some(STATEMENTS.render("groups", context! { sides, places => (1..=width).collect::<Vec<_>>() }))
}

/// What people decided; takes the names of members.
pub fn verdicts(seed: &Relation) -> String {
    STATEMENTS.render("verdicts", context! { seed => quoted(seed) })
}

/// One value of the sequence for each cluster without an id, in the order of keys.
pub fn new_ids(sequence: &str, id_type: &str) -> String {
    let context = context! { sequence => quoted(Literal(sequence)), id_type => quoted(id_type) };
    STATEMENTS.render("new_ids", context)
}

/// How many new ids are not new.
pub fn taken(target: &Relation, column: &Ident) -> String {
    STATEMENTS.render("taken", context! { target => quoted(target), column => quoted(column) })
}

pub fn insert_ids(of: &TypedMember<'_>) -> String {
    let context = context! { key_text => quoted(key_text_of(of.node, "fresh")), ..member(of.node) };
    STATEMENTS.render("insert_ids", context)
}

/// Changes ids as verdicts say, and notes each.
pub fn change_ids(of: &TypedMember<'_>, process: &NodeName) -> String {
    let context = context! {
        known_key_text => quoted(key_text_of(of.node, "known")),
        crosswalk => quoted(Literal(process.as_str())),
        ..member(of.node)
    };
    STATEMENTS.render("change_ids", context)
}

/// The values of a rule's expressions for some keys.
pub fn evidence(of: &CrosswalkMember, expressions: &[String]) -> String {
    let context = context! { key_text => quoted(key_text(of)), expressions => quoted_list(expressions), ..member(of) };
    STATEMENTS.render("evidence", context)
}

/// The keys that have an id, which is given as text.
pub fn members_of(view: &Relation) -> String {
    STATEMENTS.render("members_of", context! { view => quoted(view) })
}
