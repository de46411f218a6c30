//! `cdc:` and `deletes:` of a source or a table: how its changes are found, as written.

use super::declare::Written;
use super::fields::Reader;
use super::yaml::{Yaml, YamlValue};
use crate::diagnostic::Span;
use crate::ident::Ident;

/// What a strategy needs is checked when the table's is settled.
#[derive(Debug, Clone)]
pub struct CdcDecl {
    pub strategy: Written<String>,
    pub columns: Vec<Ident>,
    pub window: Option<Written<String>>,
    pub overlap: Option<Written<String>>,
    pub rows_per_range: Option<Written<String>>,
    pub alarm: Option<AlarmDecl>,
}

/// `alarm:` of a strategy that relies on change columns.
#[derive(Debug, Clone)]
pub struct AlarmDecl {
    pub every: Written<String>,
    pub percent: Option<Written<String>>,
}

/// How rows that are gone are found.
#[derive(Debug, Clone)]
pub struct DeletesDecl {
    /// `full`, `column`, `sweep`, `never`; several may stand together.
    pub detect: Vec<Written<String>>,
    pub column: Option<Written<Ident>>,
    pub every: Option<Written<String>>,
    pub max_percent: Option<Written<String>>,
    pub span: Span,
}

/// What is done when the source changes, a word for each way.
#[derive(Debug, Clone)]
pub struct DriftDecl {
    pub added: Option<Written<String>>,
    pub dropped: Option<Written<String>>,
    pub retyped: Option<Written<String>>,
    pub renamed: Option<Written<String>>,
    pub labels: Option<Written<String>>,
    /// Of a source only.
    pub tables: Option<Written<String>>,
}

/// How many rows may be set aside.
#[derive(Debug, Clone)]
pub struct QuarantineDecl {
    pub max_rows: Option<Written<String>>,
    pub max_percent: Option<Written<String>>,
    pub span: Span,
}

impl Reader {
    pub(super) fn quarantine(&mut self, yaml: &Yaml) -> Option<QuarantineDecl> {
        let fields = self.fields(yaml, "quarantine", &["max_rows", "max_percent"])?;
        let max_rows = fields.get("max_rows").and_then(|value| self.written_text(value));
        let max_percent = fields.get("max_percent").and_then(|value| self.written_text(value));
        Some(QuarantineDecl { max_rows, max_percent, span: self.span(&yaml.range) })
    }

    pub(super) fn drift(&mut self, yaml: &Yaml, keys: &'static [&'static str]) -> Option<DriftDecl> {
        let fields = self.fields(yaml, "drift", keys)?;
        let mut word = |key: &str| fields.get(key).and_then(|value| self.written_text(value));
        Some(DriftDecl {
            added: word("added"),
            dropped: word("dropped"),
            retyped: word("retyped"),
            renamed: word("renamed"),
            labels: word("labels"),
            tables: word("tables"),
        })
    }

    pub(super) fn deletes(&mut self, yaml: &Yaml) -> Option<DeletesDecl> {
        let fields = self.fields(yaml, "deletes", &["detect", "column", "every", "max_percent"])?;
        let detect = self.required(&fields, "detect")?;
        let detect = match &detect.value {
            YamlValue::List(items) => items.iter().filter_map(|item| self.written_text(item)).collect(),
            YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) | YamlValue::Map(_) => {
                vec![self.written_text(detect)?]
            }
        };
        let column = fields.get("column").and_then(|value| self.written_ident(value));
        let every = fields.get("every").and_then(|value| self.written_text(value));
        let max_percent = fields.get("max_percent").and_then(|value| self.written_text(value));
        Some(DeletesDecl { detect, column, every, max_percent, span: self.span(&yaml.range) })
    }

    pub(super) fn cdc(&mut self, yaml: &Yaml) -> Option<CdcDecl> {
        let fields =
            self.fields(yaml, "cdc", &["strategy", "columns", "window", "overlap", "rows_per_range", "alarm"])?;
        let strategy = self.required(&fields, "strategy").and_then(|value| self.written_text(value));
        let columns = fields.get("columns").map(|value| self.idents(value)).unwrap_or_default();
        let window = fields.get("window").and_then(|value| self.written_text(value));
        let overlap = fields.get("overlap").and_then(|value| self.written_text(value));
        let rows_per_range = fields.get("rows_per_range").and_then(|value| self.written_text(value));
        let alarm = fields.get("alarm").and_then(|value| self.alarm(value));
        Some(CdcDecl { strategy: strategy?, columns, window, overlap, rows_per_range, alarm })
    }

    fn alarm(&mut self, yaml: &Yaml) -> Option<AlarmDecl> {
        let fields = self.fields(yaml, "alarm", &["every", "percent"])?;
        let every = self.required(&fields, "every").and_then(|value| self.written_text(value));
        let percent = fields.get("percent").and_then(|value| self.written_text(value));
        Some(AlarmDecl { every: every?, percent })
    }
}
