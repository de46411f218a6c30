//! The columns of a seed: names from its header, types from its values where the project does not state them.
//!
//! The values themselves go to the server as the file spells them; only their types are looked at here.

use std::collections::BTreeMap;

use crate::ident::{Ident, IdentError};
use crate::manifest::{SeedDecimals, SeedNode, SeedQuoting};
use crate::materialize::stage::StagedColumn;

/// Why a CSV file can't become a seed.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error("a seed begins with a header line, and this one is empty")]
    Empty,
    #[error("the header has column \"{0}\" twice")]
    ColumnTwice(String),
    #[error("the header names a column badly: {0}")]
    Name(#[from] IdentError),
    #[error("line {line} has {found} fields, the header has {expected}")]
    FieldCount { line: u64, found: u64, expected: u64 },
    #[error("could not read the CSV")]
    Csv(#[from] csv::Error),
}

impl SeedError {
    /// The line of the file that is wrong, from 1.
    pub fn line(&self) -> u64 {
        match self {
            Self::FieldCount { line, .. } => *line,
            Self::Csv(error) => error.position().map_or(1, csv::Position::line),
            Self::Empty | Self::ColumnTwice(_) | Self::Name(_) => 1,
        }
    }
}

/// How the file of a seed is to be read.
#[derive(Debug, Clone, Copy)]
pub struct SeedFormat {
    pub delimiter: char,
    pub quoting: SeedQuoting,
    pub decimals: SeedDecimals,
}

impl SeedFormat {
    pub fn of(seed: &SeedNode) -> Self {
        Self { delimiter: seed.delimiter, quoting: seed.quoting, decimals: seed.decimals }
    }
}

/// A type and the test whether a value's text can be of it.
type Candidate = (&'static str, fn(&str) -> bool);

/// Types from the narrowest; a column takes the first that fits all of its values.
const CANDIDATES: &[Candidate] = &[
    ("boolean", is_boolean),
    ("integer", |value| value.parse::<i32>().is_ok() && is_canonical(value)),
    ("bigint", |value| value.parse::<i64>().is_ok() && is_canonical(value)),
    ("numeric", is_decimal),
    ("date", is_date),
    ("timestamp without time zone", |value| value.parse::<jiff::civil::DateTime>().is_ok() && !has_zone(value)),
    ("timestamp with time zone", |value| value.parse::<jiff::Timestamp>().is_ok()),
];

/// The types that dbt gives. Its times are `2026-01-31 10:00:00` to the letter, or have a `T`; UTC is said by a `Z` then and
/// is not kept. A time of another zone keeps it.
const OF_DBT: &[Candidate] = &[
    ("boolean", is_boolean),
    ("integer", |value| value.parse::<i32>().is_ok() && is_canonical(value)),
    ("bigint", |value| value.parse::<i64>().is_ok() && is_canonical(value)),
    ("double precision", |value| is_decimal(value) || is_scientific(value)),
    ("date", is_date),
    ("timestamp without time zone", |value| {
        value.len() == "2026-01-31 10:00:00".len()
            && value.get(10..11) == Some(" ")
            && value.parse::<jiff::civil::DateTime>().is_ok()
    }),
    ("timestamp without time zone", |value| {
        let local = value.strip_suffix('Z').unwrap_or(value);
        has_t(value) && local.parse::<jiff::civil::DateTime>().is_ok() && !has_zone(local)
    }),
    ("timestamp with time zone", |value| has_t(value) && value.parse::<jiff::Timestamp>().is_ok()),
];

/// Finds a seed's columns. A column with values that no type fits is text, and so is one without a value, which dbt takes for
/// an integer.
pub fn columns(
    csv_text: &str,
    format: SeedFormat,
    stated: &BTreeMap<String, String>,
) -> Result<Vec<StagedColumn>, SeedError> {
    let delimiter = u8::try_from(format.delimiter).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(csv_text.as_bytes());
    let header = reader.headers()?.clone();
    if header.is_empty() {
        return Err(SeedError::Empty);
    }
    let (candidates, without_value) = match format.decimals {
        SeedDecimals::Exact => (CANDIDATES, "text"),
        SeedDecimals::Float => (OF_DBT, "integer"),
    };
    let mut fitting = vec![(candidates.to_vec(), false); header.len()];
    for record in reader.records() {
        let record = record.map_err(field_count)?;
        for (value, (candidates, seen)) in record.iter().zip(&mut fitting).filter(|(value, _)| !value.is_empty()) {
            *seen = true;
            candidates.retain(|(_, fits)| fits(value));
        }
    }
    let mut columns: Vec<StagedColumn> = Vec::with_capacity(header.len());
    for (name, (candidates, seen)) in header.iter().zip(fitting) {
        let found = if seen { candidates.first().map_or("text", |(name, _)| name) } else { without_value };
        let data_type = stated.get(name).map_or(found, String::as_str).to_owned();
        let name = match format.quoting {
            SeedQuoting::AsWritten => Ident::new(name)?,
            SeedQuoting::Folded => Ident::new(name.to_lowercase())?,
        };
        if columns.iter().any(|column| column.name == name) {
            return Err(SeedError::ColumnTwice(name.as_str().to_owned()));
        }
        columns.push(StagedColumn { name, data_type });
    }
    Ok(columns)
}

fn is_boolean(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

fn is_date(value: &str) -> bool {
    value.len() == 10 && value.parse::<jiff::civil::Date>().is_ok()
}

fn has_t(value: &str) -> bool {
    value.get(10..11) == Some("T")
}

/// Whether a time says how far it is from UTC: a column without a zone would lose that.
fn has_zone(value: &str) -> bool {
    value.get(11..).is_some_and(|time| time.contains(['+', '-', 'Z', 'z']))
}

fn is_scientific(value: &str) -> bool {
    value.split_once(['e', 'E']).is_some_and(|(number, exponent)| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        is_decimal(number) && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Leading zeros and plus signs would be lost in a number, and codes have them.
fn is_canonical(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    digits == "0" || !(digits.starts_with('0') || digits.starts_with('+'))
}

fn is_decimal(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

fn field_count(error: csv::Error) -> SeedError {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => SeedError::FieldCount {
            line: pos.as_ref().map_or(0, csv::Position::line),
            found: *len,
            expected: *expected_len,
        },
        _ => SeedError::Csv(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: SeedFormat =
        SeedFormat { delimiter: ',', quoting: SeedQuoting::AsWritten, decimals: SeedDecimals::Exact };

    fn types(csv_text: &str) -> Vec<String> {
        let columns = columns(csv_text, EXACT, &BTreeMap::new()).expect("a valid seed");
        columns.into_iter().map(|column| column.data_type).collect()
    }

    #[test]
    fn a_column_takes_the_narrowest_type_that_fits_every_value() {
        let csv_text = "flag,small,big,money,day,moment,code,nothing\n\
                        true,1,1,1,2026-01-31,2026-01-31 10:00:00,007,\n\
                        false,-2,3000000000,1.50,2026-02-01,2026-02-01 11:00:00,12,\n";
        let expected =
            ["boolean", "integer", "bigint", "numeric", "date", "timestamp without time zone", "text", "text"];
        assert_eq!(types(csv_text), expected);
    }

    #[test]
    fn decimals_are_floats_where_dbt_has_the_say() {
        let format = SeedFormat { decimals: SeedDecimals::Float, ..EXACT };
        let columns = columns("a,b\n1.5,1\n", format, &BTreeMap::new()).expect("a valid seed");
        assert_eq!(
            columns.iter().map(|column| column.data_type.as_str()).collect::<Vec<_>>(),
            ["double precision", "integer"]
        );
    }

    #[test]
    fn a_time_that_says_its_zone_keeps_it() {
        assert_eq!(types("a,b\n2026-01-31 10:00:00+02:00,2026-01-31T10:00:00-03\n"), ["timestamp with time zone"; 2]);
    }

    #[test]
    fn times_and_columns_without_values_are_what_dbt_takes_them_for() {
        let of_dbt = |values: &str| {
            let format = SeedFormat { decimals: SeedDecimals::Float, ..EXACT };
            let found = columns(&format!("a,b\n{values}"), format, &BTreeMap::new()).expect("a valid seed");
            found[0].data_type.clone()
        };
        assert_eq!(of_dbt("2026-01-31 10:00:00,\n"), "timestamp without time zone");
        assert_eq!(of_dbt("2026-01-31T10:00:00Z,\n2026-01-31T10:00:00,\n"), "timestamp without time zone");
        assert_eq!(of_dbt("2026-01-31T10:00:00+02:00,\n"), "timestamp with time zone");
        assert_eq!(of_dbt("2026-01-31 10:00:00.5,\n"), "text");
        assert_eq!(of_dbt("2026-01-31 10:00:00+02:00,\n"), "text");
        assert_eq!(of_dbt("2026-01-31,\n2026-01-31 10:00:00,\n"), "text");
        assert_eq!(of_dbt(",1\n"), "integer");
        assert_eq!((of_dbt("1e3,\n2.5E-2,\n"), of_dbt("1e,\n")), ("double precision".to_owned(), "text".to_owned()));
    }

    #[test]
    fn a_column_with_values_of_two_kinds_is_text() {
        assert_eq!(types("mixed\ntrue\n1\n"), ["text"]);
    }

    #[test]
    fn a_stated_type_wins() {
        let stated = BTreeMap::from([("code".to_owned(), "smallint".to_owned())]);
        let columns = columns("code\n1\n", EXACT, &stated).expect("a valid seed");
        assert_eq!(columns[0].data_type, "smallint");
    }

    #[test]
    fn a_line_with_too_few_fields_is_named() {
        let error = columns("a,b\n1,2\n3\n", EXACT, &BTreeMap::new()).expect_err("a short line");
        assert_eq!(error.to_string(), "line 3 has 1 fields, the header has 2");
    }
}
