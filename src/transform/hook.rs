//! A hook: statements of the project around a build, or around a whole run.

use tokio_postgres::Client;

use crate::compile::RenderedHook;
use crate::diagnostic::{Code, Diagnostic};
use crate::postgres::PostgresError;
use crate::transform::TransformError;

/// Why a hook could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The hook is at fault.
    #[error("{}", .0.message)]
    Project(Box<Diagnostic>),
}

impl From<HookError> for TransformError {
    fn from(error: HookError) -> Self {
        match error {
            HookError::Postgres(error) => Self::Postgres(error),
            HookError::Project(mistake) => Self::Project(mistake),
        }
    }
}

/// A transaction, told from others of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTransaction {
    began_at: String,
}

impl OpenTransaction {
    pub async fn of(client: &Client) -> Result<Self, PostgresError> {
        let row = client
            .query_typed_one("select transaction_timestamp()::text", &[])
            .await
            .map_err(|error| PostgresError::server("look at the open transaction", error))?;
        Ok(Self { began_at: row.get(0) })
    }

    /// Refuses a hook that ended the transaction: what follows would be committed statement by statement.
    pub async fn outlives(&self, hook: &RenderedHook, client: &Client) -> Result<(), HookError> {
        if *self == Self::of(client).await? {
            return Ok(());
        }
        let message = "this hook ended the transaction of its build";
        let mistake = Diagnostic::error(Code::SqlError, message).at(hook.declared_at.clone()).hint(
            "leave out its commit or rollback, or let it run outside: {sql: \"…\", transaction: false}; look at what it \
             committed, which stays",
        );
        Err(HookError::Project(Box::new(mistake)))
    }
}

/// Runs the hooks in order; what the server refuses is shown where the hook is declared.
pub async fn hooks<'h>(client: &Client, hooks: impl IntoIterator<Item = &'h RenderedHook>) -> Result<(), HookError> {
    for hook in hooks {
        client.batch_execute(&hook.sql).await.map_err(|error| {
            let error = PostgresError::server("run a hook", error);
            match error.server_error() {
                // A failure that another attempt may not meet is told as what it is.
                Some(server) if !error.is_transient() => {
                    let mistake = Diagnostic::error(Code::SqlError, format!("hook: {}", server.message))
                        .at(hook.declared_at.clone());
                    let mistake = match &server.hint {
                        Some(hint) => mistake.hint(hint.clone()),
                        None => mistake.hint("the statement of this hook was refused"),
                    };
                    HookError::Project(Box::new(mistake))
                }
                Some(_) | None => HookError::Postgres(error),
            }
        })?;
    }
    Ok(())
}
