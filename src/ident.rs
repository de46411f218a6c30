//! Names of database objects and of processes, and the one way each is quoted.
//!
//! SQL text never receives a bare string: it receives an [`Ident`], a [`Relation`] or a [`Literal`], which know how
//! to quote themselves.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name PostgreSQL keeps, in bytes; longer ones are cut silently by the server, so we refuse them.
pub const MAX_IDENT_BYTES: usize = 63;

/// The name of a column, table or schema, exactly as the catalog holds it (case included).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ident(String);

/// Why a text cannot name a database object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentError {
    #[error("a name is empty")]
    Empty,
    #[error("name \"{0}\" has {bytes} bytes, more than PostgreSQL's {MAX_IDENT_BYTES}", bytes = .0.len())]
    TooLong(String),
    #[error("a name has a NUL byte")]
    Nul,
}

impl Ident {
    /// Takes a name as the catalog spells it.
    pub fn new(name: impl Into<String>) -> Result<Self, IdentError> {
        let name = name.into();
        if name.is_empty() {
            return Err(IdentError::Empty);
        }
        if name.len() > MAX_IDENT_BYTES {
            return Err(IdentError::TooLong(name));
        }
        if name.contains('\0') {
            return Err(IdentError::Nul);
        }
        Ok(Self(name))
    }

    /// Takes a name that came from a server's catalog, where every rule of [`Ident::new`] already holds.
    pub fn from_catalog(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as the catalog spells it, unquoted.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether PostgreSQL reads the bare name back as this same identifier.
    fn is_plain(&self) -> bool {
        let mut bytes = self.0.bytes();
        let first = bytes.next().unwrap_or(b'0');
        (first.is_ascii_lowercase() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && KEYWORDS.binary_search(&self.0.as_str()).is_err()
    }
}

/// The quoted form, for SQL text; quotes appear only where they are needed.
impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_plain() { f.write_str(&self.0) } else { write!(f, "\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

/// A table or view, always with its schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Relation {
    pub schema: Ident,
    pub name: Ident,
}

impl Relation {
    pub fn new(schema: Ident, name: Ident) -> Self {
        Self { schema, name }
    }
}

/// The quoted form `schema.name`, for SQL text.
impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// A text constant, quoted for SQL; backslashes stay themselves whatever `standard_conforming_strings` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal<'a>(pub &'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains('\\') {
            write!(f, "E'{}'", self.0.replace('\\', "\\\\").replace('\'', "''"))
        } else {
            write!(f, "'{}'", self.0.replace('\'', "''"))
        }
    }
}

/// The name of a process or test as users type it: `stg.svp.labors`, `bl.person`, `seed.countries`, `test.unique_person_id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeName(String);

impl NodeName {
    pub fn stage(source: &str, table: &str) -> Self {
        Self(format!("stg.{source}.{table}"))
    }

    /// A source table that is read where it is.
    pub fn table(source: &str, table: &str) -> Self {
        Self(format!("source.{source}.{table}"))
    }

    pub fn model(name: &str) -> Self {
        Self(format!("bl.{name}"))
    }

    pub fn seed(name: &str) -> Self {
        Self(format!("seed.{name}"))
    }

    pub fn snapshot(name: &str) -> Self {
        Self(format!("snapshot.{name}"))
    }

    pub fn unit_test(model: &str, name: &str) -> Self {
        Self(format!("unit_test.{model}.{name}"))
    }

    pub fn test(name: &str) -> Self {
        Self(format!("test.{name}"))
    }

    pub fn crosswalk(entity: &str) -> Self {
        Self(format!("xref.{entity}"))
    }

    pub fn exposure(name: &str) -> Self {
        Self(format!("exposure.{name}"))
    }

    pub fn analysis(name: &str) -> Self {
        Self(format!("analysis.{name}"))
    }

    /// Takes a name that was written out before, in an artifact or in the state schema.
    pub fn recorded(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// PostgreSQL's reserved words and those that cannot be a bare column or type name (18's list, sorted).
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between",
    "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character", "check", "coalesce",
    "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog",
    "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user",
    "dec", "decimal", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists",
    "extract", "false", "fetch", "float", "for", "foreign", "freeze", "from", "full", "grant", "greatest",
    "group", "grouping", "having", "ilike", "in", "initially", "inner", "inout", "int", "integer", "intersect",
    "interval", "into", "is", "isnull", "join", "json", "json_array", "json_arrayagg", "json_exists",
    "json_object", "json_objectagg", "json_query", "json_scalar", "json_serialize", "json_table", "json_value",
    "lateral", "leading", "least", "left", "like", "limit", "localtime", "localtimestamp", "merge_action",
    "national", "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric",
    "offset", "on", "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing", "position",
    "precision", "primary", "real", "references", "returning", "right", "row", "select", "session_user",
    "setof", "similar", "smallint", "some", "substring", "symmetric", "system_user", "table", "tablesample",
    "then", "time", "timestamp", "to", "trailing", "treat", "trim", "true", "union", "unique", "user", "using",
    "values", "varchar", "variadic", "verbose", "when", "where", "window", "with", "xmlattributes", "xmlconcat",
    "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyword_list_is_sorted_for_binary_search() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn names_are_quoted_only_where_postgresql_would_read_them_otherwise() {
        let quoted = |name: &str| Ident::new(name).expect("a valid name").to_string();
        assert_eq!(quoted("person"), "person");
        assert_eq!(quoted("_batch_id"), "_batch_id");
        assert_eq!(quoted("Person"), "\"Person\"");
        assert_eq!(quoted("order"), "\"order\"");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(quoted("2nd"), "\"2nd\"");
        assert_eq!(quoted("الاسم"), "\"الاسم\"");
    }

    #[test]
    fn a_literal_keeps_quotes_and_backslashes() {
        assert_eq!(Literal("it's").to_string(), "'it''s'");
        assert_eq!(Literal("a\\'b").to_string(), "E'a\\\\''b'");
    }

    #[test]
    fn a_name_that_the_server_would_cut_is_refused() {
        assert!(matches!(Ident::new("x".repeat(64)), Err(IdentError::TooLong(_))));
        assert_eq!(Ident::new(""), Err(IdentError::Empty));
        assert_eq!(Ident::new("a\0b"), Err(IdentError::Nul));
    }
}
