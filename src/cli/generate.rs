//! `generate`: drafts on stdout, or in the project's files with `--write`.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::Door;
use crate::generate::Change;
use crate::ops::OpError;
use crate::ops::generate::Writing;
use crate::ops::generate::models::{self, Drafting, ModelsOptions, Outcome};
use crate::ops::generate::sources::{self, SourcesOptions, SourcesReport};
use crate::report::words;

#[derive(Debug, Args)]
pub(super) struct GenerateArguments {
    #[command(subcommand)]
    pub action: GenerateAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum GenerateAction {
    /// Declare the tables of a connection in YAML, or show what has changed at the source since
    ///
    /// Tables, columns with types, keys, and a strategy for finding changes come from the source's catalog, which is only
    /// read. A source that is declared already is brought up to date: new tables and columns are added, types are
    /// updated, what is gone is marked with a comment. Everything else in the file stays as it is, byte by byte.
    ///
    /// Without --write nothing is written: the difference is printed, and the exit code is 1 where there is one.
    Sources(SourcesArguments),
    /// Draft a model for each table of the target that none fills, from the staged table of its name
    ///
    /// A draft selects the columns of the same names, casts those of other types, and lists the rest as comments. A file
    /// that is there is never written over. Without --write the drafts are printed.
    Models(ModelsArguments),
}

#[derive(Debug, Args)]
pub(super) struct SourcesArguments {
    /// A connection of the profile
    pub connection: String,
    /// The schema to read; without it, the one that the source is declared with, or public
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Only these tables; * stands for anything, as in 'audit_*'
    #[arg(long, num_args = 1.., value_name = "NAME")]
    pub table: Vec<String>,
    /// What the source is called in the project; without it, as the connection
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// From how many rows on a table is too big to be read whole each time
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub big_from: u64,
    /// Write the file instead of showing what would change
    #[arg(long)]
    pub write: bool,
}

#[derive(Debug, Args)]
pub(super) struct ModelsArguments {
    /// The schema of the target whose tables are to be filled; without it, the target's own
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Only these tables of the target; * stands for anything
    #[arg(long, num_args = 1.., value_name = "NAME")]
    pub table: Vec<String>,
    /// Only from this source; without it, from the table with the most columns in common
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Write new files instead of printing the drafts
    #[arg(long)]
    pub write: bool,
}

pub(super) async fn generate(door: &Door, arguments: &GenerateArguments) -> Result<u8, OpError> {
    match &arguments.action {
        GenerateAction::Sources(arguments) => of_sources(door, arguments).await,
        GenerateAction::Models(arguments) => of_models(door, arguments).await,
    }
}

fn writing(write: bool) -> Writing {
    if write { Writing::Write } else { Writing::Show }
}

async fn of_sources(door: &Door, arguments: &SourcesArguments) -> Result<u8, OpError> {
    let workspace = door.unresolved_workspace()?;
    let options = SourcesOptions {
        connection: arguments.connection.clone(),
        schema: arguments.schema.clone(),
        tables: arguments.table.clone(),
        source: arguments.source.clone(),
        big_from_rows: arguments.big_from,
        writing: writing(arguments.write),
    };
    let report = sources::sources(&workspace, &options).await?;
    let differs = !report.diff.is_empty();
    if door.is_json() {
        door.terminal.print(&as_json(&report, options.writing).to_string());
    } else if differs && options.writing == Writing::Show {
        door.terminal.print(report.diff.trim_end());
    }
    tell(door, &report, options.writing);
    Ok(u8::from(differs && options.writing == Writing::Show))
}

fn tell(door: &Door, report: &SourcesReport, writing: Writing) {
    let path = report.path.display();
    for change in &report.changes {
        door.terminal.say(&format!("  {}", said(change)));
    }
    match (report.diff.is_empty(), writing) {
        (true, _) => door.terminal.say(&format!("{path} says what the source has")),
        (false, Writing::Write) => door.terminal.say(&format!("wrote {path}")),
        (false, Writing::Show) => door.terminal.say(&format!("{path} is not written; --write does it")),
    }
}

fn said(change: &Change) -> String {
    match change {
        Change::NewTable { table } => format!("new table {table}"),
        Change::NewColumn { table, column } => format!("new column {table}.{column}"),
        Change::Retyped { table, column, from, to } => format!("{table}.{column} is {to}, no longer {from}"),
        Change::GoneTable { table } => format!("table {table} is gone"),
        Change::GoneColumn { table, column } => format!("column {table}.{column} is gone"),
        Change::BackTable { table } => format!("table {table} is back"),
        Change::BackColumn { table, column } => format!("column {table}.{column} is back"),
    }
}

fn as_json(report: &SourcesReport, writing: Writing) -> serde_json::Value {
    let changes = report.changes.iter().map(|change| match change {
        Change::NewTable { table } => json!({ "change": "new_table", "table": table }),
        Change::NewColumn { table, column } => json!({ "change": "new_column", "table": table, "column": column }),
        Change::Retyped { table, column, from, to } => {
            json!({ "change": "retyped", "table": table, "column": column, "from": from, "to": to })
        }
        Change::GoneTable { table } => json!({ "change": "gone_table", "table": table }),
        Change::GoneColumn { table, column } => json!({ "change": "gone_column", "table": table, "column": column }),
        Change::BackTable { table } => json!({ "change": "back_table", "table": table }),
        Change::BackColumn { table, column } => json!({ "change": "back_column", "table": table, "column": column }),
    });
    json!({
        "path": report.path,
        "is_new": report.is_new,
        "written": writing == Writing::Write && !report.diff.is_empty(),
        "changes": changes.collect::<Vec<_>>(),
        "diff": report.diff,
    })
}

async fn of_models(door: &Door, arguments: &ModelsArguments) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    let options = ModelsOptions {
        schema: arguments.schema.clone(),
        tables: arguments.table.clone(),
        source: arguments.source.clone(),
        writing: writing(arguments.write),
    };
    let drafted = models::models(&workspace, &options).await?;
    for drafting in &drafted {
        show(door, drafting, options.writing);
    }
    let count = drafted.iter().filter(|drafting| matches!(drafting.outcome, Outcome::Drafted { .. })).count();
    let (tables, done) = (words::count(drafted.len() as u64), words::count(count as u64));
    door.terminal.say(&match options.writing {
        Writing::Write => format!("{tables} tables, {done} models written"),
        Writing::Show => format!("{tables} tables, {done} models drafted; --write writes them"),
    });
    Ok(0)
}

