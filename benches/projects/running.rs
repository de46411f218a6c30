//! A thousand trivial models against psql, which sends the same statements in one session.
//!
//! One run with the server's statement log on gives the statements. Then both sides are timed in turn, each on a fresh
//! copy of the same database: a first run that creates or inserts everything, and a second that finds nothing to do.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use tempfile::TempDir;

use crate::command::unimig;
use crate::database::Database;
use crate::generated;
use crate::samples::{Samples, timed};
use crate::statements::{MARK, scripts};

pub const ROUNDS: usize = 5;

/// One materialization's times.
#[derive(Debug, Clone, Default)]
pub struct Running {
    pub materialization: &'static str,
    pub first: Sides,
    pub second: Sides,
}

/// The same work on both sides.
#[derive(Debug, Clone, Default)]
pub struct Sides {
    pub unimig: Samples,
    pub psql: Samples,
    /// Messages that the log held, a session's round trips.
    pub messages: usize,
}

/// Times the three materializations; the server is stopped whatever happens.
pub async fn measure(models: usize) -> anyhow::Result<Vec<Running>> {
    let database = Database::start().await?;
    let measured = ["table", "merge", "view"]
        .into_iter()
        .map(|materialization| Bench::prepare(&database, materialization, models)?.measure())
        .collect();
    database.stop().await?;
    measured
}

struct Bench<'a> {
    database: &'a Database,
    materialization: &'static str,
    project: TempDir,
    first_script: PathBuf,
    second_script: PathBuf,
    messages: (usize, usize),
}

impl<'a> Bench<'a> {
    /// Makes the project and the database that every run starts from, and logs what unimig sends.
    fn prepare(database: &'a Database, materialization: &'static str, models: usize) -> anyhow::Result<Self> {
        let config = match materialization {
            "merge" => "+materialized: merge, +unique_key: id".to_owned(),
            other => format!("+materialized: {other}"),
        };
        let project = generated::trivial_project(models, &config)?;
        let mut start = "create schema app;\n".to_owned();
        if materialization == "merge" {
            for index in 0..models {
                let _ = writeln!(start, "create table app.m{index} (id integer primary key);");
            }
        }
        let start_file = project.path().join("start.sql");
        fs_err::write(&start_file, start)?;
        database.copy("template1", "bench_start")?;
        database.run_file("bench_start", &start_file)?;
        let (first, second) = logged(database, &project, &format!("bench_logged_{materialization}"))?;
        let folder = project.path();
        let bench = Self {
            database,
            materialization,
            first_script: folder.join("first.sql"),
            second_script: folder.join("second.sql"),
            messages: (messages(&first), messages(&second)),
            project,
        };
        fs_err::write(&bench.first_script, first)?;
        fs_err::write(&bench.second_script, second)?;
        Ok(bench)
    }

    fn measure(&self) -> anyhow::Result<Running> {
        let mut running = Running { materialization: self.materialization, ..Running::default() };
        (running.first.messages, running.second.messages) = self.messages;
        for round in 0..ROUNDS {
            self.database.copy("bench_start", "bench_unimig")?;
            self.database.copy("bench_start", "bench_psql")?;
            if round.is_multiple_of(2) {
                self.time_unimig(&mut running)?;
                self.time_psql(&mut running)?;
            } else {
                self.time_psql(&mut running)?;
                self.time_unimig(&mut running)?;
            }
        }
        Ok(running)
    }

    fn time_unimig(&self, running: &mut Running) -> anyhow::Result<()> {
        let run = || run(self.database, &self.project, "bench_unimig");
        running.first.unimig.push(timed(run)?);
        self.database.execute("bench_unimig", "checkpoint")?;
        running.second.unimig.push(timed(run)?);
        Ok(())
    }

    fn time_psql(&self, running: &mut Running) -> anyhow::Result<()> {
        running.first.psql.push(timed(|| self.database.run_file("bench_psql", &self.first_script))?);
        self.database.execute("bench_psql", "checkpoint")?;
        running.second.psql.push(timed(|| self.database.run_file("bench_psql", &self.second_script))?);
        Ok(())
    }
}

fn run(database: &Database, project: &TempDir, name: &str) -> anyhow::Result<()> {
    unimig(project.path(), &["run"], &[("BENCH_HOST", database.host()), ("BENCH_DATABASE", name)])
}

/// Both runs' statements, from the server's log.
fn logged(database: &Database, project: &TempDir, name: &str) -> anyhow::Result<(String, String)> {
    database.copy("bench_start", name)?;
    database.execute("postgres", &format!("alter database {name} set log_statement = 'all'"))?;
    for _ in 0..2 {
        run(database, project, name)?;
        database.execute(name, MARK)?;
    }
    // The server's log collector writes a little later than it is told.
    for _ in 0..100 {
        let mut scripts = scripts(&database.log_folder, name)?;
        if scripts.len() >= 2 {
            database.execute("postgres", &format!("drop database {name}"))?;
            let second = scripts.pop().context("two runs")?;
            return Ok((scripts.pop().context("two runs")?, second));
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    anyhow::bail!("the server's log in {} lacks the runs", database.log_folder.display())
}

fn messages(script: &str) -> usize {
    script.lines().filter(|line| *line == ";").count()
}
