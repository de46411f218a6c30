//! A SELECT merged into a table that belongs to an application.
//!
//! The rows are staged in a temporary table, their values and keys are checked, and one join finds those that are new or
//! differ. One statement updates and inserts these, so that rows may refer to one another. Columns that the SELECT does not
//! give are never named.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::compile::{CompiledSql, Embedded};
use crate::ident::{Ident, Literal, MAX_IDENT_BYTES, NodeName, Relation};
use crate::manifest::Deletes;
use crate::materialize::given::{self, GivenColumn, GivenStatements, ValueTest};
use crate::materialize::rules::ReferenceRule;
use crate::materialize::{FilledBy, TargetColumn, TargetTable};
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("merge.sql")));

/// Below this many staged rows the planner does well without statistics.
pub const ANALYZE_FROM_ROWS: u64 = 1_000;

/// The statements of one merge, in the order in which they run, all in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeStatements {
    pub create_staged: String,
    pub fill_staged: Embedded,
    pub analyze_staged: String,
    /// Gives keys that are NULL or occur twice.
    pub bad_keys: String,
    pub create_written: String,
    /// What is to be looked at before values get the target's types; absent where all have them.
    pub given: Option<GivenStatements>,
    pub create_faults: String,
    pub find_changes: String,
    pub analyze_changes: String,
    /// Rows that this process had marked as deleted, and that are back.
    pub revive: Option<String>,
    /// Gives how many rows were inserted and how many updated.
    pub write: String,
    pub delete: Option<String>,
}

/// What is wrong with the columns of a SELECT, in the order of the SELECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnFault {
    /// The target has no column of this name.
    Unknown(Ident),
    /// The target computes the column itself.
    Computed(Ident),
    /// Two columns of the SELECT have one name.
    Twice(Ident),
    /// The SELECT lacks a column of the key.
    NoKey(Ident),
    /// Neither the model names a key nor the target has a primary key.
    NoPrimaryKey,
    /// The column that marks deleted rows does not exist, or the SELECT gives it.
    DeletedColumn(Ident),
}

/// A merge model together with what its SELECT and its target are.
#[derive(Debug, Clone, Copy)]
pub struct MergeShape<'a> {
    pub node: &'a NodeName,
    pub target: &'a TargetTable,
    /// Empty means the target's primary key.
    pub unique_key: &'a [Ident],
    pub deletes: &'a Deletes,
    /// The SELECT's columns, in its order.
    pub selected: &'a [Ident],
}

impl<'a> MergeShape<'a> {
    /// The columns that identify a row.
    pub fn keys(self) -> &'a [Ident] {
        if self.unique_key.is_empty() { &self.target.primary_key } else { self.unique_key }
    }

    fn columns(self) -> Vec<&'a TargetColumn> {
        self.selected.iter().filter_map(|name| self.target.column(name)).collect()
    }

    /// The key's columns as the table of inserted keys declares them.
    pub fn key_columns(self) -> Vec<&'a TargetColumn> {
        self.columns().into_iter().filter(|column| self.keys().contains(&column.name)).collect()
    }
}

/// What becomes of the inserted keys when they were kept under another key, or of another table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKeys<'a> {
    /// Found again in the target by the old key.
    Carry(&'a [Ident]),
    /// Rows that nobody knows any more belong to the application.
    Forget,
}

/// Makes the table of inserted keys anew.
pub fn renew_written(shape: MergeShape<'_>, old_keys: OldKeys<'_>) -> String {
    let base = merge_context(shape);
    let render = |name| STATEMENTS.render(name, base.clone());
    let steps = match old_keys {
        OldKeys::Forget => vec![render("forget_keys"), render("create_written")],
        OldKeys::Carry(old_keys) => {
            let context = context! { old_keys => quoted_list(old_keys), ..base.clone() };
            let carry = STATEMENTS.render("carry_keys_over", context);
            vec![carry, render("forget_keys"), render("create_written"), render("keep_carried_keys")]
        }
    };
    steps.join(";\n")
}

/// Leaves a reference open whose parent is not there yet: NULL in new rows, what stands there in others.
pub fn leave_open(shape: MergeShape<'_>, reference: &ReferenceRule) -> String {
    let pairs: Vec<Value> = reference
        .columns
        .iter()
        .zip(&reference.parent_columns)
        .map(|(child, parent)| context! { child => quoted(child), parent => quoted(parent) })
        .collect();
    let child = quoted_list(&reference.columns);
    let context = context! { pairs, child, parent => quoted(&reference.parent), ..merge_context(shape) };
    STATEMENTS.render("leave_open", context)
}

/// Room for hashes in a table of keys that is older than they are.
pub fn add_hashes(shape: MergeShape<'_>) -> String {
    STATEMENTS.render("add_hashes", merge_context(shape))
}

/// Says whose keys a table keeps.
pub fn mark_written(shape: MergeShape<'_>, mark: &str) -> String {
    STATEMENTS.render("mark_written", context! { mark => quoted(Literal(mark)), ..merge_context(shape) })
}

