//! What a step would write, found by doing it: the same statements as a run's, in a transaction that is rolled back.
//!
//! Between staging and writing the rows are looked at: which columns change, and samples where they are asked for. A
//! table that is replaced is emptied by DELETE here, so that its readers go on reading.

use std::path::Path;
use std::sync::LazyLock;

use minijinja::{Value, context};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::{Ident, Relation};
use crate::manifest::Deletes;
use crate::materialize::merge::{MergeShape, updated, written_relation};
use crate::plan::{
    Extent, IncrementalAction, MaterializedViewAction, MergeAction, SeedAction, SelectAction, SnapshotAction,
};
use crate::postgres::PostgresError;
use crate::sql::{StatementFile, quoted, quoted_list};
use crate::state::run::Tally;
use crate::transform::relation::{Existing, built_columns, existing, keep_built};
use crate::transform::subject::Subject;
use crate::transform::{
    TransformError, ViewChange, contract, incremental, materialized_view, merge, seed, snapshot, view,
};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("diff.sql")));

/// How closely a diff looks, and what it leaves.
#[derive(Debug, Clone, Copy)]
pub struct DiffOptions {
    /// How many rows of each kind are shown; values are only read where this is not 0.
    pub samples: u32,
    /// Whether a later step reads what this one writes.
    pub is_read: bool,
}

/// What one step would write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepDiff {
    pub tally: Tally,
    /// Of a merge: how many rows get another value, by column.
    pub changed_columns: Vec<(Ident, u64)>,
    /// What it takes away, in words.
    pub destroys: Vec<String>,
    pub notes: Vec<String>,
    pub samples: Vec<SampleRow>,
}

/// A row that would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleRow {
    pub change: RowChange,
    /// Columns and values that identify it; empty where the relation has no key.
    pub key: Vec<(Ident, Option<String>)>,
    pub values: Vec<SampleValue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowChange {
    Insert,
    Update,
    Delete,
}

/// One column of a row; a whole row where there is no key to match by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleValue {
    pub column: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// Merges, having looked at the staged rows.
pub async fn merged(client: &Client, action: &MergeAction, options: DiffOptions) -> Result<StepDiff, TransformError> {
    let mut notes = Vec::new();
    let staged = merge::stage_rows(client, action, (|_| {}, |note: &str| notes.push(note.to_owned()))).await?;
    let shape = merge::shape(action, &staged.selected);
    let look = MergeLook { client, shape, context: merge_context(shape, options) };
    let mut diff = StepDiff { changed_columns: look.columns().await?, ..StepDiff::default() };
    if options.samples > 0 {
        diff.samples = look.samples().await?;
    }
    diff.tally = merge::write(client, action, &staged, |note| notes.push(note.to_owned())).await?;
    diff.notes = notes;
    if diff.tally.deleted > 0 {
        let how = match &action.config.deletes {
            Deletes::Soft { .. } => "marks as deleted",
            Deletes::Keep | Deletes::Hard => "deletes",
        };
        diff.destroys.push(format!("{how} {} of {}", rows(diff.tally.deleted), action.target.relation));
    }
    Ok(diff)
}

struct MergeLook<'a> {
    client: &'a Client,
    shape: MergeShape<'a>,
    context: Value,
}

impl MergeLook<'_> {
    fn failed(&self, error: tokio_postgres::Error) -> PostgresError {
        PostgresError::server(format!("compare {}", self.shape.target.relation), error)
    }

    async fn columns(&self) -> Result<Vec<(Ident, u64)>, PostgresError> {
        let updates = updated(self.shape);
        if updates.is_empty() {
            return Ok(Vec::new());
        }
        let statement = STATEMENTS.render("merge_columns", self.context.clone());
        let row = self.client.query_typed_one(&statement, &[]).await.map_err(|error| self.failed(error))?;
        let counts = updates.into_iter().enumerate().map(|(at, name)| (name.clone(), count(row.get(at))));
        Ok(counts.filter(|(_, count)| *count > 0).collect())
    }

    async fn samples(&self) -> Result<Vec<SampleRow>, PostgresError> {
        let query = async |name| {
            let statement = STATEMENTS.render(name, self.context.clone());
            self.client.query_typed(&statement, &[]).await.map_err(|error| self.failed(error))
        };
        let columns = self.shape.selected;
        let mut samples = Vec::new();
        for row in query("merge_inserts").await? {
            let new: Vec<Option<String>> = row.get("new_values");
            samples.push(self.row(RowChange::Insert, &vec![None; columns.len()], (&new, &vec![true; columns.len()])));
        }
        if !updated(self.shape).is_empty() {
            for row in query("merge_updates").await? {
                let (old, new): (Vec<Option<String>>, Vec<Option<String>>) =
                    (row.get("old_values"), row.get("new_values"));
                let differs: Vec<bool> = row.get("differs");
                samples.push(self.row(RowChange::Update, &old, (&new, &differs)));
            }
        }
        if *self.shape.deletes != Deletes::Keep && self.has_written().await? {
            for row in query("merge_deletes").await? {
                let key = self.shape.keys().iter().cloned().zip(row.get::<_, Vec<Option<String>>>("key_values"));
                samples.push(SampleRow { change: RowChange::Delete, key: key.collect(), values: Vec::new() });
            }
        }
        Ok(samples)
    }

    async fn has_written(&self) -> Result<bool, PostgresError> {
        let written = written_relation(self.shape.node).to_string();
        let statement = STATEMENTS.render("is_there", context! {});
        let row = self.client.query_typed_one(&statement, &[(&written, Type::TEXT)]).await;
        Ok(row.map_err(|error| self.failed(error))?.get(0))
    }

    fn row(
        &self,
        change: RowChange,
        old: &[Option<String>],
        (new, differs): (&[Option<String>], &[bool]),
    ) -> SampleRow {
        let columns = self.shape.selected.iter();
        let mut row = SampleRow { change, key: Vec::new(), values: Vec::new() };
        for (at, column) in columns.enumerate() {
            let (old, new) = (old.get(at).cloned().flatten(), new.get(at).cloned().flatten());
            if self.shape.keys().contains(column) {
                row.key.push((column.clone(), new));
            } else if differs.get(at) == Some(&true) {
                row.values.push(SampleValue { column: column.as_str().to_owned(), old, new });
            }
        }
        row
    }
}

