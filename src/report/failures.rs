//! Failures, each once: the process, the place in the user's file, the server's words, and what is stale because of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use owo_colors::Style;

use crate::event::{Event, Failure, Listener, RunSummary, StepReport};
use crate::ident::NodeName;
use crate::report::{Terminal, words};
use crate::state::run::StepStatus;

/// Shows failures when the run is over, so that the last lines of a long run say what to mend.
pub struct Failures {
    terminal: Terminal,
    /// What ran on old data, by the parent that failed.
    stale: BTreeMap<NodeName, (Vec<NodeName>, Timestamp)>,
}

impl Failures {
    pub fn new(terminal: Terminal) -> Self {
        Self { terminal, stale: BTreeMap::new() }
    }

    fn show_all(&self, summary: &RunSummary) {
        for report in &summary.reports {
            match report.status {
                StepStatus::Failed => self.show(report, summary),
                StepStatus::Fail | StepStatus::Warn => self.show_test(report, summary),
                StepStatus::Success
                | StepStatus::Unchanged
                | StepStatus::Skipped
                | StepStatus::Cancelled
                | StepStatus::Pass => {}
            }
        }
    }

    fn show(&self, report: &StepReport, summary: &RunSummary) {
        let Some(failure) = &report.failure else { return };
        let title = format!("{} failed after {}", report.node, words::elapsed(report.elapsed));
        self.terminal.complain("");
        self.terminal.complain(&self.terminal.paint(&title, Style::new().red().bold()));
        match &failure.diagnostic {
            Some(diagnostic) => self.terminal.show(diagnostic),
            None => self.show_message(failure),
        }
        self.show_consequences(report, summary);
    }

    fn show_message(&self, failure: &Failure) {
        self.terminal.complain(&format!("  {}", failure.message));
        for cause in &failure.causes {
            let lead = if cause.starts_with("detail: ") { "" } else { "because: " };
            self.terminal.complain(&format!("    {lead}{cause}"));
        }
        if let Some(hint) = &failure.hint {
            self.terminal.complain(&format!("  hint: {hint}"));
        }
    }

    /// What did not run because of it, and what ran on old data.
    fn show_consequences(&self, report: &StepReport, summary: &RunSummary) {
        let skipped = skipped_below(&report.node, summary);
        if !skipped.is_empty() {
            self.terminal.complain(&format!("  skipped because of it: {}", skipped.join(", ")));
        }
        if let Some((nodes, last_good)) = self.stale.get(&report.node) {
            let names: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            self.terminal.complain(&format!("  built on its state of {last_good:.0}: {}", names.join(", ")));
        }
    }

    fn show_test(&self, report: &StepReport, summary: &RunSummary) {
        let failing = usize::try_from(report.failing_rows.unwrap_or(0)).unwrap_or(usize::MAX);
        let told = match &report.failure {
            // A unit test shows its rows.
            Some(failure) if !failure.causes.is_empty() => failure.message.clone(),
            Some(_) | None => words::counted(failing, "failing row"),
        };
        let tell = |line: &str| match report.status {
            // Of warnings a quiet run says nothing.
            StepStatus::Warn => self.terminal.say(line),
            StepStatus::Success
            | StepStatus::Unchanged
            | StepStatus::Failed
            | StepStatus::Skipped
            | StepStatus::Cancelled
            | StepStatus::Pass
            | StepStatus::Fail => self.terminal.complain(line),
        };
        let title = format!("{} {}: {told}", words::status(report.status), report.node);
        tell(&self.terminal.paint(&title, words::status_style(report.status)));
        for row in report.failure.iter().flat_map(|failure| &failure.causes) {
            tell(&format!("  {}", self.terminal.paint(row, row_style(row))));
        }
        if let Some(hint) = report.failure.as_ref().and_then(|failure| failure.hint.as_ref()) {
            tell(&format!("  {hint}"));
        }
        self.show_consequences(report, summary);
    }
}

/// As `diff` colours lines.
fn row_style(row: &str) -> Style {
    match row.as_bytes().first() {
        Some(b'-') => Style::new().red(),
        Some(b'+') => Style::new().green(),
        Some(_) | None => Style::new(),
    }
}

/// What was skipped because of a failure, directly or because of something else that was skipped.
fn skipped_below(failed: &NodeName, summary: &RunSummary) -> Vec<String> {
    let mut causes = vec![failed];
    let mut at = 0;
    while let Some(cause) = causes.get(at).copied() {
        let caused = summary.reports.iter().filter(|report| report.status == StepStatus::Skipped).filter(|report| {
            let parent = report.failure.as_ref().and_then(|failure| failure.parent.as_ref());
            parent == Some(cause)
        });
        causes.extend(caused.map(|report| &report.node));
        at += 1;
    }
    causes[1..].iter().map(ToString::to_string).collect()
}

impl Listener for Failures {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::StaleParent { node, parent, last_good } => {
                let entry = self.stale.entry(parent.clone()).or_insert_with(|| (Vec::new(), *last_good));
                entry.0.push(node.clone());
            }
            Event::RunFinished(summary) => self.show_all(summary),
            Event::RunStarted { .. }
            | Event::StepStarted { .. }
            | Event::StepProgress { .. }
            | Event::LockAwaited { .. }
            | Event::StepRetried { .. }
            | Event::Noted { .. }
            | Event::StepFinished(_) => {}
        }
    }
}
