//! Creates schema `unimig` and brings it to the version that this tool writes.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::Ident;
use crate::postgres::PostgresError;

/// Each migration runs once, in order, in the transaction that records it. Shipped ones never change.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_step_digest.sql"),
    include_str!("migrations/0003_set_aside.sql"),
    include_str!("migrations/0004_partial_batches.sql"),
    include_str!("migrations/0005_drift_and_quarantine.sql"),
    include_str!("migrations/0006_crosswalks.sql"),
    include_str!("migrations/0007_quarantined_model_rows.sql"),
    include_str!("migrations/0008_conflicts.sql"),
];

/// Serialises concurrent first runs; any constant does, as long as all versions of the tool share it.
const MIGRATION_LOCK: &str = "select pg_advisory_xact_lock(hashtextextended('unimig:schema', 0))";

/// What can go wrong before a run may trust the state schema.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("schema \"unimig\" of the target is at version {found}, newer than this tool's {known}")]
    Newer { found: i32, known: i32 },
    #[error("could not prepare schema \"unimig\" in the target")]
    Postgres(#[from] PostgresError),
}

/// Creates or migrates the schema; does nothing, in one round trip, where it is current.
pub async fn prepare(client: &mut Client) -> Result<(), StateError> {
    let known = i32::try_from(MIGRATIONS.len()).expect("fewer migrations than an integer holds");
    let found = version(client).await?;
    if found == known {
        return Ok(());
    }
    if found > known {
        return Err(StateError::Newer { found, known });
    }
    migrate(client).await.map_err(|error| PostgresError::server("create schema \"unimig\"", error))?;
    Ok(())
}

/// Whether there is any state yet.
pub async fn exists(client: &Client) -> Result<bool, PostgresError> {
    Ok(version(client).await? > 0)
}

/// Makes a schema that is to hold relations of ours, in a transaction of its own and one process at a time: two
/// `create schema if not exists` that meet can fail each other.
pub async fn ensure_schema(client: &Client, schema: &Ident) -> Result<(), PostgresError> {
    let failed = |error| PostgresError::server(format!("create schema {schema}"), error);
    let exists = client
        .query_typed_one(
            "select exists (select from pg_namespace where nspname = $1)",
            &[(&schema.as_str(), Type::TEXT)],
        )
        .await
        .map_err(failed)?;
    if exists.get(0) {
        return Ok(());
    }
    let statements = format!("begin;\n{MIGRATION_LOCK};\ncreate schema if not exists {schema};\ncommit");
    client.batch_execute(&statements).await.map_err(failed)
}

async fn version(client: &Client) -> Result<i32, PostgresError> {
    let doing = "read the version of schema \"unimig\"";
    let exists = client
        .query_one("select to_regclass('unimig.schema_version') is not null", &[])
        .await
        .map_err(|error| PostgresError::server(doing, error))?;
    if !exists.get::<_, bool>(0) {
        return Ok(0);
    }
    let row = client
        .query_one("select coalesce(max(version), 0) from unimig.schema_version", &[])
        .await
        .map_err(|error| PostgresError::server(doing, error))?;
    Ok(row.get(0))
}

async fn migrate(client: &mut Client) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(MIGRATION_LOCK).await?;
    transaction.batch_execute("create schema if not exists unimig").await?;
    let table_exists =
        transaction.query_one("select to_regclass('unimig.schema_version') is not null", &[]).await?.get::<_, bool>(0);
    let done: i32 = if table_exists {
        transaction.query_one("select coalesce(max(version), 0) from unimig.schema_version", &[]).await?.get(0)
    } else {
        0
    };
    for (version, migration) in (1i32..).zip(MIGRATIONS).filter(|(version, _)| *version > done) {
        transaction.batch_execute(migration).await?;
        transaction
            .execute(
                "insert into unimig.schema_version (version, tool_version) values ($1, $2)",
                &[&version, &env!("CARGO_PKG_VERSION")],
            )
            .await?;
    }
    transaction.commit().await
}
