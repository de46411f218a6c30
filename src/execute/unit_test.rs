//! A unit test: in a transaction that is rolled back, and nothing in the target is as much as looked at twice.

use crate::event::{Failure, FailureKind, Phase};
use crate::execute::failure::StepError;
use crate::execute::session::Working;
use crate::execute::step::{Done, StepContext};
use crate::plan::UnitTestAction;
use crate::postgres::PostgresError;
use crate::state::run::{self, StepStatus, Tally};
use crate::verify::{self, Difference};

pub(super) async fn unit_test(context: &StepContext, test: &UnitTestAction) -> Result<Done, StepError> {
    let client = Working::lease(&context.hands.target, context).await?;
    context.progress(Phase::Testing, 0);
    let failed = |error| PostgresError::server(format!("run {}", context.node), error);
    client.batch_execute("begin read write").await.map_err(failed)?;
    let difference = verify::unit_test(&client, test, &context.hands.project_root).await?;
    client.batch_execute("rollback").await.map_err(failed)?;
    let status = if difference.is_some() { StepStatus::Fail } else { StepStatus::Pass };
    let failing_rows = u64::from(difference.is_some());
    let failure = difference.map(|difference| failure(test, difference));
    let message = failure.as_ref().map(|failure| failure.message.clone());
    run::record_step(&client, &context.hands.run.id, &context.record(status, Tally::default(), message)).await?;
    client.give_back();
    Ok(Done { status, tally: Tally::default(), layer: None, failing_rows: Some(failing_rows), failure })
}

fn failure(test: &UnitTestAction, difference: Difference) -> Failure {
    let (line, _) = test.node.declared_at.line_column();
    let place = test.node.declared_at.path().display();
    let Difference { missing, unexpected, lines } = difference;
    Failure {
        kind: FailureKind::Refused,
        message: format!("actual rows differ from expected rows: {missing} missing, {unexpected} not expected"),
        causes: lines,
        diagnostic: None,
        hint: Some(format!("declared at {place}:{line}; - is expected, + is what the model gave")),
        parent: None,
    }
}
