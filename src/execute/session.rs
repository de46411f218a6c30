//! A step's hold on a pooled session: given back when the work is done, closed in every other case.

use std::ops::Deref;

use tokio_postgres::Client;

use crate::event::Event;
use crate::execute::failure::StepError;
use crate::execute::step::StepContext;
use crate::ident::Relation;
use crate::postgres::{Lease, Pool, PostgresError};
use crate::state::lock::{self, Scope};

/// A session in use. Dropping it closes the connection, so that the server rolls back and unlocks whatever was open.
pub(super) struct Working(Option<Lease>);

impl Working {
    pub(super) async fn lease(pool: &Pool, context: &StepContext) -> Result<Self, PostgresError> {
        let lease = pool.lease(context.node.as_str()).await?;
        context.remember(lease.canceller());
        Ok(Self(Some(lease)))
    }

    /// A session that nobody waits for, if there is one.
    pub(super) async fn lease_if_free(pool: &Pool, context: &StepContext) -> Result<Option<Self>, PostgresError> {
        let Some(lease) = pool.lease_if_free(context.node.as_str()).await? else { return Ok(None) };
        context.remember(lease.canceller());
        Ok(Some(Self(Some(lease))))
    }

    /// The session has neither a transaction nor a lock open.
    pub(super) fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(lease) = self.0.take() {
            lease.discard();
        }
    }
}

impl Deref for Working {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.0.as_ref().expect("a session in use is there until it is given back")
    }
}

/// Takes the lock on a target, telling who holds it and waiting as long as the run allows.
pub(super) async fn lock_target(
    client: &Client,
    target: &Relation,
    scope: Scope,
    context: &StepContext,
) -> Result<(), StepError> {
    let Some(holder) = lock::try_acquire(client, target, scope).await? else { return Ok(()) };
    let limit = context.hands.lock_wait;
    if !limit.is_zero() {
        context.say(Event::LockAwaited { node: context.node.clone(), holder: holder.to_string(), limit });
        if lock::wait(client, target, scope, limit).await? {
            return Ok(());
        }
    }
    Err(StepError::Locked { target: target.to_string(), holder: holder.to_string() })
}
