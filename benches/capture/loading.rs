//! The first load of a table, the whole way from the source to staging.

use std::fmt::Write as _;

use crate::database::Database;
use crate::peers;
use crate::staging::{Project, Run};
use crate::tables::{self, Table, thousands};

/// Appends the table's rows to the page, and gives back unimig's best run.
pub fn first(database: &Database, table: &Table, text: &mut String) -> anyhow::Result<Run> {
    let mut best: Option<Run> = None;
    for _ in 0..2 {
        let run = Project::new(database, table)?.run()?;
        best = best.filter(|best| best.whole < run.whole).or(Some(run));
    }
    let run = best.unwrap_or_default();
    writeln!(text, "\n### First load, {}\n", table.title())?;
    writeln!(text, "Source → layer → staging with its key, the whole command: the better of two.\n")?;
    writeln!(text, "| by | ratio | seconds | peak memory |\n|---|---:|---:|---:|")?;
    let ours = run.whole.as_secs_f64();
    writeln!(text, "| `unimig run` | 1 | {ours:.2} | {} MB |", run.memory / 1_000_000)?;
    for (what, taken) in peers::load(database, table)? {
        match taken {
            Ok(taken) => {
                writeln!(text, "| {what} | {:.2} | {:.2} |  |", taken.as_secs_f64() / ours, taken.as_secs_f64())?;
            }
            Err(error) => writeln!(text, "| {what} |  | {} |  |", peers::reason(&error))?,
        }
    }
    Ok(run)
}

/// First loads of more and more rows.
pub fn growth(database: &Database, sizes: &[u64], text: &mut String) -> anyhow::Result<()> {
    writeln!(text, "\n### Growth\n")?;
    writeln!(text, "First loads of narrow tables, the whole command.\n")?;
    writeln!(text, "| rows | µs per row | seconds | peak memory |\n|---:|---:|---:|---:|")?;
    for rows in sizes {
        let table = tables::narrow(database, "growing", *rows)?;
        let run = Project::new(database, &table)?.run()?;
        tables::drop(database, &table)?;
        let seconds = run.whole.as_secs_f64();
        let each = run.whole.as_nanos() as f64 / 1000.0 / *rows as f64;
        writeln!(text, "| {} | {each:.2} | {seconds:.2} | {} MB |", thousands(*rows), run.memory / 1_000_000)?;
    }
    Ok(())
}
