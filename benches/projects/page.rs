//! The tables.

use std::fmt::Write as _;
use std::time::Duration;

use crate::beside_dbt::{self, Compared, Peer};
use crate::book::Part;
use crate::checking::{self, Checking};
use crate::generated::Shape;
use crate::loading::{self, Loading};
use crate::running::{self, Running, Sides};
use crate::samples::Samples;

pub const MEASURED: Part = Part { begin: "<!-- measured: begin -->", end: "<!-- measured: end -->" };
pub const BESIDE_DBT: Part = Part { begin: "<!-- beside dbt: begin -->", end: "<!-- beside dbt: end -->" };

/// What 5,000 models may take from the start, in seconds.
const RESOLVED_TARGET: f64 = 0.4;
const COMPILED_TARGET: f64 = 0.8;
const RESOLVED_TARGET_OF: usize = 5_000;
/// How many times psql's time a run may take.
const RATIO_TARGET: f64 = 2.0;

pub struct Page {
    pub text: String,
}

impl Page {
    pub fn new(machine: String) -> Self {
        Self { text: machine + "\n" }
    }

    /// Files to SQL, a table of times from the start and one of whole commands.
    pub fn loading(&mut self, sizes: &[Loading]) -> anyhow::Result<()> {
        let text = &mut self.text;
        writeln!(text, "\n### Load and compile\n")?;
        writeln!(
            text,
            "Milliseconds from the start, best of {} (median). Last column: best per model.\n",
            loading::ROUNDS
        )?;
        writeln!(text, "| models | loaded | resolved | target | compiled | target | ordered | µs per model |")?;
        writeln!(text, "|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for size in sizes {
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {:.0} |",
                thousands(size.models),
                both(&size.loaded),
                both(&size.resolved),
                target(size, &size.resolved, RESOLVED_TARGET),
                both(&size.compiled),
                target(size, &size.compiled, COMPILED_TARGET),
                both(&size.ordered),
                per_model(size, &size.ordered),
            )?;
        }
        writeln!(text, "\nWhole commands, the start of the process and the writing of files included.\n")?;
        writeln!(text, "| models | `unimig parse` | `unimig compile`, first | again | µs per model |")?;
        writeln!(text, "|---:|---:|---:|---:|---:|")?;
        for size in sizes {
            writeln!(
                text,
                "| {} | {} | {} | {} | {:.0} |",
                thousands(size.models),
                both(&size.parse_command),
                both(&size.first_compile_command),
                both(&size.compile_command),
                per_model(size, &size.first_compile_command),
            )?;
        }
        Ok(())
    }

    /// Runs beside psql.
    pub fn running(&mut self, models: usize, runs: &[Running]) -> anyhow::Result<()> {
        let text = &mut self.text;
        let models = thousands(models);
        writeln!(text, "\n### Run {models} trivial models\n")?;
        writeln!(
            text,
            "`unimig run` with 4 threads, the whole command, against `psql` sending the statements that the server \
             logged for it, in one session, each side on a fresh copy of the same database. Milliseconds, median of {} \
             (best); the sides take turns. Target: at most {RATIO_TARGET} times psql.\n",
            running::ROUNDS
        )?;
        writeln!(text, "| models as | run | messages | unimig | psql | ratio | target |")?;
        writeln!(text, "|---|---|---:|---:|---:|---:|---:|")?;
        for run in runs {
            for (name, sides) in [("first", &run.first), ("second", &run.second)] {
                row(text, (run.materialization, name), sides)?;
            }
        }
        Ok(())
    }

    /// Checks beside psql.
    pub fn checking(&mut self, checks: &[Checking]) -> anyhow::Result<()> {
        let text = &mut self.text;
        writeln!(text, "\n### Check without data\n")?;
        writeln!(
            text,
            "`unimig check`, the whole command, against `psql` that makes the same SELECTs views in one transaction and \
             rolls it back. Milliseconds, median of {} (best); the sides take turns.\n",
            checking::ROUNDS
        )?;
        writeln!(text, "| models | that read | unimig | psql | ratio |")?;
        writeln!(text, "|---:|---|---:|---:|---:|")?;
        for check in checks {
            let ratio = check.unimig.median().as_secs_f64() / check.psql.median().as_secs_f64();
            let shape = match check.shape {
                Shape::Alone => "nothing",
                Shape::Linked => "two others",
            };
            writeln!(
                text,
                "| {} | {shape} | {} | {} | {ratio:.2} |",
                thousands(check.models),
                median_first(&check.unimig),
                median_first(&check.psql),
            )?;
        }
        Ok(())
    }

    /// The same commands by unimig and by dbt.
    pub fn beside_dbt(&mut self, table: &[Compared]) -> anyhow::Result<()> {
        let text = &mut self.text;
        writeln!(
            text,
            "\nWhole commands on the same projects, in seconds, the best of {} (dbt 1: one time), nothing kept from an \
             earlier time. In brackets, how many times as long as unimig.\n",
            beside_dbt::ROUNDS
        )?;
        writeln!(text, "| work | unimig | dbt 1 | dbt 2 |")?;
        writeln!(text, "|---|---:|---:|---:|")?;
        for row in table {
            let ours = row.unimig.best().as_secs_f64();
            let theirs = |peer: &Peer| match peer {
                Peer::Timed(samples) => {
                    let seconds = samples.best().as_secs_f64();
                    format!("{seconds:.2} ({:.1})", seconds / ours)
                }
                Peer::Failed => "failed".to_owned(),
                Peer::NotInstalled => "not installed".to_owned(),
            };
            writeln!(text, "| {} | {ours:.2} | {} | {} |", row.what, theirs(&row.dbt_1), theirs(&row.dbt_2))?;
        }
        Ok(())
    }
}

fn row(text: &mut String, (materialization, name): (&str, &str), sides: &Sides) -> anyhow::Result<()> {
    let ratio = sides.unimig.median().as_secs_f64() / sides.psql.median().as_secs_f64();
    writeln!(
        text,
        "| {materialization} | {name} | {} | {} | {} | {ratio:.2} | {} |",
        thousands(sides.messages),
        median_first(&sides.unimig),
        median_first(&sides.psql),
        verdict(ratio, RATIO_TARGET),
    )?;
    Ok(())
}

fn target(size: &Loading, samples: &Samples, seconds: f64) -> String {
    if size.models == RESOLVED_TARGET_OF {
        format!("{:.0} {}", seconds * 1_000.0, verdict(samples.best().as_secs_f64(), seconds))
    } else {
        String::new()
    }
}

fn verdict(found: f64, allowed: f64) -> &'static str {
    if found <= allowed { "met" } else { "missed" }
}

fn both(samples: &Samples) -> String {
    format!("{} ({})", milliseconds(samples.best()), milliseconds(samples.median()))
}

fn median_first(samples: &Samples) -> String {
    format!("{} ({})", milliseconds(samples.median()), milliseconds(samples.best()))
}

fn milliseconds(taken: Duration) -> String {
    let taken = taken.as_secs_f64() * 1_000.0;
    if taken < 100.0 { format!("{taken:.1}") } else { format!("{taken:.0}") }
}

fn per_model(size: &Loading, samples: &Samples) -> f64 {
    let models = u32::try_from(size.models).unwrap_or(u32::MAX);
    samples.best().as_secs_f64() * 1_000_000.0 / f64::from(models)
}

fn thousands(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}
