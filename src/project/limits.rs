//! What the profile asks of the sessions that read a source: that they can't write, and how gently they read.

use std::num::NonZeroU64;
use std::path::PathBuf;

use jiff::SignedDuration;

use super::blackout::Blackout;
use super::fields::Fields;
use super::output::OutputReader;
use super::yaml::{Yaml, YamlValue};
use crate::diagnostic::{Code, Diagnostic, Span};

/// Keys of a connection that are no settings of its sessions.
pub(super) const LIMIT_KEYS: &[&str] =
    &["require_read_only", "max_bytes_per_second", "blackout", "pause_file", "max_active_sessions", "max_replica_lag"];

/// The limits of one source connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceLimits {
    /// Where it is asked that the role can't write.
    pub require_read_only: Option<Span>,
    /// Of CSV, over all sessions of a run.
    pub bytes_per_second: Option<NonZeroU64>,
    /// No table is begun in any of these.
    pub blackouts: Vec<Blackout>,
    /// While it exists nothing is read. As it is written: it may be relative to the project.
    pub pause_file: Option<PathBuf>,
    /// While more sessions of others are active, nothing is read.
    pub active_sessions: Option<u64>,
    /// While a replica is further behind, nothing is read.
    pub replica_lag: Option<SignedDuration>,
    /// Where the first of the last two is asked for.
    pub watched_at: Option<Span>,
}

impl SourceLimits {
    /// Whether the server has to be looked at while it is read.
    pub fn watches(&self) -> bool {
        self.active_sessions.is_some() || self.replica_lag.is_some()
    }
}

impl OutputReader<'_> {
    pub(super) fn limits(&mut self, fields: &Fields<'_>) -> SourceLimits {
        let watched = fields.get("max_active_sessions").or_else(|| fields.get("max_replica_lag"));
        SourceLimits {
            require_read_only: self.switch(fields, "require_read_only"),
            bytes_per_second: self.parsed(fields, "max_bytes_per_second", ("20 MB", bytes)),
            blackouts: self.blackouts(fields),
            pause_file: self.parsed(fields, "pause_file", ("pause", |text| Some(PathBuf::from(text)))),
            active_sessions: self.parsed(fields, "max_active_sessions", ("40", |text| text.parse().ok())),
            replica_lag: self.parsed(fields, "max_replica_lag", ("30s", length)),
            watched_at: watched.map(|value| self.reader.span(&value.range)),
        }
    }

    /// The place of a key that says yes; it may be a template.
    fn switch(&mut self, fields: &Fields<'_>, key: &str) -> Option<Span> {
        let value = fields.get(key)?;
        match self.text(value)?.trim() {
            "true" => Some(self.reader.span(&value.range)),
            "false" => None,
            _ => {
                self.bad_value(value, "it is neither true nor false", "write true or false");
                None
            }
        }
    }

    fn parsed<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        (example, parse): (&str, impl Fn(&str) -> Option<T>),
    ) -> Option<T> {
        let value = fields.get(key)?;
        let text = self.text(value)?;
        let parsed = parse(text.trim());
        if parsed.is_none() {
            self.bad_value(value, &format!("{key} is \"{text}\""), &format!("write it as in \"{key}: {example}\""));
        }
        parsed
    }

    /// One, or a list of them.
    fn blackouts(&mut self, fields: &Fields<'_>) -> Vec<Blackout> {
        let Some(value) = fields.get("blackout") else { return Vec::new() };
        let items: &[Yaml] = match &value.value {
            YamlValue::List(items) => items,
            YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) | YamlValue::Map(_) => {
                std::slice::from_ref(value)
            }
        };
        items.iter().filter_map(|item| self.blackout(item)).collect()
    }

    fn blackout(&mut self, value: &Yaml) -> Option<Blackout> {
        let text = self.text(value)?;
        match Blackout::parse(&text) {
            Ok(blackout) => Some(blackout),
            Err(problem) => {
                self.bad_value(value, &problem, "write it as in \"08:00-17:00 Asia/Riyadh\"");
                None
            }
        }
    }

    fn bad_value(&mut self, yaml: &Yaml, message: &str, hint: &str) {
        let span = self.reader.span(&yaml.range);
        self.reader.report(Diagnostic::error(Code::BadValue, message.to_owned()).at(span).hint(hint.to_owned()));
    }
}

fn length(text: &str) -> Option<SignedDuration> {
    text.parse::<SignedDuration>().ok().filter(|length| *length >= SignedDuration::ZERO)
}

/// `20 MB`, `512 KiB`, `1000000`.
fn bytes(text: &str) -> Option<NonZeroU64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor: u64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    let number: u64 = digits.trim().replace('_', "").parse().ok()?;
    NonZeroU64::new(number.checked_mul(factor)?)
}

#[cfg(test)]
mod tests {
    use super::{bytes, length};

    #[test]
    fn rates_are_bytes_with_or_without_a_unit() {
        let read = |text| bytes(text).map(std::num::NonZeroU64::get);
        assert_eq!(read("20 MB"), Some(20_000_000));
        assert_eq!(read("512KiB"), Some(524_288));
        assert_eq!(read("1_000"), Some(1_000));
        assert_eq!([read("0"), read("20 Mbit"), read("fast"), read("-1 MB")], [None; 4]);
    }

    #[test]
    fn lengths_are_not_negative() {
        assert_eq!(length("30s").map(|length| length.as_secs()), Some(30));
        assert_eq!((length("-1s"), length("30")), (None, None));
    }
}
