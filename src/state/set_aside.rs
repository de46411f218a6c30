//! What hung on a view that had to be dropped, kept until its model makes it again.
//!
//! Written in the transaction that drops the view, and taken back in the one that makes it.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::postgres::PostgresError;

/// One thing and the statement that hangs it on again; `need` is the word of those who read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub what: String,
    pub restore: String,
    pub need: String,
}

/// Keeps it in its order, in place of what was kept for the relation before.
pub async fn keep(client: &Client, relation: &str, kept: &[SetAside]) -> Result<(), PostgresError> {
    take(client, relation).await?;
    if kept.is_empty() || !exists(client, relation).await? {
        return Ok(());
    }
    let column = |of: fn(&SetAside) -> &str| kept.iter().map(of).collect::<Vec<_>>();
    client
        .execute_typed(
            "insert into unimig.set_aside (relation, place, what, restore, need)
             select $1, kept.place, kept.what, kept.restore, kept.need
             from unnest($2, $3, $4) with ordinality as kept (what, restore, need, place)",
            &[
                (&relation, Type::TEXT),
                (&column(|one| &one.what), Type::TEXT_ARRAY),
                (&column(|one| &one.restore), Type::TEXT_ARRAY),
                (&column(|one| &one.need), Type::TEXT_ARRAY),
            ],
        )
        .await
        .map_err(|error| PostgresError::server(format!("set aside what hangs on {relation}"), error))?;
    Ok(())
}

/// What was kept for the relation, which is forgotten; mostly nothing.
pub async fn take(client: &Client, relation: &str) -> Result<Vec<SetAside>, PostgresError> {
    if !exists(client, relation).await? {
        return Ok(Vec::new());
    }
    let rows = client
        .query_typed(
            "with taken as (
                 delete from unimig.set_aside
                 where relation = $1
                 returning place, what, restore, need
             )
             select what, restore, need from taken order by place",
            &[(&relation, Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("take back what hung on {relation}"), error))?;
    Ok(rows.iter().map(|row| SetAside { what: row.get(0), restore: row.get(1), need: row.get(2) }).collect())
}

/// A plan is shown before there is any state.
async fn exists(client: &Client, relation: &str) -> Result<bool, PostgresError> {
    let row = client
        .query_typed_one("select to_regclass('unimig.set_aside') is not null", &[])
        .await
        .map_err(|error| PostgresError::server(format!("look for what hung on {relation}"), error))?;
    Ok(row.get(0))
}
