//! One line for each thing that happens: for pipes, logs and CI.

use crate::event::{Event, Listener, StepReport};
use crate::report::{Terminal, words};
use crate::state::run::StepStatus;

/// Writes lines that read alone.
pub struct PlainLines {
    terminal: Terminal,
    total: usize,
    finished: usize,
}

impl PlainLines {
    pub fn new(terminal: Terminal) -> Self {
        Self { terminal, total: 0, finished: 0 }
    }
}

impl Listener for PlainLines {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::RunStarted { steps, threads, command, .. } => {
                self.total = steps.len();
                let steps = words::counted(steps.len(), "step");
                self.terminal.say(&format!("{command}: {steps}, {}", words::counted(*threads, "thread")));
            }
            Event::StepFinished(report) => {
                self.finished += 1;
                let line = format!("{}/{} {}", self.finished, self.total, finished_line(&self.terminal, report));
                self.terminal.say(&line);
            }
            Event::LockAwaited { .. } | Event::StepRetried { .. } | Event::StaleParent { .. } | Event::Noted { .. } => {
                if let Some(line) = note_line(event) {
                    self.terminal.say(&line);
                }
            }
            Event::StepStarted { .. } | Event::StepProgress { .. } | Event::RunFinished(_) => {}
        }
    }
}

/// `ok bl.person: 12 inserted, 3 updated in 240 ms`.
pub fn finished_line(terminal: &Terminal, report: &StepReport) -> String {
    let status = terminal.paint(words::status(report.status), words::status_style(report.status));
    let mut line = format!("{status} {}", report.node);
    let mut facts = Vec::new();
    for (count, word) in
        [(report.tally.inserted, "inserted"), (report.tally.updated, "updated"), (report.tally.deleted, "deleted")]
    {
        if count > 0 {
            facts.push(format!("{} {word}", words::count(count)));
        }
    }
    if let Some(layer) = report.layer {
        facts.push(format!("{} rows read", words::count(layer.rows)));
    }
    let took = if report.status == StepStatus::Skipped {
        String::new()
    } else {
        format!(" in {}", words::elapsed(report.elapsed))
    };
    if let Some(failure) = &report.failure {
        // The server's detail and hint come with the failure at the end of the run.
        facts.push(failure.message.lines().next().unwrap_or_default().to_owned());
        // A message ends the line, or it would read as if it spoke of the time.
        return format!("{line}{took}: {}", facts.join(", "));
    }
    if !facts.is_empty() {
        line.push_str(": ");
        line.push_str(&facts.join(", "));
    }
    line + &took
}

/// What is worth a line while a run goes on, besides the ends of steps.
pub fn note_line(event: &Event) -> Option<String> {
    match event {
        Event::LockAwaited { node, holder, limit } => {
            Some(format!("{node} waits up to {} for its target, in use by {holder}", words::elapsed(*limit)))
        }
        Event::StaleParent { node, parent, last_good } => {
            Some(format!("{node} runs on {parent} as of {last_good:.0}, because it failed"))
        }
        Event::StepRetried { node, attempt, reason, pause } => {
            Some(format!("{node}: {reason}; attempt {attempt} in {} ms", pause.as_millis()))
        }
        Event::Noted { node: Some(node), message } => Some(format!("{node}: {message}")),
        Event::Noted { node: None, message } => Some(message.clone()),
        Event::RunStarted { .. }
        | Event::StepStarted { .. }
        | Event::StepProgress { .. }
        | Event::StepFinished(_)
        | Event::RunFinished(_) => None,
    }
}
