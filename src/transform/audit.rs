//! Failing rows of a data test, kept in a table or view of ours that each run replaces.

use tokio_postgres::Client;

use crate::manifest::Upkeep;
use crate::materialize;
use crate::plan::{KeptAs, KeptRows, TestAction};
use crate::postgres::PostgresError;
use crate::transform::relation::{keep_built, replace_view};
use crate::transform::subject::Subject;
use crate::transform::{TransformError, located};

/// Keeps what the test's SELECT returns; a table that holds these rows already is left alone.
pub async fn keep_failures(
    client: &Client,
    (test, kept): (&TestAction, &KeptRows),
    note: impl FnMut(&str),
) -> Result<(), TransformError> {
    let upkeep = Upkeep::default();
    let subject = Subject {
        node: &test.node,
        relation: &kept.relation,
        declared_at: &test.declared_at,
        upkeep: &upkeep,
        description: "",
        columns: &[],
        contract: None,
    };
    match kept.kept_as {
        KeptAs::Table => {
            let build = materialize::table::build(&test.select);
            client.execute_typed(&build.sql, &[]).await.map_err(|error| {
                located(PostgresError::server(format!("run {}", test.node), error), &build, &test.select)
            })?;
            keep_built(client, subject, note).await?;
        }
        KeptAs::View => {
            replace_view(client, (subject, &test.select), note).await?;
        }
    }
    Ok(())
}
