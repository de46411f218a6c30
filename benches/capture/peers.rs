//! Other ways to load a table for the first time. One that cannot be started is named with its reason.

use std::path::{Path, PathBuf};
use std::time::Duration;

use unimig::postgres::server::SUPERUSER;

use crate::database::Database;
use crate::shell::{shell, timed};
use crate::tables::{SOURCE, Table};

/// The peers' database.
const PEER: &str = "bench_peer";
/// Longer than this, and the table says so.
const LIMIT_SECONDS: u32 = 120;
/// They take minutes, so one table is enough: the wide one.
const FROM_PYPI_COLUMNS: usize = 10;
const DLT: &str = include_str!("load.py");

type Taken = (&'static str, anyhow::Result<Duration>);

/// Each peer on an empty database.
pub fn load(database: &Database, table: &Table) -> anyhow::Result<Vec<Taken>> {
    let folder = tempfile::tempdir()?;
    let name = table.name;
    let file = folder.path().join("table.csv.gz").display().to_string();
    let dump = folder.path().join("table.dump").display().to_string();
    shell(database, &format!("psql -Xq -d {SOURCE} -c 'copy {name} to stdout with (format csv)' | gzip -1 > {file}"))?;
    let columns = format!("pg_dump -s -t {name} {SOURCE} | sed '/PRIMARY KEY/d; /ALTER TABLE ONLY/d'");
    let restore = format!("pg_dump -Fc -t {name} {SOURCE} > {dump}; pg_restore -1 -d {PEER} {dump}");
    let by_hand = format!(
        "{{ echo 'begin;'; {columns}; echo \"\\\\copy public.{name} from program 'gunzip -c {file}' with (format csv, \
         freeze)\"; echo 'alter table public.{name} add primary key (id); commit;'; }} | psql -Xq -v ON_ERROR_STOP=1 -d \
         {PEER}"
    );
    let restore_by_pipe = format!("pg_dump -Fc -Z1 -t {name} {SOURCE} | pg_restore -1 -d {PEER}");
    let mut all = Vec::new();
    for (what, script) in [
        ("`pg_dump -Fc`, then `pg_restore -1`", restore),
        ("`pg_dump -Fc -Z1 \\| pg_restore -1`", restore_by_pipe),
        ("`gunzip \\| COPY FREEZE` and the key, from a file that is there", by_hand),
    ] {
        database.copy("template1", PEER)?;
        all.push((what, timed(database, &script)));
    }
    if table.columns.len() < FROM_PYPI_COLUMNS {
        return Ok(all);
    }
    all.push(("sling, from PyPI", installed("sling").and_then(|sling| run_sling(database, &sling, name))));
    all.push(("dlt, from PyPI, by pyarrow", installed("python").and_then(|python| run_dlt(database, &python, name))));
    Ok(all)
}

fn installed(program: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin").join(program);
    anyhow::ensure!(path.is_file(), "not installed");
    Ok(path)
}

/// Where a peer that reaches no folder finds a database.
fn url(database: &Database, name: &str) -> String {
    format!("postgresql://{SUPERUSER}:unimig@{}:{}/{name}?sslmode=disable", database.address(), database.port())
}

fn run_sling(database: &Database, sling: &Path, name: &str) -> anyhow::Result<Duration> {
    database.copy("template1", PEER)?;
    let script = format!(
        "SLING_DISABLE_TELEMETRY=true timeout {LIMIT_SECONDS} {} run --src-conn '{}' --src-stream public.{name} --tgt-conn '{}' --tgt-object \
         public.{name} --mode full-refresh --primary-key id",
        sling.display(),
        url(database, SOURCE),
        url(database, PEER),
    );
    timed(database, &within_limit(&script))
}

fn run_dlt(database: &Database, python: &Path, name: &str) -> anyhow::Result<Duration> {
    database.copy("template1", PEER)?;
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("load.py");
    fs_err::write(&script, DLT)?;
    let script = format!(
        "cd {}; DLT_DATA_DIR=. RUNTIME__DLTHUB_TELEMETRY=false timeout {LIMIT_SECONDS} {} {} '{}' '{}' {name}",
        folder.path().display(),
        python.display(),
        script.display(),
        url(database, SOURCE),
        url(database, PEER),
    );
    timed(database, &within_limit(&script))
}

/// Says when it was the limit that ended a script.
fn within_limit(script: &str) -> String {
    format!("{script} || {{ [ $? = 124 ] && echo 'not done after {LIMIT_SECONDS} seconds'; exit 1; }}")
}

/// The last line of what went wrong, for a cell of a table.
pub fn reason(error: &anyhow::Error) -> String {
    let text = error.to_string();
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("not done in time");
    format!("failed: {}", line.chars().take(120).collect::<String>().replace('|', "\\|"))
}
