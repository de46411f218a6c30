//! One process per target: an advisory lock on the name of the relation that a process writes.
//!
//! The lock is the server's, so it ends with the session that holds it, however that session ends.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::Relation;
use crate::postgres::PostgresError;

/// How long a lock is held once it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Until [`release`] or the end of the session: for a process that works outside of one transaction.
    Session,
    /// Until the transaction ends.
    Transaction,
}

/// Who holds a lock that we wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub pid: i32,
    /// The `application_name` of the holder, which begins with `unimig` and the UTC time when its process began.
    pub application_name: String,
    /// The holder's address, or `local` for a unix socket.
    pub address: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pid, application_name, address } = self;
        let mut words = application_name.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("unimig"), Some(since), Some(process)) => {
                write!(f, "process \"{process}\" (server process {pid}, {address}) since {since}")
            }
            _ => write!(f, "\"{application_name}\" (server process {pid}, {address})"),
        }
    }
}

const HOLDER: &str = "
    select
        activity.pid,
        coalesce(activity.application_name, ''),
        coalesce(host(activity.client_addr), 'local')
    from pg_locks as held
    join pg_stat_activity as activity on activity.pid = held.pid
    where held.locktype = 'advisory'
        and held.granted
        and held.objsubid = 1
        and held.database = (select oid from pg_database where datname = current_database())
        and (held.classid::bigint << 32) | held.objid::bigint = hashtextextended('unimig:' || $1::text, 0)
    limit 1";

/// Takes the lock if it is free; otherwise says who holds it.
pub async fn try_acquire(client: &Client, target: &Relation, scope: Scope) -> Result<Option<Holder>, PostgresError> {
    let statement = match scope {
        Scope::Session => "select pg_try_advisory_lock(hashtextextended('unimig:' || $1::text, 0))",
        Scope::Transaction => "select pg_try_advisory_xact_lock(hashtextextended('unimig:' || $1::text, 0))",
    };
    let name = target.to_string();
    let failed = |error| PostgresError::server(format!("lock {name}"), error);
    // Its type stated, the statement needs no round trip to be prepared; it opens every step.
    let taken: bool = client.query_typed_one(statement, &[(&name, Type::TEXT)]).await.map_err(failed)?.get(0);
    if taken {
        return Ok(None);
    }
    let holder = client.query_opt(HOLDER, &[&name]).await.map_err(failed)?;
    Ok(Some(holder.map_or_else(
        || Holder { pid: 0, application_name: "a process that has just ended".to_owned(), address: "local".to_owned() },
        |row| Holder { pid: row.get(0), application_name: row.get(1), address: row.get(2) },
    )))
}

/// Waits for the lock, at most as long as said. `Ok(false)` means that the time ran out.
pub async fn wait(client: &Client, target: &Relation, scope: Scope, limit: Duration) -> Result<bool, PostgresError> {
    let statement = match scope {
        Scope::Session => "select pg_advisory_lock(hashtextextended('unimig:' || $1::text, 0))",
        Scope::Transaction => "select pg_advisory_xact_lock(hashtextextended('unimig:' || $1::text, 0))",
    };
    let name = target.to_string();
    let failed = |error| PostgresError::server(format!("wait for the lock on {name}"), error);
    let milliseconds = limit.as_millis().max(1).to_string();
    client.query_one("select set_config('lock_timeout', $1, false)", &[&milliseconds]).await.map_err(failed)?;
    let waited = client.execute(statement, &[&name]).await;
    match waited {
        Ok(_) => {
            client.batch_execute("set lock_timeout to default").await.map_err(failed)?;
            Ok(true)
        }
        Err(error) if error.code() == Some(&tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Gives a session's lock back before the session returns to its pool.
pub async fn release(client: &Client, target: &Relation) -> Result<(), PostgresError> {
    let name = target.to_string();
    client
        .execute("select pg_advisory_unlock(hashtextextended('unimig:' || $1::text, 0))", &[&name])
        .await
        .map_err(|error| PostgresError::server(format!("unlock {name}"), error))?;
    Ok(())
}
