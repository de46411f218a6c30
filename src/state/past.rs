//! What the history and the batches say of each process, for telling what a run would do.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Client;

use crate::ident::NodeName;
use crate::postgres::PostgresError;
use crate::state::schema;

/// How many good runs of a process its usual time is taken from.
const RUNS_LOOKED_AT: &str = "5";

/// Everything that is remembered, by process.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub steps: BTreeMap<NodeName, Past>,
    pub batches: BTreeMap<NodeName, LastBatch>,
    /// By model, what its last merge has not seen of each parent that it has merged before.
    pub unseen: BTreeMap<NodeName, BTreeMap<NodeName, Unseen>>,
}

/// Batches of a staged table that came after those which a model has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unseen {
    /// Rows that they inserted, updated and deleted in staging.
    pub rows: u64,
}

/// A process's runs so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    pub last_status: String,
    pub last_good: Option<Timestamp>,
    /// When it last wrote a row, or made a relation anew.
    pub last_change: Option<Timestamp>,
    /// Of the SQL and settings of the last good run; older versions did not note it.
    pub code_digest: Option<String>,
    /// The median of its last good runs.
    pub usual: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastBatch {
    pub batch_id: i64,
    pub source_clock: Timestamp,
    pub oldest_transaction_at: Option<Timestamp>,
    pub loaded_at: Timestamp,
}

/// Reads all of it; empty where nothing has run yet. Changes nothing, and reads what older versions wrote.
pub async fn remember(client: &Client) -> Result<Memory, PostgresError> {
    if !schema::exists(client).await? {
        return Ok(Memory::default());
    }
    let failed = |error| PostgresError::server("read the history of runs", error);
    let mut memory = Memory::default();
    for row in client.query_typed(&steps_query(), &[]).await.map_err(failed)? {
        let past = Past {
            last_status: row.get("last_status"),
            last_good: row.get("last_good"),
            last_change: row.get("last_change"),
            code_digest: row.get("code_digest"),
            usual: row.get::<_, Option<f64>>("usual_seconds").and_then(|time| Duration::try_from_secs_f64(time).ok()),
        };
        memory.steps.insert(NodeName::recorded(row.get::<_, String>("node")), past);
    }
    for row in client.query_typed(BATCHES, &[]).await.map_err(failed)? {
        let batch = LastBatch {
            batch_id: row.get("batch_id"),
            source_clock: row.get("source_clock"),
            oldest_transaction_at: row.get("oldest_transaction_at"),
            loaded_at: row.get("loaded_at"),
        };
        memory.batches.insert(NodeName::recorded(row.get::<_, String>("node")), batch);
    }
    for row in client.query_typed(UNSEEN, &[]).await.map_err(failed)? {
        let unseen = memory.unseen.entry(NodeName::recorded(row.get::<_, String>(0))).or_default();
        let rows = u64::try_from(row.get::<_, i64>(2)).unwrap_or(0);
        unseen.insert(NodeName::recorded(row.get::<_, String>(1)), Unseen { rows });
    }
    Ok(memory)
}

const BATCHES: &str = "
    select distinct on (node)
        node,
        batch_id,
        source_clock,
        oldest_transaction_at,
        loaded_at
    from unimig.batch
    where kind not in ('keys', 'sample', 'reload')
        -- What an older version does not have yet is read through JSON.
        and coalesce((to_jsonb(batch) ->> 'is_complete')::boolean, true)
    order by
        node,
        batch_id desc";

const UNSEEN: &str = "
    select
        consumed.model,
        consumed.parent,
        coalesce(sum(batch.rows_inserted + batch.rows_updated + batch.rows_deleted), 0)::bigint
    from unimig.consumed as consumed
    left join unimig.batch as batch on batch.node = consumed.parent
        and batch.batch_id > consumed.batch_id
    group by
        consumed.model,
        consumed.parent";

/// A column that an older version does not have yet is read through JSON.
fn steps_query() -> String {
    const QUERY: &str = "
        with numbered as (
            select
                node,
                status,
                started_at,
                finished_at,
                to_jsonb(step) ->> 'code_digest' as code_digest,
                status in ('success', 'unchanged', 'pass', 'warn', 'fail') as is_good,
                row_number() over (partition by node order by finished_at desc) as age,
                row_number() over (
                    partition by node, status in ('success', 'unchanged', 'pass', 'warn', 'fail')
                    order by finished_at desc
                ) as age_among_its_kind
            from unimig.step as step
        )
        select
            node,
            max(status) filter (where age = 1) as last_status,
            max(finished_at) filter (where is_good) as last_good,
            max(finished_at) filter (where status = 'success') as last_change,
            max(code_digest) filter (where is_good and age_among_its_kind = 1) as code_digest,
            percentile_cont(0.5) within group (order by extract(epoch from finished_at - started_at)::double precision)
                filter (where is_good and age_among_its_kind <= :runs) as usual_seconds
        from numbered
        group by node";
    QUERY.replace(":runs", RUNS_LOOKED_AT)
}
