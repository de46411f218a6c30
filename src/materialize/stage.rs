//! The permanent copy of a source table in the target database, and how a batch gets into it.
//!
//! An empty copy is filled by COPY FREEZE; later batches pass through a temporary table and one MERGE that writes
//! only rows whose record images differ. A full batch buries the keys that it lacks.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::ident::{Ident, Literal, MAX_IDENT_BYTES, Relation};
use crate::manifest::StageNode;
use crate::materialize::image::{Image, equality_tells_all};
use crate::materialize::mark;
use crate::sql::{StatementFile, quoted, quoted_list};
use crate::store::BatchKind;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("stage.sql")));

/// The columns that unimig adds to every copy.
pub const OWN_COLUMNS: [&str; 4] = ["_inserted_at", "_updated_at", "_deleted_at", "_batch_id"];

/// A column of a copy: the source's name, and a type that the target knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedColumn {
    pub name: Ident,
    pub data_type: String,
}

/// Everything that the statements of one batch depend on.
#[derive(Debug, Clone, Copy)]
pub struct StageShape<'a> {
    pub node: &'a StageNode,
    pub columns: &'a [StagedColumn],
    pub batch_id: i64,
}

impl StageShape<'_> {
    /// The table without its key, and the comment that marks it as ours.
    pub fn create_table(self) -> Vec<String> {
        vec![self.render("create_table"), self.render("mark_table")]
    }

    /// For a copy that exists and is empty: FREEZE needs a table that this transaction created or truncated.
    pub fn empty_for_freeze(self) -> String {
        self.render("empty_for_freeze")
    }

    pub fn copy_freeze(self) -> String {
        self.render("copy_freeze")
    }

    /// The key is indexed after the rows are in, where there is one.
    pub fn finish_first_load(self) -> String {
        self.render("finish_first_load")
    }

    pub fn add_column(self, column: &StagedColumn) -> String {
        let column = context! { name => quoted(&column.name), data_type => quoted(&column.data_type) };
        STATEMENTS.render("add_column", context! { column, ..self.context() })
    }

    /// The live rows, and the comment that marks the view as ours. PostgreSQL replaces a view in place as long as
    /// columns are only added at its end.
    pub fn create_view(self, names: &[&Ident]) -> Vec<String> {
        let context = context! { live_names => quoted_list(names), ..self.context() };
        vec![STATEMENTS.render("create_view", context), self.render("mark_view")]
    }

    pub fn create_incoming(self) -> String {
        self.render("create_incoming")
    }

    pub fn copy_incoming(self) -> String {
        self.render("copy_incoming")
    }

    pub fn analyze_incoming(self) -> String {
        self.render("analyze_incoming")
    }

    /// Whether a key is NULL or comes twice: which of two rows is merged would be chance.
    pub fn has_bad_keys(self) -> String {
        self.render("has_bad_keys")
    }

    /// How many rows of later batches an old one would change.
    pub fn turned_back(self, old_batch_id: i64, kind: BatchKind) -> String {
        let buries = kind == BatchKind::Full;
        STATEMENTS.render("turned_back", context! { old_batch_id, buries, ..self.context() })
    }

    pub fn merge(self) -> String {
        self.render("merge")
    }

    /// Tombstones for live rows whose key the batch lacks: all of them, or those that a condition names.
    pub fn bury(self, within: Option<&str>) -> String {
        STATEMENTS.render("bury", context! { within => within.map(quoted), ..self.context() })
    }

    /// How many rows of the batch were written, and how many of them are what the batch holds.
    pub fn merged_rows(self) -> String {
        self.render("merged_rows")
    }

    /// The greatest of the times of the rows that the batch wrote, as text.
    pub fn newest_of_batch(self, times: &[Ident]) -> String {
        STATEMENTS.render("newest_of_batch", context! { times => quoted_list(times), ..self.context() })
    }

    /// How many rows were inserted and updated so far in this transaction, and in those before it in the session that the
    /// server has not counted yet.
    pub fn rows_written(self) -> String {
        self.render("rows_written")
    }

    /// Tombstones of a first load, for rows that their source marks as deleted.
    pub fn bury_first_load(self) -> Option<String> {
        self.gone().map(|_| self.render("bury_first_load"))
    }

    /// How many rows this transaction found marked as deleted.
    pub fn newly_gone(self) -> Option<String> {
        self.gone().map(|_| self.render("newly_gone"))
    }

    pub fn create_swept(self) -> String {
        self.render("create_swept")
    }

    pub fn copy_swept(self) -> String {
        self.render("copy_swept")
    }

    pub fn analyze_swept(self) -> String {
        self.render("analyze_swept")
    }

    /// Tombstones for live rows whose key was not among those that were swept.
    pub fn bury_swept(self) -> String {
        self.render("bury_swept")
    }

    /// How many keys of the source the copy lacks.
    pub fn unknown_swept(self) -> String {
        self.render("unknown_swept")
    }

    pub fn live_rows(self) -> String {
        self.render("live_rows")
    }

    /// Whether the source marks an incoming row as deleted: a boolean that is true, any other value that is there.
    fn gone(self) -> Option<String> {
        let column = self.node.removals.column.as_ref()?;
        let data_type = self.columns.iter().find(|staged| staged.name == *column).map(|staged| &staged.data_type)?;
        let test = if data_type == "boolean" { "is true" } else { "is not null" };
        Some(format!("(incoming.{column} {test})"))
    }

    /// The condition that a row of the copy is not the incoming one of its key. Columns whose equality tells every
    /// difference are compared by it, which is faster than by their images.
    fn differs(self) -> String {
        let is_key = |column: &StagedColumn| self.node.key.contains(&column.name);
        let exact = self.columns.iter().filter(|column| equality_tells_all(&column.data_type) && !is_key(column));
        let exact: Vec<Value> = exact
            .map(|column| {
                let is_text = Image::of(&column.data_type) == Image::Bytes;
                context! { name => quoted(&column.name), is_text }
            })
            .collect();
        let others = self.columns.iter().filter(|column| !equality_tells_all(&column.data_type));
        let others = quoted_list(others.map(|column| &column.name));
        STATEMENTS.render("differs", context! { exact, others }).trim().to_owned()
    }

    fn render(self, name: &str) -> String {
        STATEMENTS.render(name, self.context())
    }

    pub(super) fn context(self) -> Value {
        let columns: Vec<Value> = self
            .columns
            .iter()
            .map(|column| context! { name => quoted(&column.name), data_type => quoted(&column.data_type) })
            .collect();
        let staging = &self.node.stg_relation;
        context! {
            differs => quoted(self.differs()),
            staging => quoted(staging),
            staging_name => quoted(Literal(&staging.to_string())),
            live => quoted(&self.node.live_relation),
            primary_key => quoted(primary_key_name(staging)),
            mark => quoted(Literal(&mark(&self.node.name))),
            columns,
            names => quoted_list(self.columns.iter().map(|column| &column.name)),
            keys => quoted_list(&self.node.key),
            has_key => !self.node.key.is_empty(),
            batch_id => self.batch_id,
            gone => self.gone().map(quoted),
            marks_deleted => self.node.removals.column.is_some(),
        }
    }
}

/// PostgreSQL's own rule for the name, cut to fit.
pub fn primary_key_name(staging: &Relation) -> Ident {
    let mut cut = staging.name.as_str().len().min(MAX_IDENT_BYTES - "_pkey".len());
    while !staging.name.as_str().is_char_boundary(cut) {
        cut -= 1;
    }
    Ident::from_catalog(format!("{}_pkey", &staging.name.as_str()[..cut]))
}
