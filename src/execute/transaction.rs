//! The one transaction of a step that writes the target: its lock, its hooks, and what is remembered of it.

use tokio_postgres::Client;

use crate::compile::RenderedHooks;
use crate::execute::failure::StepError;
use crate::execute::introspect;
use crate::execute::session::{Working, lock_target};
use crate::execute::step::{Done, StepContext};
use crate::ident::{NodeName, Relation};
use crate::manifest::Moment;
use crate::postgres::PostgresError;
use crate::state::batch;
use crate::state::lock::{self, Scope};
use crate::state::run;

/// What a step's transaction is about.
#[derive(Clone, Copy)]
pub(super) struct Transaction<'a> {
    target: &'a Relation,
    staged_parents: &'a [NodeName],
    /// Whether the relation is ours, and so its schema may be.
    makes_schema: bool,
}

impl<'a> Transaction<'a> {
    /// On a relation that unimig makes itself.
    pub(super) fn of_ours(target: &'a Relation, staged_parents: &'a [NodeName]) -> Self {
        Self { target, staged_parents, makes_schema: true }
    }

    /// On a table that the application made.
    pub(super) fn of_others(target: &'a Relation, staged_parents: &'a [NodeName]) -> Self {
        Self { target, staged_parents, makes_schema: false }
    }
}

/// Does the work, and writes what is to be remembered of it, in one transaction that holds the target's lock.
pub(super) async fn in_transaction(
    context: &StepContext,
    transaction: Transaction<'_>,
    work: impl AsyncFnOnce(&Client) -> Result<Done, StepError>,
) -> Result<Done, StepError> {
    let client = Working::lease(&context.hands.target, context).await?;
    let failed = |error| PostgresError::server(format!("run the transaction of {}", context.node), error);
    if transaction.makes_schema {
        context.hands.ensure_schema(&client, &transaction.target.schema).await?;
    }
    // The lock comes first: the transaction's one snapshot must not be older than what its holder leaves behind. One
    // snapshot for all statements means that a row which others insert meanwhile is refused, never taken for ours.
    lock_target(&client, transaction.target, Scope::Session, context).await?;
    let none = RenderedHooks::default();
    let hooks = context.hands.hooks.get(&context.node).unwrap_or(&none);
    if hooks.before.iter().any(|hook| hook.moment == Moment::Outside) {
        context.lasts();
    }
    introspect::hooks(context, &client, (&hooks.before, Moment::Outside)).await?;
    client.batch_execute("begin isolation level repeatable read read write").await.map_err(failed)?;
    let done = inside(context, &client, (transaction, hooks), work).await?;
    commit(context, &client).await?;
    introspect::hooks(context, &client, (&hooks.after, Moment::Outside)).await?;
    let released = lock::release(&client, transaction.target).await.is_ok();
    // What a hook set in its session is not the next step's; a lock that could not be let go ends with its session.
    if released && hooks.before.is_empty() && hooks.after.is_empty() {
        client.give_back();
    }
    Ok(done)
}

/// The same for a target that is not the step's own: without hooks, and nothing is remembered of it.
pub(super) async fn in_bare_transaction<T>(
    context: &StepContext,
    target: &Relation,
    work: impl AsyncFnOnce(&Client) -> Result<T, StepError>,
) -> Result<T, StepError> {
    let client = Working::lease(&context.hands.target, context).await?;
    let failed = |error| PostgresError::server(format!("run a transaction on {target}"), error);
    lock_target(&client, target, Scope::Session, context).await?;
    client.batch_execute("begin isolation level repeatable read read write").await.map_err(failed)?;
    let done = work(&client).await?;
    commit(context, &client).await?;
    if lock::release(&client, target).await.is_ok() {
        client.give_back();
    }
    Ok(done)
}

/// From the first hook of the open transaction to the last row that it records.
async fn inside(
    context: &StepContext,
    client: &Client,
    (transaction, hooks): (Transaction<'_>, &RenderedHooks),
    work: impl AsyncFnOnce(&Client) -> Result<Done, StepError>,
) -> Result<Done, StepError> {
    introspect::hooks(context, client, (&hooks.before, Moment::Inside)).await?;
    let parents: Vec<&str> = transaction.staged_parents.iter().map(NodeName::as_str).collect();
    let seen = batch::last_batch_ids(client, &parents).await?;
    let done = work(client).await?;
    introspect::hooks(context, client, (&hooks.after, Moment::Inside)).await?;
    batch::record_consumed(client, &context.node, &seen).await?;
    run::record_step(client, &context.hands.run.id, &context.record(done.status, done.tally, None)).await?;
    Ok(done)
}

/// Only a server that says no is sure not to have committed.
async fn commit(context: &StepContext, client: &Client) -> Result<(), PostgresError> {
    let committed = client
        .batch_execute("commit")
        .await
        .map_err(|error| PostgresError::server(format!("run the transaction of {}", context.node), error));
    match &committed {
        Err(PostgresError::Server { .. }) => {}
        Ok(()) | Err(_) => context.lasts(),
    }
    committed
}
