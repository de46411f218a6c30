//! A model's SELECT, merged into an application's table.

use tokio_postgres::Client;

use crate::compile::Embedded;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::{Ident, Relation};
use crate::manifest::{BadRows, ModelNode, OnConflict, Triggers};
use crate::materialize;
use crate::materialize::TargetTable;
use crate::materialize::edits::{EditOptions, EditStatements};
use crate::materialize::merge::{self, ANALYZE_FROM_ROWS, ColumnFault, MergeShape, MergeStatements};
use crate::materialize::rules::{Origin, ReferenceRule, RuleColumn, TableRules};
use crate::plan::MergeAction;
use crate::postgres::PostgresError;
use crate::state::run::Tally;
use crate::transform::given::{self, Selected};
use crate::transform::keys::duplicate_keys;
use crate::transform::{TransformError, bad_rows, contract, edits, fitness, located, rules, sequences, written};

/// PostgreSQL's code for a row that others refer to.
const FOREIGN_KEY_VIOLATION: &str = "23503";

/// Stages the SELECT, checks its rows and writes what differs; `progress` hears of staged rows, `note` of what waits for a
/// later run.
pub async fn merge(
    client: &Client,
    action: &MergeAction,
    progress: impl FnMut(u64),
    mut note: impl FnMut(&str),
) -> Result<Tally, TransformError> {
    let staged = stage_rows(client, action, (progress, &mut note)).await?;
    let tally = write(client, action, &staged, &mut note).await?;
    if tally.inserted > 0 && gives_numbers(&staged) {
        sequences::follow(client, &action.target.relation, note).await?;
    }
    Ok(tally)
}

/// Whether the SELECT gives a column that the database would number itself.
fn gives_numbers(staged: &Staged) -> bool {
    let numbered = |column: &&RuleColumn| column.origin == Origin::Numbered;
    staged.rules.columns.iter().filter(numbered).any(|column| staged.selected.contains(&column.name))
}

/// Rows that are new or differ in a temporary table, looked at as far as may be before they are written, and what is to
/// be done with them.
pub(super) struct Staged {
    /// The SELECT's columns.
    pub selected: Vec<Ident>,
    pub statements: MergeStatements,
    edits: EditStatements,
    rules: TableRules,
    /// How many rows the SELECT gave.
    rows: u64,
}

/// How the statements see the model.
pub(super) fn shape<'a>(action: &'a MergeAction, selected: &'a [Ident]) -> MergeShape<'a> {
    MergeShape {
        node: &action.node.name,
        target: &action.target,
        unique_key: &action.config.unique_key,
        deletes: &action.config.deletes,
        selected,
    }
}

/// The first half: nothing of it touches the target.
pub(super) async fn stage_rows(
    client: &Client,
    action: &MergeAction,
    (mut progress, mut note): (impl FnMut(u64), impl FnMut(&str)),
) -> Result<Staged, TransformError> {
    fitness::check(client, action).await?;
    let typed = selected_columns(client, action).await?;
    let selected: Vec<Ident> = typed.iter().map(|column| column.name.clone()).collect();
    contract::check(client, &action.node, &action.select).await?;
    let columns = given::columns(client, &action.target.relation, &typed).await?;
    let shape = shape(action, &selected);
    let statements = merge::statements(shape, &columns, &action.select).map_err(|faults| {
        TransformError::Project(Box::new(column_mistake((&action.node, &action.target), &selected, &faults)))
    })?;
    let rows = stage(client, action, &statements).await?;
    progress(rows);
    let doing = format!("look at the rows of {}", action.node.name);
    let failed = |error| PostgresError::server(doing.as_str(), error);
    client.batch_execute(&statements.create_faults).await.map_err(failed)?;
    if let Some(given) = &statements.given {
        given::look(client, given, &doing).await?;
    }
    check_keys(client, action, &statements).await?;
    written::prepare(client, shape, &statements).await?;
    let changes = client.execute_typed(&statements.find_changes, &[]).await.map_err(failed)?;
    if changes >= ANALYZE_FROM_ROWS {
        client.batch_execute(&statements.analyze_changes).await.map_err(failed)?;
    }
    let mut rules = rules::read(client, &action.target.relation).await?;
    rules.has_triggers_before &= action.config.triggers == Triggers::On;
    leave_open(client, action, (shape, &rules)).await?;
    let options =
        EditOptions { reads_back: rules.has_triggers_before, keeps: action.config.on_conflict == OnConflict::Theirs };
    let edits = materialize::edits::statements(shape, options);
    edits::settle(client, action, (&edits, &mut note)).await?;
    let looks_first = match action.config.bad_rows {
        // A trigger may mend what a rule would refuse, so the server is asked first where there is one.
        BadRows::Quarantine(_) => !rules.has_triggers_before,
        BadRows::Fail => false,
    };
    if looks_first || bad_rows::has_any(client, &action.node.name).await? {
        bad_rows::find(client, shape, &rules).await?;
    }
    bad_rows::settle(client, action, (rows, note)).await?;
    Ok(Staged { selected, statements, edits, rules, rows })
}

