//! Compiles a step's SELECT or hook just before it runs, when its template asks the database: its parents are built by then.

use std::sync::Arc;

use tokio_postgres::Client;

use crate::compile::{Asks, CompiledSql, RenderedHook};
use crate::diagnostic::Diagnostics;
use crate::execute::failure::StepError;
use crate::execute::session::Working;
use crate::execute::step::StepContext;
use crate::manifest::Moment;
use crate::manifest::jinja::Session;
use crate::postgres::PostgresError;
use crate::transform::{self, OpenTransaction, TransformError, asking};

/// The SELECT of a node that waited for its parents; nothing of one that did not.
pub(super) async fn select(context: &StepContext) -> Result<Option<CompiledSql>, StepError> {
    let waiting = context.hands.later.as_ref().filter(|later| later.is_waiting(&context.node));
    let Some(later) = waiting else { return Ok(None) };
    let client = Working::lease(&context.hands.target, context).await?;
    let (later, node) = (Arc::clone(later), context.node.clone());
    let compiled = asking(&client, move |server| later.compile(&node, &Session::Live(server))).await;
    let compiled = compiled.map_err(first_mistake)?;
    // What a template began or set is not the next step's: the session ends here, and its locks before the step's.
    client
        .batch_execute("rollback")
        .await
        .map_err(|error| PostgresError::server("end what a template began", error))?;
    Ok(Some(compiled.sql))
}

/// Runs the hooks of one moment on the session of the step, in whose transaction they also ask, and which they may not
/// end.
pub(super) async fn hooks(
    context: &StepContext,
    client: &Client,
    (hooks, moment): (&[RenderedHook], Moment),
) -> Result<(), StepError> {
    let hooks: Vec<&RenderedHook> = hooks.iter().filter(|hook| hook.moment == moment).collect();
    let transaction = match moment {
        Moment::Inside if !hooks.is_empty() => Some(OpenTransaction::of(client).await?),
        Moment::Inside | Moment::Outside => None,
    };
    for hook in hooks {
        match (hook.asks, &context.hands.later_hooks) {
            (Asks::Database, Some(later)) => {
                let (later, node, hook) = (Arc::clone(later), context.node.clone(), hook.clone());
                let rendered = asking(client, move |server| later.render(&node, &hook, Session::Live(server))).await;
                transform::hooks(client, &rendered.map_err(first_mistake)?).await.map_err(TransformError::from)?;
            }
            (Asks::Nothing, _) | (Asks::Database, None) => {
                transform::hooks(client, [hook]).await.map_err(TransformError::from)?;
            }
        }
        if let Some(transaction) = &transaction {
            transaction.outlives(hook, client).await.map_err(TransformError::from)?;
        }
    }
    Ok(())
}

fn first_mistake(Diagnostics(mistakes): Diagnostics) -> StepError {
    let mistake = mistakes.into_iter().next().expect("a template that fails says why");
    StepError::Transform(TransformError::Project(Box::new(mistake)))
}
