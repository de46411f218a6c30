//! A batch of a table without a key into its copy: both are multisets of row images, and only the difference is written.
//!
//! An image is the text of the whole row, which every type has; equal rows are kept as often as the source has them.

use std::sync::LazyLock;

use minijinja::context;

use super::stage::StageShape;
use crate::sql::StatementFile;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("keyless.sql")));

impl StageShape<'_> {
    /// Each image that the batch holds more or less often than the copy, with how much more often.
    pub fn create_difference(self) -> String {
        STATEMENTS.render("create_difference", self.context())
    }

    pub fn analyze_difference(self) -> String {
        STATEMENTS.render("analyze_difference", self.context())
    }

    /// How many rows the copy lacks, and how many it has too many.
    pub fn surplus(self) -> String {
        STATEMENTS.render("surplus", self.context())
    }

    pub fn insert_missing(self) -> String {
        STATEMENTS.render("insert_missing", self.context())
    }

    /// Of equal rows the newest become tombstones.
    pub fn bury_too_many(self) -> String {
        STATEMENTS.render("bury_too_many", self.context())
    }

    /// How many rows batches after an old one wrote.
    pub fn written_later(self, old_batch_id: i64) -> String {
        STATEMENTS.render("written_later", context! { old_batch_id, ..self.context() })
    }
}
