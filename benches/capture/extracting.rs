//! Source table → gzip, beside psql and a compressor, and beside COPY alone.

use std::fmt::Write as _;

use crate::database::Database;
use crate::shell::timed;
use crate::staging::{Project, Run};
use crate::tables::{SOURCE, Table};

/// How many times COPY's time to `/dev/null` an extraction may take, and how many times faster it is to be than a pipe.
const COPY_TARGET: f64 = 1.2;
const PIPE_TARGET: f64 = 1.5;

/// Appends the table's rows to the page.
pub fn measure(database: &Database, table: &Table, run: &Run, text: &mut String) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("out.csv.gz").display().to_string();
    let pipe = |compress: &str| {
        let copy = format!("copy {} to stdout with (format csv, header)", table.name);
        timed(database, &format!("psql -Xq -d {SOURCE} -c '{copy}' | {compress} > {file}"))
    };
    let null = format!("psql -Xq -d {SOURCE} -c \"copy {} to '/dev/null' with (format csv, header)\"", table.name);
    // Once untimed, so that the table is as warm for the first as for the last.
    timed(database, &null)?;
    let peers = [
        ("server-side `COPY … TO '/dev/null'`", timed(database, &null), Some(COPY_TARGET)),
        ("`psql \\copy \\| pigz -p2`", pipe("pigz -p2"), Some(1.0 / PIPE_TARGET)),
        ("`psql \\copy \\| gzip -1`", pipe("gzip -1"), None),
    ];
    writeln!(text, "\n### Extraction to gzip, {}\n", table.title())?;
    writeln!(
        text,
        "With the digest that the source computes of the same rows, and with `checksum: rows`, which leaves it out.\n"
    )?;
    writeln!(
        text,
        "| beside | ratio | target | its seconds | unimig | without digests: ratio | unimig |\n\
         |---|---:|---|---:|---:|---:|---:|"
    )?;
    let ours = run.extraction.as_secs_f64();
    let plain = Project::with_checksum(database, table, "rows")?.run()?.extraction.as_secs_f64();
    for (what, taken, target) in peers {
        match taken {
            Ok(taken) => {
                let theirs = taken.as_secs_f64();
                let ratio = ours / theirs;
                let verdict = target.map_or(String::new(), |target| {
                    format!("{target:.2} {}", if ratio <= target { "met" } else { "missed" })
                });
                let without = plain / theirs;
                writeln!(
                    text,
                    "| {what} | {ratio:.2} | {verdict} | {theirs:.2} | {ours:.2} | {without:.2} | {plain:.2} |"
                )?;
            }
            Err(error) => {
                writeln!(text, "| {what} |  |  | {} | {ours:.2} |  | {plain:.2} |", crate::peers::reason(&error))?;
            }
        }
    }
    Ok(())
}
