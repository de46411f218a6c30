//! Ids that were given elsewhere, taken into a crosswalk: all of them, or none where one contradicts.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::{failed, finish, tables};
use crate::materialize::crosswalk::TypedMember;
use crate::materialize::crosswalk_import::{ImportStatements, statements};
use crate::plan::CrosswalkAction;
use crate::postgres::PostgresError;
use crate::transform::TransformError;

/// Rows that go to the server at once.
const AT_ONCE: usize = 50_000;

/// A line of a file: a key of a member and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedId {
    pub line: u64,
    /// A text for each column of the key.
    pub key: Vec<String>,
    pub target_id: String,
}

/// Whether two keys of one member may share an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    Refused,
    Allowed,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportMistake {
    pub line: u64,
    pub message: &'static str,
    pub hint: &'static str,
}

/// How many keys are new; or the mistakes, and then nothing may be committed.
pub async fn import_ids(
    client: &Client,
    action: &CrosswalkAction,
    (rows, sharing): (&BTreeMap<String, Vec<ImportedId>>, Sharing),
) -> Result<Result<u64, Vec<ImportMistake>>, TransformError> {
    let members = tables::prepare(client, action).await?;
    let (mut inserted, mut mistakes) = (0, Vec::new());
    for member in &members {
        let Some(rows) = rows.get(&member.node.name) else { continue };
        match of_member(client, (action, member), (rows, sharing)).await? {
            Ok(new) => inserted += new,
            Err(found) => mistakes.extend(found),
        }
    }
    if !mistakes.is_empty() {
        mistakes.sort_by_key(|mistake| mistake.line);
        return Ok(Err(mistakes));
    }
    finish(client, action, &members).await?;
    Ok(Ok(inserted))
}

async fn of_member(
    client: &Client,
    (action, member): (&CrosswalkAction, &TypedMember<'_>),
    (rows, sharing): (&[ImportedId], Sharing),
) -> Result<Result<u64, Vec<ImportMistake>>, TransformError> {
    let statements = statements(member);
    let run = async |statement: &str| client.batch_execute(statement).await.map_err(|error| failed(action, error));
    run("savepoint unimig_import").await?;
    run(&statements.create_raw).await?;
    for some in rows.chunks(AT_ONCE) {
        fill(client, (action, &statements), some).await?;
    }
    let found = wrong_lines(client, (action, &statements), sharing).await?;
    if !found.is_empty() {
        run("rollback to savepoint unimig_import").await?;
        return Ok(Err(found));
    }
    let inserted = client.execute_typed(&statements.keep, &[]).await.map_err(|error| failed(action, error))?;
    run(&statements.drop).await?;
    Ok(Ok(inserted))
}

async fn fill(
    client: &Client,
    (action, statements): (&CrosswalkAction, &ImportStatements),
    rows: &[ImportedId],
) -> Result<(), PostgresError> {
    let lines: Vec<i64> = rows.iter().map(|row| i64::try_from(row.line).unwrap_or(i64::MAX)).collect();
    let width = rows.first().map_or(0, |row| row.key.len());
    let keys: Vec<Vec<&str>> = (0..width).map(|at| rows.iter().map(|row| row.key[at].as_str()).collect()).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row.target_id.as_str()).collect();
    let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&lines, Type::INT8_ARRAY)];
    parameters.extend(keys.iter().map(|key| (key as &(dyn ToSql + Sync), Type::TEXT_ARRAY)));
    parameters.push((&ids, Type::TEXT_ARRAY));
    client.execute_typed(&statements.fill_raw, &parameters).await.map_err(|error| failed(action, error))?;
    Ok(())
}

async fn wrong_lines(
    client: &Client,
    (action, statements): (&CrosswalkAction, &ImportStatements),
    sharing: Sharing,
) -> Result<Vec<ImportMistake>, TransformError> {
    let lines = async |statement: &str| -> Result<Vec<u64>, PostgresError> {
        let rows = client.query_typed(statement, &[]).await.map_err(|error| failed(action, error))?;
        Ok(rows.iter().map(|row| u64::try_from(row.get::<_, i64>(0)).unwrap_or_default()).collect())
    };
    let run = async |statement: &str| client.batch_execute(statement).await.map_err(|error| failed(action, error));
    let mistakes = |lines: Vec<u64>, message: &'static str, hint: &'static str| {
        lines.into_iter().map(move |line| ImportMistake { line, message, hint }).collect::<Vec<_>>()
    };
    run("savepoint unimig_typed").await?;
    if let Err(refused) = run(&statements.create_typed).await {
        run("rollback to savepoint unimig_typed").await?;
        run(&statements.create_fits).await?;
        let unfit = lines(&statements.unfit).await?;
        if unfit.is_empty() {
            return Err(refused.into());
        }
        let hint = "the key must be of the member's type, and the id of the target column's";
        return Ok(mistakes(unfit, "a value is not of its column's type", hint));
    }
    let mut found =
        mistakes(lines(&statements.twice).await?, "the key has another id in an earlier line", "a key has one id");
    found.extend(mistakes(
        lines(&statements.contradicted).await?,
        "the key has another id already",
        "ids that are recorded are never changed: take the line out",
    ));
    if sharing == Sharing::Refused {
        found.extend(mistakes(
            lines(&statements.shared).await?,
            "another key of the member has the id",
            "if both rows are one thing, import with --merged",
        ));
    }
    found.dedup_by_key(|mistake| mistake.line);
    Ok(found)
}
