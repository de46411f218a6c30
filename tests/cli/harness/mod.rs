//! A project in a temporary folder, with databases of its own, and words to speak about what a command did to them.

mod folder;
mod outcome;
mod s3;
mod server;
mod session;
mod state;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

pub use folder::PERSON_TABLE;
pub use outcome::{Outcome, Started, StepResult};
pub use s3::S3;
pub use server::socket_folder;
pub use session::Session;

static NEXT: AtomicU32 = AtomicU32::new(0);

const PROJECT: &str = "name: shop\nversion: \"1.0\"\nprofile: shop\n";

/// What the profile says of the target besides where it is.
const SETTINGS: &str = "schema: app\n      threads: 4";

/// A project on disk and its databases. Dropping it drops all of them.
pub struct Test {
    folder: TempDir,
    number: u32,
    databases: Mutex<BTreeSet<String>>,
    /// Lines of `profiles.yml` that replace a source's generated ones.
    connections: Mutex<Vec<(String, String)>>,
    own_profile: bool,
}

impl Test {
    /// An empty project, an empty target with schema `app`, no source.
    pub fn new() -> Self {
        let test = Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            databases: Mutex::new(BTreeSet::new()),
            connections: Mutex::new(Vec::new()),
            own_profile: false,
        };
        test.ensure_database("target");
        test.target_sql("create schema app").file("unimig.yml", PROJECT)
    }

    /// Writes a file of the project.
    pub fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// The same while the test goes on.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders can be made");
        std::fs::write(path, text).expect("files can be written");
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.path().join(path)).expect("the file is there");
    }

    /// The profile is a file of the test's own.
    pub fn own_profile(mut self) -> Self {
        self.own_profile = true;
        self
    }

    /// The same project and the same sources, and a target of its own that is as new.
    pub fn twin(&self, target_sql: &str) -> Self {
        let twin = Self::new().target_sql(target_sql);
        for path in files_below(self.path()) {
            let name = path.strip_prefix(self.path()).expect("it is below the folder").to_path_buf();
            let first = name.iter().next().and_then(|first| first.to_str()).unwrap_or_default();
            if !["target", ".unimig", "profiles.yml"].contains(&first) {
                let text = std::fs::read_to_string(&path).expect("the project's files are text");
                twin.write(&name.display().to_string(), &text);
            }
        }
        for source in self.sources() {
            twin.connection(&source, &self.place(&source));
        }
        twin
    }

    fn sources(&self) -> Vec<String> {
        let databases = self.databases.lock().expect("no test panics while it holds the list");
        databases.iter().filter(|name| *name != "target").cloned().collect()
    }

    /// Runs SQL on a source's database, made when it is first named.
    pub fn source_sql(self, source: &str, sql: &str) -> Self {
        self.on_source(source, sql);
        self
    }

    pub fn on_source(&self, source: &str, sql: &str) {
        self.ensure_database(source);
        self.session(source).execute(sql);
    }

    pub fn target_sql(self, sql: &str) -> Self {
        self.on_target(sql);
        self
    }

    pub fn on_target(&self, sql: &str) {
        self.session("target").execute(sql);
    }

    /// Says in the profile where a source is, other than where the harness made it.
    pub fn connection(&self, source: &str, settings: &str) {
        let mut connections = self.connections.lock().expect("no test panics while it holds the list");
        connections.retain(|(name, _)| name != source);
        connections.push((source.to_owned(), settings.to_owned()));
    }

    /// A session of the test's own on `target` or a source.
    pub fn session(&self, database: &str) -> Session {
        Session::open(&self.database(database))
    }

    /// Rows of the target as text, columns parted by `|`, NULL as `∅`.
    pub fn query_target(&self, sql: &str) -> Vec<String> {
        self.session("target").rows(sql)
    }

    pub fn query_source(&self, source: &str, sql: &str) -> Vec<String> {
        self.session(source).rows(sql)
    }

    /// The one value of a query on the target.
    pub fn value(&self, sql: &str) -> String {
        self.query_target(sql).pop().expect("the query gives a row")
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the tool in the project's folder.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(arguments, &self.command(arguments).output().expect("the binary starts"))
    }

    /// Runs the tool and asks that all went well.
    pub fn succeeds(&self, arguments: &[&str]) -> Outcome {
        self.run(arguments).exit(0)
    }

    /// Starts the tool and lets the test go on.
    pub fn start(&self, arguments: &[&str]) -> Started {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Started::new(arguments, command.spawn().expect("the binary starts"))
    }

    /// The tool with an environment that holds nothing of the machine's.
    pub fn command(&self, arguments: &[&str]) -> Command {
        // A run that has just begun may be reading it.
        let is_there = || std::fs::read_to_string(self.path().join("profiles.yml")).ok();
        if !self.own_profile && is_there().as_deref() != Some(&self.profile()) {
            self.write("profiles.yml", &self.profile());
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_unimig"));
        command.args(arguments).current_dir(self.path()).env_clear().env("NO_COLOR", "1").env("HOME", self.path());
        for name in ["PATH", "UNIMIG_PG_BIN", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// What each step of the last run did.
    pub fn results(&self) -> Vec<StepResult> {
        Self::results_in(self.path())
    }

    /// The same for a run whose project folder is elsewhere.
    pub fn results_in(folder: &Path) -> Vec<StepResult> {
        let text = std::fs::read(folder.join("target/run_results.json")).expect("a run leaves its results");
        StepResult::all(&serde_json::from_slice(&text).expect("the results are JSON"))
    }

    /// Asks that the last run found nothing to write.
    #[track_caller]
    pub fn wrote_nothing(&self) {
        for result in self.results() {
            assert_eq!(result.wrote(), (0, 0, 0), "{result:?}");
        }
    }

    /// What one step of the last run did.
    pub fn result(&self, node: &str) -> StepResult {
        self.results().into_iter().find(|result| result.node == node).expect("the step was part of the run")
    }

    /// Where a database of the test is, as lines of `profiles.yml` in one pair of braces.
    pub fn place(&self, database: &str) -> String {
        format!("{{type: postgres, host: \"{}\", user: unimig, dbname: {}}}", socket_folder(), self.database(database))
    }

    pub fn database(&self, name: &str) -> String {
        format!("t{}_{}_{name}", std::process::id(), self.number)
    }

    fn ensure_database(&self, name: &str) {
        let mut databases = self.databases.lock().expect("no test panics while it holds the list");
        if databases.insert(name.to_owned()) {
            Session::open("postgres").execute(&format!("create database {}", self.database(name)));
        }
    }

    fn profile(&self) -> String {
        let databases = self.databases.lock().expect("no test panics while it holds the list");
        let given = self.connections.lock().expect("no test panics while it holds the list");
        let mut connections: Vec<(String, String)> = given.clone();
        for source in databases.iter().filter(|name| *name != "target") {
            if !given.iter().any(|(name, _)| name == source) {
                connections.push((source.clone(), self.place(source)));
            }
        }
        let connections: Vec<String> =
            connections.iter().map(|(name, place)| format!("        {name}: {place}\n")).collect();
        let connections = match connections.is_empty() {
            true => String::new(),
            false => format!("      connections:\n{}", connections.concat()),
        };
        format!(
            "shop:\n  target: dev\n  outputs:\n    dev:\n      type: postgres\n      host: \"{}\"\n      user: unimig\n      \
             dbname: {}\n      {SETTINGS}\n{connections}      stores:\n        layer: {{url: \"file://.unimig/layer\"}}\n",
            socket_folder(),
            self.database("target")
        )
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        let databases = self.databases.get_mut().map(std::mem::take).unwrap_or_default();
        let session = Session::open("postgres");
        for name in databases {
            let dropped = format!("drop database if exists {} with (force)", self.database(&name));
            // What stays goes with the server.
            let _ = session.try_execute(&dropped);
        }
    }
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}
