//! Statements that find the rows of a merge which break a rule of its table, before they are written.
//!
//! Only rows that the merge would insert or update are looked at, each as it will be: columns that the SELECT does not give
//! have the value that stands in the table, or their default. What breaks a rule is noted with the rule and the key.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::ident::{Ident, Literal, NodeName, Relation};
use crate::materialize::merge::MergeShape;
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("rules.sql")));

/// What a table asks of its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableRules {
    pub columns: Vec<RuleColumn>,
    pub checks: Vec<CheckRule>,
    pub uniques: Vec<UniqueRule>,
    pub references: Vec<ReferenceRule>,
    /// Triggers that may give a row other values before its rules are looked at.
    pub has_triggers_before: bool,
}

impl TableRules {
    pub fn may_be_null(&self, name: &Ident) -> bool {
        self.columns.iter().any(|column| column.name == *name && column.need == Need::MayBeNull)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleColumn {
    pub name: Ident,
    pub data_type: String,
    pub need: Need,
    pub origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    MayBeNull,
    NotNull,
}

/// Where a column's value comes from in a new row that does not give it; expressions are the catalog's SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// NULL.
    Nothing,
    /// A sequence.
    Numbered,
    Default(String),
    Computed(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRule {
    pub name: String,
    pub expression: String,
    pub columns: Vec<Ident>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueRule {
    pub name: String,
    /// Columns and expressions.
    pub parts: Vec<String>,
    pub columns: Vec<Ident>,
    pub predicate: Option<String>,
    pub nulls_collide: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceRule {
    pub name: String,
    pub columns: Vec<Ident>,
    pub parent: Relation,
    pub parent_columns: Vec<Ident>,
    /// `match full`.
    pub is_full: bool,
    /// The table refers to itself.
    pub is_own: bool,
}

/// A rule that is looked at: its statement notes the rows that break it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStatement {
    pub sql: String,
    /// The rule's own SQL is in it, which may fail on a row.
    pub is_expression: bool,
}

/// Statements in the order in which they are executed: those of the second list again until none finds more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleStatements {
    pub once: Vec<RuleStatement>,
    pub repeated: Vec<RuleStatement>,
}

struct Rule<'a> {
    kind: &'a str,
    sqlstate: &'a str,
    constraint: Option<&'a str>,
    columns: &'a [Ident],
}

/// The statements for the columns that the SELECT gives.
pub fn statements(shape: MergeShape<'_>, rules: &TableRules) -> RuleStatements {
    let given = |column: &Ident| shape.selected.contains(column);
    let builder = Builder { shape, base: base(shape, rules) };
    let mut found = RuleStatements::default();
    for column in rules.columns.iter().filter(|column| column.need == Need::NotNull) {
        let columns = std::slice::from_ref(&column.name);
        let rule = Rule { kind: "not_null", sqlstate: "23502", constraint: None, columns };
        if given(&column.name) {
            let sql = builder.note(&rule, ("not_null", context! { column => quoted(&column.name) }));
            found.once.push(RuleStatement { sql, is_expression: false });
        } else if column.origin == Origin::Nothing {
            found
                .once
                .push(RuleStatement { sql: builder.note(&rule, ("required", context! {})), is_expression: false });
        }
    }
    for check in &rules.checks {
        let rule = Rule { kind: "check", sqlstate: "23514", constraint: Some(&check.name), columns: &check.columns };
        let sql = builder.note(&rule, ("check", context! { expression => quoted(&check.expression) }));
        found.once.push(RuleStatement { sql, is_expression: true });
    }
    for unique in rules.uniques.iter().filter(|unique| !is_the_key(shape, unique)) {
        let rule = Rule { kind: "unique", sqlstate: "23505", constraint: Some(&unique.name), columns: &unique.columns };
        let parts: Vec<Value> = (1_usize..)
            .zip(&unique.parts)
            .map(|(number, part)| context! { number, expression => quoted(part) })
            .collect();
        let predicate = unique.predicate.as_ref().map(quoted);
        let context = context! { parts, predicate, nulls_collide => unique.nulls_collide };
        found.repeated.push(RuleStatement { sql: builder.note(&rule, ("unique", context)), is_expression: true });
    }
    for reference in rules.references.iter().filter(|reference| reference.columns.iter().any(given)) {
        let rule = Rule {
            kind: "foreign_key",
            sqlstate: "23503",
            constraint: Some(&reference.name),
            columns: &reference.columns,
        };
        let pairs: Vec<Value> = reference
            .columns
            .iter()
            .zip(&reference.parent_columns)
            .map(|(child, parent)| context! { child => quoted(child), parent => quoted(parent) })
            .collect();
        let context = context! {
            pairs,
            child => quoted_list(&reference.columns),
            parent => quoted(&reference.parent),
            is_full => reference.is_full,
            is_own => reference.is_own,
        };
        found.repeated.push(RuleStatement { sql: builder.note(&rule, ("reference", context)), is_expression: false });
    }
    found
}

/// A merge's own key is unique already: by its check, and as rows of equal keys are updated.
fn is_the_key(shape: MergeShape<'_>, unique: &UniqueRule) -> bool {
    let keys = shape.keys();
    unique.predicate.is_none()
        && unique.columns.len() == unique.parts.len()
        && unique.columns.len() == keys.len()
        && unique.columns.iter().all(|column| keys.contains(column))
}

struct Builder<'a> {
    shape: MergeShape<'a>,
    base: Value,
}

impl Builder<'_> {
    /// Notes what a statement finds; the statement is rendered with the rule's value and the rows as they will be.
    fn note(&self, rule: &Rule<'_>, (statement, context): (&str, Value)) -> String {
        let text = |text: &str| quoted(Literal(text));
        let value = match rule.columns {
            [column] => format!("{column}::text"),
            columns => {
                let columns: Vec<String> = columns.iter().map(Ident::to_string).collect();
                format!("row({})::text", columns.join(", "))
            }
        };
        let shown = context! { value => quoted(value), ..self.base.clone() };
        let found = STATEMENTS.render(statement, context! { ..context, ..shown });
        let names: Vec<&str> = rule.columns.iter().map(Ident::as_str).collect();
        let note = context! {
            columns => text(&names.join(", ")),
            rule => text(rule.kind),
            constraint => rule.constraint.map_or_else(|| quoted("null"), text),
            sqlstate => text(rule.sqlstate),
            keys => keys(self.shape),
            found => quoted(found),
        };
        STATEMENTS.render("note", note)
    }
}

