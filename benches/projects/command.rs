//! The tool as people start it: a process of its own, built by the same `cargo bench`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// Runs `unimig` in a project; what it says is shown only when it fails.
pub fn unimig(project: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unimig"));
    command.arg("--project-dir").arg(project).args(arguments).envs(variables.iter().copied());
    succeed(command)
}

/// Runs dbt in a project, without its telemetry; what it keeps between calls is below the folder it is installed in.
pub fn dbt(program: &Path, project: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).arg("--project-dir").arg(project).arg("--profiles-dir").arg(project);
    command.envs([("DBT_SEND_ANONYMOUS_USAGE_STATS", "false"), ("DO_NOT_TRACK", "1")]);
    // Version 2 wants to be told that its PostgreSQL adapter may be used.
    command.env("DBT_ALLOW_EXPERIMENTAL_ADAPTERS", "true");
    if let Some(folder) = program.parent().and_then(Path::parent) {
        command.env("XDG_CACHE_HOME", folder.join("cache"));
    }
    command.envs(variables.iter().copied()).current_dir(project);
    succeed(command)
}

/// Waits for a program, and passes on what it said when it fails.
pub fn succeed(mut command: Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("could not start {}", command.get_program().display()))?;
    if !output.status.success() {
        // dbt tells its mistakes on stdout.
        let said = [output.stdout, output.stderr].concat();
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&said));
    }
    Ok(())
}
