//! Rows of a merge that its table would refuse: found by the table's rules, told by rule, or set aside.
//!
//! 1. Values that their column's type refuses were taken out when they were staged, and are noted already.
//! 2. The rules are looked at before anything is written where rows may be set aside; where they may not, after the server
//!    refused one, which costs nothing as long as all is well.
//! 3. A row that is taken out may be another's parent, so foreign keys and unique indexes are looked at until none of them
//!    finds more.

use tokio_postgres::Client;

use crate::diagnostic::{Code, Diagnostic};
use crate::ident::NodeName;
use crate::manifest::{BadRows, ModelNode};
use crate::materialize::merge::MergeShape;
use crate::materialize::rules::{self, RuleStatement, TableRules};
use crate::plan::MergeAction;
use crate::postgres::PostgresError;
use crate::state::quarantine;
use crate::transform::{TransformError, given};

/// A rule that rows break.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Broken {
    rule: String,
    columns: String,
    constraint: Option<String>,
    rows: i64,
    keys: Vec<String>,
}

/// Notes every row that breaks a rule of the table, and takes it out of what is written.
pub(super) async fn find(client: &Client, shape: MergeShape<'_>, rules: &TableRules) -> Result<(), PostgresError> {
    let statements = rules::statements(shape, rules);
    let doing = format!("look for rows that {} would refuse", shape.target.relation);
    for statement in &statements.once {
        note(client, statement, &doing).await?;
    }
    take_out(client, &doing).await?;
    loop {
        let mut found = 0;
        for statement in &statements.repeated {
            found += note(client, statement, &doing).await?;
        }
        if found == 0 {
            return Ok(());
        }
        take_out(client, &doing).await?;
    }
}

/// Whether any row was noted.
pub(super) async fn has_any(client: &Client, node: &NodeName) -> Result<bool, PostgresError> {
    let row = client
        .query_typed_one(&rules::count_rows(), &[])
        .await
        .map_err(|error| PostgresError::server(format!("count the bad rows of {node}"), error))?;
    Ok(row.get::<_, i64>(0) > 0)
}

/// A rule's own SQL may fail on a row that breaks another rule; the server is the judge of that one.
async fn note(client: &Client, statement: &RuleStatement, doing: &str) -> Result<u64, PostgresError> {
    let failed = |error| PostgresError::server(doing, error);
    if !statement.is_expression {
        return client.execute_typed(&statement.sql, &[]).await.map_err(failed);
    }
    client.batch_execute("savepoint unimig_rule").await.map_err(failed)?;
    match client.execute_typed(&statement.sql, &[]).await.map_err(failed) {
        Ok(found) => {
            client.batch_execute("release savepoint unimig_rule").await.map_err(failed)?;
            Ok(found)
        }
        Err(error) if given::is_of_data(&error) || is_of_names(&error) => {
            tracing::debug!(%error, "a rule can't be looked at beforehand");
            let undo = "rollback to savepoint unimig_rule;\nrelease savepoint unimig_rule";
            client.batch_execute(undo).await.map_err(failed)?;
            Ok(0)
        }
        Err(error) => Err(error),
    }
}

fn is_of_names(error: &PostgresError) -> bool {
    error.sqlstate().is_some_and(|state| state.starts_with("42"))
}

async fn take_out(client: &Client, doing: &str) -> Result<(), PostgresError> {
    let taken = format!("{};\nupdate pg_temp.unimig_fault set place = null", rules::take_out());
    client.batch_execute(&taken).await.map_err(|error| PostgresError::server(doing, error))
}

/// Keeps what was found, or refuses the model for it; rows that were mended leave the quarantine.
pub(super) async fn settle(
    client: &Client,
    action: &MergeAction,
    (rows, mut note): (u64, impl FnMut(&str)),
) -> Result<(), TransformError> {
    let node = &action.node.name;
    let failed = |error| PostgresError::server(format!("set rows of {node} aside"), error);
    let bad: i64 = client.query_typed_one(&rules::count_rows(), &[]).await.map_err(failed)?.get(0);
    let bad = u64::try_from(bad).unwrap_or(0);
    if bad > 0 {
        match action.config.bad_rows {
            BadRows::Quarantine(limit) if limit.admits(bad, rows) => {
                client.batch_execute(&rules::remember(node)).await.map_err(failed)?;
                let rows = if bad == 1 { "1 row is".to_owned() } else { format!("{bad} rows are") };
                note(&format!("{rows} in quarantine: unimig quarantine show {node}"));
            }
            BadRows::Quarantine(_) | BadRows::Fail => return Err(refuse(client, action, bad).await?),
        }
    }
    quarantine::forget_unseen(client, node).await?;
    Ok(())
}

/// Says of each rule how many rows break it.
async fn refuse(client: &Client, action: &MergeAction, bad: u64) -> Result<TransformError, PostgresError> {
    let rows = client
        .query_typed(&rules::counts(), &[])
        .await
        .map_err(|error| PostgresError::server(format!("count the bad rows of {}", action.node.name), error))?;
    let broken: Vec<Broken> = rows
        .iter()
        .map(|row| Broken {
            rule: row.get(0),
            columns: row.get(1),
            constraint: row.get(2),
            rows: row.get(3),
            keys: row.get(4),
        })
        .collect();
    Ok(TransformError::Project(Box::new(mistake(action, &action.node, (bad, &broken)))))
}

fn mistake(action: &MergeAction, node: &ModelNode, (bad, broken): (u64, &[Broken])) -> Diagnostic {
    let target = &action.target.relation;
    let rules: Vec<String> = broken.iter().map(|broken| format!("{}: {}", sentence(broken), broken.rows)).collect();
    let (rows, would) = if bad == 1 { ("row", "it breaks") } else { ("rows", "they break") };
    let message =
        format!("{target} would refuse {bad} {rows} of model \"{}\": {would} {}", node.model, rules.join(", "));
    // Keys stand beside the caret, for the person at the terminal: history and artifacts keep the message alone.
    let keys: Vec<String> =
        broken.iter().map(|broken| format!("{}: {}", sentence(broken), broken.keys.join(" "))).collect();
    let hint = match action.config.bad_rows {
        BadRows::Fail => "mend the values, or set such rows aside with config(on_bad_rows='quarantine')",
        BadRows::Quarantine(_) => "mend the values, or raise the limits under quarantine",
    };
    Diagnostic::error(Code::BadRows, message).at(node.configured_at.clone()).label(keys.join("; ")).hint(hint)
}

/// `check "positive" (price)`, `not null of code`.
fn sentence(broken: &Broken) -> String {
    let rule = match broken.rule.as_str() {
        "not_null" => "not null",
        "foreign_key" => "foreign key",
        "label" => "the enum's labels",
        other => other,
    };
    match &broken.constraint {
        Some(constraint) => format!("{rule} \"{constraint}\" ({})", broken.columns),
        None => format!("{rule} of \"{}\"", broken.columns),
    }
}