fn keys(shape: MergeShape<'_>) -> Vec<Value> {
    let numbered = (1_usize..).zip(shape.keys());
    let key = |(number, key): (usize, &Ident)| {
        context! { number, name => quoted(key), text => quoted(Literal(key.as_str())) }
    };
    numbered.map(key).collect()
}

/// What every rule's statement reads: the rows as they will be, under the table's own name.
fn base(shape: MergeShape<'_>, rules: &TableRules) -> Value {
    let is_computed = |column: &&RuleColumn| matches!(column.origin, Origin::Computed(_));
    let shown = |column: &RuleColumn| {
        let expression = match &column.origin {
            Origin::Default(expression) | Origin::Computed(expression) => Some(quoted(expression)),
            Origin::Nothing | Origin::Numbered => None,
        };
        context! {
            name => quoted(&column.name),
            data_type => quoted(&column.data_type),
            is_given => shape.selected.contains(&column.name),
            expression,
        }
    };
    let computed: Vec<Value> = rules.columns.iter().filter(is_computed).map(shown).collect();
    let columns: Vec<Value> = rules.columns.iter().filter(|column| !is_computed(column)).map(shown).collect();
    let target = quoted(&shape.target.relation);
    let key_list = quoted_list(shape.keys());
    let will = context! { computed, columns, target => target.clone(), keys => key_list.clone() };
    context! {
        will => quoted(STATEMENTS.render("will", will)),
        alias => quoted(&shape.target.relation.name),
        target,
        keys => keys(shape),
        key_list,
    }
}

/// Takes the rows out that were noted.
pub fn take_out() -> String {
    STATEMENTS.render("take_out", context! {})
}

/// How often each rule is broken, with some keys.
pub fn counts() -> String {
    STATEMENTS.render("counts", context! {})
}

/// How many rows break a rule.
pub fn count_rows() -> String {
    STATEMENTS.render("count_rows", context! {})
}

/// Keeps what was noted until the rows are mended.
pub fn remember(node: &NodeName) -> String {
    STATEMENTS.render("remember", context! { node => quoted(Literal(node.as_str())) })
}
