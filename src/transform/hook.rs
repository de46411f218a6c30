//! A hook: statements of the project around a build, or around a whole run.

use tokio_postgres::Client;

use crate::compile::RenderedHook;
use crate::diagnostic::{Code, Diagnostic};
use crate::postgres::PostgresError;
use crate::transform::TransformError;

/// Runs the hooks in order; what the server refuses is shown where the hook is declared.
pub async fn hooks<'h>(
    client: &Client,
    hooks: impl IntoIterator<Item = &'h RenderedHook>,
) -> Result<(), TransformError> {
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
                    TransformError::Project(Box::new(mistake))
                }
                Some(_) | None => TransformError::Postgres(error),
            }
        })?;
    }
    Ok(())
}
