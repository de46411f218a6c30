//! Whether the columns that tell of changes lead an index at the source, and what reading costs where they do not.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use minijinja::context;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::extract::{Clock, Portion, STATEMENTS, TimeColumn, Window, copy};
use crate::ident::Ident;
use crate::manifest::{StageNode, Strategy};
use crate::postgres::PostgresError;
use crate::sql::{StatementFile, quoted};

static INDEXES: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("indexes.sql")));

/// A smaller table is read whole in no time.
const WORTH_AN_INDEX: i64 = 32 << 20;
/// What a window is estimated with: as if the last run had been yesterday.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A big table whose changes are found by looking at all of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingIndexes {
    pub table: String,
    /// Never empty.
    pub columns: Vec<String>,
    pub table_bytes: u64,
    /// The source's own estimate of the extraction.
    pub rows: f64,
    pub cost: f64,
}

impl std::fmt::Display for MissingIndexes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, columns, table_bytes, rows, cost } = self;
        let columns = columns.join(" and none with ");
        write!(
            f,
            "no index of {table} begins with {columns}: every run reads all {} MiB of it for an estimated {rows:.0} rows, at \
             an estimated cost of {cost:.0}",
            table_bytes >> 20
        )
    }
}

/// Looks at a table that goes by columns of its own; `statement` is what is to be estimated. Small tables, views and
/// foreign tables are left out, and so is a SELECT that replaces the generated one.
pub async fn missing_indexes(
    client: &Client,
    node: &StageNode,
    statement: &str,
) -> Result<Option<MissingIndexes>, PostgresError> {
    let names: Vec<&str> = node.strategy.columns().iter().map(Ident::as_str).collect();
    if names.is_empty() || node.extraction.is_some() {
        return Ok(None);
    }
    let relation = &node.source_relation;
    let failed = |error| PostgresError::server(format!("look at the indexes of {relation}"), error);
    let rows = client
        .query_typed(
            &INDEXES.render("unindexed", context! {}),
            &[
                (&relation.schema.as_str(), Type::TEXT),
                (&relation.name.as_str(), Type::TEXT),
                (&names, Type::TEXT_ARRAY),
                (&WORTH_AN_INDEX, Type::INT8),
            ],
        )
        .await
        .map_err(failed)?;
    let Some(first) = rows.first() else { return Ok(None) };
    let explained = format!("{}\n{statement}", INDEXES.render("explain_head", context! {}));
    let answer = client.simple_query(&explained).await.map_err(failed)?;
    let (estimated, cost) = estimate(&answer);
    Ok(Some(MissingIndexes {
        table: relation.to_string(),
        columns: rows.iter().map(|row| row.get(0)).collect(),
        table_bytes: u64::try_from(first.get::<_, i64>(1)).unwrap_or(0),
        rows: estimated,
        cost,
    }))
}

/// What a run of the table would read, if the last one had been a while ago.
pub fn usual_statement(node: &StageNode, now: Timestamp) -> String {
    let portion = match &node.strategy {
        Strategy::Window { columns, reach } => window(columns, now, reach.saturating_add(DAY)),
        Strategy::Append { column, .. } => {
            let context = context! { column => quoted(column), relation => quoted(&node.source_relation) };
            return STATEMENTS.render("greatest_key", context);
        }
        Strategy::Full | Strategy::Compare { .. } => Portion::Whole,
    };
    copy::statement_of(node, &portion)
}

fn window(columns: &[Ident], now: Timestamp, reach: SignedDuration) -> Portion {
    let lower = now.saturating_sub(reach).unwrap_or(Timestamp::MIN);
    let columns = columns.iter().map(|name| TimeColumn { name: name.clone(), clock: Clock::Instant });
    Portion::Window(Window { columns: columns.collect(), lower: Some(lower), upper: None })
}

/// Rows and cost of the plan's root.
fn estimate(answer: &[SimpleQueryMessage]) -> (f64, f64) {
    let text = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: serde_json::Value = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let of = |name: &str| plan[0]["Plan"][name].as_f64().unwrap_or(0.0);
    (of("Plan Rows"), of("Total Cost"))
}