fn show(door: &Door, drafting: &Drafting, writing: Writing) {
    let table = &drafting.table;
    if door.is_json() {
        door.terminal.print(&drafting_as_json(drafting).to_string());
        return;
    }
    match &drafting.outcome {
        Outcome::Drafted { path, .. } if writing == Writing::Write => {
            door.terminal.say(&format!("  {table}: wrote {}", path.display()));
        }
        Outcome::Drafted { path, text } => door.terminal.print(&format!("-- {}\n{text}", path.display())),
        Outcome::Filled { model } => door.terminal.say(&format!("  {table}: filled by {model}")),
        Outcome::Taken { path } => {
            door.terminal.say(&format!("  {table}: {} is there, and stays as it is", path.display()));
        }
        Outcome::Unmatched { candidates } if candidates.is_empty() => {
            door.terminal.say(&format!("  {table}: no staged table is called so"));
        }
        Outcome::Unmatched { candidates } => {
            door.terminal.say(&format!("  {table}: no column in common with {}", candidates.join(", ")));
        }
    }
}

fn drafting_as_json(drafting: &Drafting) -> serde_json::Value {
    let table = &drafting.table;
    match &drafting.outcome {
        Outcome::Drafted { path, text } => json!({ "table": table, "outcome": "drafted", "path": path, "sql": text }),
        Outcome::Filled { model } => json!({ "table": table, "outcome": "filled", "model": model }),
        Outcome::Taken { path } => json!({ "table": table, "outcome": "exists", "path": path }),
        Outcome::Unmatched { candidates } => {
            json!({ "table": table, "outcome": "unmatched", "candidates": candidates })
        }
    }
}
