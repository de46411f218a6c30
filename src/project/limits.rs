//! What the profile asks of the sessions that read a source: that they can't write, and how gently they read.

use super::fields::Fields;
use super::output::OutputReader;
use super::yaml::Yaml;
use crate::diagnostic::{Code, Diagnostic, Span};

/// Keys of a connection that are no settings of its sessions.
pub(super) const LIMIT_KEYS: &[&str] = &["require_read_only"];

/// The limits of one source connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceLimits {
    /// Where it is asked that the role can't write.
    pub require_read_only: Option<Span>,
}

impl OutputReader<'_> {
    pub(super) fn limits(&mut self, fields: &Fields<'_>) -> SourceLimits {
        SourceLimits { require_read_only: self.switch(fields, "require_read_only") }
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

    fn bad_value(&mut self, yaml: &Yaml, message: &str, hint: &str) {
        let span = self.reader.span(&yaml.range);
        self.reader.report(Diagnostic::error(Code::BadValue, message.to_owned()).at(span).hint(hint.to_owned()));
    }
}
