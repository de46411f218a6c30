//! `plan` and `apply`: what a run would do, as a table or JSON; and a saved plan, carried out.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::arguments::{OnErrorArgument, PlannedCommand, SelectionArguments};
use crate::cli::reads::ReadArguments;
use crate::cli::retry::DeferArguments;
use crate::cli::{Door, INTERRUPTED, retry, runs, stop_signal};
use crate::manifest::jinja::Rows;
use crate::ops::OpError;
use crate::ops::history;
use crate::ops::plan::{self, Compared, NOT_READ, Outcome, PlanRequest, Planned, SavedPlan, Saving};
use crate::ops::run::{RunRequest, Verb};
use crate::ops::warnings::{TEST, Treatment};
use crate::ops::workspace::WorkspaceOptions;
use crate::plan::explain::{Explained, Outlook};
use crate::project::Invocation;
use crate::report::{artifacts, words};
use crate::state::run::{StepStatus, Tally};
use crate::transform::diff::{RowChange, SampleRow, SampleValue, StepDiff};

#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Which command to plan
    #[arg(long, value_enum, default_value_t = PlannedCommand::Build, value_name = "COMMAND")]
    pub command: PlannedCommand,
    /// Carry the steps out in a transaction that is rolled back, and count the rows they would write
    #[arg(long)]
    pub diff: bool,
    /// Show so many rows of each kind with their values; without it no value is read
    #[arg(long, value_name = "N", default_value_t = 0, requires = "diff")]
    pub samples: u32,
    /// Write the plan to a file, for unimig apply
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// How many processes run at once; without it, as the profile says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// What becomes of the models below a failed process
    #[arg(long, value_enum, default_value_t = OnErrorArgument::Continue, value_name = "WHAT")]
    pub on_error: OnErrorArgument,
    /// Read whole tables whatever their strategy, and rebuild incremental models from the start
    #[arg(short = 'f', long)]
    pub full_refresh: bool,
    #[command(flatten)]
    pub reads: ReadArguments,
    /// Stop at the first failure when it is carried out
    #[arg(short = 'x', long)]
    pub fail_fast: bool,
    /// Make relations without rows: models read columns only; staging, merged tables and snapshots stay as they are
    #[arg(long)]
    pub empty: bool,
    /// Keep the failing rows of tests in tables of the target, one a test
    #[arg(long)]
    pub store_failures: bool,
    #[command(flatten)]
    pub defer: DeferArguments,
}