fn merge_context(shape: MergeShape<'_>, options: DiffOptions) -> Value {
    let deleted_column = match shape.deletes {
        Deletes::Soft { column } => quoted(column),
        Deletes::Keep | Deletes::Hard => Value::from(()),
    };
    context! {
        target => quoted(&shape.target.relation),
        written => quoted(written_relation(shape.node)),
        keys => quoted_list(shape.keys()),
        updates => quoted_list(updated(shape)),
        inserts => quoted_list(shape.selected),
        deleted_column,
        samples => options.samples,
    }
}

/// A table that is made anew from a SELECT.
pub async fn table(client: &Client, action: &SelectAction, options: DiffOptions) -> Result<StepDiff, TransformError> {
    contract::build(client, &action.node, &action.select).await?;
    built(client, Subject::of_model(&action.node), options).await
}

/// A CSV file.
pub async fn seeded(
    client: &Client,
    action: &SeedAction,
    (root, options): (&Path, DiffOptions),
) -> Result<StepDiff, TransformError> {
    let declared_at = seed::build(client, action, root).await?;
    built(client, Subject::of_seed(&action.node, &declared_at), options).await
}

/// A table of ours that stays.
pub async fn incremented(
    client: &Client,
    action: &IncrementalAction,
    options: DiffOptions,
) -> Result<StepDiff, TransformError> {
    let node = &action.node;
    if action.extent == Extent::Whole {
        let whole = SelectAction {
            node: std::sync::Arc::clone(node),
            select: action.select.clone(),
            staged_parents: action.staged_parents.clone(),
        };
        return table(client, &whole, options).await;
    }
    let mut notes = Vec::new();
    let tally = incremental(client, action, |note| notes.push(note.to_owned())).await?;
    let mut diff = StepDiff { tally: tally.unwrap_or_default(), notes, ..StepDiff::default() };
    if diff.tally.deleted > 0 {
        diff.destroys.push(format!("deletes {} of {}", rows(diff.tally.deleted), node.relation));
    }
    if options.samples > 0 && diff.tally.inserted > 0 && diff.tally.updated == 0 && diff.tally.deleted == 0 {
        let all = STATEMENTS.render("all_built", context! {});
        diff.samples = row_samples(client, (&node.relation, &all), (RowChange::Insert, options)).await?;
    }
    Ok(diff)
}

/// A snapshot: versions that begin are counted as inserted, those that end as updated.
pub async fn snapshotted(client: &Client, action: &SnapshotAction) -> Result<StepDiff, TransformError> {
    let mut notes = Vec::new();
    let tally = snapshot(client, action, |note| notes.push(note.to_owned())).await?;
    Ok(StepDiff { tally: tally.unwrap_or_default(), notes, ..StepDiff::default() })
}

/// A view.
pub async fn viewed(client: &Client, action: &SelectAction) -> Result<StepDiff, TransformError> {
    let mut notes = Vec::new();
    let change = view(client, action, |note| notes.push(note.to_owned())).await?;
    let mut diff = StepDiff { notes, ..StepDiff::default() };
    match change {
        ViewChange::Replaced => diff.notes.push("the view gets another definition".to_owned()),
        ViewChange::Same => {}
    }
    Ok(diff)
}

