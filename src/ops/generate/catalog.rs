//! What a server says of the tables of one schema, as drafts need it.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::generate::{Filling, FoundColumn, FoundTable, KeyKind, Wanted, WantedColumn};
use crate::ident::Ident;
use crate::postgres::PostgresError;
use crate::sql::StatementFile;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("catalog.sql")));

/// Every relation of a schema, in the order of names.
pub(super) async fn found(session: &Client, schema: &str) -> Result<Vec<FoundTable>, PostgresError> {
    let rows = session
        .query_typed(&STATEMENTS.render("tables", context! {}), &[(&schema, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server("read the source's catalog", error))?;
    Ok(rows.iter().map(found_table).collect())
}

/// The schemas that applications have made.
pub(super) async fn schemas(session: &Client) -> Result<Vec<String>, PostgresError> {
    let rows = session
        .query_typed(&STATEMENTS.render("schemas", context! {}), &[])
        .await
        .map_err(|error| PostgresError::server("read the schemas", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The tables of a schema that are not ours.
pub(super) async fn wanted(session: &Client, schema: &str) -> Result<Vec<Wanted>, PostgresError> {
    let rows = session
        .query_typed(&STATEMENTS.render("wanted", context! {}), &[(&schema, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server("read the target's catalog", error))?;
    Ok(rows.iter().map(wanted_table).collect())
}

fn found_table(row: &Row) -> FoundTable {
    let types: Vec<String> = row.get("types");
    let base_types: Vec<String> = row.get("base_types");
    let comments: Vec<Option<String>> = row.get("comments");
    let names: Vec<String> = row.get("names");
    let columns = names.into_iter().zip(types).zip(base_types).zip(comments);
    let key: Vec<String> = row.get("key_columns");
    let count = |column: &str| row.get::<_, Option<i64>>(column).and_then(|count| u64::try_from(count).ok());
    FoundTable {
        name: row.get("name"),
        is_table: row.get("is_table"),
        is_partition: row.get("is_partition"),
        of_extension: row.get("of_extension"),
        is_readable: row.get("is_readable"),
        row_estimate: count("row_estimate"),
        size_bytes: count("size_bytes").unwrap_or(0),
        comment: row.get("comment"),
        columns: columns
            .map(|(((name, data_type), base_type), comment)| FoundColumn { name, data_type, base_type, comment })
            .collect(),
        key_kind: match (key.is_empty(), row.get("key_is_primary")) {
            (true, _) => KeyKind::None,
            (false, true) => KeyKind::Primary,
            (false, false) => KeyKind::UniqueIndex,
        },
        key,
        indexed: row.get("indexed"),
    }
}

fn wanted_table(row: &Row) -> Wanted {
    let types: Vec<String> = row.get("types");
    let may_be_null: Vec<bool> = row.get("may_be_null");
    let fillings: Vec<String> = row.get("fillings");
    let names: Vec<String> = row.get("names");
    let columns = names.into_iter().zip(types).zip(may_be_null).zip(fillings);
    let column = |(((name, data_type), may_be_null), filling): (((String, String), bool), String)| WantedColumn {
        name: Ident::from_catalog(name),
        data_type,
        may_be_null,
        filling: match filling.as_str() {
            "expression" => Filling::Expression,
            "identity" => Filling::Identity,
            "default" => Filling::Default,
            _ => Filling::Nothing,
        },
    };
    Wanted {
        table: Ident::from_catalog(row.get::<_, String>("name")),
        schema: None,
        columns: columns.map(column).collect(),
        primary_key: row.get::<_, Vec<String>>("primary_key").into_iter().map(Ident::from_catalog).collect(),
    }
}