#[derive(Debug, Args)]
pub(super) struct ApplyArguments {
    /// What unimig plan --save wrote
    pub file: PathBuf,
    /// Also write the results as JUnit XML, which CI servers show
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

pub(super) async fn plan(door: &Door, arguments: &PlanArguments) -> Result<u8, OpError> {
    let mut run = request(door, arguments)?;
    let given = door.workspace_options()?;
    let workspace = door.load(&WorkspaceOptions { invocation: invocation(door, &run), ..given })?;
    history::ask(&workspace, &mut run.selection).await?;
    let request = PlanRequest {
        run,
        diff: arguments.diff.then_some(arguments.samples),
        save: if arguments.save.is_some() { Saving::Capture } else { Saving::Omit },
    };
    let stop = stop_signal(door.terminal);
    let planned = match plan::plan(&workspace, &request, stop.clone()).await {
        Ok(planned) => planned,
        Err(error) if stop.is_cancelled() => {
            door.refuse(&error);
            return Ok(INTERRUPTED);
        }
        Err(error) => return Err(error),
    };
    door.warn_of(&request.run.selection)?;
    if door.is_json() {
        door.terminal.print(&as_json(&planned).to_string());
    } else {
        show(door, &planned);
    }
    if let (Some(path), Some(saved)) = (&arguments.save, &planned.saved) {
        saved.write(path)?;
        door.terminal.say(&format!("saved; carry it out with: unimig apply {}", path.display()));
    }
    let compared = planned.compared.iter().flatten();
    Ok(u8::from(compared.into_iter().any(|(_, compared)| compared.outcome.is_failure())))
}

pub(super) async fn apply(door: &Door, arguments: &ApplyArguments) -> Result<u8, OpError> {
    let saved = SavedPlan::read(&arguments.file)?;
    let request = saved.request();
    let given = door.workspace_options()?;
    let workspace = door.load(&WorkspaceOptions {
        vars: if door.globals.vars.is_some() { given.vars.clone() } else { saved.settings.vars.clone() },
        target: given.target.clone().or_else(|| Some(saved.target.clone())),
        invocation: invocation(door, &request),
        ..given
    })?;
    let stop = stop_signal(door.terminal);
    let mut listeners = runs::listeners(door.terminal);
    let ended = plan::apply((&workspace, &saved), &request, &mut listeners, stop.clone()).await;
    runs::finish(door, (&workspace, &request), (ended, &stop), arguments.junit.as_deref())
}

/// What templates see in `flags` is the run that is planned, so that the plan's SQL is the run's.
fn invocation(door: &Door, request: &RunRequest) -> Invocation {
    let mut flags = door.invocation.flags.clone();
    let empty = matches!(request.verb, Verb::Build | Verb::Run).then_some(request.rows == Rows::None);
    flags.insert("EMPTY", json!(empty));
    flags.insert("FAIL_FAST", json!(request.fail_fast));
    if request.warn_error {
        flags.insert("WARN_ERROR", json!(true));
    }
    flags.insert("INDIRECT_SELECTION", json!(request.selection.indirect.as_str()));
    Invocation {
        command: request.verb.as_str().to_owned(),
        full_refresh: request.full_refresh,
        store_failures: request.store_failures,
        flags,
        ..door.invocation.clone()
    }
}

fn request(door: &Door, arguments: &PlanArguments) -> Result<RunRequest, OpError> {
    Ok(RunRequest {
        selection: arguments.selection.clone().into(),
        threads: arguments.threads.map(usize::from),
        on_error: arguments.on_error.into(),
        full_refresh: arguments.full_refresh,
        reads: arguments.reads.clone().into(),
        fail_fast: arguments.fail_fast,
        warn_error: door.warnings()?.treatment(TEST) == Treatment::Error,
        warnings: door.warnings()?,
        store_failures: arguments.store_failures,
        rows: if arguments.empty { Rows::None } else { Rows::All },
        defer: retry::defer(&arguments.defer, arguments.selection.state.as_ref())?,
        ..RunRequest::all(arguments.command.into())
    })
}

fn show(door: &Door, planned: &Planned) {
    let terminal = &door.terminal;
    if planned.steps.is_empty() {
        terminal.say("nothing to do: the project has none of these");
        return;
    }
    let taken = taken_away(planned);
    if !taken.is_empty() {
        terminal.print("takes away:");
        for line in &taken {
            terminal.print(&format!("  {line}"));
        }
        terminal.print("");
    }
    terminal.print(&table(door, planned));
    for step in &planned.steps {
        if let Some(compared) = compared_of(planned, step) {
            show_compared(door, step, compared);
        }
    }
    terminal.print("");
    terminal.print(&summary(planned));
}

fn compared_of<'a>(planned: &'a Planned, step: &Explained) -> Option<&'a Compared> {
    planned.compared.as_ref()?.get(&step.name)
}

/// What is lost, the certain before the possible.
fn taken_away(planned: &Planned) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &planned.steps {
        match compared_of(planned, step).map(|compared| &compared.outcome) {
            Some(Outcome::Differs(diff)) => {
                lines.extend(diff.destroys.iter().map(|what| format!("{} {what}", step.name)));
            }
            Some(Outcome::Tested { .. } | Outcome::NotCompared(_) | Outcome::Refused { .. }) | None => {
                lines.extend(step.destroys.iter().map(|what| format!("{} {what}", step.name)));
            }
        }
    }
    lines
}

fn table(door: &Door, planned: &Planned) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(door.terminal.width).unwrap_or(120));
    let mut head = vec!["process", "action", "why"];
    let numbers = if planned.compared.is_some() { ["inserts", "updates", "deletes"].as_slice() } else { &[] };
    head.extend(numbers);
    head.extend(["usually", "last good"]);
    table.set_header(&head);
    for step in planned.steps.iter().filter(|step| is_shown(planned, step)) {
        let mut row = vec![step.name.to_string(), step.action.clone(), step.reason.clone()];
        if planned.compared.is_some() {
            row.extend(counts(compared_of(planned, step)));
        }
        row.push(step.usual.map_or_else(|| "·".to_owned(), words::elapsed));
        row.push(step.last_good.map_or_else(|| "never".to_owned(), |at| ago(planned.made_at, at)));
        table.add_row(row);
    }
    for column in 3..head.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Tests stand between the processes in great number, and say nothing beforehand.
