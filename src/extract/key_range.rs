//! A relation cut along its key, where it has no pages to be read by range: a view, a table of a server before 14, a
//! partitioned table whose partitions may not be read alone.
//!
//! Where to cut, the source's statistics say, or the least and greatest whole number. They only decide how even the
//! slices are: each begins where the one before ends, the first and the last are open, and rows without a key are in
//! the last. Nothing is cut whose slices would cost the source much more than the whole.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::ident::{Ident, Literal, Relation};
use crate::materialize::stage::StagedColumn;
use crate::postgres::PostgresError;
use crate::sql::{StatementFile, quoted, quoted_list};

static KEY_RANGES: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("key_range.sql")));

/// By the planner's estimate: smaller relations are read by one session.
const BYTES_WORTH_CUTTING: f64 = 33_554_432.0;
/// What one slice has at least, by the same estimate.
const BYTES_OF_A_SLICE: f64 = 16_777_216.0;
/// More slices than sessions, so that all end at about the same time.
const SLICES: usize = 32;
/// What all slices together may cost, as many times the whole: an index or partitions answer them, or it is not worth it.
const COST_OF_SLICES: f64 = 2.0;
/// What looking for the least and greatest key may cost, as a part of the whole.
const COST_OF_EXTREMES: f64 = 0.1;

/// Rows whose key's first column lies between two bounds, of which never both are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySlice {
    pub column: Ident,
    /// The first slice has none.
    pub lower: Option<String>,
    /// The last slice has none, and the rows without a key.
    pub upper: Option<String>,
}

impl KeySlice {
    pub(super) fn condition(&self) -> String {
        let bound = |bound: &Option<String>| bound.as_deref().map(|bound| quoted(Literal(bound)));
        let context =
            context! { key => quoted(&self.column), lower => bound(&self.lower), upper => bound(&self.upper) };
        KEY_RANGES.render("within", context).trim_end().to_owned()
    }
}

/// What is to be cut.
#[derive(Clone, Copy)]
pub(super) struct Uncut<'a> {
    pub relation: &'a Relation,
    /// With the source's spelling of their types; all of them are read.
    pub columns: &'a [(StagedColumn, String)],
    /// The first of the key.
    pub key: &'a Ident,
}

/// The ranges, in order; `None` where it is not worth it or not possible.
pub(super) async fn cut(client: &Client, uncut: Uncut<'_>) -> Result<Option<Vec<KeySlice>>, PostgresError> {
    let whole = uncut.estimate(client, &uncut.rows(None)).await?;
    // Each session would see the other server at a moment of its own.
    if whole.reads_other_servers || whole.bytes < BYTES_WORTH_CUTTING {
        return Ok(None);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number from 2 to 32")]
    let count = (whole.bytes / BYTES_OF_A_SLICE).clamp(2.0, SLICES as f64) as usize;
    let bounds = match uncut.histogram(client).await? {
        Some(histogram) => evenly(&histogram, count),
        None => uncut.equal_widths(client, (count, whole.cost)).await?,
    };
    let slices = between(uncut.key, &bounds);
    // Of two the first: the last has the rows without a key besides.
    let Some(usual) = slices.get(slices.len().saturating_sub(1) / 2).filter(|_| slices.len() > 1) else {
        return Ok(None);
    };
    let of_one = uncut.estimate(client, &uncut.rows(Some(usual))).await?;
    let is_worth_it = of_one.cost * slices.len() as f64 <= whole.cost * COST_OF_SLICES;
    Ok(is_worth_it.then_some(slices))
}

/// What the source's planner expects of a statement.
struct Estimate {
    bytes: f64,
    cost: f64,
    reads_other_servers: bool,
}

impl Uncut<'_> {
    fn rows(&self, slice: Option<&KeySlice>) -> String {
        let context = context! {
            names => quoted_list(self.columns.iter().map(|(column, _)| &column.name)),
            relation => quoted(self.relation),
            condition => slice.map(|slice| quoted(slice.condition())),
        };
        super::STATEMENTS.render("rows_of_table", context)
    }

    fn failed(&self, error: tokio_postgres::Error) -> PostgresError {
        PostgresError::server(format!("measure {}", self.relation), error)
    }

    async fn estimate(&self, client: &Client, statement: &str) -> Result<Estimate, PostgresError> {
        let explained = format!("{}\n{statement}", KEY_RANGES.render("explain_head", context! {}));
        let answer = client.simple_query(&explained).await.map_err(|error| self.failed(error))?;
        let text = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let text = text.unwrap_or_default();
        let plan: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let of = |name: &str| plan[0]["Plan"][name].as_f64().unwrap_or(0.0);
        Ok(Estimate {
            bytes: of("Plan Rows") * of("Plan Width"),
            cost: of("Total Cost"),
            reads_other_servers: reads_other_servers(&plan),
        })
    }

    /// Bounds of ranges with as many rows each, where the table was analyzed and its keys are many.
    async fn histogram(&self, client: &Client) -> Result<Option<Vec<String>>, PostgresError> {
        let Relation { schema, name } = self.relation;
        let found = client
            .query_typed(
                &KEY_RANGES.render("histogram", context! {}),
                &[(&schema.as_str(), Type::TEXT), (&name.as_str(), Type::TEXT), (&self.key.as_str(), Type::TEXT)],
            )
            .await
            .map_err(|error| self.failed(error))?;
        let Some(found) = found.first() else { return Ok(None) };
        let (bounds, collation): (Vec<String>, Option<String>) = (found.get(0), found.get(1));
        let Some((_, data_type)) = self.columns.iter().find(|(column, _)| column.name == *self.key) else {
            return Ok(None);
        };
        let in_order = KEY_RANGES
            .render("in_order", context! { data_type => quoted(data_type), collation => collation.map(quoted) });
        let rows =
            client.query_typed(&in_order, &[(&bounds, Type::TEXT_ARRAY)]).await.map_err(|error| self.failed(error))?;
        // The operators that statements find by their search path may be others than those of the statistics.
        let is_ordered = rows.iter().all(|row| row.get(1));
        Ok(is_ordered.then(|| rows.iter().map(|row| row.get(0)).collect()))
    }

    /// Bounds between the least and the greatest key, of whole numbers that an index finds.
    async fn equal_widths(&self, client: &Client, (count, cost): (usize, f64)) -> Result<Vec<String>, PostgresError> {
        let is_whole_number = |(column, _): &&(StagedColumn, String)| {
            column.name == *self.key && matches!(column.data_type.as_str(), "smallint" | "integer" | "bigint")
        };
        if !self.columns.iter().any(|column| is_whole_number(&column)) {
            return Ok(Vec::new());
        }
        let context = context! { key => quoted(self.key), relation => quoted(self.relation) };
        let extremes = KEY_RANGES.render("extremes", context);
        if self.estimate(client, &extremes).await?.cost > cost * COST_OF_EXTREMES {
            return Ok(Vec::new());
        }
        let row = client.query_one(&extremes, &[]).await.map_err(|error| self.failed(error))?;
        let number = |place: usize| row.get::<_, Option<String>>(place).and_then(|text| text.parse::<i128>().ok());
        Ok(match number(0).zip(number(1)) {
            Some((least, greatest)) => steps((least, greatest), count),
            None => Vec::new(),
        })
    }
}

