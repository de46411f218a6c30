//! What frameworks leave in a database: tables of their own, and habits of Rails that a reader should know of.

use super::scalar::{list, scalar};
use super::{FoundColumn, FoundTable};

/// Tables in which frameworks and migration tools remember what they did.
const INTERNAL: &[&str] = &[
    "schema_migrations",
    "ar_internal_metadata",
    "_prisma_migrations",
    "__EFMigrationsHistory",
    "alembic_version",
    "databasechangelog",
    "databasechangeloglock",
    "django_migrations",
    "flyway_schema_history",
    "goose_db_version",
    "knex_migrations",
    "knex_migrations_lock",
];

/// Why a table is not declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// A migration tool remembers there what it did.
    Internal,
    OfExtension,
    /// The role has no `select` on it.
    Unreadable,
    WithoutColumns,
    /// It has a column that unimig adds to every copy.
    ReservedColumn,
}

impl LeftOut {
    pub const ALL: [LeftOut; 5] =
        [Self::Internal, Self::OfExtension, Self::Unreadable, Self::WithoutColumns, Self::ReservedColumn];

    /// What stands behind `# left out`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "where tools remember their migrations",
            Self::OfExtension => "tables of extensions",
            Self::Unreadable => "tables that the role may not select from",
            Self::WithoutColumns => "tables without columns",
            Self::ReservedColumn => "tables with a column that unimig adds itself, which need a SELECT in models/stg",
        }
    }
}

/// The columns that unimig adds to every copy.
const RESERVED: &[&str] = &["_inserted_at", "_updated_at", "_deleted_at", "_batch_id"];

/// Why a table is not to be declared, if it isn't.
pub(super) fn left_out(table: &FoundTable) -> Option<LeftOut> {
    if INTERNAL.contains(&table.name.as_str()) {
        return Some(LeftOut::Internal);
    }
    if table.of_extension {
        return Some(LeftOut::OfExtension);
    }
    if !table.is_readable {
        return Some(LeftOut::Unreadable);
    }
    if table.columns.is_empty() {
        return Some(LeftOut::WithoutColumns);
    }
    let reserved = table.columns.iter().any(|column| RESERVED.contains(&column.name.as_str()));
    reserved.then_some(LeftOut::ReservedColumn)
}

/// Whether the schema is one that a Rails application keeps.
pub(super) fn is_rails(tables: &[FoundTable]) -> bool {
    tables.iter().any(|table| match table.name.as_str() {
        "ar_internal_metadata" | "active_storage_blobs" => true,
        // Others name theirs so, too, and remember numbers.
        "schema_migrations" => table.column("version").is_some_and(FoundColumn::is_text),
        _ => false,
    })
}

/// Remarks for a table's reader, a line each.
pub(super) fn notes(table: &FoundTable, is_rails: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if table.name.starts_with("active_storage_") {
        notes.push("of ActiveStorage; the files themselves lie in its service, under the key of a blob".to_owned());
    }
    for (kind, id) in polymorphic(table) {
        notes.push(format!(
            "polymorphic: {} names the class that {} is an id of",
            scalar(&kind.name),
            scalar(&id.name)
        ));
    }
    let enums: Vec<&String> =
        table.columns.iter().filter(|column| may_be_enum(column)).map(|column| &column.name).collect();
    if is_rails && !enums.is_empty() {
        notes.push(format!("integers that may be enums of Rails, and stay integers: {}", list(enums)));
    }
    notes
}

fn polymorphic(table: &FoundTable) -> impl Iterator<Item = (&FoundColumn, &FoundColumn)> {
    table.columns.iter().filter_map(|kind| {
        let stem = kind.name.strip_suffix("_type").filter(|_| kind.is_text())?;
        Some((kind, table.column(&format!("{stem}_id"))?))
    })
}

fn may_be_enum(column: &FoundColumn) -> bool {
    let words = ["status", "state", "kind", "type", "role", "level", "gender", "category"];
    let last = column.name.rsplit('_').next().unwrap_or_default();
    column.is_integer() && words.contains(&last)
}
