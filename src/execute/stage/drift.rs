//! The source as it is held against the source as it was, and what the project says of the difference.

use tokio_postgres::Client;

use super::{Column, Reading};
use crate::diagnostic::{Code, Diagnostic};
use crate::execute::failure::StepError;
use crate::extract::{self, Change, ExtractError, SourceColumn};
use crate::ident::{Ident, NodeName};
use crate::load::{self, LoadError};
use crate::manifest::{DriftPolicy, OnAdded, OnChange, OnTables, StageNode};
use crate::materialize::stage::StagedColumn;
use crate::plan::SourceSurroundings;
use crate::state::source::{self, SeenColumn};

/// What a look at the source's catalog gave.
pub(super) struct Looked {
    /// Columns that the project does not want in the copy.
    pub(super) left_out: Vec<Ident>,
    /// Whether rows may differ from the copy without telling.
    pub(super) touches_old_rows: bool,
    /// What is to be remembered, if it is not what was.
    pub(super) seen: Option<Vec<SeenColumn>>,
}

/// Tells what changed; what the project does not take stops the process before anything is read.
pub(super) async fn look(
    reading: Reading<'_>,
    source: &Client,
    (found, columns): (&[SourceColumn], &[Column]),
) -> Result<Looked, StepError> {
    look_at_tables(reading, source).await?;
    let (context, node) = (reading.context, &reading.action.node);
    let remembered = source::seen_columns(reading.target, &node.name).await?;
    let seen: Vec<SeenColumn> = found.iter().map(SourceColumn::seen).collect();
    let changes = extract::changes(&remembered, &seen);
    let (left_out, refused_columns) = new_columns(reading, found);
    let is_accepted = context.hands.reads.accept_drift;
    let is_refused = |change: &&Change| !is_accepted && answer(node.drift, change) == OnChange::Fail;
    let mut refused: Vec<&Change> = changes.iter().filter(is_refused).collect();
    refused.extend(&refused_columns);
    let is_retyped = |change: &&Change| matches!(change, Change::Retyped { .. });
    if !refused.iter().all(is_retyped) {
        return Err(stopped(reading, &refused));
    }
    let staged: Vec<StagedColumn> = columns.iter().map(|(column, _)| column.clone()).collect();
    load::check_columns(node, &staged, reading.found).map_err(|error| with_readers(reading, error))?;
    if !refused.is_empty() {
        return Err(stopped(reading, &refused));
    }
    let is_told = |change: &&Change| !matches!(change, Change::Added { .. });
    for change in changes.iter().filter(is_told) {
        context.note(&format!("at the source {}{}", change.words(), readers(&reading.action.around, change.column())));
    }
    let is_copied = |change: &Change| !left_out.contains(change.column());
    Ok(Looked {
        touches_old_rows: changes.iter().any(|change| change.touches_old_rows() && is_copied(change)),
        left_out,
        seen: (seen != remembered).then_some(seen),
    })
}

fn answer(policy: DriftPolicy, change: &Change) -> OnChange {
    match change {
        // Judged by what the copy has, so that it is judged again at the next run.
        Change::Added { .. } => OnChange::Warn,
        Change::Dropped { .. } | Change::Replaced { .. } => policy.dropped,
        Change::Renamed { .. } => policy.renamed,
        Change::Retyped { .. } => policy.retyped,
        Change::Labels { .. } => policy.labels,
    }
}

/// The columns that the copy lacks and shall not get, and those that it may not lack.
fn new_columns(reading: Reading<'_>, found: &[SourceColumn]) -> (Vec<Ident>, Vec<Change>) {
    let (context, node) = (reading.context, &reading.action.node);
    let is_declared = |name: &Ident| node.columns.iter().any(|column| column.name == *name);
    let (mut left_out, mut refused) = (Vec::new(), Vec::new());
    for name in found.iter().map(|column| &column.name).filter(|name| reading.found.lacks(name)) {
        let policy = match context.hands.reads.accept_drift || is_declared(name) {
            true => OnAdded::Add,
            false => node.drift.added,
        };
        let column = name.as_str();
        match policy {
            OnAdded::Add => {
                context.note(&format!("at the source column \"{column}\" is new: the copy gets it, and is read whole"));
            }
            OnAdded::Warn => {
                context.note(&format!("at the source column \"{column}\" is new: it is not copied"));
                left_out.push(name.clone());
            }
            OnAdded::Fail => refused.push(Change::Added { name: name.clone() }),
        }
    }
    (left_out, refused)
}

