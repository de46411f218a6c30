//! Tests, run on the target: a data test counts the rows that are wrong and compares the count; a unit test compares rows.

mod diff;
mod unit_test;

use tokio_postgres::Client;

use crate::compile::CompiledSql;
use crate::data_test;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::TestSeverity;
use crate::plan::TestAction;
use crate::postgres::PostgresError;
use crate::state::run::StepStatus;

pub use unit_test::{Difference, unit_test};

/// Why a test could not be run at all, which is not the same as failing.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error("{}", .0.message)]
    Project(Box<Diagnostic>),
}

impl VerifyError {
    /// The server's refusal or a lost connection, if it was that.
    pub fn postgres(&self) -> Option<&PostgresError> {
        let Self::Postgres(error) = self else { return None };
        Some(error)
    }

    /// The project's mistake, if it was that.
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        let Self::Project(error) = self else { return None };
        Some(error)
    }
}

/// What a test found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What `fail_calc` gave: rows, unless it says otherwise.
    pub failures: u64,
    pub should_warn: bool,
    pub should_error: bool,
}

impl Found {
    /// dbt's rule: an error is looked for first, and only where the severity allows one.
    pub fn verdict(self, action: &TestAction) -> StepStatus {
        match action.severity {
            TestSeverity::Error if self.should_error => StepStatus::Fail,
            TestSeverity::Error | TestSeverity::Warn if !self.should_warn => StepStatus::Pass,
            TestSeverity::Error | TestSeverity::Warn if action.warn_error => StepStatus::Fail,
            TestSeverity::Error | TestSeverity::Warn => StepStatus::Warn,
        }
    }
}

/// Counts the rows of `select`: a test's own SELECT, or what was kept of it. Reads only.
pub async fn judge(client: &Client, action: &TestAction, select: &CompiledSql) -> Result<Found, VerifyError> {
    let counting = data_test::judge(select, &action.rules);
    let row = client.query_typed_one(&counting.sql, &[]).await.map_err(|error| {
        let error = PostgresError::server(format!("run {}", action.node), error);
        let Some(server) = error.server_error() else { return VerifyError::Postgres(error) };
        let place = server.position.and_then(|position| counting.locate(position, select));
        let mistake = Diagnostic {
            hint: server.hint.clone(),
            ..Diagnostic::error(Code::SqlError, server.message.clone())
                .at(place.unwrap_or_else(|| action.declared_at.clone()))
        };
        VerifyError::Project(Box::new(mistake))
    })?;
    Ok(Found {
        failures: u64::try_from(row.get::<_, i64>("failures")).unwrap_or(0),
        should_warn: row.get("should_warn"),
        should_error: row.get("should_error"),
    })
}
