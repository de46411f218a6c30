//! Lines of talk as people or as programs read them: their level, their form.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// How grave a line is; a terminal leaves out what is below its own level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    /// One object a line, with `ts`, `level`, `event` and the event's own fields.
    Json,
}

/// One line of the log as JSON.
pub fn record(level: LogLevel, event: &str, fields: Map<String, Value>) -> Value {
    let mut line = Map::new();
    line.insert("ts".to_owned(), json!(Timestamp::now().to_string()));
    line.insert("level".to_owned(), json!(level.as_str()));
    line.insert("event".to_owned(), json!(event));
    line.extend(fields);
    Value::Object(line)
}
