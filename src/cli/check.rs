//! `check`: the mistakes at their places, what could not be looked at, and the columns of every model.

use std::collections::BTreeMap;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;

use crate::cli::Door;
use crate::cli::arguments::CheckArguments;
use crate::diagnostic::Severity;
use crate::ops::OpError;
use crate::ops::check::{self, Against, CheckRequest, Checked, CheckedNode, Verdict};
use crate::ops::list::resource_type;
use crate::ops::workspace::Workspace;
use crate::report::{artifacts, words};

pub(super) async fn check(door: &Door, arguments: &CheckArguments) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    let against = match (arguments.offline, arguments.save_catalog) {
        (true, _) => Against::Saved,
        (false, true) => Against::LiveAndSave,
        (false, false) => Against::Live,
    };
    let request = CheckRequest { selection: arguments.selection.clone().into(), against };
    let rules = door.warnings()?;
    let mut checked = check::check(&workspace, &request).await?;
    checked.mistakes.0.retain(|mistake| !rules.silences(mistake));
    if door.is_json() {
        door.terminal.print(&as_json(&workspace, &checked).to_string());
    } else if arguments.columns {
        door.terminal.print(&columns(door, &checked));
    }
    say(door, &workspace, &checked);
    let warns = checked.mistakes.0.iter().any(|mistake| rules.refuses(mistake));
    Ok(if warns || checked.mistakes.has_errors() { 2 } else { 0 })
}

fn say(door: &Door, workspace: &Workspace, checked: &Checked) {
    let terminal = &door.terminal;
    for mistake in &checked.mistakes.0 {
        terminal.show(mistake);
        terminal.say("");
    }
    let mut skipped: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in &checked.nodes {
        if let Verdict::NotChecked { because } = &node.verdict {
            skipped.entry(because).or_default().push(node.name.as_str());
        }
    }
    for (because, names) in &skipped {
        terminal.say(&format!("not checked, since {because}: {}", names.join(", ")));
    }
    for what in &checked.missing {
        terminal.say(&format!("not made on the private server: {what}"));
    }
    for missing in &checked.missing_indexes {
        terminal.say(&format!("note: {missing}"));
    }
    if let Some(path) = &checked.saved {
        terminal.say(&format!("wrote the target's catalog to {}", path.display()));
    }
    terminal.say(&summary(workspace, checked));
}

/// `checked 30 models and 12 tests in 0.41 s: 1 mistake, 2 not checked`.
fn summary(workspace: &Workspace, checked: &Checked) -> String {
    let of_kind =
        |kind: &str| checked.nodes.iter().filter(|node| resource_type(&workspace.manifest, &node.name) == kind).count();
    let errors = checked.mistakes.0.iter().filter(|mistake| mistake.severity == Severity::Error).count();
    let warnings = checked.mistakes.0.len() - errors;
    let not_checked = checked.count(|verdict| matches!(verdict, Verdict::NotChecked { .. }));
    let mut found = vec![if errors == 0 { "no mistakes".to_owned() } else { words::counted(errors, "mistake") }];
    if warnings > 0 {
        found.push(words::counted(warnings, "warning"));
    }
    if not_checked > 0 {
        found.push(format!("{} not checked", words::count(not_checked as u64)));
    }
    format!(
        "checked {} and {} in {}: {}",
        words::counted(of_kind("model"), "model"),
        words::counted(of_kind("test") + of_kind("unit_test"), "test"),
        words::elapsed(checked.elapsed),
        found.join(", ")
    )
}

fn columns(door: &Door, checked: &Checked) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(door.terminal.width).unwrap_or(120));
    table.set_header(["node", "column", "type"]);
    for node in &checked.nodes {
        for column in &node.columns {
            table.add_row([node.name.as_str(), column.name.as_str(), column.data_type.as_str()]);
        }
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn as_json(workspace: &Workspace, checked: &Checked) -> serde_json::Value {
    let node = |node: &CheckedNode| {
        let (verdict, because) = match &node.verdict {
            Verdict::Sound => ("sound", None),
            Verdict::Broken => ("broken", None),
            Verdict::NotChecked { because } => ("not checked", Some(because)),
        };
        let columns: Vec<serde_json::Value> =
            node.columns.iter().map(|column| json!({ "name": column.name, "data_type": column.data_type })).collect();
        json!({
            "name": node.name,
            "resource_type": resource_type(&workspace.manifest, &node.name),
            "relation": workspace.manifest.relation(&node.name).map(ToString::to_string),
            "verdict": verdict,
            "because": because,
            "columns": columns,
        })
    };
    json!({
        "nodes": checked.nodes.iter().map(node).collect::<Vec<_>>(),
        "diagnostics": checked.mistakes.0.iter().map(artifacts::diagnostic).collect::<Vec<_>>(),
        "not_made": checked.missing,
        "notes": checked.missing_indexes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "elapsed_seconds": checked.elapsed.as_secs_f64(),
    })
}
