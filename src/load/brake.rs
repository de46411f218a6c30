//! The brake on deletes: a source that seems to have lost much of a table is looked at by a person first.

use tokio_postgres::Client;

use super::LoadError;
use crate::materialize::stage::StageShape;
use crate::postgres::PostgresError;

/// How many rows may become tombstones at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// As many as the project says.
    Few,
    /// Any number: a person has looked.
    Any,
}

/// Refuses what was just buried, in the caller's transaction, if it is too much.
pub(super) async fn hold(
    client: &Client,
    shape: StageShape<'_>,
    (buried, accepts): (u64, Accepts),
) -> Result<(), LoadError> {
    if buried == 0 || accepts == Accepts::Any {
        return Ok(());
    }
    let staging = &shape.node.stg_relation;
    let left = client
        .query_one(&shape.live_rows(), &[])
        .await
        .map_err(|error| PostgresError::server(format!("count the live rows of {staging}"), error))?;
    let live = buried + u64::try_from(left.get::<_, i64>(0)).unwrap_or(0);
    let brake = shape.node.removals.brake;
    if !brake.stops(buried, live) {
        return Ok(());
    }
    Err(LoadError::TooManyDeletes { node: shape.node.name.clone(), buried, live, max_percent: brake.max_percent })
}
