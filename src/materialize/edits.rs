//! Whose rows they are, and what the application edited since they were last written.
//!
//! Beside each key that a process inserted stands a hash for each column that it writes, of the value that it wrote last.
//! A column of the target that differs from it was edited by somebody else. Only rows that are to be written are looked at.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::ident::{Ident, Literal, NodeName};
use crate::materialize::merge::{MergeShape, updated, written_relation};
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("edits.sql")));

/// How the statements of one merge look at values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditOptions {
    /// Triggers may have changed what was written, so it is read again.
    pub reads_back: bool,
    /// Edits are kept, and so is what was known of their columns.
    pub keeps: bool,
}

/// The statements about rows that are not the process's own, or are no longer as it left them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditStatements {
    /// Takes rows out of what is written that somebody else inserted.
    pub set_foreign_aside: String,
    /// Makes rows the process's own that somebody else inserted.
    pub adopt: String,
    pub find_edits: String,
    pub counts: String,
    /// Leaves to the application what it edited.
    pub keep_theirs: String,
    pub note_inserted: String,
    pub note_updated: String,
}

/// The statements for the columns that an update writes.
pub fn statements(shape: MergeShape<'_>, options: EditOptions) -> EditStatements {
    let written_to = if options.reads_back { "target" } else { "change" };
    let hash = |alias: &str, name: &Ident| {
        let context = context! { alias => quoted(alias), name => quoted(name) };
        quoted(STATEMENTS.render("hash", context))
    };
    let columns: Vec<Value> = (1_usize..)
        .zip(updated(shape))
        .map(|(number, name)| {
            context! {
                number,
                name => quoted(name),
                text => quoted(Literal(name.as_str())),
                hash => hash(written_to, name),
                target_hash => hash("target", name),
            }
        })
        .collect();
    let key_text = |key: &Ident| context! { name => quoted(key), text => quoted(Literal(key.as_str())) };
    let context = context! {
        target => quoted(&shape.target.relation),
        written => quoted(written_relation(shape.node)),
        keys => quoted_list(shape.keys()),
        key_texts => shape.keys().iter().map(key_text).collect::<Vec<_>>(),
        columns,
        reads_back => options.reads_back,
        keeps => options.keeps,
    };
    let render = |name| STATEMENTS.render(name, context.clone());
    EditStatements {
        set_foreign_aside: render("set_foreign_aside"),
        adopt: render("adopt"),
        find_edits: render("find_edits"),
        counts: render("counts"),
        keep_theirs: render("keep_theirs"),
        note_inserted: render("note_inserted"),
        note_updated: render("note_updated"),
    }
}

/// Keeps which columns of which rows were edited, and whose value stands now.
pub fn remember(node: &NodeName, resolution: &str) -> String {
    STATEMENTS.render(
        "remember",
        context! { node => quoted(Literal(node.as_str())), resolution => quoted(Literal(resolution)) },
    )
}

/// Edits that were left to the application and that are none any more.
pub fn forget(node: &NodeName) -> String {
    STATEMENTS.render("forget", context! { node => quoted(Literal(node.as_str())) })
}

/// Brings the hashes of other columns, or of another order, into the order of those that are written now.
pub fn reorder(shape: MergeShape<'_>, known: &[Ident]) -> String {
    let places: Vec<Option<usize>> = updated(shape)
        .into_iter()
        .map(|name| known.iter().position(|known| known == name).map(|place| place + 1))
        .collect();
    STATEMENTS.render("reorder", context! { written => quoted(written_relation(shape.node)), places })
}
