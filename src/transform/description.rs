//! What a target's catalog says of its schemas, as a value that can be written to a file and read again.
//!
//! Tables with columns, types, keys and references, enums and domains, signatures of functions, names of extensions.
//! Types are spelled with their schema, and everything is in the order of names, so that two files can be compared.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use minijinja::context;
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::{Ident, NodeName, Relation};
use crate::materialize::shell::ShellColumns;
use crate::materialize::stage::StagedColumn;
use crate::materialize::{FilledBy, TargetColumn, TargetTable};
use crate::postgres::PostgresError;
use crate::sql::StatementFile;

pub static STATEMENTS: LazyLock<StatementFile> =
    LazyLock::new(|| StatementFile::parse(include_str!("description.sql")));

/// Some schemas of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDescription {
    pub extensions: Vec<Ident>,
    /// Enums before domains, which may be made of them.
    pub types: Vec<DescribedType>,
    pub relations: Vec<DescribedRelation>,
    pub functions: Vec<DescribedFunction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedType {
    pub schema: Ident,
    pub name: Ident,
    /// Of an enum, in its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Of a domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedRelation {
    pub schema: Ident,
    pub name: Ident,
    pub kind: RelationKind,
    pub columns: Vec<DescribedColumn>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub primary_key: Vec<Ident>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<Vec<Ident>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<DescribedReference>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RelationKind {
    Table,
    View,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedColumn {
    pub name: Ident,
    #[serde(rename = "type")]
    pub data_type: String,
    pub not_null: bool,
    pub filled: Filled,
}

/// What a column holds when an INSERT does not name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filled {
    Null,
    Default,
    #[serde(rename = "identity by default")]
    IdentityByDefault,
    #[serde(rename = "identity always")]
    IdentityAlways,
    Expression,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedReference {
    pub columns: Vec<Ident>,
    pub schema: Ident,
    pub table: Ident,
    pub references: Vec<Ident>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribedFunction {
    pub schema: Ident,
    pub name: Ident,
    pub arguments: String,
    pub result: String,
}

/// Whether functions are described too: only a database that is made from the description needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Functions {
    Describe,
    Omit,
}

/// Reads the schemas that are named; those that do not exist are left out. Takes no lock on what it describes, and
/// sets the transaction's search path.
pub async fn describe(
    client: &Client,
    schemas: &[&str],
    functions: Functions,
) -> Result<TargetDescription, PostgresError> {
    let failed = |error| PostgresError::server("describe the target's catalog", error);
    // Types are spelled with their schema unless it is in the search path.
    client.batch_execute("set local search_path = pg_catalog").await.map_err(failed)?;
    let wants_functions = functions == Functions::Describe;
    let row = client
        .query_typed_one(
            &STATEMENTS.render("describe", context! {}),
            &[(&schemas, Type::TEXT_ARRAY), (&wants_functions, Type::BOOL)],
        )
        .await
        .map_err(failed)?;
    Ok(serde_json::from_str(row.get(0)).expect("the statement builds what the type reads"))
}

/// Every schema that is not PostgreSQL's own or unimig's.
pub async fn user_schemas(client: &Client) -> Result<Vec<String>, PostgresError> {
    let rows = client
        .query_typed(&STATEMENTS.render("user_schemas", context! {}), &[])
        .await
        .map_err(|error| PostgresError::server("list the target's schemas", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The processes whose relations stand in the target, by the comments that mark them.
pub async fn our_relations(client: &Client) -> Result<BTreeSet<NodeName>, PostgresError> {
    let rows = client
        .query_typed(&STATEMENTS.render("our_relations", context! {}), &[])
        .await
        .map_err(|error| PostgresError::server("read which relations are there", error))?;
    Ok(rows.iter().map(|row| NodeName::recorded(row.get::<_, String>(0))).collect())
}

impl TargetDescription {
    pub fn relation(&self, relation: &Relation) -> Option<&DescribedRelation> {
        self.relations.iter().find(|described| described.is(relation))
    }
}

impl DescribedRelation {
    fn is(&self, relation: &Relation) -> bool {
        self.name == relation.name && self.schema == relation.schema
    }

    /// Columns and key, for a shell of it.
    pub fn shell(&self) -> ShellColumns {
        let columns = self.columns.iter();
        let columns =
            columns.map(|column| StagedColumn { name: column.name.clone(), data_type: column.data_type.clone() });
        ShellColumns { columns: columns.collect(), primary_key: self.primary_key.clone() }
    }

    /// As a merge looks at it.
    pub fn target(&self) -> TargetTable {
        let columns = self.columns.iter().map(|column| TargetColumn {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            filled: match column.filled {
                Filled::Null | Filled::Default => FilledBy::Default,
                Filled::IdentityByDefault => FilledBy::IdentityByDefault,
                Filled::IdentityAlways => FilledBy::IdentityAlways,
                Filled::Expression => FilledBy::Expression,
            },
        });
        TargetTable {
            relation: Relation::new(self.schema.clone(), self.name.clone()),
            columns: columns.collect(),
            primary_key: self.primary_key.clone(),
            triggers: Vec::new(),
        }
    }

    /// Columns that every INSERT has to give.
    pub fn required(&self) -> impl Iterator<Item = &DescribedColumn> {
        self.columns.iter().filter(|column| column.not_null && column.filled == Filled::Null)
    }
}
