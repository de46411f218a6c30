//! The table at the end of a run, and the line beneath it.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};

use crate::event::{LayerTraffic, RunSummary, StepReport};
use crate::report::{Terminal, words};
use crate::state::run::StepStatus;

/// Longer runs show only what changed or failed.
const ROWS_SHOWN: usize = 80;

/// Rows per process: what came through the layer, what was written, how long it took.
pub fn table(terminal: &Terminal, summary: &RunSummary) -> String {
    let mut reports: Vec<&StepReport> = summary.reports.iter().collect();
    reports.sort_by(|left, right| (layer_rank(left), &left.node).cmp(&(layer_rank(right), &right.node)));
    let hidden = if reports.len() > ROWS_SHOWN {
        let before = reports.len();
        reports.retain(|report| report.status != StepStatus::Unchanged && report.status != StepStatus::Pass);
        reports.truncate(ROWS_SHOWN);
        before - reports.len()
    } else {
        0
    };
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(terminal.width).unwrap_or(120));
    let head = ["process", "state", "read", "inserted", "updated", "deleted", "layer", "time"];
    if terminal.colour {
        table.enforce_styling();
    }
    table.set_header(head.iter().map(|name| styled(terminal, Cell::new(name), StyleOf::Head)));
    for report in &reports {
        table.add_row(row(terminal, report));
    }
    for column in 2..head.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    if hidden > 0 {
        text.push_str(&format!("\n … and {} more that changed nothing", words::count(hidden as u64)));
    }
    text
}

/// `30 processes: 12 ok, 18 unchanged · 1,204 inserted, 3 updated, 0 deleted · 1.2 MiB in the layer · 3.20 s`.
pub fn line(summary: &RunSummary) -> String {
    let states = [
        StepStatus::Success,
        StepStatus::Unchanged,
        StepStatus::Pass,
        StepStatus::Warn,
        StepStatus::Fail,
        StepStatus::Failed,
        StepStatus::Skipped,
        StepStatus::Cancelled,
    ];
    let counted: Vec<String> = states
        .into_iter()
        .filter(|status| summary.count(*status) > 0)
        .map(|status| format!("{} {}", summary.count(status), words::status(status)))
        .collect();
    let mut parts = vec![format!("{}: {}", kinds(summary), counted.join(", "))];
    if summary.command != "test" {
        let tally = summary.tally();
        parts.push(format!(
            "{} inserted, {} updated, {} deleted",
            words::count(tally.inserted),
            words::count(tally.updated),
            words::count(tally.deleted)
        ));
    }
    let traffic = layer_traffic(summary);
    if traffic != LayerTraffic::default() {
        parts.push(format!("{} to the layer", words::bytes(traffic.bytes)));
    }
    parts.push(words::elapsed(summary.elapsed));
    parts.join(" · ")
}

/// `12 processes`, `30 tests`, or both.
fn kinds(summary: &RunSummary) -> String {
    let is_test = |report: &&StepReport| layer_rank(report) > 2;
    let tests = summary.reports.iter().filter(is_test).count();
    match (summary.reports.len() - tests, tests) {
        (0, tests) if tests > 0 => words::counted(tests, "test"),
        (processes, 0) => words::counted(processes, "process"),
        (processes, tests) => format!("{} and {}", words::counted(processes, "process"), words::counted(tests, "test")),
    }
}

/// What all steps together sent through the layer.
pub fn layer_traffic(summary: &RunSummary) -> LayerTraffic {
    let mut total = LayerTraffic::default();
    for traffic in summary.reports.iter().filter_map(|report| report.layer) {
        total.rows += traffic.rows;
        total.bytes += traffic.bytes;
    }
    total
}

fn layer_rank(report: &StepReport) -> u8 {
    match report.node.as_str().split('.').next() {
        Some("seed") => 0,
        Some("stg") => 1,
        Some("test" | "unit_test") => 3,
        _ => 2,
    }
}

fn row(terminal: &Terminal, report: &StepReport) -> Vec<Cell> {
    let tally = report.tally;
    let layer = report.layer.unwrap_or_default();
    let size = if layer.bytes == 0 { "·".to_owned() } else { words::bytes(layer.bytes) };
    vec![
        Cell::new(&report.node),
        styled(terminal, Cell::new(words::status(report.status)), StyleOf::Status(report.status)),
        Cell::new(words::count_or_dot(layer.rows)),
        Cell::new(words::count_or_dot(tally.inserted)),
        Cell::new(words::count_or_dot(tally.updated)),
        Cell::new(words::count_or_dot(tally.deleted)),
        Cell::new(size),
        Cell::new(words::elapsed(report.elapsed)),
    ]
}

#[derive(Clone, Copy)]
enum StyleOf {
    Head,
    Status(StepStatus),
}

fn styled(terminal: &Terminal, cell: Cell, style: StyleOf) -> Cell {
    if !terminal.colour {
        return cell;
    }
    match style {
        StyleOf::Head => cell.add_attribute(Attribute::Bold),
        StyleOf::Status(StepStatus::Success | StepStatus::Pass) => cell.fg(Color::Green),
        StyleOf::Status(StepStatus::Unchanged) => cell.add_attribute(Attribute::Dim),
        StyleOf::Status(StepStatus::Failed | StepStatus::Fail) => cell.fg(Color::Red),
        StyleOf::Status(StepStatus::Skipped | StepStatus::Cancelled | StepStatus::Warn) => cell.fg(Color::Yellow),
    }
}