/// A materialized view.
pub async fn materialized(client: &Client, action: &MaterializedViewAction) -> Result<StepDiff, TransformError> {
    let mut notes = Vec::new();
    let change = materialized_view(client, action, |note| notes.push(note.to_owned())).await?;
    let mut diff = StepDiff { notes, ..StepDiff::default() };
    match change {
        ViewChange::Replaced => diff.notes.push("it is made anew or refreshed: its rows or indexes change".to_owned()),
        ViewChange::Same => {}
    }
    Ok(diff)
}

/// The rows of the temporary table against those that stand under the name.
async fn built(client: &Client, subject: Subject<'_>, options: DiffOptions) -> Result<StepDiff, TransformError> {
    let relation = subject.relation;
    let context = context! { table => quoted(relation) };
    let count_of = async |name| {
        let statement = STATEMENTS.render(name, context.clone());
        counted(client, relation, &statement).await
    };
    let mut diff = StepDiff::default();
    let columns = built_columns(client, subject).await?;
    match existing(client, subject).await? {
        Existing::Table { columns: kept, seal, .. } if kept == columns && seal == contract::seal(subject) => {
            return same_columns(client, subject, options).await;
        }
        Existing::Table { columns: kept, .. } => {
            diff.tally.deleted = count_of("count_kept").await?;
            diff.destroys.push(format!("drops {relation} and makes it anew: {}", column_changes(&kept, &columns)));
        }
        Existing::View => diff.destroys.push(format!("drops view {relation}, which becomes a table")),
        Existing::MaterializedView => {
            diff.destroys.push(format!("drops materialized view {relation}, which becomes a table"));
        }
        Existing::Nothing => {}
    }
    diff.tally.inserted = count_of("count_built").await?;
    if options.samples > 0 {
        let all = STATEMENTS.render("all_built", context! {});
        diff.samples = row_samples(client, (relation, &all), (RowChange::Insert, options)).await?;
    }
    if options.is_read {
        let mut notes = Vec::new();
        keep_built(client, subject, |note| notes.push(note.to_owned())).await?;
        diff.notes = notes;
    }
    Ok(diff)
}

async fn same_columns(client: &Client, subject: Subject<'_>, options: DiffOptions) -> Result<StepDiff, TransformError> {
    let relation = subject.relation;
    let failed = |error| PostgresError::server(format!("compare {relation}"), error);
    let context = context! { table => quoted(relation) };
    let added = STATEMENTS.render("rows_added", context.clone());
    let gone = STATEMENTS.render("rows_gone", context.clone());
    let count_of = async |rows: &String| {
        let statement = STATEMENTS.render("count", context! { rows => quoted(rows) });
        counted(client, relation, &statement).await
    };
    let tally = Tally { inserted: count_of(&added).await?, deleted: count_of(&gone).await?, updated: 0 };
    let mut diff = StepDiff { tally, ..StepDiff::default() };
    if tally.deleted > 0 {
        diff.destroys.push(format!("no longer gives {} of {relation}", rows(tally.deleted)));
    }
    if options.samples > 0 {
        diff.samples = row_samples(client, (relation, &added), (RowChange::Insert, options)).await?;
        diff.samples.extend(row_samples(client, (relation, &gone), (RowChange::Delete, options)).await?);
    }
    if options.is_read && !tally.is_zero() {
        client.batch_execute(&STATEMENTS.render("replace_gently", context)).await.map_err(failed)?;
    }
    Ok(diff)
}

async fn counted(client: &Client, relation: &Relation, statement: &str) -> Result<u64, PostgresError> {
    let row = client.query_typed_one(statement, &[]).await;
    Ok(count(row.map_err(|error| PostgresError::server(format!("compare {relation}"), error))?.get(0)))
}

async fn row_samples(
    client: &Client,
    (relation, rows): (&Relation, &str),
    (change, options): (RowChange, DiffOptions),
) -> Result<Vec<SampleRow>, PostgresError> {
    let statement = STATEMENTS.render("sample", context! { rows => quoted(rows), samples => options.samples });
    let found = client.query_typed(&statement, &[]).await;
    let found = found.map_err(|error| PostgresError::server(format!("compare {relation}"), error))?;
    let sample = |text: Option<String>| {
        let (old, new) = match change {
            RowChange::Delete => (text, None),
            RowChange::Insert | RowChange::Update => (None, text),
        };
        SampleRow { change, key: Vec::new(), values: vec![SampleValue { column: "row".to_owned(), old, new }] }
    };
    Ok(found.iter().map(|row| sample(row.get(0))).collect())
}

/// Names with types that come and go.
fn column_changes(kept: &[String], built: &[String]) -> String {
    let gone = kept.iter().filter(|column| !built.contains(column)).map(|column| format!("without {column}"));
    let new = built.iter().filter(|column| !kept.contains(column)).map(|column| format!("with {column}"));
    let changes: Vec<String> = gone.chain(new).collect();
    match changes.is_empty() {
        true if kept == built => "its contract changed".to_owned(),
        true => "its columns change their order".to_owned(),
        false => changes.join(", "),
    }
}

fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}
