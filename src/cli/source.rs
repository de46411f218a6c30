//! `source freshness`: a line for each source table that has limits.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};

use crate::cli::Door;
use crate::cli::arguments::SelectionArguments;
use crate::ops::OpError;
use crate::ops::freshness::{self, Report};
use crate::report::artifacts::{self, Measured};
use crate::report::words;

#[derive(Debug, Args)]
pub(super) struct SourceArguments {
    #[command(subcommand)]
    pub action: SourceAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum SourceAction {
    /// Say how old the newest row of each source table is, and fail where it is older than freshness: allows
    Freshness(SelectionArguments),
}

pub(super) async fn source(door: &Door, arguments: &SourceArguments) -> Result<u8, OpError> {
    match &arguments.action {
        SourceAction::Freshness(selection) => {
            let workspace = door.workspace()?;
            let report = freshness::freshness(&workspace, &selection.clone().into()).await?;
            if door.is_json() {
                let described = workspace.describe(&report.compiled);
                let document = artifacts::sources(described, (&report.measured, report.elapsed));
                door.terminal.print(&document.to_string());
            } else {
                show(door, &report);
            }
            Ok(u8::from(report.has_errors()))
        }
    }
}

fn show(door: &Door, report: &Report) {
    if report.measured.is_empty() {
        door.terminal.say("nothing to do: no source table has freshness: warn_after or error_after");
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["source table", "state", "newest row", "age", "last batch"]);
    for measured in &report.measured {
        table.add_row(row(measured));
    }
    let lines = table.to_string();
    door.terminal.print(&lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    for measured in &report.measured {
        if let Err(error) = &measured.age {
            door.terminal.complain(&format!("{}: {error}", measured.node));
        }
    }
}

fn row(measured: &Measured) -> [String; 5] {
    let node = measured.node.to_string();
    match &measured.age {
        Ok(age) => {
            let batch = age.last_batch_at.map_or_else(|| "·".to_owned(), |time| format!("{time:.0}"));
            let newest = format!("{:.0}", age.max_loaded_at);
            [node, age.status.as_str().to_owned(), newest, words::elapsed(age.length()), batch]
        }
        Err(_) => [node, "runtime error".to_owned(), "·".to_owned(), "·".to_owned(), "·".to_owned()],
    }
}