fn is_shown(planned: &Planned, step: &Explained) -> bool {
    step.outlook != Outlook::Looks || planned.steps.iter().all(|step| step.outlook == Outlook::Looks)
}

fn counts(compared: Option<&Compared>) -> [String; 3] {
    match compared.map(|compared| &compared.outcome) {
        Some(Outcome::Differs(diff)) => {
            let tally = diff.tally;
            [tally.inserted, tally.updated, tally.deleted].map(words::count_or_dot)
        }
        Some(Outcome::Tested { .. }) => ["·", "·", "·"].map(str::to_owned),
        Some(Outcome::NotCompared(_) | Outcome::Refused { .. }) | None => ["?", "?", "?"].map(str::to_owned),
    }
}

fn ago(now: Timestamp, then: Timestamp) -> String {
    let time = Duration::try_from(now.duration_since(then)).unwrap_or_default();
    match time.as_secs() {
        seconds @ 172_800.. => format!("{} days ago", seconds / 86_400),
        seconds @ 60.. => format!("{} ago", words::elapsed(Duration::from_secs(seconds))),
        seconds => format!("{seconds} s ago"),
    }
}

fn show_compared(door: &Door, step: &Explained, compared: &Compared) {
    let terminal = &door.terminal;
    let name = &step.name;
    match &compared.outcome {
        Outcome::Differs(diff) => show_diff(door, step, diff),
        Outcome::Tested { failing_rows, verdict } if [StepStatus::Fail, StepStatus::Warn].contains(verdict) => {
            terminal.print(&format!("\n{name} would {}: {failing_rows} failing", verdict.as_str()));
        }
        Outcome::Tested { .. } => {}
        Outcome::NotCompared(why) if why == NOT_READ => {}
        Outcome::NotCompared(why) => terminal.print(&format!("\n{name} is not compared: {why}")),
        Outcome::Refused { message, mistake } => {
            terminal.print(&format!("\n{name} would fail: {message}"));
            if let Some(mistake) = mistake {
                terminal.show(mistake);
            }
        }
    }
}

fn show_diff(door: &Door, step: &Explained, diff: &StepDiff) {
    let terminal = &door.terminal;
    let mut lines: Vec<String> = diff.notes.clone();
    if !diff.changed_columns.is_empty() {
        let columns = diff.changed_columns.iter();
        let columns: Vec<String> =
            columns.map(|(name, rows)| format!("{} in {}", name.as_str(), words::counted_rows(*rows))).collect();
        lines.push(format!("changes {}", columns.join(", ")));
    }
    lines.extend(diff.samples.iter().map(sample));
    if lines.is_empty() {
        return;
    }
    terminal.print(&format!("\n{}", step.name));
    for line in lines {
        terminal.print(&format!("  {line}"));
    }
}

/// `+ id=7  name: Ann`, `~ id=3  email: a@x → b@x`, `- id=9`.
fn sample(row: &SampleRow) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
    let key: Vec<String> = row.key.iter().map(|(name, is)| format!("{}={}", name.as_str(), value(is))).collect();
    let (mark, values): (&str, Vec<String>) = match row.change {
        RowChange::Insert => ("+", row.values.iter().map(|of| format!("{}: {}", of.column, value(&of.new))).collect()),
        RowChange::Update => {
            let change = |of: &SampleValue| format!("{}: {} → {}", of.column, value(&of.old), value(&of.new));
            ("~", row.values.iter().map(change).collect())
        }
        RowChange::Delete => ("-", row.values.iter().map(|of| format!("{}: {}", of.column, value(&of.old))).collect()),
    };
    let parts = [key.join(" "), values.join(", ")];
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    format!("{mark} {}", parts.join("  "))
}

