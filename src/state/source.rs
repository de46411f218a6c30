//! A source's catalog as it was seen last: what is compared with it at the next run.

use tokio_postgres::Client;
use tokio_postgres::types::{Oid, Type};

use crate::ident::{Ident, NodeName};
use crate::postgres::PostgresError;

/// A column of a source table at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenColumn {
    pub name: Ident,
    /// Unknown for what a SELECT gives.
    pub identity: Option<Identity>,
    /// The source's spelling.
    pub data_type: String,
    /// Of an enum, in their order.
    pub labels: Option<Vec<String>>,
}

/// What a column keeps when it gets another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub table_id: Oid,
    pub number: i16,
}

/// The columns of the last complete batch, in their order; none where there was no batch.
pub async fn seen_columns(client: &Client, node: &NodeName) -> Result<Vec<SeenColumn>, PostgresError> {
    let rows = client
        .query_typed(
            "select
                 name,
                 table_id,
                 number,
                 data_type,
                 labels
             from unimig.source_column
             where node = $1
             order by place",
            &[(&node.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("read the columns that {node} had"), error))?;
    let seen = rows.iter().map(|row| {
        let (table_id, number): (Option<Oid>, Option<i16>) = (row.get(1), row.get(2));
        SeenColumn {
            name: Ident::from_catalog(row.get::<_, String>(0)),
            identity: table_id.zip(number).map(|(table_id, number)| Identity { table_id, number }),
            data_type: row.get(3),
            labels: row.get(4),
        }
    });
    Ok(seen.collect())
}

/// Remembers them, in the transaction that loads the batch.
pub async fn remember_columns(client: &Client, node: &NodeName, columns: &[SeenColumn]) -> Result<(), PostgresError> {
    let failed = |error| PostgresError::server(format!("remember the columns of {node}"), error);
    client
        .execute_typed("delete from unimig.source_column where node = $1", &[(&node.as_str(), Type::TEXT)])
        .await
        .map_err(failed)?;
    for (place, column) in (1_i32..).zip(columns) {
        let (table_id, number) = column.identity.map(|identity| (identity.table_id, identity.number)).unzip();
        client
            .execute_typed(
                "insert into unimig.source_column (node, name, place, table_id, number, data_type, labels)
                 values ($1, $2, $3, $4, $5, $6, $7)",
                &[
                    (&node.as_str(), Type::TEXT),
                    (&column.name.as_str(), Type::TEXT),
                    (&place, Type::INT4),
                    (&table_id, Type::OID),
                    (&number, Type::INT2),
                    (&column.data_type, Type::TEXT),
                    (&column.labels, Type::TEXT_ARRAY),
                ],
            )
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// Remembers which tables a source's schema has, and gives those that came after the first look. The session is outside
/// a transaction, so that processes of one source do not wait for each other.
pub async fn new_tables(
    client: &Client,
    (source, schema): (&str, &Ident),
    tables: &[String],
) -> Result<Vec<String>, PostgresError> {
    let failed = |error| PostgresError::server(format!("remember the tables of source \"{source}\""), error);
    let schema = schema.as_str();
    client
        .execute_typed(
            "insert into unimig.source_table (source, schema, name, is_new)
             select
                 $1,
                 $2,
                 found.name,
                 exists (select from unimig.source_table where source = $1 and schema = $2)
             from unnest($3) as found (name)
             on conflict do nothing",
            &[(&source, Type::TEXT), (&schema, Type::TEXT), (&tables, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(failed)?;
    let rows = client
        .query_typed(
            "select name
             from unimig.source_table
             where source = $1
                and schema = $2
                and is_new
                and name = any($3)
             order by name",
            &[(&source, Type::TEXT), (&schema, Type::TEXT), (&tables, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(failed)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
