//! What unimig costs, on generated projects: files to SQL, a thousand trivial models against psql, and checks against
//! psql; with the argument `dbt`, the same commands by unimig and by dbt, with `check`, the checks alone; with `small` beside them,
//! small projects, to see that it works.
//!
//! Starts a PostgreSQL of its own in a temporary folder, prints the tables, and writes them into the book. A figure
//! that misses its target is shown as such and fails nothing.

mod beside_dbt;
mod book;
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

/// How much is measured.
struct Extent {
    /// Sizes of generated projects, in models.
    sizes: &'static [usize],
    /// How many trivial models a run has.
    trivial_models: usize,
    keep: Keep,
}

/// What becomes of the tables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    InBook,
    PrintedOnly,
}

const WHOLE: Extent = Extent { sizes: &[100, 1_000, 5_000], trivial_models: 1_000, keep: Keep::InBook };
const SMALL: Extent = Extent { sizes: &[20, 100], trivial_models: 20, keep: Keep::PrintedOnly };

fn main() -> anyhow::Result<()> {
    unimig::postgres::install_crypto_provider();
    let is_given = |word: &str| std::env::args().any(|argument| argument == word);
    let extent = if is_given("small") { SMALL } else { WHOLE };
    // dbt and the checks take their time, and small projects tell little of them.
    let larger = extent.sizes.get(1..).unwrap_or_default();
    let mut page = page::Page::new(machine::describe()?);
    let runtime = tokio::runtime::Runtime::new()?;
    let part = if is_given("dbt") {
        page.beside_dbt(&runtime.block_on(beside_dbt::measure(larger, extent.trivial_models))?)?;
        Some(page::BESIDE_DBT)
    } else if is_given("check") {
        page.checking(&runtime.block_on(checking::measure(larger))?)?;
        None
    } else {
        let loaded = extent.sizes.iter().copied().map(loading::measure).collect::<anyhow::Result<Vec<_>>>()?;
        page.loading(&loaded)?;
        let models = extent.trivial_models;
        page.running(models, &runtime.block_on(running::measure(models))?)?;
        page.checking(&runtime.block_on(checking::measure(larger))?)?;
        Some(page::MEASURED)
    };
    if let (Some(part), Keep::InBook) = (part, extent.keep) {
        part.keep(&page.text)?;
    }
    writeln!(std::io::stdout(), "{}", page.text)?;
    Ok(())
}
