//! What it costs to copy source tables to staging, beside the tools that do parts of it: extraction, the first load,
//! merges of few and many changes, a run without any, and growth.
//!
//! Starts a PostgreSQL of its own in a temporary folder, prints the tables, and writes them into the book. With the
//! argument `small`, small tables, printed only: to see that it works. A figure that misses its target is shown as such
//! and fails nothing.

#[path = "../projects/book.rs"]
mod book;
#[path = "../projects/command.rs"]
#[expect(dead_code, reason = "the other benchmark starts more programs")]
mod command;
#[path = "../projects/database.rs"]
#[expect(dead_code, reason = "the other benchmark reads the server's log")]
mod database;
mod extracting;
mod loading;
#[path = "../projects/machine.rs"]
mod machine;
mod merging;
mod peers;
mod shell;
mod staging;
mod tables;

use std::io::Write;

use book::Part;
use database::Database;

/// How many rows are measured.
#[derive(Clone, Copy)]
struct Extent {
    wide: u64,
    narrow: u64,
    /// Rows of the narrow table that merges are measured on.
    merged: u64,
    growth: &'static [u64],
}

const WHOLE: Extent =
    Extent { wide: 2_000_000, narrow: 5_000_000, merged: 2_000_000, growth: &[1_000_000, 3_000_000, 10_000_000] };
const SMALL: Extent = Extent { wide: 20_000, narrow: 50_000, merged: 20_000, growth: &[10_000, 30_000, 100_000] };
const CAPTURE: Part = Part { begin: "<!-- capture: begin -->", end: "<!-- capture: end -->" };

fn main() -> anyhow::Result<()> {
    unimig::postgres::install_crypto_provider();
    let is_small = std::env::args().any(|argument| argument == "small");
    let mut text = machine::describe()? + "\n";
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let database = Database::start().await?;
        let measured = measure(&database, if is_small { SMALL } else { WHOLE }, &mut text);
        database.stop().await?;
        measured
    })?;
    if !is_small {
        CAPTURE.keep(&text)?;
    }
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn measure(database: &Database, extent: Extent, text: &mut String) -> anyhow::Result<()> {
    // Neither checkpoints nor autovacuum fall into one side's time by chance, and no statement sets the hint bits of what
    // was written before it.
    for setting in ["max_wal_size = '16GB'", "checkpoint_timeout = '1h'", "autovacuum = off", "synchronous_commit = on"]
    {
        database.execute("postgres", &format!("alter system set {setting}"))?;
    }
    database.execute("postgres", "select pg_reload_conf()")?;
    database.copy("template1", tables::SOURCE)?;
    let wide = tables::wide(database, extent.wide)?;
    let narrow = tables::narrow(database, "narrow", extent.narrow)?;
    for table in [&wide, &narrow] {
        progress(&format!("extract and load {}", table.title()))?;
        let run = loading::first(database, table, text)?;
        extracting::measure(database, table, &run, text)?;
    }
    tables::drop(database, &narrow)?;
    progress("grow")?;
    loading::growth(database, extent.growth, text)?;
    let fewer = tables::narrow(database, "fewer", extent.merged)?;
    for table in [&wide, &fewer] {
        progress(&format!("merge into {}", table.title()))?;
        merging::measure(database, table, text)?;
    }
    Ok(())
}

/// What is being done, for those who wait.
fn progress(what: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stderr(), "{what}")?)
}
