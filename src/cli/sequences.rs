//! `sequences check` and `sequences fix`: a table for people, or JSON.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};

use crate::cli::Door;
use crate::ops::{OpError, sequences};
use crate::transform::sequences::{Sequence, Standing};

#[derive(Debug, Args)]
pub(super) struct SequencesArguments {
    #[command(subcommand)]
    pub action: SequencesAction,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum SequencesAction {
    /// List the sequences with the greatest value of their columns and the value they give next; fail where one is behind
    Check,
    /// Move sequences that are behind beyond the greatest value, and list how all stand then
    ///
    /// A sequence is only ever moved on. Runs do the same for the tables that they insert into; this is for tables that
    /// were filled otherwise, and for a role that may move sequences where the run's may not.
    Fix,
}

pub(super) async fn sequences(door: &Door, arguments: &SequencesArguments) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    let found = match arguments.action {
        SequencesAction::Check => sequences::check(&workspace).await?,
        SequencesAction::Fix => sequences::fix(&workspace).await?,
    };
    if door.is_json() {
        let sequences: Vec<serde_json::Value> = found.iter().map(as_json).collect();
        door.terminal.print(&serde_json::json!({ "sequences": sequences }).to_string());
    } else if found.is_empty() {
        door.terminal.say("no sequence numbers rows of a table that a model merges into");
    } else {
        print(door, &found);
    }
    Ok(u8::from(found.iter().any(|sequence| sequence.standing != Standing::Beyond)))
}

fn columns(sequence: &Sequence) -> String {
    let columns: Vec<String> = sequence.columns.iter().map(|(table, column)| format!("{table}.{column}")).collect();
    columns.join(", ")
}

fn words(standing: Standing) -> &'static str {
    match standing {
        Standing::Beyond => "ok",
        Standing::Behind => "behind",
        Standing::Exhausted => "exhausted",
    }
}

fn as_json(sequence: &Sequence) -> serde_json::Value {
    serde_json::json!({
        "sequence": sequence.relation.to_string(),
        "columns": sequence.columns.iter().map(|(table, column)| format!("{table}.{column}")).collect::<Vec<_>>(),
        "furthest": sequence.furthest,
        "next": sequence.next_value,
        "state": words(sequence.standing),
    })
}

fn print(door: &Door, found: &[Sequence]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["sequence", "numbers", "greatest", "next", "state"]);
    for sequence in found {
        table.add_row([
            sequence.relation.to_string(),
            columns(sequence),
            sequence.furthest.clone().unwrap_or_default(),
            sequence.next_value.clone(),
            words(sequence.standing).to_owned(),
        ]);
    }
    let lines = table.to_string();
    door.terminal.print(&lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
}
