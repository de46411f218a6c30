//! Many statements in one transaction without waiting for each: the server's verdict on every one of them.
//!
//! They are sent at once. When all succeed, which is the rule, that is all; otherwise what was done is undone and they
//! are sent again, each between savepoints, so that one that is refused takes back nothing of the others.

use std::pin::Pin;
use std::task::Poll;

use futures_util::poll;
use tokio_postgres::Client;

use crate::postgres::PostgresError;

/// PostgreSQL's code for a statement in a transaction that has failed already.
const IN_FAILED_TRANSACTION: &str = "25P02";

/// Sends the statements in order, in the open transaction; what succeeds stays done. Gives the refusal of each.
pub async fn fly(client: &Client, statements: &[String]) -> Result<Vec<Option<PostgresError>>, PostgresError> {
    let mut sent = vec!["savepoint unimig_flight".to_owned()];
    sent.extend_from_slice(statements);
    let verdicts = send(client, &sent).await?;
    if verdicts.iter().all(Option::is_none) {
        client.batch_execute("release savepoint unimig_flight").await.map_err(failed)?;
        return Ok(verdicts.into_iter().skip(1).collect());
    }
    fly_apart(client, statements).await
}

/// After the statement a second savepoint of the same name is set, and then rolled back to: if the statement failed,
/// so did the second savepoint, and the first one is meant.
async fn fly_apart(client: &Client, statements: &[String]) -> Result<Vec<Option<PostgresError>>, PostgresError> {
    client.batch_execute("rollback to savepoint unimig_flight").await.map_err(failed)?;
    let mut sent = Vec::with_capacity(statements.len() * 4);
    for statement in statements {
        let apart = ["savepoint one", statement, "savepoint one", "rollback to savepoint one"];
        sent.extend(apart.map(str::to_owned));
    }
    let verdicts = send(client, &sent).await?;
    client.batch_execute("release savepoint unimig_flight").await.map_err(failed)?;
    Ok(verdicts.into_iter().skip(1).step_by(4).collect())
}

/// One answer for each statement; an error that is no verdict on a statement ends it all.
async fn send(client: &Client, statements: &[String]) -> Result<Vec<Option<PostgresError>>, PostgresError> {
    let mut answers = Vec::with_capacity(statements.len());
    for statement in statements {
        // The first poll puts the statement on its way, so they arrive in this order.
        let mut answer: Pin<Box<_>> = Box::pin(client.batch_execute(statement));
        answers.push(match poll!(&mut answer) {
            Poll::Ready(result) => Answer::Here(result),
            Poll::Pending => Answer::Awaited(answer),
        });
    }
    let mut verdicts = Vec::with_capacity(answers.len());
    for answer in answers {
        let result = match answer {
            Answer::Here(result) => result,
            Answer::Awaited(answer) => answer.await,
        };
        verdicts.push(match result.map_err(failed) {
            Ok(()) => None,
            Err(error) if is_verdict(&error) => Some(error),
            Err(error) => return Err(error),
        });
    }
    Ok(verdicts)
}

enum Answer<F> {
    Here(Result<(), tokio_postgres::Error>),
    Awaited(F),
}

/// A full lock table or memory is nobody's mistake; a statement that only follows a failed one is told apart by its
/// code.
fn is_verdict(error: &PostgresError) -> bool {
    error.sqlstate().is_some_and(|code| code == IN_FAILED_TRANSACTION || !code.starts_with("53"))
}

fn failed(error: tokio_postgres::Error) -> PostgresError {
    PostgresError::server("check the models", error)
}
