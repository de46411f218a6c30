//! Rows that the application inserted, and columns that it edited after they were written: left alone, written over or
//! refused, as the model says.

use tokio_postgres::Client;

use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::{Foreign, OnConflict};
use crate::materialize::edits::{self, EditStatements};
use crate::plan::MergeAction;
use crate::postgres::PostgresError;
use crate::transform::TransformError;

/// Edits of one column, or of whole rows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edited {
    /// None: rows that were deleted.
    column: Option<String>,
    edits: i64,
    keys: Vec<String>,
}

/// Takes out of what is written what the model leaves to the application; `note` hears of it.
pub(super) async fn settle(
    client: &Client,
    action: &MergeAction,
    (statements, note): (&EditStatements, &mut impl FnMut(&str)),
) -> Result<(), TransformError> {
    let (node, target) = (&action.node.name, &action.target.relation);
    let failed = |error| PostgresError::server(format!("look whose rows of {target} differ"), error);
    match action.config.foreign {
        Foreign::Adopt => {
            client.execute_typed(&statements.adopt, &[]).await.map_err(failed)?;
        }
        Foreign::Leave => {
            let left = client.execute_typed(&statements.set_foreign_aside, &[]).await.map_err(failed)?;
            if left > 0 {
                let (rows, are) = if left == 1 { ("row", "is") } else { ("rows", "are") };
                note(&format!(
                    "{left} {rows} of {target} that {node} did not insert would differ, and {are} left alone: adopt: true \
                     takes such rows over"
                ));
            }
        }
    }
    client.batch_execute(&statements.find_edits).await.map_err(failed)?;
    let found = client.query_typed(&statements.counts, &[]).await.map_err(failed)?;
    let rows: i64 = found.first().map_or(0, |row| row.get("all_rows"));
    let edited: Vec<Edited> = found
        .iter()
        .map(|row| Edited { column: row.get("column_name"), edits: row.get("edits"), keys: row.get("some_keys") })
        .collect();
    if rows > 0 {
        match action.config.on_conflict {
            OnConflict::Fail => return Err(TransformError::Project(Box::new(mistake(action, rows, &edited)))),
            OnConflict::Ours => {
                client.batch_execute(&edits::remember(node, "ours")).await.map_err(failed)?;
                note(&format!("{} written over: see unimig.conflict", sentence(action, rows, &edited)));
            }
            OnConflict::Theirs => {
                client.batch_execute(&edits::remember(node, "theirs")).await.map_err(failed)?;
                note(&format!("{} left as they are: see unimig.conflict", sentence(action, rows, &edited)));
            }
        }
    }
    if action.config.on_conflict == OnConflict::Theirs {
        client.batch_execute(&statements.keep_theirs).await.map_err(failed)?;
    }
    client.batch_execute(&edits::forget(node)).await.map_err(failed)?;
    Ok(())
}

fn sentence(action: &MergeAction, rows: i64, edited: &[Edited]) -> String {
    let target = &action.target.relation;
    let counts: Vec<String> = edited
        .iter()
        .map(|edited| match &edited.column {
            Some(column) => format!("\"{column}\": {}", edited.edits),
            None => format!("deleted: {}", edited.edits),
        })
        .collect();
    let (rows, were) = if rows == 1 { ("1 row".to_owned(), "was") } else { (format!("{rows} rows"), "were") };
    format!("{rows} of {target} {were} edited after {} wrote them ({}),", action.node.name, counts.join(", "))
}

fn mistake(action: &MergeAction, rows: i64, edited: &[Edited]) -> Diagnostic {
    let message = sentence(action, rows, edited);
    // Keys stand beside the caret, for the person at the terminal: history and artifacts keep the message alone.
    let keys: Vec<String> = edited
        .iter()
        .map(|edited| format!("{}: {}", edited.column.as_deref().unwrap_or("deleted"), edited.keys.join(" ")))
        .collect();
    Diagnostic::error(Code::EditedInTarget, message.trim_end_matches(','))
        .at(action.node.configured_at.clone())
        .label(keys.join("; "))
        .hint("say whose values count: config(on_conflict='ours') writes over edits, 'theirs' leaves them")
}
