//! Compiles a step's SELECT just before it runs, when its template asks the database: its parents are built by then.

use std::sync::Arc;

use crate::compile::CompiledSql;
use crate::diagnostic::Diagnostics;
use crate::execute::failure::StepError;
use crate::execute::session::Working;
use crate::execute::step::StepContext;
use crate::manifest::jinja::Session;
use crate::postgres::PostgresError;
use crate::transform::{TransformError, asking};

/// The SELECT of a node that waited for its parents; nothing of one that did not.
pub(super) async fn select(context: &StepContext) -> Result<Option<CompiledSql>, StepError> {
    let waiting = context.hands.later.as_ref().filter(|later| later.is_waiting(&context.node));
    let Some(later) = waiting else { return Ok(None) };
    let client = Working::lease(&context.hands.target, context).await?;
    let (later, node) = (Arc::clone(later), context.node.clone());
    let compiled = asking(&client, move |server| later.compile(&node, &Session::Live(server))).await;
    let compiled = compiled.map_err(first_mistake)?;
    // What a template began and did not end is not the next step's.
    client
        .batch_execute("rollback")
        .await
        .map_err(|error| PostgresError::server("end what a template began", error))?;
    client.give_back();
    Ok(Some(compiled.sql))
}

fn first_mistake(Diagnostics(mistakes): Diagnostics) -> StepError {
    let mistake = mistakes.into_iter().next().expect("a template that fails says why");
    StepError::Transform(TransformError::Project(Box::new(mistake)))
}
