//! The one door to stdout and stderr: data to the first, talk to the second.

use std::io::{self, IsTerminal, Write};

use owo_colors::{OwoColorize, Style};

use serde_json::{Map, Value, json};

use crate::diagnostic::{self, Diagnostic, Severity};
use crate::report::artifacts;
use crate::report::log::{LogFormat, LogLevel, record};

/// Who reads stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person at a terminal: progress is drawn in place.
    Person,
    /// A file or another program: whole lines only.
    Pipe,
}

#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    pub audience: Audience,
    pub colour: bool,
    /// Characters in a line.
    pub width: usize,
    /// What is less grave is not said.
    pub level: LogLevel,
    pub format: LogFormat,
}

impl Terminal {
    /// Looks at what the process is attached to; `NO_COLOR` and `TERM=dumb` switch colours off.
    pub fn of_process() -> Self {
        let person = io::stderr().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let width = if person { usize::from(console_width()) } else { 120 };
        Self {
            audience: if person { Audience::Person } else { Audience::Pipe },
            colour: (person || forced) && !plain,
            width: width.clamp(40, 200),
            level: LogLevel::Info,
            format: LogFormat::Text,
        }
    }

    /// The same with what the command line says of its lines; JSON is for programs, whoever looks on.
    #[must_use]
    pub fn with_log(self, format: LogFormat, level: LogLevel) -> Self {
        match format {
            LogFormat::Text => Self { format, level, ..self },
            LogFormat::Json => Self { format, level, audience: Audience::Pipe, colour: false, ..self },
        }
    }

    /// A line of talk. A closed pipe is no reason to stop a migration.
    pub fn say(&self, line: &str) {
        self.line(LogLevel::Info, line);
    }

    /// A line of why something went wrong.
    /// What did not stop anything, and somebody should know.
    pub fn warn(&self, line: &str) {
        self.line(LogLevel::Warn, line);
    }

    pub fn complain(&self, line: &str) {
        self.line(LogLevel::Error, line);
    }

    fn line(&self, level: LogLevel, line: &str) {
        match self.format {
            LogFormat::Text if level >= self.level => {
                let _ = writeln!(io::stderr(), "{line}");
            }
            // An empty line parts paragraphs, which a list of objects does not have.
            LogFormat::Json if !line.trim().is_empty() => {
                self.log(level, "message", [("message".to_owned(), json!(line))].into_iter().collect());
            }
            LogFormat::Text | LogFormat::Json => {}
        }
    }

    /// An event as one object.
    pub fn log(&self, level: LogLevel, event: &str, fields: Map<String, Value>) {
        if level >= self.level {
            let _ = writeln!(io::stderr(), "{}", record(level, event, fields));
        }
    }

    /// A line of data.
    pub fn print(&self, line: &str) {
        let _ = writeln!(io::stdout(), "{line}");
    }

    pub fn show(&self, diagnostic: &Diagnostic) {
        let diagnostic = diagnostic.clone().or_usual_hint();
        let level = match diagnostic.severity {
            Severity::Error => LogLevel::Error,
            Severity::Warning => LogLevel::Warn,
        };
        match (self.format, artifacts::diagnostic(&diagnostic)) {
            (LogFormat::Json, Value::Object(fields)) => {
                let fields = fields.into_iter().filter(|(key, _)| key != "severity");
                self.log(level, "diagnostic", fields.collect());
            }
            (LogFormat::Text | LogFormat::Json, _) => {
                self.line(level, diagnostic::render(&diagnostic, self.diagnostic_style()).trim_end());
            }
        }
    }

    pub fn diagnostic_style(&self) -> diagnostic::Style {
        if self.colour { diagnostic::Style::Colour } else { diagnostic::Style::Plain }
    }

    pub fn paint(&self, text: &str, style: Style) -> String {
        if self.colour { text.style(style).to_string() } else { text.to_owned() }
    }
}

fn console_width() -> u16 {
    rustix::termios::tcgetwinsize(io::stderr()).map_or(100, |size| size.ws_col.max(40))
}
