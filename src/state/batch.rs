//! Which batches of each table are in staging, and what each model has merged of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::NodeName;
use crate::postgres::PostgresError;
use crate::state::run::{RunId, Tally};

/// The last batch of a table that is in staging and left nothing out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedBatch {
    pub batch_id: i64,
    /// The source's clock just before the snapshot was taken.
    pub source_clock: Timestamp,
    /// The start of the oldest transaction that was open then, if the source showed it.
    pub oldest_transaction_at: Option<Timestamp>,
    pub loaded_at: Timestamp,
    /// Of what decided which rows the batch holds and how they look.
    pub extraction_digest: String,
}

/// A batch to be recorded, in the transaction that loads it.
#[derive(Debug, Clone)]
pub struct BatchRecord {
    pub node: NodeName,
    pub batch_id: i64,
    pub kind: &'static str,
    /// Whether everything is in staging now that changed at the source before its clock.
    pub is_complete: bool,
    pub layer_url: String,
    pub source_clock: Timestamp,
    pub oldest_transaction_at: Option<Timestamp>,
    pub window_lower: Option<Timestamp>,
    pub window_upper: Option<Timestamp>,
    pub greatest_key: Option<String>,
    pub extraction_digest: String,
    pub rows_extracted: u64,
    pub tally: Tally,
}

/// The newest complete batch in staging, if there is one.
pub async fn last_loaded(client: &Client, node: &NodeName) -> Result<Option<LoadedBatch>, PostgresError> {
    let row = client
        .query_typed_opt(
            "select
                 batch_id,
                 source_clock,
                 oldest_transaction_at,
                 loaded_at,
                 extraction_digest
             from unimig.batch
             where node = $1
                and is_complete
                and kind not in ('keys', 'sample')
             order by batch_id desc
             limit 1",
            &[(&node.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("read the batches of {node}"), error))?;
    Ok(row.map(|row| LoadedBatch {
        batch_id: row.get(0),
        source_clock: row.get(1),
        oldest_transaction_at: row.get(2),
        loaded_at: row.get(3),
        extraction_digest: row.get(4),
    }))
}

/// A batch that was loaded into a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    pub batch_id: i64,
    /// Whether it brought the whole table, and everything after it builds on it.
    pub is_base: bool,
}

