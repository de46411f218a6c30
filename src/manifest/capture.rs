//! How the changes of a source table are found: what was declared, made into a strategy that holds all it needs.

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::Ident;
use crate::project::{CdcDecl, Written};

/// How an extraction finds what changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strategy {
    /// Every row is read; keys that are gone become tombstones.
    Full,
    /// Rows are read whose time in any of the columns lies in the window, and those that are NULL in all of them:
    /// `window`, and `watermark` with its overlap.
    Window {
        /// Never empty.
        columns: Vec<Ident>,
        /// How far the window reaches back from the last complete batch.
        reach: jiff::SignedDuration,
    },
    /// Rows are only ever added, with growing keys: those above the last batch's greatest are read.
    Append {
        column: Ident,
        /// How far below the greatest key reading starts, for sequences whose numbers are handed out out of order.
        overlap: u64,
    },
    /// Digests of key ranges are compared with those of the copy, and ranges that differ are read.
    Compare { rows_per_range: u64 },
}

/// How a batch is proven on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Checksum {
    /// By the number of rows and a digest that the source computes too.
    #[default]
    Digest,
    /// By the number of rows and the bytes of the parts.
    Rows,
}

/// A sampled comparison of the whole rows, to find changes that the change columns do not tell of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alarm {
    pub every: jiff::SignedDuration,
    /// Of the table, the next part each time.
    pub percent: f64,
}

impl Strategy {
    /// The columns whose times tell what changed.
    pub fn times(&self) -> &[Ident] {
        match self {
            Self::Window { columns, .. } => columns,
            Self::Full | Self::Append { .. } | Self::Compare { .. } => &[],
        }
    }

    /// Columns of the source that the strategy needs.
    pub fn columns(&self) -> &[Ident] {
        match self {
            Self::Append { column, .. } => std::slice::from_ref(column),
            Self::Full | Self::Window { .. } | Self::Compare { .. } => self.times(),
        }
    }
}

const DEFAULT_OVERLAP: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// A session that caches numbers of a sequence takes few; a thousand covers usual settings.
const DEFAULT_KEY_OVERLAP: u64 = 1_000;
const DEFAULT_ROWS_PER_RANGE: u64 = 10_000;
const DEFAULT_SAMPLE_PERCENT: f64 = 10.0;

/// The strategy of a declaration; what is wrong with it is reported.
pub(super) fn strategy(cdc: &CdcDecl, diagnostics: &mut Diagnostics) -> Option<Strategy> {
    let mut declared = Declared { cdc, diagnostics };
    match cdc.strategy.value.as_str() {
        "full" => {
            declared.refuse_others("full", &[]);
            Some(Strategy::Full)
        }
        "window" => declared.window(),
        "watermark" => declared.watermark(),
        "append" => declared.append(),
        "compare" => declared.compare(),
        other => {
            let diagnostic = Diagnostic::error(Code::BadValue, format!("\"{other}\" is no strategy"))
                .at(cdc.strategy.span.clone())
                .hint("strategy is \"full\", \"window\", \"watermark\", \"append\" or \"compare\"");
            declared.diagnostics.push(diagnostic);
            None
        }
    }
}

struct Declared<'a> {
    cdc: &'a CdcDecl,
    diagnostics: &'a mut Diagnostics,
}

