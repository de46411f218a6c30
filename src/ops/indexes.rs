//! Big source tables whose changes no index can find, as `debug` and `check` tell of them.

use jiff::Timestamp;

use crate::extract::{self, MissingIndexes};
use crate::manifest::StageNode;
use crate::ops::connections::Connections;
use crate::postgres::{Pool, PostgresError};

/// Those of the staged tables that are read over this connection.
pub(super) async fn missing(
    pool: &Pool,
    stages: impl Iterator<Item = &StageNode>,
) -> Result<Vec<MissingIndexes>, PostgresError> {
    let mut found = Vec::new();
    let wanted: Vec<&StageNode> =
        stages.filter(|stage| stage.connection == pool.name() && !stage.strategy.columns().is_empty()).collect();
    if wanted.is_empty() {
        return Ok(found);
    }
    let session = pool.lease("indexes").await?;
    for node in wanted {
        let statement = extract::usual_statement(node, Timestamp::now());
        found.extend(extract::missing_indexes(&session, node, &statement).await?);
    }
    Ok(found)
}

/// The same over all connections. A source that does not answer has none: a check does without it.
pub(super) async fn missing_of_all<'a>(
    connections: &Connections,
    stages: impl Iterator<Item = &'a StageNode> + Clone,
) -> Vec<MissingIndexes> {
    let mut found = Vec::new();
    for (name, pool) in &connections.sources {
        match missing(pool, stages.clone()).await {
            Ok(missing) => found.extend(missing),
            Err(error) => tracing::debug!(connection = name, %error, "the indexes could not be looked at"),
        }
    }
    found
}