/// `12 steps of build: 3 with work to do, 9 to compare · usually 2.4 s with 4 threads`.
fn summary(planned: &Planned) -> String {
    let count = |outlook| planned.steps.iter().filter(|step| step.outlook == outlook).count();
    let kinds = [(Outlook::Work, "with work to do"), (Outlook::Same, "to compare"), (Outlook::Looks, "tests")];
    let kinds = kinds.into_iter().filter(|(outlook, _)| count(*outlook) > 0);
    let kinds: Vec<String> = kinds.map(|(outlook, words)| format!("{} {words}", count(outlook))).collect();
    let mut parts =
        vec![format!("{} of {}: {}", words::counted(planned.steps.len(), "step"), planned.command, kinds.join(", "))];
    if let Some(compared) = &planned.compared {
        let diffs = compared.values().filter_map(|compared| match &compared.outcome {
            Outcome::Differs(diff) => Some(diff.tally),
            Outcome::Tested { .. } | Outcome::NotCompared(_) | Outcome::Refused { .. } => None,
        });
        let mut total = Tally::default();
        diffs.for_each(|tally| total += tally);
        parts.push(format!(
            "{} inserted, {} updated, {} deleted, all of it rolled back",
            words::count(total.inserted),
            words::count(total.updated),
            words::count(total.deleted)
        ));
    }
    let (time, unknown) = planned.estimate;
    match unknown == planned.steps.len() {
        true => parts.push("no earlier run to estimate the time from".to_owned()),
        false => {
            let unknown = if unknown == 0 { String::new() } else { format!(", without {unknown} that never ran") };
            parts.push(format!("usually {} with {} threads{unknown}", words::elapsed(time), planned.threads));
        }
    }
    parts.join(" · ")
}

fn as_json(planned: &Planned) -> Value {
    let step = |step: &Explained| {
        json!({
            "name": step.name,
            "action": step.action,
            "reason": step.reason,
            "outlook": match step.outlook {
                Outlook::Work => "work",
                Outlook::Same => "same",
                Outlook::Looks => "looks",
            },
            "waits_for": step.waits_for,
            "last_good": step.last_good.map(|at| at.to_string()),
            "usual_seconds": step.usual.map(|time| time.as_secs_f64()),
            "may_take_away": step.destroys,
            "diff": compared_of(planned, step).map(compared_json),
        })
    };
    json!({
        "command": planned.command,
        "made_at": planned.made_at.to_string(),
        "threads": planned.threads,
        "estimate_seconds": planned.estimate.0.as_secs_f64(),
        "steps_without_estimate": planned.estimate.1,
        "steps": planned.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn compared_json(compared: &Compared) -> Value {
    let mut object = match &compared.outcome {
        Outcome::Differs(diff) => json!({
            "outcome": "differs",
            "rows_inserted": diff.tally.inserted,
            "rows_updated": diff.tally.updated,
            "rows_deleted": diff.tally.deleted,
            "changed_columns": diff.changed_columns.iter().map(|(name, rows)| json!({ "name": name, "rows": rows })).collect::<Vec<_>>(),
            "takes_away": diff.destroys,
            "notes": diff.notes,
            "samples": diff.samples.iter().map(sample_json).collect::<Vec<_>>(),
        }),
        Outcome::Tested { failing_rows, verdict } => {
            json!({ "outcome": "tested", "failing_rows": failing_rows, "verdict": verdict.as_str() })
        }
        Outcome::NotCompared(why) => json!({ "outcome": "not compared", "why": why }),
        Outcome::Refused { message, mistake } => json!({
            "outcome": "refused",
            "message": message,
            "diagnostic": mistake.as_deref().map(artifacts::diagnostic),
        }),
    };
    object["elapsed_seconds"] = compared.elapsed.as_secs_f64().into();
    object
}

fn sample_json(row: &SampleRow) -> Value {
    let key: serde_json::Map<String, Value> =
        row.key.iter().map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect();
    let values: Vec<Value> =
        row.values.iter().map(|of| json!({ "column": of.column, "old": of.old, "new": of.new })).collect();
    let change = match row.change {
        RowChange::Insert => "insert",
        RowChange::Update => "update",
        RowChange::Delete => "delete",
    };
    json!({ "change": change, "key": key, "values": values })
}
