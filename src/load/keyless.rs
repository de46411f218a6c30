//! A batch of a whole table that has no key: rows that the copy lacks are added, rows that it has too many are buried.

use tokio_postgres::Client;

use super::{Batch, LoadError, brake, execute};
use crate::manifest::Missing;
use crate::materialize::stage::StageShape;
use crate::postgres::PostgresError;
use crate::state::run::Tally;

/// Merges what was copied into the temporary table. A row that changed is one that is gone and one that is new.
pub(super) async fn merge(client: &Client, shape: StageShape<'_>, batch: Batch<'_>) -> Result<Tally, LoadError> {
    let failed = |error| PostgresError::server(format!("compare the rows of {}", batch.node.stg_relation), error);
    client.batch_execute("set local work_mem = '256MB'").await.map_err(failed)?;
    execute(client, &shape.create_difference(), batch.node).await?;
    execute(client, &shape.analyze_difference(), batch.node).await?;
    let surplus = client.query_one(&shape.surplus(), &[]).await.map_err(failed)?;
    let (missing, too_many): (i64, i64) = (surplus.get(0), surplus.get(1));
    let buries = too_many > 0 && batch.node.removals.missing == Missing::Bury;
    if missing == 0 && !buries {
        return Ok(Tally::default());
    }
    refuse_turning_back(client, shape, batch).await?;
    let inserted = match missing {
        0 => 0,
        _ => client.execute(&shape.insert_missing(), &[]).await.map_err(failed)?,
    };
    let deleted = match buries {
        true => client.execute(&shape.bury_too_many(), &[]).await.map_err(failed)?,
        false => 0,
    };
    // What changed is both; what the source lost is the rest.
    brake::hold(client, shape, (deleted.saturating_sub(inserted), batch.accepts)).await?;
    Ok(Tally { inserted, deleted, ..Tally::default() })
}

/// Rows without a key have no history of their own, so an old batch is loaded only where none came after it.
async fn refuse_turning_back(client: &Client, shape: StageShape<'_>, batch: Batch<'_>) -> Result<(), LoadError> {
    let batch_id = batch.manifest.batch_id;
    if batch.batch_id == batch_id {
        return Ok(());
    }
    let later = client
        .query_one(&shape.written_later(batch_id), &[])
        .await
        .map_err(|error| PostgresError::server(format!("compare batch {batch_id} with later ones"), error))?;
    match later.get(0) {
        0 => Ok(()),
        rows => Err(LoadError::TurnsBack { node: batch.node.name.clone(), batch_id, rows }),
    }
}
