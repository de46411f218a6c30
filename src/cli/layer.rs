//! `layer ls`, `layer verify`, `layer prune`: lines for people, or JSON.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use jiff::SignedDuration;

use crate::cli::Door;
use crate::cli::arguments::SelectionArguments;
use crate::manifest::length_of_time;
use crate::ops::OpError;
use crate::ops::layer::{self, Entry, Keep, Pruned, TablePruned, Verified};
use crate::ops::workspace::Selection;
use crate::report::words;
use crate::store::FoundBatch;

#[derive(Debug, Args)]
pub(super) struct LayerArguments {
    #[command(subcommand)]
    pub action: LayerAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum LayerAction {
    /// List the batches of each staged table: kind, rows, bytes, when, and whether they were loaded
    Ls(SelectionArguments),
    /// Read every part again and hold its sha256, bytes and rows against the manifest
    Verify(SelectionArguments),
    /// Remove old batches, but none that a copy could not be built again without
    ///
    /// The last batch of a table that was loaded and held the whole table stays, and so does every later one: from
    /// these the copy in staging can be built again. A table without such a batch loses nothing but what killed uploads
    /// left. Each table is locked meanwhile; one that another process holds is left alone.
    Prune(PruneArguments),
}

#[derive(Debug, Args)]
pub(super) struct PruneArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Keep batches that are younger, such as 7d or "2 weeks"
    #[arg(long, value_name = "TIME", value_parser = age, required_unless_present = "keep_batches")]
    pub keep: Option<SignedDuration>,
    /// Keep this many of the newest batches of each table
    #[arg(long, value_name = "N")]
    pub keep_batches: Option<usize>,
    /// Also keep batches whose rows live in staging as they brought them
    #[arg(long)]
    pub keep_live: bool,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

fn age(text: &str) -> Result<SignedDuration, String> {
    length_of_time(text).ok_or_else(|| "write a time such as 36h, 7d or \"2 weeks\"".to_owned())
}

pub(super) async fn layer(door: &Door, arguments: &LayerArguments) -> Result<u8, OpError> {
    match &arguments.action {
        LayerAction::Ls(selection) => list(door, &selection.clone().into()).await,
        LayerAction::Verify(selection) => verify(door, &selection.clone().into()).await,
        LayerAction::Prune(prune) => self::prune(door, prune).await,
    }
}

async fn list(door: &Door, selection: &Selection) -> Result<u8, OpError> {
    let entries = layer::list(&door.workspace()?, selection).await?;
    door.warn_of(selection)?;
    if door.is_json() {
        let batches: Vec<serde_json::Value> = entries.iter().map(as_json).collect();
        door.terminal.print(&serde_json::json!({ "batches": batches }).to_string());
    } else if entries.is_empty() {
        door.terminal.say("the layer holds no batch of these tables");
    } else {
        let mut table = Table::new();
        let header = ["table", "batch", "kind", "rows", "bytes", "extracted at", "state"];
        table.load_style(presets::NOTHING).set_header(header);
        for entry in &entries {
            table.add_row(row(entry));
        }
        let lines = table.to_string();
        door.terminal.print(&lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    }
    Ok(0)
}

fn row(entry: &Entry) -> [String; 7] {
    let or_dot = |text: Option<String>| text.unwrap_or_else(|| "·".to_owned());
    [
        entry.node.to_string(),
        entry.batch_id.to_string(),
        or_dot(entry.kind.map(str::to_owned)),
        or_dot(entry.rows.map(words::count)),
        words::bytes(entry.bytes),
        or_dot(entry.extracted_at.map(|time| format!("{time:.0}"))),
        entry.state.as_str().to_owned(),
    ]
}

fn as_json(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "node": entry.node,
        "batch_id": entry.batch_id,
        "kind": entry.kind,
        "rows": entry.rows,
        "bytes": entry.bytes,
        "extracted_at": entry.extracted_at,
        "state": entry.state.as_str(),
    })
}

async fn verify(door: &Door, selection: &Selection) -> Result<u8, OpError> {
    let verified = layer::verify(&door.workspace()?, selection).await?;
    door.warn_of(selection)?;
    let Verified { batches, parts, rows, bytes, flaws } = &verified;
    if door.is_json() {
        let flaws: Vec<serde_json::Value> =
            flaws.iter().map(|flaw| serde_json::json!({ "object": flaw.object, "problem": flaw.problem })).collect();
        let document =
            serde_json::json!({ "batches": batches, "parts": parts, "rows": rows, "bytes": bytes, "flaws": flaws });
        door.terminal.print(&document.to_string());
    } else {
        for flaw in flaws {
            door.terminal.print(&format!("{}: {}", flaw.object, flaw.problem));
        }
        let read = format!(
            "{} in {}, {}, {}",
            words::counted(*parts, "part"),
            words::counted_batches(*batches),
            words::counted_rows(*rows),
            words::bytes(*bytes)
        );
        let verdict = match flaws.len() {
            0 => "everything is as its manifest says".to_owned(),
            count => format!("{} broken", words::counted(count, "object")),
        };
        door.terminal.say(&format!("{read}: {verdict}"));
    }
    Ok(u8::from(!flaws.is_empty()))
}

async fn prune(door: &Door, arguments: &PruneArguments) -> Result<u8, OpError> {
    let selection: Selection = arguments.selection.clone().into();
    let keep = Keep {
        younger_than: arguments.keep,
        newest: arguments.keep_batches,
        live: arguments.keep_live,
        dry_run: arguments.dry_run,
    };
    let pruned = layer::prune(&door.workspace()?, (&selection, &keep)).await?;
    door.warn_of(&selection)?;
    if door.is_json() {
        let tables: Vec<serde_json::Value> = pruned.iter().map(pruned_as_json).collect();
        door.terminal.print(&serde_json::json!({ "dry_run": keep.dry_run, "tables": tables }).to_string());
    } else {
        let verb = if keep.dry_run { "would remove" } else { "removed" };
        for table in &pruned {
            door.terminal.print(&pruned_line(table, verb));
        }
    }
    Ok(u8::from(pruned.iter().any(|table| matches!(table.outcome, Pruned::Locked { .. }))))
}

fn pruned_line(table: &TablePruned, verb: &str) -> String {
    match &table.outcome {
        Pruned::Locked { holder } => format!("{}: left alone, {holder} is at work on it", table.node),
        Pruned::Removed { batches, kept } => {
            let bytes = batches.iter().map(store_bytes).sum();
            let count = words::counted_batches(batches.len());
            format!("{}: {verb} {count} ({}), {kept} stay", table.node, words::bytes(bytes))
        }
    }
}

fn store_bytes(batch: &FoundBatch) -> u64 {
    batch.bytes()
}

fn pruned_as_json(table: &TablePruned) -> serde_json::Value {
    match &table.outcome {
        Pruned::Locked { holder } => serde_json::json!({ "node": table.node, "locked_by": holder }),
        Pruned::Removed { batches, kept } => serde_json::json!({
            "node": table.node,
            "removed": batches.iter().map(|batch| batch.batch_id).collect::<Vec<_>>(),
            "bytes": batches.iter().map(store_bytes).sum::<u64>(),
            "kept": kept,
        }),
    }
}
