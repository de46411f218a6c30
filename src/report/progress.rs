//! Progress for a person at a terminal: a bar for the run, and a line for each step that runs.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::event::{Event, Listener, Phase};
use crate::ident::NodeName;
use crate::report::plain::{finished_line, note_line};
use crate::report::{Terminal, words};
use crate::state::run::StepStatus;

/// How often spinners turn.
const TICK: Duration = Duration::from_millis(120);

pub struct Progress {
    terminal: Terminal,
    drawn: MultiProgress,
    whole: Option<ProgressBar>,
    steps: BTreeMap<NodeName, StepLine>,
}

struct StepLine {
    bar: ProgressBar,
    rows: u64,
    phase: Option<Phase>,
}

impl Progress {
    pub fn new(terminal: Terminal) -> Self {
        Self { terminal, drawn: MultiProgress::new(), whole: None, steps: BTreeMap::new() }
    }

    fn start(&mut self, command: &str, steps: usize) {
        let style = ProgressStyle::with_template("{prefix:<5} {bar:30} {pos}/{len} {elapsed_precise}")
            .expect("the template of the whole bar is well-formed");
        let bar = self.drawn.add(ProgressBar::new(steps as u64)).with_style(style).with_prefix(command.to_owned());
        bar.enable_steady_tick(TICK);
        self.whole = Some(bar);
    }

    fn step(&mut self, node: &NodeName) {
        let style = ProgressStyle::with_template("  {spinner} {prefix} {msg}")
            .expect("the template of a step's line is well-formed");
        let bar = ProgressBar::new_spinner().with_style(style).with_prefix(node.to_string());
        let bar = match &self.whole {
            Some(whole) => self.drawn.insert_before(whole, bar),
            None => self.drawn.add(bar),
        };
        bar.enable_steady_tick(TICK);
        self.steps.insert(node.clone(), StepLine { bar, rows: 0, phase: None });
    }

    fn line(&self, line: &str) {
        // Printing above the bars fails only when the terminal is gone.
        let _ = self.drawn.println(line);
    }
}

impl Listener for Progress {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::RunStarted { steps, command, .. } => self.start(command, steps.len()),
            Event::StepStarted { node } => self.step(node),
            Event::StepProgress { node, phase, rows, .. } => {
                if let Some(step) = self.steps.get_mut(node) {
                    step.rows = if step.phase == Some(*phase) { step.rows + rows } else { *rows };
                    step.phase = Some(*phase);
                    step.bar.set_message(format!("{} {} rows", phase.as_str(), words::count(step.rows)));
                }
            }
            Event::StepFinished(report) => {
                if let Some(step) = self.steps.remove(&report.node) {
                    step.bar.finish_and_clear();
                }
                if is_remarkable(report.status) {
                    self.line(&finished_line(&self.terminal, report));
                }
                if let Some(whole) = &self.whole {
                    whole.inc(1);
                }
            }
            Event::LockAwaited { .. } | Event::StepRetried { .. } | Event::StaleParent { .. } | Event::Noted { .. } => {
                if let Some(line) = note_line(event) {
                    self.line(&line);
                }
            }
            Event::RunFinished(_) => {
                if let Some(whole) = self.whole.take() {
                    whole.finish_and_clear();
                }
            }
        }
    }
}

/// The final table shows what went well; failures scroll past as they happen.
fn is_remarkable(status: StepStatus) -> bool {
    match status {
        StepStatus::Failed | StepStatus::Fail | StepStatus::Warn => true,
        StepStatus::Success
        | StepStatus::Unchanged
        | StepStatus::Skipped
        | StepStatus::Cancelled
        | StepStatus::Pass => false,
    }
}
