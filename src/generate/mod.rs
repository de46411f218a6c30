//! Drafts of project files from what a server's catalog says: declarations of sources as YAML, models as SQL.
//!
//! Catalog rows come in, text goes out; no server is asked and no file is touched here. A file that people have edited
//! is changed in places, found by the spans of its YAML, and never written anew.

mod draft;
mod edit;
mod layout;
mod model;
mod names;
mod propose;
mod rails;
mod scalar;
#[cfg(test)]
mod tests;
mod types;

pub use draft::{SourceHead, declare};
pub use edit::{Change, EditError, Edited, update};
pub use model::{Filling, Offered, OfferedColumn, Wanted, WantedColumn, file_stem, model};
pub use names::{matches, same_noun};
pub use propose::Sizes;
pub use rails::LeftOut;

/// A relation of a schema as its catalog describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTable {
    pub name: String,
    /// A table, or the root of a partitioned one; views and the rest are only looked at where they are declared.
    pub is_table: bool,
    /// A part of another table, which is read through its root.
    pub is_partition: bool,
    pub of_extension: bool,
    pub is_readable: bool,
    /// [`None`] where the server has never counted.
    pub row_estimate: Option<u64>,
    pub size_bytes: u64,
    pub comment: Option<String>,
    pub columns: Vec<FoundColumn>,
    /// Of the primary key, else of the narrowest unique index on columns that are never NULL; may be empty.
    pub key: Vec<String>,
    pub key_kind: KeyKind,
    /// Columns that an index begins with.
    pub indexed: Vec<String>,
}

/// Where a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    Primary,
    UniqueIndex,
    None,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundColumn {
    pub name: String,
    /// As the server spells it, length and precision included.
    pub data_type: String,
    /// The same of a domain's base, without length and precision.
    pub base_type: String,
    pub comment: Option<String>,
}

impl FoundColumn {
    fn is_time(&self) -> bool {
        ["timestamp with time zone", "timestamp without time zone"].contains(&self.base_type.as_str())
    }

    fn is_integer(&self) -> bool {
        ["smallint", "integer", "bigint"].contains(&self.base_type.as_str())
    }

    fn is_text(&self) -> bool {
        ["text", "character varying"].contains(&self.base_type.as_str())
    }
}

impl FoundTable {
    fn column(&self, name: &str) -> Option<&FoundColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}
