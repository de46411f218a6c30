//! `quarantine ls` and `quarantine show`: lines for people, or JSON; values only where they are asked for.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};

use crate::cli::Door;
use crate::ident::NodeName;
use crate::ops::{OpError, quarantine};
use crate::state::quarantine::QuarantinedValue;

#[derive(Debug, Args)]
pub(super) struct QuarantineArguments {
    #[command(subcommand)]
    pub action: QuarantineAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum QuarantineAction {
    /// List the source tables and models that have rows set aside, with how many and since when
    Ls,
    /// List what is set aside of one source table or model: the column, why its value was refused, and since when
    Show(ShowArguments),
}

#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// The process of the source table or model, such as stg.svp.labors or bl.person
    #[arg(value_name = "NODE")]
    pub node: String,
    /// Also print keys and the refused values, which may be confidential
    #[arg(long)]
    pub values: bool,
}

pub(super) async fn quarantine(door: &Door, arguments: &QuarantineArguments) -> Result<u8, OpError> {
    match &arguments.action {
        QuarantineAction::Ls => list(door).await,
        QuarantineAction::Show(arguments) => show(door, arguments).await,
    }
}

async fn list(door: &Door) -> Result<u8, OpError> {
    let tables = quarantine::list(&door.workspace()?).await?;
    if door.is_json() {
        let tables: Vec<serde_json::Value> = tables
            .iter()
            .map(|table| {
                serde_json::json!({
                    "node": table.node,
                    "rows": table.rows,
                    "values": table.values,
                    "first_seen_at": table.first_seen_at,
                    "last_seen_at": table.last_seen_at,
                })
            })
            .collect();
        door.terminal.print(&serde_json::json!({ "tables": tables }).to_string());
    } else if tables.is_empty() {
        door.terminal.say("nothing is in quarantine");
    } else {
        let rows = tables.iter().map(|table| {
            vec![
                table.node.clone(),
                table.rows.to_string(),
                table.values.to_string(),
                format!("{:.0}", table.first_seen_at),
                format!("{:.0}", table.last_seen_at),
            ]
        });
        print(door, &["process", "rows", "values", "first seen", "last seen"], rows);
    }
    Ok(0)
}

async fn show(door: &Door, arguments: &ShowArguments) -> Result<u8, OpError> {
    let values = quarantine::show(&door.workspace()?, &NodeName::recorded(arguments.node.clone())).await?;
    if door.is_json() {
        let values: Vec<serde_json::Value> = values.iter().map(|value| as_json(value, arguments)).collect();
        door.terminal.print(&serde_json::json!({ "node": arguments.node, "values": values }).to_string());
    } else if values.is_empty() {
        door.terminal.say(&format!("nothing of {} is in quarantine", arguments.node));
    } else {
        let mut header = vec!["column", "rule", "message", "first seen", "last seen"];
        if arguments.values {
            header.extend(["key", "value"]);
        }
        let rows = values.iter().map(|value| {
            let mut row = vec![
                value.column.clone(),
                rule(value).to_owned(),
                message(value),
                format!("{:.0}", value.first_seen_at),
                format!("{:.0}", value.last_seen_at),
            ];
            if arguments.values {
                row.extend([value.row_key.clone(), value.raw_value.clone().unwrap_or_default()]);
            }
            row
        });
        print(door, &header, rows);
    }
    Ok(0)
}

fn as_json(value: &QuarantinedValue, arguments: &ShowArguments) -> serde_json::Value {
    let mut json = serde_json::json!({
        "column": value.column,
        "sqlstate": value.sqlstate,
        "rule": rule(value),
        "constraint": value.constraint,
        "message": message(value),
        "batch_id": value.batch_id,
        "first_seen_at": value.first_seen_at,
        "last_seen_at": value.last_seen_at,
    });
    if arguments.values {
        json["key"] = serde_json::from_str(&value.row_key).unwrap_or_default();
        json["value"] = value.raw_value.clone().into();
    }
    json
}

/// What refused a value: a rule of the target's table, or the SQLSTATE of a type or a domain.
fn rule(value: &QuarantinedValue) -> &str {
    value.rule.as_deref().unwrap_or(&value.sqlstate)
}

/// Why a value, or a row of a model, was not taken. The server's own message is not kept: it may quote the value.
fn message(value: &QuarantinedValue) -> String {
    let constraint = value.constraint.as_deref().unwrap_or_default();
    match value.rule.as_deref() {
        Some("not_null") => "it may not be NULL".to_owned(),
        Some("label") => "its enum has no such label".to_owned(),
        Some("check") if !constraint.is_empty() => format!("check \"{constraint}\" refuses it"),
        Some("unique") => format!("another row has it, and \"{constraint}\" is unique"),
        Some("foreign_key") => format!("foreign key \"{constraint}\" finds no such row"),
        Some(_) | None => meaning(&value.sqlstate).to_owned(),
    }
}

/// What a SQLSTATE says of a value.
fn meaning(sqlstate: &str) -> &'static str {
    match sqlstate {
        "22021" => "its bytes are no valid UTF-8",
        "22P05" => "the target's encoding lacks one of its characters",
        "22P02" | "22P03" => "it is no value of the column's type",
        "22007" => "it is no date or time that the column's type reads",
        "22003" | "22008" => "it is out of the type's range",
        "22001" => "it is too long for the column's type",
        "22026" => "it has another length than the column's type",
        "22030" | "22032" => "it is no valid JSON",
        "2200L" | "2200M" | "2200N" | "2200S" | "2200T" => "it is no valid XML",
        "23502" => "its domain takes no NULL",
        "23514" => "a check of its domain refuses it",
        "0A000" => "the target's server does not have what it needs",
        _ => "the column's type refuses it",
    }
}

fn print(door: &Door, header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    let lines = table.to_string();
    door.terminal.print(&lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
}
