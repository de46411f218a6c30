//! `unimig run` of one source table: how long its phases took, and how much memory it held.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use crate::database::Database;
use crate::tables::{SOURCE, Table};

/// The target's database.
pub const TARGET: &str = "bench_target";

/// A project that copies one table, with an empty target.
pub struct Project {
    folder: TempDir,
}

/// What one run took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Run {
    pub whole: Duration,
    /// From the start of the extraction to the start of the load.
    pub extraction: Duration,
    /// From there to the end of the step: load, merge and proofs.
    pub load: Duration,
    /// Peak resident memory in bytes.
    pub memory: u64,
}

impl Project {
    pub fn new(database: &Database, table: &Table) -> anyhow::Result<Self> {
        Self::with_checksum(database, table, "digest")
    }

    /// One that proves batches by digests, or by counting rows.
    pub fn with_checksum(database: &Database, table: &Table, checksum: &str) -> anyhow::Result<Self> {
        database.copy("template1", TARGET)?;
        database.execute(TARGET, "create schema app")?;
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        let place = format!("type: postgres, host: \"{}\", port: {}, user: unimig", database.host(), database.port());
        let profile = format!(
            "capture:\n  target: dev\n  outputs:\n    dev:\n      type: postgres\n      host: \"{}\"\n      port: {}\n      \
             user: unimig\n      dbname: {TARGET}\n      schema: app\n      connections:\n        src: {{{place}, dbname: \
             {SOURCE}}}\n      stores:\n        layer: {{url: \"file://.unimig/layer\"}}\n",
            database.host(),
            database.port(),
        );
        fs_err::write(root.join("profiles.yml"), profile)?;
        fs_err::write(root.join("unimig.yml"), "name: capture\nversion: \"1.0\"\nprofile: capture\n")?;
        fs_err::create_dir_all(root.join("sources"))?;
        let source = format!(
            "sources: [{{name: src, checksum: {checksum}, tables: [{{name: {}, key: [id], cdc: {{strategy: full}}}}]}}]\n",
            table.name
        );
        fs_err::write(root.join("sources/src.yml"), source)?;
        Ok(Self { folder })
    }

    pub fn run(&self) -> anyhow::Result<Run> {
        let path = self.folder.path().join("log.jsonl");
        let mut command = Command::new(env!("CARGO_BIN_EXE_unimig"));
        command.arg("--project-dir").arg(self.folder.path()).args(["run", "--select", "stg.src.*"]);
        command.args(["--log-format", "json", "--log-level", "debug"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&path)?);
        let start = Instant::now();
        let mut child = command.spawn()?;
        let (succeeded, memory) = watch(&mut child)?;
        let whole = start.elapsed();
        if !succeeded {
            bail!("{command:?} failed: {}", tail(&fs_err::read_to_string(&path)?));
        }
        let (extraction, load) = phases(&path)?;
        Ok(Run { whole, extraction, load, memory })
    }
}

/// Waits, and looks at the process's own high-water mark meanwhile, which only grows.
fn watch(child: &mut Child) -> anyhow::Result<(bool, u64)> {
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    loop {
        let text = fs_err::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        memory = memory.max(peak.unwrap_or(0_u64) * 1024);
        if let Some(status) = child.try_wait()? {
            return Ok((status.success(), memory));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.contains("step_progress")).collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

/// How long extraction and load took, by the times of the run's events.
fn phases(path: &Path) -> anyhow::Result<(Duration, Duration)> {
    let (mut extraction, mut load, mut end) = (None, None, None);
    for line in fs_err::read_to_string(path)?.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        let Some(at) = event["ts"].as_str().and_then(|ts| ts.parse::<Timestamp>().ok()) else { continue };
        match (event["event"].as_str(), event["phase"].as_str()) {
            (Some("step_progress"), Some("extracting")) => _ = extraction.get_or_insert(at),
            (Some("step_progress"), Some("loading")) => _ = load.get_or_insert(at),
            (Some("step_finished"), _) => end = Some(at),
            _ => {}
        }
    }
    let all = extraction.zip(load).zip(end);
    let ((extraction, load), end) = all.with_context(|| format!("{} lacks a phase", path.display()))?;
    Ok((load.duration_since(extraction).try_into()?, end.duration_since(load).try_into()?))
}
