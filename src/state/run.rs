//! The history of runs and their steps.

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::NodeName;
use crate::postgres::PostgresError;

/// The identity of one run, shown to people and written with everything the run changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId(pub String);

/// One run of a command, as its row says.
#[derive(Debug, Clone)]
pub struct RunRecord {
    pub id: RunId,
    pub command: String,
    pub operator: String,
    pub host: String,
    pub started_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    Success,
    Failed,
    Interrupted,
}

/// How a step ended, as its row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    Success,
    Unchanged,
    Failed,
    Skipped,
    Cancelled,
    Pass,
    Warn,
    Fail,
}

impl StepStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// Rows that a process wrote to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
}

impl Tally {
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
    }
}

/// A step's row; the message is free of values.
#[derive(Debug, Clone)]
pub struct StepRecord {
    pub node: NodeName,
    pub status: StepStatus,
    pub started_at: Timestamp,
    pub tally: Tally,
    pub message: Option<String>,
    /// Of what the step did, from its SQL and settings.
    pub code_digest: String,
}

/// Notes that a run begins; its identity is the invocation's.
pub async fn begin(
    client: &Client,
    id: &RunId,
    (command, started_at): (&str, Timestamp),
) -> Result<RunRecord, PostgresError> {
    let operator = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".to_owned());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    client
        .execute(
            "insert into unimig.run (run_id, command, operator, host, tool_version, started_at)
             values ($1::text::uuid, $2, $3, $4, $5, $6)",
            &[&id.0, &command, &operator, &host, &env!("CARGO_PKG_VERSION"), &started_at],
        )
        .await
        .map_err(|error| PostgresError::server("record the run", error))?;
    Ok(RunRecord { id: id.clone(), command: command.to_owned(), operator, host, started_at })
}

/// When each process last came to a good end.
pub async fn last_successes(client: &Client) -> Result<Vec<(NodeName, Timestamp)>, PostgresError> {
    let rows = client
        .query_typed(
            "select node, max(finished_at)
             from unimig.step
             where status in ('success', 'unchanged', 'pass', 'warn')
             group by node",
            &[],
        )
        .await
        .map_err(|error| PostgresError::server("read when processes last succeeded", error))?;
    Ok(rows.iter().map(|row| (NodeName::recorded(row.get::<_, String>(0)), row.get(1))).collect())
}

/// The nodes that have not read what a staged parent got after their last run.
pub async fn behind(client: &Client) -> Result<Vec<NodeName>, PostgresError> {
    let rows = client
        .query_typed(
            "select distinct consumed.model
             from unimig.consumed as consumed
             join unimig.batch as batch on batch.node = consumed.parent
                 and batch.batch_id > consumed.batch_id
             where batch.rows_inserted + batch.rows_updated + batch.rows_deleted > 0",
            &[],
        )
        .await
        .map_err(|error| PostgresError::server("read which batches processes have seen", error))?;
    Ok(rows.iter().map(|row| NodeName::recorded(row.get::<_, String>(0))).collect())
}

pub async fn finish(client: &Client, run: &RunId, status: RunStatus) -> Result<(), PostgresError> {
    let status = match status {
        RunStatus::Success => "success",
        RunStatus::Failed => "failed",
        RunStatus::Interrupted => "interrupted",
    };
    client
        .execute(
            "update unimig.run set status = $2, finished_at = clock_timestamp() where run_id = $1::text::uuid",
            &[&run.0, &status],
        )
        .await
        .map_err(|error| PostgresError::server("record the end of the run", error))?;
    Ok(())
}

/// Writes a step's row: in the transaction of the data when it succeeded, in one of its own otherwise. A row that is
/// there already was committed with the data, and stays.
pub async fn record_step(client: &Client, run: &RunId, step: &StepRecord) -> Result<(), PostgresError> {
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    client
        .execute_typed(
            "insert into unimig.step
                 (run_id, node, status, started_at, rows_inserted, rows_updated, rows_deleted, message, code_digest)
             values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (run_id, node) do nothing",
            &[
                (&run.0, Type::TEXT),
                (&step.node.as_str(), Type::TEXT),
                (&step.status.as_str(), Type::TEXT),
                (&step.started_at, Type::TIMESTAMPTZ),
                (&count(step.tally.inserted), Type::INT8),
                (&count(step.tally.updated), Type::INT8),
                (&count(step.tally.deleted), Type::INT8),
                (&step.message, Type::TEXT),
                (&step.code_digest, Type::TEXT),
            ],
        )
        .await
        .map_err(|error| PostgresError::server(format!("record step {}", step.node), error))?;
    Ok(())
}
