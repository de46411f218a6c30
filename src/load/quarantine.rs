//! Rows that their copy refuses are set aside, so that the others come in.
//!
//! The whole batch is rolled back to before its COPY and taken value by value; that is slow, and only done where the
//! project lets rows be set aside.

use tokio_postgres::Client;

use super::checksum::{self, Proof};
use super::{Batch, Hop, LoadError, execute, merge, shape, stream};
use crate::load::shape::Filling;
use crate::manifest::QuarantineLimit;
use crate::materialize::quarantine::{self, QuarantineStatements, TakenInto};
use crate::materialize::stage::StageShape;
use crate::postgres::PostgresError;
use crate::state::quarantine::forget_mended;
use crate::state::run::Tally;
use crate::store::BatchKind;

/// Loads in the usual way, and where values are refused without them.
pub(super) async fn load(
    client: &Client,
    shape: StageShape<'_>,
    (batch, limit): (Batch<'_>, QuarantineLimit),
    progress: &mut impl FnMut(u64),
) -> Result<Tally, LoadError> {
    execute(client, "savepoint unimig_load", batch.node).await?;
    let tally = match super::load_all(client, shape, batch, progress).await {
        Err(LoadError::Postgres(error)) if is_of_data(&error) => {
            execute(client, "rollback to savepoint unimig_load", batch.node).await?;
            set_aside(client, shape, (batch, limit), progress).await?
        }
        other => other?,
    };
    if batch.manifest.kind == BatchKind::Full && batch.batch_id == batch.manifest.batch_id {
        forget_mended(client, &batch.node.name, batch.batch_id).await?;
    }
    Ok(tally)
}

/// Whether a value was refused, rather than the statement.
pub(super) fn is_of_data(error: &PostgresError) -> bool {
    error.sqlstate().is_some_and(|state| state.starts_with("22") || state.starts_with("23"))
}

async fn set_aside(
    client: &Client,
    shape: StageShape<'_>,
    (batch, limit): (Batch<'_>, QuarantineLimit),
    progress: &mut impl FnMut(u64),
) -> Result<Tally, LoadError> {
    let filling = shape::prepare(client, shape, batch).await?;
    execute(client, &shape.create_incoming(), batch.node).await?;
    let statements = quarantine::statements(shape, TakenInto::Incoming);
    take(client, &statements, (batch, limit), progress).await?;
    let tally = match filling {
        Filling::Nothing => Tally::default(),
        Filling::First => first(client, shape, (batch, &statements)).await?,
        Filling::Merge => {
            execute(client, &statements.keep_live, batch.node).await?;
            execute(client, &shape.analyze_incoming(), batch.node).await?;
            // The source's sum is of the refused rows too.
            merge(client, shape, batch, Proof::Steps).await?
        }
    };
    execute(client, &statements.drop_functions, batch.node).await?;
    Ok(tally)
}

/// The parts once more, as text: the good rows out of them into a table that is there, the others into the quarantine.
///
/// The source's digest is of the refused rows too, which no text of the target can hold; so only their number is compared.
pub(super) async fn take(
    client: &Client,
    statements: &QuarantineStatements,
    (batch, limit): (Batch<'_>, QuarantineLimit),
    progress: &mut impl FnMut(u64),
) -> Result<(), LoadError> {
    let failed = |error| PostgresError::server(format!("set rows of {} aside", batch.node.name), error);
    execute(client, &statements.create_raw, batch.node).await?;
    stream::copy_parts(client, &statements.copy_raw, batch, progress).await?;
    execute(client, &statements.create_functions, batch.node).await?;
    execute(client, &statements.find_refused, batch.node).await?;
    let refused: i64 = client.query_one(&statements.count_refused, &[]).await.map_err(failed)?.get(0);
    let (refused, rows) = (u64::try_from(refused).unwrap_or(0), batch.manifest.rows);
    let node = batch.node.name.clone();
    if !limit.admits(refused, rows) {
        return Err(LoadError::TooManyRefused { node, refused, rows });
    }
    let taken = client.execute(&statements.take_good, &[]).await.map_err(failed)?;
    if taken + refused != rows {
        return Err(LoadError::Broken { node, batch_id: batch.manifest.batch_id, hop: Hop::Load });
    }
    execute(client, &statements.remember, batch.node).await?;
    Ok(())
}

async fn first(
    client: &Client,
    shape: StageShape<'_>,
    (batch, statements): (Batch<'_>, &QuarantineStatements),
) -> Result<Tally, LoadError> {
    let inserted = client
        .execute(&statements.insert_first, &[])
        .await
        .map_err(|error| PostgresError::server(format!("load {}", batch.node.stg_relation), error))?;
    if let Some(bury) = shape.bury_first_load() {
        execute(client, &bury, batch.node).await?;
    }
    execute(client, &shape.finish_first_load(), batch.node).await?;
    checksum::after_merge(client, shape, (batch, inserted)).await?;
    Ok(Tally { inserted, ..Tally::default() })
}
