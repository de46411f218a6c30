//! What the figures were taken on.

use std::process::Command;

use jiff::Timestamp;

/// Processor, cores, load, and the versions of what was measured.
pub fn describe() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let load = fs_err::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown");
    Ok(format!(
        "Taken on {} with {cores} cores ({}), load {load} at the start; unimig {} built by {}, PostgreSQL {}.",
        Timestamp::now().strftime("%Y-%m-%d"),
        processor(),
        env!("CARGO_PKG_VERSION"),
        said_by("rustc", &["--version"]),
        said_by("psql", &["--version"]).trim_start_matches("psql (PostgreSQL) "),
    ))
}

fn processor() -> String {
    let text = fs_err::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    named.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| format!("{program} of unknown version"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
