//! What unimig costs, on generated projects: files to SQL, a thousand trivial models against psql, and checks against
//! psql; with the argument `dbt`, the same commands by unimig and by dbt, with `check`, the checks alone.
//!
//! Starts a PostgreSQL of its own in a temporary folder, prints the tables, and writes them into the book. A figure
//! that misses its target is shown as such and fails nothing.

mod beside_dbt;
mod checking;
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
    let runtime = tokio::runtime::Runtime::new()?;
    if std::env::args().any(|argument| argument == "dbt") {
        page.beside_dbt(&runtime.block_on(beside_dbt::measure(&SIZES[1..], TRIVIAL_MODELS))?)?;
        page.keep(page::BESIDE_DBT)?;
        writeln!(std::io::stdout(), "{}", page.text)?;
        return Ok(());
    }
    if std::env::args().any(|argument| argument == "check") {
        page.checking(&runtime.block_on(checking::measure(&SIZES[1..]))?)?;
        writeln!(std::io::stdout(), "{}", page.text)?;
        return Ok(());
    }
    let loaded = SIZES.into_iter().map(loading::measure).collect::<anyhow::Result<Vec<_>>>()?;
    page.loading(&loaded)?;
    page.running(TRIVIAL_MODELS, &runtime.block_on(running::measure(TRIVIAL_MODELS))?)?;
    page.checking(&runtime.block_on(checking::measure(&SIZES[1..]))?)?;
    page.keep(page::MEASURED)?;
    writeln!(std::io::stdout(), "{}", page.text)?;
    Ok(())
}