/// Every batch of a table that is in staging, in the order of their numbers.
pub async fn remembered(client: &Client, node: &NodeName) -> Result<Vec<Remembered>, PostgresError> {
    let rows = client
        .query_typed(
            "select
                 batch_id,
                 kind = 'full' and is_complete as is_base
             from unimig.batch
             where node = $1
             order by batch_id",
            &[(&node.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("read the batches of {node}"), error))?;
    Ok(rows.iter().map(|row| Remembered { batch_id: row.get(0), is_base: row.get(1) }).collect())
}

/// How long ago all keys of the source were looked at last; `None` where they never were.
pub async fn since_all_keys(client: &Client, node: &NodeName) -> Result<Option<jiff::SignedDuration>, PostgresError> {
    since(client, node, &["full", "keys", "ranges"]).await
}

async fn since(
    client: &Client,
    node: &NodeName,
    kinds: &[&str],
) -> Result<Option<jiff::SignedDuration>, PostgresError> {
    let row = client
        .query_typed_one(
            "select (extract(epoch from clock_timestamp() - max(loaded_at)) * 1000)::bigint
             from unimig.batch
             where node = $1
                and kind = any($2)",
            &[(&node.as_str(), Type::TEXT), (&kinds, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("read the batches of {node}"), error))?;
    Ok(row.get::<_, Option<i64>>(0).map(jiff::SignedDuration::from_millis))
}

/// How long ago whole rows of the source were compared last, all or a sample.
pub async fn since_compared(client: &Client, node: &NodeName) -> Result<Option<jiff::SignedDuration>, PostgresError> {
    since(client, node, &["full", "ranges", "sample"]).await
}

/// How many samples of a table were compared so far.
pub async fn samples(client: &Client, node: &NodeName) -> Result<usize, PostgresError> {
    let row = client
        .query_typed_one(
            "select count(*) from unimig.batch where node = $1 and kind = 'sample'",
            &[(&node.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("count the samples of {node}"), error))?;
    Ok(usize::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}

/// Says of every batch so far that something was left out, so that the next run reads the whole table.
pub async fn doubt(client: &Client, node: &NodeName) -> Result<(), PostgresError> {
    client
        .execute_typed("update unimig.batch set is_complete = false where node = $1", &[(&node.as_str(), Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server(format!("mark the batches of {node}"), error))?;
    Ok(())
}

/// Whether another run has loaded a later state of the source since this run's snapshot was opened. A source's clock may
/// have been set back since older batches, which tells nothing.
pub async fn is_superseded(
    client: &Client,
    node: &NodeName,
    (source_clock, opened_at): (Timestamp, Timestamp),
) -> Result<bool, PostgresError> {
    let row = client
        .query_typed_one(
            "select exists (
                 select
                 from unimig.batch
                 where node = $1
                     and kind <> 'reload'
                     and source_clock > $2
                     and loaded_at > $3
             )",
            &[(&node.as_str(), Type::TEXT), (&source_clock, Type::TIMESTAMPTZ), (&opened_at, Type::TIMESTAMPTZ)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("read the batches of {node}"), error))?;
    Ok(row.get(0))
}

/// The greatest key of the last batch that was taken before a moment, complete and with the same digest: whatever was
/// not committed then has a greater one.
pub async fn greatest_key_before(
    client: &Client,
    node: &NodeName,
    (before, digest): (Timestamp, &str),
) -> Result<Option<String>, PostgresError> {
    let row = client
        .query_typed_opt(
            "select greatest_key
             from unimig.batch
             where node = $1
                and is_complete
                and kind not in ('keys', 'sample')
                and source_clock <= $2
                and extraction_digest = $3
             order by batch_id desc
             limit 1",
            &[(&node.as_str(), Type::TEXT), (&before, Type::TIMESTAMPTZ), (&digest, Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("read the batches of {node}"), error))?;
    Ok(row.and_then(|row| row.get(0)))
}

/// A number for the next batch: the target's clock in microseconds, or one more than the last, so that numbers grow
/// even where the state was lost or the clock was set back. The caller holds the table's lock.
pub async fn next_id(client: &Client, node: &NodeName) -> Result<i64, PostgresError> {
    let row = client
        .query_typed_one(
            "select greatest(
                 (extract(epoch from clock_timestamp()) * 1000000)::bigint,
                 (select max(batch_id) + 1 from unimig.batch where node = $1)
             )",
            &[(&node.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("number a batch of {node}"), error))?;
    Ok(row.get(0))
}

/// The number that a batch would get now, where no earlier one has a greater: the target's clock in microseconds.
pub async fn number_now(client: &Client) -> Result<i64, PostgresError> {
    let row = client
        .query_typed_one("select (extract(epoch from clock_timestamp()) * 1000000)::bigint", &[])
        .await
        .map_err(|error| PostgresError::server("read the target's clock", error))?;
    Ok(row.get(0))
}

pub async fn record(client: &Client, run: &RunId, batch: &BatchRecord) -> Result<(), PostgresError> {
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    client
        .execute_typed(
            "insert into unimig.batch (
                 run_id, node, batch_id, kind, layer_url, source_clock, oldest_transaction_at, window_lower,
                 rows_extracted, rows_inserted, rows_updated, rows_deleted, extraction_digest, is_complete,
                 window_upper, greatest_key
             )
             values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            &[
                (&run.0, Type::TEXT),
                (&batch.node.as_str(), Type::TEXT),
                (&batch.batch_id, Type::INT8),
                (&batch.kind, Type::TEXT),
                (&batch.layer_url, Type::TEXT),
                (&batch.source_clock, Type::TIMESTAMPTZ),
                (&batch.oldest_transaction_at, Type::TIMESTAMPTZ),
                (&batch.window_lower, Type::TIMESTAMPTZ),
                (&count(batch.rows_extracted), Type::INT8),
                (&count(batch.tally.inserted), Type::INT8),
                (&count(batch.tally.updated), Type::INT8),
                (&count(batch.tally.deleted), Type::INT8),
                (&batch.extraction_digest, Type::TEXT),
                (&batch.is_complete, Type::BOOL),
                (&batch.window_upper, Type::TIMESTAMPTZ),
                (&batch.greatest_key, Type::TEXT),
            ],
        )
        .await
        .map_err(|error| PostgresError::server(format!("record a batch of {}", batch.node), error))?;
    Ok(())
}

/// The last loaded batch of every table: what a model that merges now consumes, and how old its parents are.
pub async fn all_last_loaded(client: &Client) -> Result<BTreeMap<NodeName, Timestamp>, PostgresError> {
    let rows = client
        .query_typed("select node, max(loaded_at) from unimig.batch group by node", &[])
        .await
        .map_err(|error| PostgresError::server("read the batches in staging", error))?;
    Ok(rows.iter().map(|row| (NodeName::recorded(row.get::<_, String>(0)), row.get(1))).collect())
}

/// Models that have merged before, which `is_incremental()` asks.
pub async fn models_that_merged(client: &Client) -> Result<Vec<NodeName>, PostgresError> {
    let rows = client
        .query_typed(
            "select distinct node
             from unimig.step
             where status in ('success', 'unchanged')
                and node like 'bl.%'
                -- What is set aside is tried again, so its SELECT has to give it.
                and not exists (
                    select
                    from unimig.quarantine
                    where quarantine.node = step.node
                )",
            &[],
        )
        .await
        .map_err(|error| PostgresError::server("read which models have merged", error))?;
    Ok(rows.iter().map(|row| NodeName::recorded(row.get::<_, String>(0))).collect())
}

/// Notes what a model's merge has seen of its staged parents, in the transaction of the merge.
///
/// The snapshot of the merge's own statements may be older than a batch that commits meanwhile, so the numbers are
/// read before the SELECT runs: at worst a later run sees a batch twice.
pub async fn last_batch_ids(client: &Client, parents: &[&str]) -> Result<Vec<(String, i64)>, PostgresError> {
    if parents.is_empty() {
        return Ok(Vec::new());
    }
    let rows = client
        .query_typed(
            "select node, max(batch_id) from unimig.batch where node = any($1) group by node",
            &[(&parents, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(|error| PostgresError::server("read the batches of a model's parents", error))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

pub async fn record_consumed(
    client: &Client,
    model: &NodeName,
    parents: &[(String, i64)],
) -> Result<(), PostgresError> {
    if parents.is_empty() {
        return Ok(());
    }
    let (names, batch_ids): (Vec<&str>, Vec<i64>) =
        parents.iter().map(|(name, batch_id)| (name.as_str(), *batch_id)).unzip();
    client
        .execute_typed(
            "insert into unimig.consumed (model, parent, batch_id)
             select $1, parent, batch_id
             from unnest($2, $3) as seen (parent, batch_id)
             on conflict (model, parent) do update set
                 batch_id = excluded.batch_id,
                 merged_at = excluded.merged_at",
            &[(&model.as_str(), Type::TEXT), (&names, Type::TEXT_ARRAY), (&batch_ids, Type::INT8_ARRAY)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("record what {model} has merged"), error))?;
    Ok(())
}
