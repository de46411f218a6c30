//! What a relation carries besides its rows: only statements for what is missing or too much are written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use minijinja::{Value, context};
use sha2::Digest;

use crate::ident::{Ident, Literal, MAX_IDENT_BYTES, NodeName, Relation};
use crate::manifest::{ColumnNode, IndexConfig, Logging, PersistDocs, Uniqueness, Upkeep};
use crate::materialize::mark;
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("upkeep.sql")));

/// A relation and what its project says of it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub node: &'a NodeName,
    pub relation: &'a Relation,
    pub kind: RelationKind,
    pub upkeep: &'a Upkeep,
    pub description: &'a str,
    pub columns: &'a [ColumnNode],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    Table,
    View,
    MaterializedView,
}

/// What the relation carries now.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    /// Indexes that unimig made.
    pub indexes: BTreeSet<String>,
    /// Privilege in lower case and role; of grants that the session's role gave, PUBLIC's included as `public`.
    pub grants: BTreeSet<(String, Ident)>,
    pub logging: Logging,
    pub comment: String,
    /// Comments by column; every column has an entry.
    pub columns: BTreeMap<Ident, String>,
}

/// The statements that bring a relation up to date, in order; none where it is.
pub fn statements(subject: Subject<'_>, carried: &Carried) -> Vec<String> {
    let mut statements = Vec::new();
    match subject.kind {
        RelationKind::Table => {
            statements.extend(logging(subject, carried));
            statements.extend(indexes(subject, carried));
        }
        RelationKind::MaterializedView => statements.extend(indexes(subject, carried)),
        RelationKind::View => {}
    }
    statements.extend(grants(subject, carried));
    statements.extend(comments(subject, carried));
    statements
}

/// Whether there are indexes to make or to drop.
pub fn indexes_differ(subject: Subject<'_>, carried: &Carried) -> bool {
    !indexes(subject, carried).is_empty()
}

/// The name by which an index is known again: of the same columns on the same relation it is the same.
pub fn index_name(relation: &Relation, index: &IndexConfig) -> Ident {
    let method = index.method.as_ref().map(Ident::as_str).unwrap_or_default();
    let text = format!("{relation} {:?} {:?} {method}", index.columns, index.uniqueness);
    let tail: String = sha2::Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let name = relation.name.as_str();
    let mut cut = name.len().min(MAX_IDENT_BYTES - tail.len() - 1);
    while !name.is_char_boundary(cut) {
        cut -= 1;
    }
    Ident::from_catalog(format!("{}_{tail}", &name[..cut]))
}

fn indexes(subject: Subject<'_>, carried: &Carried) -> Vec<String> {
    let schema = &subject.relation.schema;
    let wanted: BTreeMap<Ident, &IndexConfig> =
        subject.upkeep.indexes.iter().map(|index| (index_name(subject.relation, index), index)).collect();
    let mut statements = Vec::new();
    for name in &carried.indexes {
        let name = Ident::from_catalog(name.clone());
        if !wanted.contains_key(&name) {
            let index = quoted(Relation::new(schema.clone(), name));
            statements.push(STATEMENTS.render("drop_index", context! { index }));
        }
    }
    for (name, index) in wanted.iter().filter(|(name, _)| !carried.indexes.contains(name.as_str())) {
        let context = context! {
            name => quoted(name),
            index => quoted(Relation::new(schema.clone(), name.clone())),
            relation => quoted(subject.relation),
            unique => index.uniqueness == Uniqueness::Unique,
            method => index.method.as_ref().map_or(Value::from(false), quoted),
            columns => quoted_list(&index.columns),
            mark => quoted(Literal(&mark(subject.node))),
        };
        statements.push(STATEMENTS.render("create_index", context.clone()));
        statements.push(STATEMENTS.render("mark_index", context));
    }
    statements
}

/// As in dbt, roles that are not listed lose what the session's role granted them; PUBLIC keeps it.
fn grants(subject: Subject<'_>, carried: &Carried) -> Vec<String> {
    let Some(wanted) = &subject.upkeep.grants else { return Vec::new() };
    let is_wanted = |privilege: &str, role: &Ident| wanted.get(privilege).is_some_and(|roles| roles.contains(role));
    let mut too_many: BTreeMap<&str, Vec<&Ident>> = BTreeMap::new();
    for (privilege, role) in &carried.grants {
        if !is_wanted(privilege, role) && role.as_str() != "public" {
            too_many.entry(privilege).or_default().push(role);
        }
    }
    let mut missing: BTreeMap<&str, Vec<&Ident>> = BTreeMap::new();
    for (privilege, roles) in wanted {
        let not_there = |role: &&Ident| !carried.grants.contains(&(privilege.clone(), (*role).clone()));
        missing.entry(privilege).or_default().extend(roles.iter().filter(not_there));
    }
    let render = |statement: &'static str, changes: BTreeMap<&str, Vec<&Ident>>| -> Vec<String> {
        let changes = changes.into_iter().filter(|(_, roles)| !roles.is_empty());
        changes
            .map(|(privilege, roles)| {
                let relation = quoted(subject.relation);
                let context = context! { privilege => quoted(privilege), relation, roles => quoted_list(roles) };
                STATEMENTS.render(statement, context)
            })
            .collect()
    };
    [render("revoke", too_many), render("grant", missing)].concat()
}

fn logging(subject: Subject<'_>, carried: &Carried) -> Option<String> {
    let wanted = subject.upkeep.logging;
    let logging = match wanted {
        Logging::Logged => "logged",
        Logging::Unlogged => "unlogged",
    };
    let context = context! { relation => quoted(subject.relation), logging => quoted(logging) };
    (wanted != carried.logging).then(|| STATEMENTS.render("set_logging", context))
}

fn comments(subject: Subject<'_>, carried: &Carried) -> Vec<String> {
    let PersistDocs { relation, columns } = subject.upkeep.docs;
    let mut statements = Vec::new();
    let comment = commented(subject.node, subject.description);
    if relation && comment != carried.comment {
        let kind = match subject.kind {
            RelationKind::Table => "table",
            RelationKind::View => "view",
            RelationKind::MaterializedView => "materialized view",
        };
        let comment = quoted(Literal(&comment));
        let context = context! { kind => quoted(kind), relation => quoted(subject.relation), comment };
        statements.push(STATEMENTS.render("describe_relation", context));
    }
    let described = subject.columns.iter().filter(|column| columns && !column.description.is_empty());
    for column in described {
        if carried.columns.get(&column.name).is_some_and(|comment| *comment != column.description) {
            let context = context! {
                relation => quoted(subject.relation),
                column => quoted(&column.name),
                comment => quoted(Literal(&column.description)),
            };
            statements.push(STATEMENTS.render("describe_column", context));
        }
    }
    statements
}

/// The description above the line that says who made the relation.
fn commented(node: &NodeName, description: &str) -> String {
    match description.trim_end() {
        "" => mark(node),
        description => format!("{description}\n{}", mark(node)),
    }
}
