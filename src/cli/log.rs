//! The tool's own log on stderr: the lines of `tracing`, in the form that the user chose.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use crate::report::log::{LogFormat, LogLevel, record};

/// Starts the log; `UNIMIG_LOG` holds a finer filter than a level.
pub(super) fn start(format: LogFormat, level: LogLevel) {
    let default = match level {
        LogLevel::Debug => "unimig=debug,template=debug",
        // What a run does is told by its events; the log is for what they don't tell.
        LogLevel::Info | LogLevel::Warn => "unimig=warn,template=info",
        LogLevel::Error => "unimig=error",
    };
    let filter = EnvFilter::try_from_env("UNIMIG_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second subscriber in one process can only come from a test, and changes nothing.
    let _ = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.event_format(JsonLine).try_init(),
    };
}

/// The same shape as the lines of a run's events.
struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            Level::DEBUG | Level::TRACE => LogLevel::Debug,
        };
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        writeln!(writer, "{}", record(level, "log", fields.0))
    }
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}
