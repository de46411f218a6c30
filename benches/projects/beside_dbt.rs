//! The same projects, the same commands, by unimig and by dbt.
//!
//! dbt is looked for where `benches/run.sh dbt` puts it: version 1 in `target/dbt-1`, version 2 in `target/dbt-2`. The
//! table says which version is not there, and what a version could not do.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::command::{dbt, unimig};
use crate::database::Database;
use crate::generated;
use crate::samples::{Samples, timed};

/// dbt 1 takes minutes for the largest project.
pub const ROUNDS: usize = 3;
const ROUNDS_OF_DBT_1: usize = 1;

/// One command on one project.
pub struct Compared {
    pub what: String,
    pub unimig: Samples,
    pub dbt_1: Peer,
    pub dbt_2: Peer,
}

/// What became of a command of dbt's.
pub enum Peer {
    NotInstalled,
    Failed,
    Timed(Samples),
}

/// One of the programs that are compared.
enum Tool {
    Unimig,
    Dbt1(PathBuf),
    Dbt2(PathBuf),
}

impl Tool {
    fn rounds(&self) -> usize {
        match self {
            Self::Unimig | Self::Dbt2(_) => ROUNDS,
            Self::Dbt1(_) => ROUNDS_OF_DBT_1,
        }
    }

    fn run(&self, project: &Path, command: Command, variables: &[(&str, &str)]) -> anyhow::Result<()> {
        match self {
            Self::Unimig => unimig(project, command.of_unimig(), variables),
            Self::Dbt1(program) => dbt(program, project, command.of_dbt_1(), variables),
            Self::Dbt2(program) => dbt(program, project, command.of_dbt_2(), variables),
        }
    }
}

/// What is timed; dbt may keep nothing from one time to the next, since unimig keeps nothing.
#[derive(Clone, Copy)]
enum Command {
    Parse,
    Compile,
    Select,
    Run,
}

impl Command {
    fn of_unimig(self) -> &'static [&'static str] {
        match self {
            Self::Parse => &["parse"],
            Self::Compile => &["compile"],
            Self::Select => &["ls", "--select", SELECTION],
            Self::Run => &["run"],
        }
    }

    fn of_dbt_1(self) -> &'static [&'static str] {
        match self {
            Self::Parse => &["--no-partial-parse", "parse"],
            Self::Compile => &["--no-partial-parse", "compile"],
            Self::Select => &["--no-partial-parse", "ls", "--select", SELECTION],
            Self::Run => &["--no-partial-parse", "run"],
        }
    }

    fn of_dbt_2(self) -> &'static [&'static str] {
        match self {
            Self::Parse => &["parse"],
            Self::Compile => &["compile"],
            Self::Select => &["ls", "--select", SELECTION],
            Self::Run => &["run"],
        }
    }
}

const SELECTION: &str = "+m90+2,tag:generated";

/// Times every tool that is there.
pub async fn measure(sizes: &[usize], trivial_models: usize) -> anyhow::Result<Vec<Compared>> {
    let database = Database::start().await?;
    let compared = compare(&database, sizes, trivial_models);
    database.stop().await?;
    compared
}

fn compare(database: &Database, sizes: &[usize], trivial_models: usize) -> anyhow::Result<Vec<Compared>> {
    let tools = tools();
    let mut table = Vec::new();
    for models in sizes {
        let project = generated::dbt_project(*models)?;
        for (what, command) in
            [("load", Command::Parse), ("compile", Command::Compile), ("list a selection of", Command::Select)]
        {
            let what = format!("{what} {models} models");
            table.push(row(&tools, what, |tool| once(tool, (&project, database), command))?);
        }
    }
    let project = generated::trivial_dbt_project(trivial_models)?;
    let what = format!("run {trivial_models} trivial tables, 4 threads");
    table.push(row(&tools, what, |tool| once(tool, (&project, database), Command::Run))?);
    Ok(table)
}

fn tools() -> Vec<Tool> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let program = |folder: &str| Some(target.join(folder).join("bin/dbt")).filter(|program| program.is_file());
    let mut tools = vec![Tool::Unimig];
    tools.extend(program("dbt-1").map(Tool::Dbt1));
    tools.extend(program("dbt-2").map(Tool::Dbt2));
    tools
}

/// Each time on an empty database and without what an earlier time left in `target/`.
fn once(
    tool: &Tool,
    (project, database): (&TempDir, &Database),
    command: Command,
) -> anyhow::Result<std::time::Duration> {
    database.copy("template1", "bench_dbt")?;
    database.execute("bench_dbt", "create schema app")?;
    let target = project.path().join("target");
    if target.exists() {
        fs_err::remove_dir_all(&target)?;
    }
    let port = database.port().to_string();
    let variables =
        [("BENCH_HOST", database.address()), ("BENCH_PORT", port.as_str()), ("BENCH_DATABASE", "bench_dbt")];
    timed(|| tool.run(project.path(), command, &variables))
}

fn row(
    tools: &[Tool],
    what: String,
    time: impl Fn(&Tool) -> anyhow::Result<std::time::Duration>,
) -> anyhow::Result<Compared> {
    let mut compared =
        Compared { what, unimig: Samples::default(), dbt_1: Peer::NotInstalled, dbt_2: Peer::NotInstalled };
    for tool in tools {
        let timed = samples(tool, &time);
        match tool {
            Tool::Unimig => compared.unimig = timed?,
            Tool::Dbt1(_) => compared.dbt_1 = peer(timed)?,
            Tool::Dbt2(_) => compared.dbt_2 = peer(timed)?,
        }
    }
    Ok(compared)
}

fn samples(tool: &Tool, time: impl Fn(&Tool) -> anyhow::Result<std::time::Duration>) -> anyhow::Result<Samples> {
    let mut samples = Samples::default();
    for _ in 0..tool.rounds() {
        samples.push(time(tool)?);
    }
    Ok(samples)
}

/// What another tool cannot do ends no measurement.
fn peer(timed: anyhow::Result<Samples>) -> anyhow::Result<Peer> {
    match timed {
        Ok(samples) => Ok(Peer::Timed(samples)),
        Err(error) => {
            writeln!(std::io::stderr(), "{error:#}")?;
            Ok(Peer::Failed)
        }
    }
}
