//! What each kind of action does in its transaction.

use tokio_postgres::Client;

use crate::event::Phase;
use crate::execute::failure::StepError;
use crate::execute::step::{Done, StepContext};
use crate::execute::transaction::{Transaction, in_bare_transaction, in_transaction};
use crate::execute::{stage, test, unit_test};
use crate::plan::{Action, CrosswalkAction, MaterializedViewAction, MergeAction, SelectAction};
use crate::state::run::{StepStatus, Tally};
use crate::transform::{self, ViewChange};

/// Carries the action out.
pub(super) async fn work(context: &StepContext, action: &Action) -> Result<Done, StepError> {
    match action {
        Action::Stage(stage) => stage::stage(context, stage).await,
        Action::Crosswalk(action) => crosswalk(context, action).await,
        Action::Merge(action) => merge(context, action).await,
        Action::Table(select) => {
            let built = async |client: &Client| {
                let note = |message: &str| context.note(message);
                Ok(Done::wrote(transform::table(client, select, note).await?.unwrap_or_default()))
            };
            in_transaction(context, Transaction::of_ours(&select.node.relation, &select.staged_parents), built).await
        }
        Action::View(select) => view(context, select).await,
        Action::MaterializedView(view) => materialized_view(context, view).await,
        Action::Incremental(incremental) => {
            let added = async |client: &Client| {
                let note = |message: &str| context.note(message);
                Ok(Done::wrote(transform::incremental(client, incremental, note).await?.unwrap_or_default()))
            };
            let relation = &incremental.node.relation;
            in_transaction(context, Transaction::of_ours(relation, &incremental.staged_parents), added).await
        }
        Action::Snapshot(snapshot) => {
            let kept = async |client: &Client| {
                let note = |message: &str| context.note(message);
                Ok(Done::wrote(transform::snapshot(client, snapshot, note).await?.unwrap_or_default()))
            };
            let relation = &snapshot.node.relation;
            in_transaction(context, Transaction::of_ours(relation, &snapshot.staged_parents), kept).await
        }
        Action::Seed(seed) => {
            let loaded = async |client: &Client| {
                let (root, note) = (&context.hands.project_root, |message: &str| context.note(message));
                Ok(Done::wrote(transform::seed(client, seed, root, note).await?.unwrap_or_default()))
            };
            in_transaction(context, Transaction::of_ours(&seed.node.relation, &[]), loaded).await
        }
        Action::Test(test) => test::test(context, test).await,
        Action::UnitTest(test) => unit_test::unit_test(context, test).await,
    }
}

async fn crosswalk(context: &StepContext, action: &CrosswalkAction) -> Result<Done, StepError> {
    let given = async |client: &Client| {
        let note = |message: &str| context.note(message);
        Ok(Done::wrote(transform::crosswalk(client, action, note).await?))
    };
    in_transaction(context, Transaction::of_ours(&action.node.relation, &action.staged_parents), given).await
}

async fn merge(context: &StepContext, merge: &MergeAction) -> Result<Done, StepError> {
    let transaction = Transaction::of_others(&merge.target.relation, &merge.staged_parents);
    let merged = async |client: &Client| {
        let progress = |rows| context.progress(Phase::Merging, rows);
        let note = |message: &str| context.note(message);
        Ok(Done::wrote(transform::merge(client, merge, progress, note).await?))
    };
    let done = in_transaction(context, transaction, merged).await?;
    for open in &merge.again {
        close(context, open).await?;
    }
    Ok(done)
}

/// Sets references of another model that waited for the rows of this one.
async fn close(context: &StepContext, open: &MergeAction) -> Result<(), StepError> {
    let closed = async |client: &Client| {
        let note = |message: &str| context.note(&format!("{}: {message}", open.node.name));
        Ok(transform::merge(client, open, |_| {}, note).await?)
    };
    let tally = in_bare_transaction(context, &open.target.relation, closed).await?;
    if !tally.is_zero() {
        let node = &open.node.name;
        context.note(&format!(
            "{} rows of {node} were left without a reference to this one, and have it now",
            tally.updated
        ));
    }
    Ok(())
}

async fn view(context: &StepContext, select: &SelectAction) -> Result<Done, StepError> {
    let created = async |client: &Client| {
        let note = |message: &str| context.note(message);
        Ok(changed(transform::view(client, select, note).await?))
    };
    in_transaction(context, Transaction::of_ours(&select.node.relation, &select.staged_parents), created).await
}

async fn materialized_view(context: &StepContext, view: &MaterializedViewAction) -> Result<Done, StepError> {
    let refreshed = async |client: &Client| {
        let note = |message: &str| context.note(message);
        Ok(changed(transform::materialized_view(client, view, note).await?))
    };
    in_transaction(context, Transaction::of_ours(&view.node.relation, &view.staged_parents), refreshed).await
}

fn changed(change: ViewChange) -> Done {
    let status = match change {
        ViewChange::Replaced => StepStatus::Success,
        ViewChange::Same => StepStatus::Unchanged,
    };
    Done { status, ..Done::wrote(Tally::default()) }
}
