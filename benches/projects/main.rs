//! What unimig costs, on generated projects: files to SQL, and a thousand trivial models against psql.
//!
//! Starts a PostgreSQL of its own in a temporary folder, prints the tables, and writes them into the book. A figure
//! that misses its target is shown as such and fails nothing.

mod command;
mod database;
mod generated;
mod loading;
mod machine;
mod page;
mod running;
mod samples;
mod statements;

use std::io::Write;

/// Sizes of generated projects, in models.
const SIZES: [usize; 3] = [100, 1_000, 5_000];
/// How many trivial models a run has.
const TRIVIAL_MODELS: usize = 1_000;

fn main() -> anyhow::Result<()> {
    unimig::postgres::install_crypto_provider();
    let mut page = page::Page::new(machine::describe()?);
    let loaded = SIZES.into_iter().map(loading::measure).collect::<anyhow::Result<Vec<_>>>()?;
    page.loading(&loaded)?;
    let runtime = tokio::runtime::Runtime::new()?;
    page.running(TRIVIAL_MODELS, &runtime.block_on(running::measure(TRIVIAL_MODELS))?)?;
    page.keep()?;
    writeln!(std::io::stdout(), "{}", page.text)?;
    Ok(())
}
