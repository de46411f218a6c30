//! Data tests, run on the target: each counts the rows that are wrong.

use tokio_postgres::Client;

use crate::data_test;
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::TestAction;
use crate::postgres::PostgresError;

/// Why a test could not be run at all, which is not the same as failing.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error("{}", .0.message)]
    Project(Box<Diagnostic>),
}

/// Counts a test's failing rows. Reads only.
pub async fn count_failing_rows(client: &Client, action: &TestAction) -> Result<u64, VerifyError> {
    let counting = data_test::count(&action.select);
    let row = client.query_typed_one(&counting.sql, &[]).await.map_err(|error| {
        let error = PostgresError::server(format!("run {}", action.node), error);
        let Some(server) = error.server_error() else { return VerifyError::Postgres(error) };
        let place = server.position.and_then(|position| counting.locate(position, &action.select));
        let mistake = Diagnostic {
            hint: server.hint.clone(),
            ..Diagnostic::error(Code::SqlError, server.message.clone())
                .at(place.unwrap_or_else(|| action.declared_at.clone()))
        };
        VerifyError::Project(Box::new(mistake))
    })?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}
