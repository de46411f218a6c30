//! Unit tests, carried out on their literal rows with the columns that the models' shells have.
//!
//! Whether the rows are the expected ones is left to `unimig test`; what can't be carried out at all is a mistake.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use crate::data_test::unit_test::TypedColumn;
use crate::diagnostic::{Code, Diagnostic};
use crate::ident::NodeName;
use crate::manifest::UnitTestNode;
use crate::materialize::stage::StagedColumn;
use crate::ops::check::waves::Findings;
use crate::ops::check::{Subject, Verdict};
use crate::plan::{self, UnitTestAction};
use crate::postgres::PostgresError;
use crate::verify::{self, VerifyError};

/// What the waves found of each node.
type Known = BTreeMap<NodeName, (Verdict, Vec<TypedColumn>)>;

/// Looks at every unit test of the subject. The transaction is open.
pub(super) async fn look(client: &Client, subject: &Subject<'_>, findings: &mut Findings) -> Result<(), PostgresError> {
    let tests = &subject.workspace.manifest.unit_tests;
    if !findings.nodes.iter().any(|node| tests.contains_key(&node.name)) {
        return Ok(());
    }
    let known: Known = findings
        .nodes
        .iter()
        .map(|node| (node.name.clone(), (node.verdict.clone(), node.columns.iter().map(typed).collect())))
        .collect();
    for node in findings.nodes.iter_mut().filter(|node| node.verdict == Verdict::Sound) {
        let Some(test) = tests.get(&node.name) else { continue };
        if let Some(parent) = unsound(&known, test) {
            node.verdict = Verdict::NotChecked { because: format!("{parent} has a mistake") };
            continue;
        }
        let action = action(subject, (test, &known));
        match carry_out(client, subject, &action).await? {
            None => {}
            Some(mistake) if mistake.code == Code::UnknownColumns => {
                node.verdict = Verdict::NotChecked { because: mistake.message };
            }
            Some(mistake) => {
                findings.mistakes.push(*mistake);
                node.verdict = Verdict::Broken;
            }
        }
    }
    Ok(())
}

fn typed(column: &StagedColumn) -> TypedColumn {
    TypedColumn { name: column.name.clone(), data_type: column.data_type.clone() }
}

/// What the test reads and the server refuses.
fn unsound<'t>(known: &Known, test: &'t UnitTestNode) -> Option<&'t NodeName> {
    let mut read = test.given.iter().map(|given| &given.input).chain([&test.model]);
    read.find(|name| known.get(*name).is_some_and(|(verdict, _)| *verdict != Verdict::Sound))
}

fn action(subject: &Subject<'_>, (test, known): (&UnitTestNode, &Known)) -> UnitTestAction {
    let mut action = plan::unit_test((&subject.workspace.manifest, &subject.compiled.compiled), test);
    for (input, given) in action.inputs.iter_mut().zip(&test.given) {
        if let Some((_, columns)) = known.get(&given.input) {
            input.known.clone_from(columns);
        }
    }
    action
}

/// Runs the test in a part of the transaction that is rolled back.
async fn carry_out(
    client: &Client,
    subject: &Subject<'_>,
    action: &UnitTestAction,
) -> Result<Option<Box<Diagnostic>>, PostgresError> {
    let failed = |error| PostgresError::server("check the unit tests", error);
    client.batch_execute("savepoint unimig_unit_test").await.map_err(failed)?;
    let outcome = verify::unit_test(client, action, &subject.workspace.project.root).await;
    let end = "rollback to savepoint unimig_unit_test;\nrelease savepoint unimig_unit_test";
    client.batch_execute(end).await.map_err(failed)?;
    match outcome {
        Ok(_) => Ok(None),
        Err(VerifyError::Project(mistake)) => Ok(Some(mistake)),
        Err(VerifyError::Postgres(error)) => Err(error),
    }
}