impl Declared<'_> {
    fn window(&mut self) -> Option<Strategy> {
        self.refuse_others("window", &["window"]);
        let columns = self.times("window");
        let Some(written) = &self.cdc.window else {
            self.missing("window", "window", "say how far back to read, as in \"window: 7 days\"");
            return None;
        };
        let reach = self.length(&written.value, &written.span)?;
        if reach == jiff::SignedDuration::ZERO {
            self.no_length(&written.value, &written.span);
            return None;
        }
        Some(Strategy::Window { columns: columns?, reach })
    }

    fn watermark(&mut self) -> Option<Strategy> {
        self.refuse_others("watermark", &["overlap"]);
        let columns = self.times("watermark");
        let reach = match &self.cdc.overlap {
            Some(written) => self.length(&written.value, &written.span)?,
            None => DEFAULT_OVERLAP,
        };
        Some(Strategy::Window { columns: columns?, reach })
    }

    fn append(&mut self) -> Option<Strategy> {
        self.refuse_others("append", &["overlap"]);
        let overlap = match &self.cdc.overlap {
            None => DEFAULT_KEY_OVERLAP,
            Some(written) => match written.value.replace('_', "").parse() {
                Ok(keys) => keys,
                Err(_) => {
                    let message = format!("\"{}\" is no number of keys", written.value);
                    let diagnostic = Diagnostic::error(Code::BadValue, message)
                        .at(written.span.clone())
                        .hint("with strategy \"append\" the overlap is a number of keys, as in \"overlap: 1000\"");
                    self.diagnostics.push(diagnostic);
                    return None;
                }
            },
        };
        match self.cdc.columns.as_slice() {
            [column] => Some(Strategy::Append { column: column.clone(), overlap }),
            [] => {
                self.missing("append", "columns", "name the key that grows, as in \"columns: [id]\"");
                None
            }
            _ => {
                let diagnostic = Diagnostic::error(Code::BadValue, "strategy \"append\" takes one column")
                    .at(self.cdc.strategy.span.clone())
                    .hint("name the one key that grows with every row");
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn compare(&mut self) -> Option<Strategy> {
        self.refuse_others("compare", &["rows_per_range"]);
        if !self.cdc.columns.is_empty() {
            let message = "strategy \"compare\" does not use the key \"columns\"";
            self.diagnostics.push(Diagnostic::error(Code::BadValue, message).at(self.cdc.strategy.span.clone()));
        }
        let Some(written) = &self.cdc.rows_per_range else {
            return Some(Strategy::Compare { rows_per_range: DEFAULT_ROWS_PER_RANGE });
        };
        match written.value.replace('_', "").parse() {
            Ok(rows_per_range) if rows_per_range > 0 => Some(Strategy::Compare { rows_per_range }),
            Ok(_) | Err(_) => {
                let message = format!("\"{}\" is no number of rows", written.value);
                self.diagnostics.push(Diagnostic::error(Code::BadValue, message).at(written.span.clone()));
                None
            }
        }
    }

    fn times(&mut self, strategy: &str) -> Option<Vec<Ident>> {
        if self.cdc.columns.is_empty() {
            let hint = "name the timestamp columns that a change sets, as in \"columns: [created_at, updated_at]\"";
            self.missing(strategy, "columns", hint);
            return None;
        }
        Some(self.cdc.columns.clone())
    }

    fn missing(&mut self, strategy: &str, key: &str, hint: &str) {
        let message = format!("strategy \"{strategy}\" needs the key \"{key}\"");
        let place = self.cdc.strategy.span.clone();
        self.diagnostics.push(Diagnostic::error(Code::MissingKey, message).at(place).hint(hint));
    }

    /// A key that the strategy would not look at is a mistake somewhere.
    fn refuse_others(&mut self, strategy: &str, taken: &[&str]) {
        let CdcDecl { window, overlap, rows_per_range, .. } = self.cdc;
        let written = [("window", window), ("overlap", overlap), ("rows_per_range", rows_per_range)];
        for (key, value) in written {
            if let Some(value) = value.as_ref().filter(|_| !taken.contains(&key)) {
                let message = format!("strategy \"{strategy}\" does not use the key \"{key}\"");
                self.diagnostics.push(Diagnostic::error(Code::BadValue, message).at(value.span.clone()));
            }
        }
    }

    fn length(&mut self, text: &str, place: &Span) -> Option<jiff::SignedDuration> {
        let length = length_of_time(text);
        if length.is_none() {
            self.no_length(text, place);
        }
        length
    }

    fn no_length(&mut self, text: &str, place: &Span) {
        let diagnostic = Diagnostic::error(Code::BadValue, format!("\"{text}\" is no length of time"))
            .at(place.clone())
            .hint("write it as in \"7 days\" or \"36 hours\"");
        self.diagnostics.push(diagnostic);
    }
}

/// The alarm of a declaration: for strategies that rely on what the source says of its changes.
pub(super) fn alarm(cdc: &CdcDecl, diagnostics: &mut Diagnostics) -> Option<Alarm> {
    let declared = cdc.alarm.as_ref()?;
    if ["full", "compare"].contains(&cdc.strategy.value.as_str()) {
        let message = format!("strategy \"{}\" finds every change, and needs no alarm", cdc.strategy.value);
        diagnostics.push(Diagnostic::error(Code::BadValue, message).at(declared.every.span.clone()));
    }
    let every = length_of_time(&declared.every.value);
    if every.is_none() {
        let diagnostic =
            Diagnostic::error(Code::BadValue, format!("\"{}\" is no length of time", declared.every.value))
                .at(declared.every.span.clone())
                .hint("write it as in \"7 days\"");
        diagnostics.push(diagnostic);
    }
    let percent = match &declared.percent {
        None => Some(DEFAULT_SAMPLE_PERCENT),
        Some(written) => {
            let percent = written.value.parse::<f64>().ok().filter(|percent| *percent > 0.0 && *percent <= 100.0);
            if percent.is_none() {
                let diagnostic = Diagnostic::error(Code::BadValue, format!("\"{}\" is no percentage", written.value))
                    .at(written.span.clone())
                    .hint("write a number above 0, up to 100");
                diagnostics.push(diagnostic);
            }
            percent
        }
    };
    Some(Alarm { every: every?, percent: percent? })
}

/// The checksum of a declaration.
pub(super) fn checksum(declared: &Written<String>, diagnostics: &mut Diagnostics) -> Checksum {
    match declared.value.as_str() {
        "digest" => Checksum::Digest,
        "rows" => Checksum::Rows,
        other => {
            let diagnostic = Diagnostic::error(Code::BadValue, format!("\"{other}\" is no checksum"))
                .at(declared.span.clone())
                .hint("checksum is \"digest\" or \"rows\"");
            diagnostics.push(diagnostic);
            Checksum::default()
        }
    }
}

/// Days are 24 hours and weeks 7 days: a window is a reach back, not a calendar. Months and years have no length.
pub fn length_of_time(text: &str) -> Option<jiff::SignedDuration> {
    let span: jiff::Span = text.parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    (duration >= jiff::SignedDuration::ZERO).then_some(duration)
}