fn reads_other_servers(plan: &serde_json::Value) -> bool {
    match plan {
        serde_json::Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| (name == "Node Type" && value == "Foreign Scan") || reads_other_servers(value)),
        serde_json::Value::Array(values) => values.iter().any(reads_other_servers),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => false,
    }
}

/// Inner bounds of so many ranges, as even as the histogram allows; its ends are the least and the greatest key.
fn evenly(histogram: &[String], count: usize) -> Vec<String> {
    let last = histogram.len().saturating_sub(1);
    let mut places: Vec<usize> = (1..count).map(|at| at * last / count).filter(|place| *place > 0).collect();
    places.dedup();
    places.into_iter().map(|place| histogram[place].clone()).collect()
}

/// Inner bounds of so many ranges of equal width.
fn steps((least, greatest): (i128, i128), count: usize) -> Vec<String> {
    let parts = i128::try_from(count).unwrap_or(i128::MAX);
    let mut bounds: Vec<i128> = (1..parts).map(|at| least + (greatest - least) * at / parts).collect();
    bounds.retain(|bound| *bound > least);
    bounds.dedup();
    bounds.iter().map(i128::to_string).collect()
}

/// One slice more than bounds.
fn between(key: &Ident, bounds: &[String]) -> Vec<KeySlice> {
    let lowers = std::iter::once(None).chain(bounds.iter().cloned().map(Some));
    let uppers = bounds.iter().cloned().map(Some).chain(std::iter::once(None));
    lowers.zip(uppers).map(|(lower, upper)| KeySlice { column: key.clone(), lower, upper }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(bounds: &[&str]) -> Vec<String> {
        let bounds: Vec<String> = bounds.iter().map(|bound| (*bound).to_owned()).collect();
        between(&Ident::from_catalog("Id"), &bounds).iter().map(KeySlice::condition).collect()
    }

    #[test]
    fn each_slice_begins_where_the_last_ends_and_rows_without_a_key_are_in_one() {
        let expected = [r#""Id" < '10'"#, r#""Id" >= '10' and "Id" < 'o''k'"#, r#"("Id" >= 'o''k' or "Id" is null)"#];
        assert_eq!(conditions(&["10", "o'k"]), expected);
        assert_eq!(conditions(&["10"]), [r#""Id" < '10'"#, r#"("Id" >= '10' or "Id" is null)"#]);
    }

    #[test]
    fn bounds_are_inside_and_no_two_are_equal() {
        assert_eq!(steps((0, 100), 4), ["25", "50", "75"]);
        assert_eq!(steps((7, 9), 32), ["8"]);
        assert!(steps((7, 7), 32).is_empty());
        let all = (i128::from(i64::MIN), i128::from(i64::MAX));
        assert_eq!(steps(all, 2), ["-1"]);
        let histogram = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(evenly(&histogram, 2), ["c"]);
        assert_eq!(evenly(&histogram, 32), ["b", "c", "d"]);
        assert!(evenly(&histogram[..1], 32).is_empty());
    }

    #[test]
    fn a_foreign_table_is_found_wherever_the_plan_has_it() {
        let plan = |kind: &str| serde_json::json!([{"Plan": {"Node Type": "Append", "Plans": [{"Node Type": kind}]}}]);
        assert!(reads_other_servers(&plan("Foreign Scan")));
        assert!(!reads_other_servers(&plan("Seq Scan")));
    }
}
