//! The one place that decides whether a step is tried again.
//!
//! A step is one transaction, so an attempt that failed has left nothing behind; one that has, by a hook outside of the
//! transaction or after a commit, is not repeated. A staged table may have several transactions: what is committed is in
//! its batches, so it is begun again and counts on. What may pass by itself is told by the server's SQLSTATE, or by a
//! session that was lost; everything else fails at once. Reading a source is tried again only while its snapshot is open,
//! since all tables of a source show one moment.

use std::time::Duration;

use crate::event::Event;
use crate::execute::failure::StepError;
use crate::execute::step::StepContext;
use crate::plan::Action;

/// How often a step is begun at most.
const ATTEMPTS: u32 = 4;

/// The pause before the second attempt; each later one is three times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Waits for the next attempt, and says so; gives the error back when there is to be none.
pub(super) async fn await_next(
    context: &StepContext,
    action: &Action,
    (attempt, error): (u32, StepError),
) -> Result<(), StepError> {
    if attempt >= ATTEMPTS || context.has_lasted() || !error.is_transient() || !may_repeat(context, action).await {
        give_up(context, action).await;
        return Err(error);
    }
    let pause = FIRST_PAUSE * 3_u32.pow(attempt - 1);
    let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
    context.say(Event::StepRetried { node: context.node.clone(), attempt: attempt + 1, reason, pause });
    tokio::time::sleep(pause).await;
    Ok(())
}

/// A staged table that failed has kept its source's snapshot open for another attempt.
async fn give_up(context: &StepContext, action: &Action) {
    if let Action::Stage(stage) = action {
        context.hands.close_unread(&stage.node.connection).await;
    }
}

async fn may_repeat(context: &StepContext, action: &Action) -> bool {
    match action {
        Action::Stage(stage) => context.hands.rejoin(&stage.node.connection).await,
        Action::Merge(_)
        | Action::Crosswalk(_)
        | Action::Table(_)
        | Action::View(_)
        | Action::MaterializedView(_)
        | Action::Incremental(_)
        | Action::Snapshot(_)
        | Action::Seed(_)
        | Action::Test(_)
        | Action::UnitTest(_) => true,
    }
}
