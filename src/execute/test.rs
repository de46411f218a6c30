//! A data test: its rows are counted, or first kept in a relation of ours, and the count is judged.

use tokio_postgres::Client;

use crate::data_test;
use crate::event::{Failure, FailureKind, Phase};
use crate::execute::failure::StepError;
use crate::execute::session::Working;
use crate::execute::step::{Done, StepContext};
use crate::execute::transaction::{Transaction, in_transaction};
use crate::manifest::TestSeverity;
use crate::plan::{KeptRows, TestAction};
use crate::state::run::{self, StepStatus, Tally};
use crate::verify::Found;
use crate::{transform, verify};

pub(super) async fn test(context: &StepContext, test: &TestAction) -> Result<Done, StepError> {
    context.progress(Phase::Testing, 0);
    match &test.keep {
        None => count(context, test).await,
        Some(kept) => keep(context, (test, kept)).await,
    }
}

/// Reads only; the end is recorded in a statement of its own.
async fn count(context: &StepContext, test: &TestAction) -> Result<Done, StepError> {
    let client = Working::lease(&context.hands.target, context).await?;
    let done = done(test, verify::judge(&client, test, &test.select).await?);
    let message = done.failure.as_ref().map(|failure| failure.message.clone());
    run::record_step(&client, &context.hands.run.id, &context.record(done.status, Tally::default(), message)).await?;
    client.give_back();
    Ok(done)
}

/// Replaces what an earlier run kept, by what fails now.
async fn keep(context: &StepContext, (test, kept): (&TestAction, &KeptRows)) -> Result<Done, StepError> {
    let work = async |client: &Client| {
        transform::keep_failures(client, (test, kept), |message| context.note(message)).await?;
        Ok(done(test, verify::judge(client, test, &data_test::kept(&kept.relation)).await?))
    };
    in_transaction(context, Transaction::of_ours(&kept.relation, &[]), work).await
}

/// dbt's rule: an error is looked for first, and only where the severity allows one.
fn done(test: &TestAction, found: Found) -> Done {
    let (status, verb, condition) = match test.severity {
        TestSeverity::Error if found.should_error => (StepStatus::Fail, "fail", &test.rules.error_if),
        TestSeverity::Error | TestSeverity::Warn if !found.should_warn => {
            return ended(StepStatus::Pass, 0, None);
        }
        TestSeverity::Error | TestSeverity::Warn if test.warn_error => (StepStatus::Fail, "fail", &test.rules.warn_if),
        TestSeverity::Error | TestSeverity::Warn => (StepStatus::Warn, "warn", &test.rules.warn_if),
    };
    let noun = if found.failures == 1 { "result" } else { "results" };
    let message = format!("Got {} {noun}, configured to {verb} if {condition}", found.failures);
    ended(status, found.failures, Some(failure(test, message)))
}

fn ended(status: StepStatus, failing_rows: u64, failure: Option<Failure>) -> Done {
    Done { status, tally: Tally::default(), layer: None, failing_rows: Some(failing_rows), failure }
}

fn failure(test: &TestAction, message: String) -> Failure {
    let (line, _) = test.declared_at.line_column();
    let place = test.declared_at.path().display();
    let look = match &test.keep {
        Some(kept) => format!("the rows are in {}", kept.relation),
        None => format!("unimig compile --select {} prints its SQL", test.node),
    };
    Failure {
        kind: FailureKind::Refused,
        message,
        causes: Vec::new(),
        diagnostic: None,
        hint: Some(format!("declared at {place}:{line}; {look}")),
        parent: None,
    }
}
