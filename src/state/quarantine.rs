//! Values that a copy refused and that their source still has, and rows of models that their table would refuse.

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::NodeName;
use crate::postgres::PostgresError;

/// How many rows of a table are set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedTable {
    pub node: String,
    pub rows: i64,
    pub values: i64,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// One value that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedValue {
    /// A JSON object of the key's columns.
    pub row_key: String,
    pub column: String,
    /// Of the table that a model merges into.
    pub rule: Option<String>,
    pub constraint: Option<String>,
    pub sqlstate: String,
    pub raw_value: Option<String>,
    /// Of a copy.
    pub batch_id: Option<i64>,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// Takes out what the batch of a whole table did not bring again.
pub async fn forget_mended(client: &Client, node: &NodeName, batch_id: i64) -> Result<(), PostgresError> {
    client
        .execute_typed(
            "delete from unimig.quarantine where node = $1 and batch_id <> $2",
            &[(&node.as_str(), Type::TEXT), (&batch_id, Type::INT8)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("empty the quarantine of {node}"), error))?;
    Ok(())
}

/// Takes out the rows of a model that this transaction did not find bad.
pub async fn forget_unseen(client: &Client, node: &NodeName) -> Result<(), PostgresError> {
    client
        .execute_typed(
            "delete from unimig.quarantine where node = $1 and last_seen_at < now()",
            &[(&node.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("empty the quarantine of {node}"), error))?;
    Ok(())
}

/// How many rows of a node are set aside.
pub async fn count_rows(client: &Client, node: &NodeName) -> Result<i64, PostgresError> {
    let row = client
        .query_typed_one(
            "select count(distinct row_key) from unimig.quarantine where node = $1",
            &[(&node.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("count the quarantine of {node}"), error))?;
    Ok(row.get(0))
}

/// Every table that has rows set aside.
pub async fn tables(client: &Client) -> Result<Vec<QuarantinedTable>, PostgresError> {
    let rows = client
        .query_typed(
            "select
                 node,
                 count(distinct row_key),
                 count(*),
                 min(first_seen_at),
                 max(last_seen_at)
             from unimig.quarantine
             group by node
             order by node",
            &[],
        )
        .await
        .map_err(|error| PostgresError::server("read the quarantine", error))?;
    let table = |row: &tokio_postgres::Row| QuarantinedTable {
        node: row.get(0),
        rows: row.get(1),
        values: row.get(2),
        first_seen_at: row.get(3),
        last_seen_at: row.get(4),
    };
    Ok(rows.iter().map(table).collect())
}

/// What is set aside of one table.
pub async fn values(client: &Client, node: &NodeName) -> Result<Vec<QuarantinedValue>, PostgresError> {
    let rows = client
        .query_typed(
            "select
                 row_key::text,
                 column_name,
                 sqlstate,
                 raw_value,
                 batch_id,
                 first_seen_at,
                 last_seen_at,
                 rule,
                 constraint_name
             from unimig.quarantine
             where node = $1
             order by row_key, column_name",
            &[(&node.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("read the quarantine of {node}"), error))?;
    let value = |row: &tokio_postgres::Row| QuarantinedValue {
        row_key: row.get(0),
        column: row.get(1),
        sqlstate: row.get(2),
        raw_value: row.get(3),
        batch_id: row.get(4),
        first_seen_at: row.get(5),
        last_seen_at: row.get(6),
        rule: row.get(7),
        constraint: row.get(8),
    };
    Ok(rows.iter().map(value).collect())
}
