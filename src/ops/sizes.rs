//! How big the tables are that a run reads for the first time, so that the biggest begin first.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::extract;
use crate::ident::{NodeName, Relation};
use crate::ops::connections::Connections;
use crate::plan::{Action, Plan};
use crate::postgres::PostgresError;

/// The bytes of each table that has never been loaded. A source that does not answer has no sizes: its steps say why.
pub async fn of_first_loads(
    connections: &Connections,
    plan: &Plan,
    last_good: &BTreeMap<NodeName, Timestamp>,
) -> BTreeMap<NodeName, u64> {
    let mut by_connection: BTreeMap<&str, Vec<(&NodeName, Relation)>> = BTreeMap::new();
    for step in &plan.steps {
        if let Action::Stage(stage) = &step.action
            && !last_good.contains_key(&step.name)
        {
            let table = (&step.name, stage.node.source_relation.clone());
            by_connection.entry(&stage.node.connection).or_default().push(table);
        }
    }
    let mut sizes = BTreeMap::new();
    for (connection, tables) in by_connection {
        match measure(connections, connection, &tables).await {
            Ok(measured) => {
                let bytes = measured.into_iter().map(|bytes| u64::try_from(bytes).unwrap_or(0));
                sizes.extend(tables.into_iter().map(|(name, _)| name.clone()).zip(bytes));
            }
            Err(error) => tracing::debug!(connection, %error, "the tables could not be measured"),
        }
    }
    sizes
}

async fn measure(
    connections: &Connections,
    connection: &str,
    tables: &[(&NodeName, Relation)],
) -> Result<Vec<i64>, PostgresError> {
    let Some(pool) = connections.sources.get(connection).filter(|_| tables.len() > 1) else { return Ok(Vec::new()) };
    let session = pool.lease("sizes").await?;
    let relations: Vec<Relation> = tables.iter().map(|(_, relation)| relation.clone()).collect();
    extract::sizes(&session, &relations).await
}
