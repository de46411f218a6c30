//! Which types' own equality and hash tell every difference between two values, so that the values need no image.
//!
//! Numbers without a fixed scale, floating-point numbers, json, intervals, arrays and types of extensions have values that
//! are equal and written differently.

/// By what a column's values are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    /// Their equality and their hash.
    Value,
    /// Their equality, and the hash of their bytes: texts, as no database compares its own in another way.
    Bytes,
    /// Their record image or their text.
    Text,
}

/// By the first word of their names.
const TOLD_APART: [&str; 12] = [
    "bigint",
    "integer",
    "smallint",
    "oid",
    "boolean",
    "date",
    "uuid",
    "bytea",
    "timestamp",
    "time",
    "numeric",
    "macaddr",
];

impl Image {
    /// Of a type of staging, as PostgreSQL spells it.
    pub(super) fn of(data_type: &str) -> Self {
        if data_type.ends_with(']') || data_type == "numeric" {
            return Self::Text;
        }
        match data_type.split([' ', '(']).next().unwrap_or_default() {
            "text" => Self::Bytes,
            // Of a fixed length, so that trailing blanks tell nothing.
            "character" => Self::Bytes,
            word if TOLD_APART.contains(&word) => Self::Value,
            _ => Self::Text,
        }
    }
}
