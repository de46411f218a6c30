//! `unimig check` against psql: the same SELECTs as views, in one transaction that is rolled back.
//!
//! What psql is given is what a person would write by hand; it finds the first mistake, and says no columns.

use std::fmt::Write as _;

use crate::command::unimig;
use crate::database::Database;
use crate::generated::{self, Shape};
use crate::samples::{Samples, timed};

pub const ROUNDS: usize = 5;

/// One project's times.
#[derive(Debug, Clone)]
pub struct Checking {
    pub models: usize,
    pub shape: Shape,
    pub unimig: Samples,
    pub psql: Samples,
}

/// Times projects of each size and shape; the server is stopped whatever happens.
pub async fn measure(sizes: &[usize]) -> anyhow::Result<Vec<Checking>> {
    let database = Database::start().await?;
    let cases = sizes.iter().flat_map(|models| [(*models, Shape::Alone), (*models, Shape::Linked)]);
    let measured = cases.map(|(models, shape)| measure_one(&database, models, shape)).collect();
    database.stop().await?;
    measured
}

fn measure_one(database: &Database, models: usize, shape: Shape) -> anyhow::Result<Checking> {
    let project = generated::view_project(models, shape)?;
    let mut script = "begin;\ncreate schema app;\n".to_owned();
    for index in 0..models {
        let _ = writeln!(
            script,
            "create view app.m{index} as\n{};",
            generated::view_sql(index, shape, |m| format!("app.m{m}"))
        );
    }
    script.push_str("rollback;\n");
    let file = project.path().join("views.sql");
    fs_err::write(&file, script)?;
    database.copy("template1", "bench_check")?;
    let variables = [("BENCH_HOST", database.host()), ("BENCH_DATABASE", "bench_check")];
    let mut checking = Checking { models, shape, unimig: Samples::default(), psql: Samples::default() };
    for _ in 0..ROUNDS {
        checking.unimig.push(timed(|| unimig(project.path(), &["check"], &variables))?);
        checking.psql.push(timed(|| database.run_file("bench_check", &file))?);
    }
    Ok(checking)
}