/// Tables that came after the first look at the source, and that no YAML declares.
async fn look_at_tables(reading: Reading<'_>, source: &Client) -> Result<(), StepError> {
    let (context, node, around) = (reading.context, &reading.action.node, &reading.action.around);
    let speaks = around.speaker.as_ref() == Some(&node.name);
    match node.drift.tables {
        OnTables::Ignore => return Ok(()),
        OnTables::Warn if !speaks => return Ok(()),
        OnTables::Warn | OnTables::Fail => {}
    }
    let schema = &node.source_relation.schema;
    let tables = extract::tables(source, schema).await?;
    let new = source::new_tables(reading.target, (&node.source, schema), &tables).await?;
    let is_declared = |name: &str| {
        around.declared.iter().any(|declared| declared.schema == *schema && declared.name.as_str() == name)
    };
    let undeclared: Vec<String> =
        new.iter().filter(|name| !is_declared(name)).map(|name| format!("\"{name}\"")).collect();
    if undeclared.is_empty() {
        return Ok(());
    }
    let message = format!("source \"{}\" has new tables that are not declared: {}", node.source, undeclared.join(", "));
    if node.drift.tables == OnTables::Fail && !context.hands.reads.accept_drift {
        let hint =
            format!("{} declares them; or write drift: {{tables: ignore}} for the source", bring_up_to_date(node));
        let mistake = Diagnostic::error(Code::SourceChanged, message).at(node.declared_at.clone()).hint(hint);
        return Err(ExtractError::Project(Box::new(mistake)).into());
    }
    if speaks {
        context.note(&format!("{message}; {} declares them", bring_up_to_date(node)));
    }
    Ok(())
}

fn stopped(reading: Reading<'_>, refused: &[&Change]) -> StepError {
    let node = &reading.action.node;
    let words: Vec<String> = refused
        .iter()
        .map(|change| format!("{}{}", change.words(), readers(&reading.action.around, change.column())))
        .collect();
    let message = format!("source table {} is not what it was: {}", node.source_relation, words.join("; "));
    let hint = format!(
        "look at the models that read it, then run once with --accept-drift, which reads the whole table; or write under \
         drift what the source may do. {} brings the YAML up to date",
        bring_up_to_date(node)
    );
    let mistake = Diagnostic::error(Code::SourceChanged, message).at(node.declared_at.clone()).hint(hint);
    ExtractError::Project(Box::new(mistake)).into()
}

/// The command that writes what the source has into the project's YAML.
fn bring_up_to_date(node: &StageNode) -> String {
    match node.connection == node.source {
        true => format!("unimig generate sources {} --write", node.connection),
        false => format!("unimig generate sources {} --source {} --write", node.connection, node.source),
    }
}

/// A copy whose columns no longer fit is about the models that read it.
fn with_readers(reading: Reading<'_>, error: LoadError) -> LoadError {
    let models: Vec<String> = reading.action.around.readers.iter().map(|(name, _)| name.to_string()).collect();
    match error {
        LoadError::Project(mut mistake) if !models.is_empty() => {
            let hint = mistake.hint.unwrap_or_default();
            mistake.hint = Some(format!("{hint}; it is read by {}", models.join(", ")));
            LoadError::Project(mistake)
        }
        other => other,
    }
}

/// The models whose SQL has the column's name; where none has, those that read the table.
fn readers(around: &SourceSurroundings, column: &Ident) -> String {
    let names = |models: Vec<&NodeName>| models.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ");
    let may_name = |sql: &Option<String>| sql.as_ref().is_none_or(|sql| has_word(sql, column.as_str()));
    let naming: Vec<&NodeName> = around.readers.iter().filter(|(_, sql)| may_name(sql)).map(|(name, _)| name).collect();
    match (naming.is_empty(), around.readers.is_empty()) {
        (false, _) => format!(" (read by {})", names(naming)),
        (true, false) => {
            let all = around.readers.iter().map(|(name, _)| name).collect();
            format!(" (named by no model; the table is read by {})", names(all))
        }
        (true, true) => String::new(),
    }
}

/// Whether a text has a word, as SQL's names are compared.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    text.match_indices(&word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_found_as_a_whole_word_in_any_case() {
        assert!(has_word("select a.Amount from t", "amount"));
        assert!(has_word("select \"Full name\" from t", "Full name"));
        assert!(!has_word("select amount_due, a_amount from t", "amount"));
    }
}