/// Writes the statements, or says everything that is wrong with the SELECT's columns.
pub fn statements(
    shape: MergeShape<'_>,
    columns: &[GivenColumn],
    select: &CompiledSql,
) -> Result<MergeStatements, Vec<ColumnFault>> {
    let faults = column_faults(shape);
    if !faults.is_empty() {
        return Err(faults);
    }
    let context = context! { ..staging_context(columns), ..merge_context(shape) };
    let render = |name| STATEMENTS.render(name, context.clone());
    let (revive, delete) = match shape.deletes {
        Deletes::Keep => (None, None),
        Deletes::Soft { .. } => (Some(render("revive")), Some(render("delete_soft"))),
        Deletes::Hard => (None, Some(render("delete_hard"))),
    };
    Ok(MergeStatements {
        create_staged: render("create_staged"),
        fill_staged: Embedded::after(&render("fill_staged"), select),
        analyze_staged: render("analyze_staged"),
        bad_keys: render("bad_keys"),
        create_written: render("create_written"),
        given: is_loose(columns).then(|| given::statements(columns, shape.keys())),
        create_faults: given::create_faults(),
        find_changes: render("find_changes"),
        analyze_changes: render("analyze_changes"),
        revive,
        write: render("write"),
        delete,
    })
}

/// The table that keeps the keys which a process inserted: only those may it ever delete.
pub fn written_relation(node: &NodeName) -> Relation {
    let schema = Ident::from_catalog("unimig");
    let name = node.as_str();
    if name.len() <= MAX_IDENT_BYTES {
        return Relation::new(schema, Ident::from_catalog(name));
    }
    let digest = <sha2::Sha256 as sha2::Digest>::digest(name.as_bytes());
    let tail: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let mut cut = MAX_IDENT_BYTES - tail.len() - 1;
    while !name.is_char_boundary(cut) {
        cut -= 1;
    }
    Relation::new(schema, Ident::from_catalog(format!("{}~{tail}", &name[..cut])))
}

/// The columns that an update writes.
pub fn updated(shape: MergeShape<'_>) -> Vec<&Ident> {
    let keys = shape.keys();
    let columns = shape.columns().into_iter().filter(|column| !keys.contains(&column.name));
    let written = columns.filter(|column| match column.filled {
        FilledBy::Default | FilledBy::IdentityByDefault => true,
        FilledBy::IdentityAlways | FilledBy::Expression => false,
    });
    written.map(|column| &column.name).collect()
}

fn is_loose(columns: &[GivenColumn]) -> bool {
    columns.iter().any(|column| column.test != ValueTest::Fits)
}

/// The temporary table that the SELECT fills: of the target's types, or what is cast to them later.
fn staging_context(columns: &[GivenColumn]) -> Value {
    let is_loose = is_loose(columns);
    let given_name = quoted(if is_loose { "unimig_given" } else { "unimig_staged" });
    let columns: Vec<Value> = columns
        .iter()
        .map(|column| context! { name => quoted(&column.name), held_as => quoted(&column.held_as) })
        .collect();
    context! { columns, given_name, is_loose }
}

fn merge_context(shape: MergeShape<'_>) -> Value {
    let (keys, columns) = (shape.keys(), shape.columns());
    let typed = |column: &&TargetColumn| {
        context! { name => quoted(&column.name), data_type => quoted(&column.data_type) }
    };
    let updates = updated(shape);
    let key_columns: Vec<Value> = shape.key_columns().iter().map(typed).collect();
    let (deleted_column, deleted_type) = match shape.deletes {
        Deletes::Soft { column } => {
            (quoted(column), shape.target.column(column).map(|column| quoted(&column.data_type)).unwrap_or_default())
        }
        Deletes::Keep | Deletes::Hard => (Value::UNDEFINED, Value::UNDEFINED),
    };
    context! {
        target => quoted(&shape.target.relation),
        written => quoted(written_relation(shape.node)),
        key_columns,
        keys => quoted_list(keys),
        first_key => keys.first().map(quoted).unwrap_or_default(),
        updates => quoted_list(updates),
        inserts => quoted_list(columns.iter().map(|column| &column.name)),
        overriding => columns.iter().any(|column| column.filled == FilledBy::IdentityAlways),
        deleted_column,
        deleted_type,
    }
}

/// Everything that is wrong with the SELECT's columns.
pub fn column_faults(shape: MergeShape<'_>) -> Vec<ColumnFault> {
    let keys = shape.keys();
    let mut faults = Vec::new();
    for (at, name) in shape.selected.iter().enumerate() {
        if shape.selected[..at].contains(name) {
            faults.push(ColumnFault::Twice(name.clone()));
            continue;
        }
        match shape.target.column(name).map(|column| column.filled) {
            None => faults.push(ColumnFault::Unknown(name.clone())),
            Some(FilledBy::Expression) => faults.push(ColumnFault::Computed(name.clone())),
            Some(FilledBy::Default | FilledBy::IdentityByDefault | FilledBy::IdentityAlways) => {}
        }
    }
    if keys.is_empty() {
        faults.push(ColumnFault::NoPrimaryKey);
    }
    faults.extend(keys.iter().filter(|key| !shape.selected.contains(key)).cloned().map(ColumnFault::NoKey));
    if let Deletes::Soft { column } = shape.deletes
        && (shape.target.column(column).is_none() || shape.selected.contains(column))
    {
        faults.push(ColumnFault::DeletedColumn(column.clone()));
    }
    faults
}
