//! The moment at which a whole source is read: one exported snapshot that every worker joins.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::extract::STATEMENTS;
use crate::extract::growing_key::{self, GrowingKey};
use crate::ident::{Literal, NodeName};
use crate::postgres::{Lease, Pool, PostgresError, Role};
use crate::sql::quoted;

/// An open read-only transaction whose snapshot others can join, for as long as this value lives.
#[derive(Debug)]
pub struct Snapshot {
    /// `pg_export_snapshot()`'s name; none where the server gives none, and every session sees a moment of its own.
    pub id: Option<String>,
    /// The target's clock before that.
    pub opened_at: Timestamp,
    /// The source's clock just before the snapshot was taken.
    pub source_clock: Timestamp,
    /// The start of the oldest transaction that was open then: its rows may carry times from that moment on. Unknown
    /// where the role, or a replica, does not see the transactions of others.
    pub oldest_transaction_at: Option<Timestamp>,
    /// What the growing keys of its tables had reached before that.
    pub greatest_keys: BTreeMap<NodeName, String>,
    holder: Lease,
}

/// What a session that reads a source sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// The moment that all tables are read at.
    Shared,
    /// A later one of its own.
    Own,
}

/// Whether the server does not share snapshots: it has no such function or lets nobody call it, or the session is on
/// another server than the one that holds the snapshot.
fn refuses(error: &tokio_postgres::Error) -> bool {
    [
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_OBJECT,
        SqlState::INVALID_PARAMETER_VALUE,
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
    ]
    .iter()
    .any(|state| error.code() == Some(state))
}

impl Snapshot {
    /// Opens the snapshot of a source. The clock and the open transactions are read first: a transaction that begins
    /// after that and is open when the snapshot is taken cannot carry an earlier time. The growing keys are read before
    /// that, so that it cannot hold a lesser one either.
    pub async fn open(pool: &Pool, opened_at: Timestamp, growing: &[GrowingKey]) -> Result<Self, PostgresError> {
        let doing = || format!("open a snapshot of source connection \"{}\"", pool.name());
        let failed = |error| PostgresError::server(doing(), error);
        debug_assert!(matches!(pool.role(), Role::Source), "sources are read through read-only sessions");
        let holder = pool.lease("snapshot").await?;
        let statement = |name| STATEMENTS.render(name, context! {});
        let greatest_keys = growing_key::read(&holder, growing).await.map_err(failed)?;
        let clock = holder.query_one(&statement("clock"), &[]).await.map_err(failed)?;
        let (source_clock, oldest_active): (Timestamp, Timestamp) = (clock.get(0), clock.get(1));
        let prepared = holder.query_one(&statement("prepared_transactions"), &[]).await.map_err(failed)?;
        let oldest_prepared: Option<Timestamp> = prepared.get(0);
        holder.batch_execute(&statement("open_snapshot")).await.map_err(failed)?;
        let id = match holder.query_one(&statement("export_snapshot"), &[]).await {
            Ok(exported) => Some(exported.get(0)),
            Err(error) if refuses(&error) => {
                // The transaction is aborted, and held for nothing.
                holder.batch_execute("rollback").await.map_err(failed)?;
                None
            }
            Err(error) => return Err(failed(error)),
        };
        Ok(Self {
            id,
            opened_at,
            source_clock,
            oldest_transaction_at: clock
                .get::<_, bool>(2)
                // When a prepared transaction began is not shown, only when it was prepared.
                .then(|| oldest_prepared.is_none().then_some(oldest_active))
                .flatten(),
            greatest_keys,
            holder,
        })
    }

    /// Makes a session see exactly what the snapshot sees, until its transaction ends; or what is there now, where the
    /// source shares no snapshot, as behind some poolers.
    pub async fn join(&self, client: &Client) -> Result<Joined, PostgresError> {
        let failed = |error| PostgresError::server("join the source's snapshot", error);
        if let Some(id) = &self.id {
            let join = STATEMENTS.render("join_snapshot", context! { snapshot => quoted(Literal(id)) });
            match client.batch_execute(&join).await {
                Ok(()) => return Ok(Joined::Shared),
                Err(error) if refuses(&error) => {
                    // A holder that died takes its snapshot along; that is a lost connection, and no pooler.
                    self.holder.batch_execute("select 1").await.map_err(failed)?;
                    client.batch_execute("rollback").await.map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        client.batch_execute(&STATEMENTS.render("open_snapshot", context! {})).await.map_err(failed)?;
        Ok(Joined::Own)
    }

    /// Ends the transaction; sessions that joined keep what they see.
    pub async fn close(self) {
        if self.id.is_some() && self.holder.batch_execute("commit").await.is_err() {
            self.holder.discard();
        }
    }
}
