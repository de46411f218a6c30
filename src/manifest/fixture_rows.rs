//! Rows of unit tests as text, and CSV as such rows: the first line names the columns, an empty field is NULL.

use crate::diagnostic::{Code, Diagnostic, Span};

/// One row; a value is text that PostgreSQL reads as the column's type, `None` is NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixtureRow {
    pub cells: Vec<(String, Option<String>)>,
    pub place: Span,
}

/// Reads CSV; `place` is where all of it stands.
pub fn csv_rows(text: &str, place: &Span) -> Result<Vec<FixtureRow>, Box<Diagnostic>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.trim_start().as_bytes());
    let bad = |message: String| Box::new(Diagnostic::error(Code::BadUnitTest, message).at(place.clone()));
    let columns: Vec<String> = match reader.headers() {
        Ok(columns) => columns.iter().map(|column| column.trim().to_owned()).collect(),
        Err(error) => return Err(bad(format!("the rows are not valid CSV: {error}"))),
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| bad(told(&error)))?;
        let cells = columns.iter().zip(&record).map(|(column, field)| {
            let value = if field.is_empty() { None } else { Some(field.to_owned()) };
            (column.clone(), value)
        });
        rows.push(FixtureRow { cells: cells.collect(), place: place.clone() });
    }
    Ok(rows)
}

fn told(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("line {line} of the CSV has {len} fields, and the first line names {expected_len} columns")
        }
        _ => format!("the rows are not valid CSV: {error}"),
    }
}
