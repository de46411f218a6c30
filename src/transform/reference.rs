//! Foreign keys that contracts of other models make to a table whose rows are replaced.
//!
//! They are dropped and made again in the same transaction. One that no longer holds stays away until its own model
//! runs: that table's seal is broken, so that its contract makes it anew.

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::postgres::PostgresError;
use crate::sql::quoted;
use crate::transform::hanging::{Attempt, attempt};
use crate::transform::subject::Subject;
use crate::transform::upkeep::STATEMENTS;

/// A foreign key of another table of ours.
#[derive(Debug)]
pub(super) struct Reference {
    name: String,
    table: String,
    create: String,
    mark: String,
    unseal: String,
}

/// Drops the foreign keys that refer to the table.
pub(super) async fn set_aside(client: &Client, subject: Subject<'_>) -> Result<Vec<Reference>, PostgresError> {
    let relation = subject.relation.to_string();
    let failed = |error| PostgresError::server(format!("set foreign keys to {relation} aside"), error);
    let rows = client
        .query_typed(&STATEMENTS.render("references", context! {}), &[(&relation, Type::TEXT)])
        .await
        .map_err(failed)?;
    if !rows.is_empty() {
        // Where the referring model runs beside this one, since nothing says any more that it comes after it, one of the
        // two waits here, or is begun again.
        let lock = STATEMENTS.render("lock_referred", context! { relation => quoted(subject.relation) });
        client.batch_execute(&lock).await.map_err(failed)?;
    }
    let mut references = Vec::with_capacity(rows.len());
    for row in &rows {
        client.batch_execute(row.get("drop_reference")).await.map_err(failed)?;
        references.push(Reference {
            name: row.get("name"),
            table: row.get("referring"),
            create: row.get("create_reference"),
            mark: row.get("mark_reference"),
            unseal: row.get("unseal"),
        });
    }
    Ok(references)
}

/// Makes them again where they hold; `note` hears of the others.
pub(super) async fn put_back(
    client: &Client,
    references: &[Reference],
    note: &mut impl FnMut(&str),
) -> Result<(), PostgresError> {
    for reference in references {
        match attempt(client, &reference.create).await? {
            Attempt::Done => attempt(client, &reference.mark).await?,
            Attempt::Refused(_) => {
                let Reference { name, table, .. } = reference;
                note(&format!("foreign key \"{name}\" of {table} does not hold, and was dropped until its model runs"));
                attempt(client, &reference.unseal).await?
            }
        };
    }
    Ok(())
}
