//! Peers as people use them: programs and pipes, in a shell that knows where the server is.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::bail;
use unimig::postgres::server::SUPERUSER;

use crate::database::Database;

/// What a script printed; every program of a pipe has to succeed.
pub fn shell(database: &Database, script: &str) -> anyhow::Result<String> {
    let mut command = Command::new("bash");
    command.args(["-e", "-o", "pipefail", "-c", script]);
    command.env("PGHOST", database.host()).env("PGPORT", database.port().to_string()).env("PGUSER", SUPERUSER);
    command.env("PGOPTIONS", "-c client_min_messages=warning");
    let output = command.output()?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{}", String::from_utf8_lossy(&said).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub fn timed(database: &Database, script: &str) -> anyhow::Result<Duration> {
    let start = Instant::now();
    shell(database, script)?;
    Ok(start.elapsed())
}

/// The one value of a query.
pub fn value(database: &Database, name: &str, query: &str) -> anyhow::Result<String> {
    shell(database, &format!("psql -XqAt -v ON_ERROR_STOP=1 -d {name} <<'END'\n{query}\nEND"))
}

/// Where the server's WAL is, in bytes.
pub fn wal(database: &Database) -> anyhow::Result<u64> {
    Ok(value(database, "postgres", "select (pg_current_wal_insert_lsn() - '0/0')::bigint")?.parse()?)
}
