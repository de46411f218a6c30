//! Keys alone, read whole: rows of the copy whose key is gone become tombstones.

use tokio_postgres::Client;

use super::{Batch, LoadError, brake, checksum, execute, quarantine, stream};
use crate::manifest::QuarantineLimit;
use crate::materialize::quarantine::{TakenInto, statements};
use crate::materialize::stage::StageShape;
use crate::postgres::PostgresError;
use crate::state::run::Tally;

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    pub tally: Tally,
    /// Rows of the source that the copy lacks, so the change columns did not tell of them.
    pub unknown: u64,
}

/// Loads a batch of keys. The caller has begun the transaction and commits it.
pub async fn sweep(client: &Client, batch: Batch<'_>) -> Result<Swept, LoadError> {
    let shape = StageShape { node: batch.node, columns: batch.columns, batch_id: batch.batch_id };
    let failed = |error| PostgresError::server(format!("sweep the keys of {}", batch.node.stg_relation), error);
    match batch.node.quarantine {
        None => copy_keys(client, shape, batch).await?,
        Some(limit) => copy_good_keys(client, shape, (batch, limit)).await?,
    }
    client.batch_execute("set local work_mem = '256MB'").await.map_err(failed)?;
    let deleted = client.execute(&shape.bury_swept(), &[]).await.map_err(failed)?;
    brake::hold(client, shape, (deleted, batch.accepts)).await?;
    let unknown: i64 = client.query_one(&shape.unknown_swept(), &[]).await.map_err(failed)?.get(0);
    let tally = Tally { deleted, ..Tally::default() };
    Ok(Swept { tally, unknown: u64::try_from(unknown).unwrap_or(0) })
}

/// Every key, or none.
async fn copy_keys(client: &Client, shape: StageShape<'_>, batch: Batch<'_>) -> Result<(), LoadError> {
    execute(client, &shape.create_swept(), batch.node).await?;
    stream::copy_parts(client, &shape.copy_swept(), batch, &mut |_| {}).await?;
    execute(client, &shape.analyze_swept(), batch.node).await?;
    checksum::after_load(client, batch, &"pg_temp.unimig_swept").await
}

/// Without the keys that the copy refuses: no row of it has one of them, and theirs are set aside.
async fn copy_good_keys(
    client: &Client,
    shape: StageShape<'_>,
    (batch, limit): (Batch<'_>, QuarantineLimit),
) -> Result<(), LoadError> {
    execute(client, "savepoint unimig_sweep", batch.node).await?;
    match copy_keys(client, shape, batch).await {
        Err(LoadError::Postgres(error)) if quarantine::is_of_data(&error) => {
            execute(client, "rollback to savepoint unimig_sweep", batch.node).await?;
        }
        other => return other,
    }
    execute(client, &shape.create_swept(), batch.node).await?;
    let statements = statements(shape, TakenInto::Swept);
    quarantine::take(client, &statements, (batch, limit), &mut |_| {}).await?;
    execute(client, &statements.drop_functions, batch.node).await?;
    execute(client, &shape.analyze_swept(), batch.node).await?;
    Ok(())
}