/// References in a circle whose parents are merged after this model: they are set when those are there.
async fn leave_open(
    client: &Client,
    action: &MergeAction,
    (shape, rules): (MergeShape<'_>, &TableRules),
) -> Result<(), PostgresError> {
    let may_wait = |reference: &&ReferenceRule| {
        action.open_references.contains(&reference.parent)
            && reference.columns.iter().all(|column| shape.selected.contains(column) && rules.may_be_null(column))
    };
    for reference in rules.references.iter().filter(may_wait) {
        client
            .batch_execute(&merge::leave_open(shape, reference))
            .await
            .map_err(|error| PostgresError::server(format!("leave {} open", reference.name), error))?;
    }
    Ok(())
}

/// The second half: keys, rows, deletes, with the table's triggers or without them.
pub(super) async fn write(
    client: &Client,
    action: &MergeAction,
    staged: &Staged,
    note: impl FnMut(&str),
) -> Result<Tally, TransformError> {
    let disabled = match action.config.triggers {
        Triggers::On => Vec::new(),
        Triggers::Off => fitness::disable_triggers(client, action).await?,
    };
    let tally = write_all(client, action, staged, note).await?;
    fitness::enable_triggers(client, action, &disabled).await?;
    Ok(tally)
}

async fn write_all(
    client: &Client,
    action: &MergeAction,
    staged: &Staged,
    mut note: impl FnMut(&str),
) -> Result<Tally, TransformError> {
    let doing = format!("merge into {}", action.target.relation);
    let failed = |error| PostgresError::server(doing.as_str(), error);
    let statements = &staged.statements;
    client.batch_execute("savepoint unimig_write").await.map_err(failed)?;
    let (inserted, updated) = match write_rows(client, staged, &doing).await {
        Ok(written) => written,
        Err(error) if given::is_of_data(&error) => {
            client.batch_execute("rollback to savepoint unimig_write").await.map_err(failed)?;
            bad_rows::find(client, shape(action, &staged.selected), &staged.rules).await?;
            if !bad_rows::has_any(client, &action.node.name).await? {
                return Err(error.into());
            }
            bad_rows::settle(client, action, (staged.rows, &mut note)).await?;
            write_rows(client, staged, &doing).await?
        }
        Err(error) => return Err(error.into()),
    };
    let revived = match &statements.revive {
        Some(revive) => client.execute_typed(revive, &[]).await.map_err(failed)?,
        None => 0,
    };
    let deleted = match &statements.delete {
        Some(delete) => delete_gone(client, delete, &doing).await?,
        None => Deleted::Rows(0),
    };
    let (deleted, still_referenced) = match deleted {
        Deleted::Rows(rows) => (rows, false),
        Deleted::StillReferenced => (0, true),
    };
    if still_referenced {
        note("rows that are gone are still referred to by other tables, and are deleted once those are");
    }
    Ok(Tally { inserted, updated: updated + revived, deleted })
}

/// How many rows were inserted and updated. What the table checks at the end of a transaction is checked now.
async fn write_rows(client: &Client, staged: &Staged, doing: &str) -> Result<(u64, u64), PostgresError> {
    let failed = |error| PostgresError::server(doing, error);
    let Staged { statements, edits, .. } = staged;
    let counts = client.query_typed_one(&statements.write, &[]).await.map_err(failed)?;
    let count = |name| u64::try_from(counts.get::<_, i64>(name)).unwrap_or(0);
    let (inserted, updated) = (count("inserted"), count("updated"));
    client.batch_execute("set constraints all immediate").await.map_err(failed)?;
    client.execute_typed(&edits.note_inserted, &[]).await.map_err(failed)?;
    if updated > 0 {
        client.execute_typed(&edits.note_updated, &[]).await.map_err(failed)?;
    }
    Ok((inserted, updated))
}

/// What became of the rows that the SELECT no longer gives.
enum Deleted {
    Rows(u64),
    /// Rows of other tables, of models that run after this one, refer to some of them: the next run deletes them.
    StillReferenced,
}

async fn delete_gone(client: &Client, delete: &str, doing: &str) -> Result<Deleted, PostgresError> {
    let failed = |error| PostgresError::server(doing, error);
    client.batch_execute("savepoint before_delete").await.map_err(failed)?;
    match client.execute_typed(delete, &[]).await.map_err(failed) {
        Ok(rows) => Ok(Deleted::Rows(rows)),
        Err(error) if error.sqlstate() == Some(FOREIGN_KEY_VIOLATION) => {
            client.batch_execute("rollback to savepoint before_delete").await.map_err(failed)?;
            Ok(Deleted::StillReferenced)
        }
        Err(error) => Err(error),
    }
}

/// The SELECT's columns, from the server.
async fn selected_columns(client: &Client, action: &MergeAction) -> Result<Vec<Selected>, TransformError> {
    let prepared = client.prepare(&action.select.text).await.map_err(|error| {
        let error = PostgresError::server(format!("prepare {}", action.node.name), error);
        located(error, &Embedded::bare(&action.select), &action.select)
    })?;
    let selected = prepared
        .columns()
        .iter()
        .map(|column| Selected { name: Ident::from_catalog(column.name()), type_oid: column.type_().oid() });
    Ok(selected.collect())
}

async fn stage(client: &Client, action: &MergeAction, statements: &MergeStatements) -> Result<u64, TransformError> {
    let doing = format!("stage {}", action.node.name);
    let failed = |error| PostgresError::server(doing.as_str(), error);
    let before = format!("set local work_mem = '256MB';\n{}", statements.create_staged);
    client.batch_execute(&before).await.map_err(failed)?;
    let rows = client
        .execute_typed(&statements.fill_staged.sql, &[])
        .await
        .map_err(|error| located(failed(error), &statements.fill_staged, &action.select))?;
    if rows >= ANALYZE_FROM_ROWS {
        client.batch_execute(&statements.analyze_staged).await.map_err(failed)?;
    }
    Ok(rows)
}

async fn check_keys(client: &Client, action: &MergeAction, statements: &MergeStatements) -> Result<(), TransformError> {
    let rows = client
        .query_typed(&statements.bad_keys, &[])
        .await
        .map_err(|error| PostgresError::server(format!("check the keys of {}", action.node.name), error))?;
    duplicate_keys(&rows, &action.node)
}

/// All faults of the SELECT's columns as one diagnostic; the first decides its code.
pub fn column_mistake(
    (node, table): (&ModelNode, &TargetTable),
    selected: &[Ident],
    faults: &[ColumnFault],
) -> Diagnostic {
    let target = &table.relation;
    let sentences: Vec<String> = faults.iter().map(|fault| fault_sentence(fault, (node, target))).collect();
    let code = match faults.first() {
        Some(ColumnFault::NoKey(_) | ColumnFault::NoPrimaryKey) => Code::MissingKeyColumn,
        Some(ColumnFault::Twice(_)) => Code::DuplicateKey,
        Some(ColumnFault::DeletedColumn(_)) => Code::BadConfig,
        Some(ColumnFault::Unknown(_) | ColumnFault::Computed(_)) | None => Code::UnknownTargetColumn,
    };
    let place = match faults.first() {
        Some(ColumnFault::Unknown(name) | ColumnFault::Computed(name) | ColumnFault::Twice(name)) => {
            place_of_name(node, name)
        }
        Some(ColumnFault::NoKey(_) | ColumnFault::NoPrimaryKey | ColumnFault::DeletedColumn(_)) | None => None,
    };
    let mistake = Diagnostic::error(code, sentences.join("; ")).at(place.unwrap_or(node.configured_at.clone()));
    let known = || table.columns.iter().map(|column| column.name.as_str());
    match faults.first() {
        Some(ColumnFault::Unknown(name)) => {
            let written = name.as_str();
            let hint = mistake.clone().did_you_mean(written, known().filter(|name| !is_selected(selected, name)));
            if hint.hint.is_some() {
                return hint;
            }
            let columns: Vec<&str> = known().collect();
            mistake.hint(format!("{target} has the columns {}", columns.join(", ")))
        }
        Some(ColumnFault::NoKey(name)) => mistake.did_you_mean(name.as_str(), selected.iter().map(Ident::as_str)),
        Some(ColumnFault::NoPrimaryKey) => mistake.hint("say which columns identify a row with config(unique_key=…)"),
        Some(ColumnFault::Computed(_) | ColumnFault::Twice(_) | ColumnFault::DeletedColumn(_)) | None => mistake,
    }
}

fn is_selected(selected: &[Ident], name: &str) -> bool {
    selected.iter().any(|column| column.as_str() == name)
}

fn fault_sentence(fault: &ColumnFault, (node, target): (&ModelNode, &Relation)) -> String {
    let model = &node.model;
    match fault {
        ColumnFault::Unknown(name) => format!("table {target} has no column \"{}\"", name.as_str()),
        ColumnFault::Computed(name) => {
            format!("column \"{}\" of {target} is generated and can't be written", name.as_str())
        }
        ColumnFault::Twice(name) => format!("model \"{model}\" selects \"{}\" twice", name.as_str()),
        ColumnFault::NoKey(name) => format!("model \"{model}\" does not select its key column \"{}\"", name.as_str()),
        ColumnFault::NoPrimaryKey => {
            format!("model \"{model}\" names no unique_key, and {target} has no primary key")
        }
        ColumnFault::DeletedColumn(name) => {
            format!("deleted_column \"{}\" must be a column of {target} that the model does not select", name.as_str())
        }
    }
}

/// The last time that the model's file writes a name: the alias of a select list mostly comes after its expression.
fn place_of_name(node: &ModelNode, name: &Ident) -> Option<Span> {
    let file = &node.file;
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let (start, found) = file
        .text
        .match_indices(name.as_str())
        .filter(|(at, found)| {
            let before = file.text[..*at].chars().next_back();
            let after = file.text[at + found.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
        .last()?;
    Some(Span::new(file, start..start + found.len()))
}
