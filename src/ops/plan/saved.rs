//! A plan in a file, and the question whether it still holds: same code, same inputs, same tables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::graph::Indirect;
use crate::ident::{NodeName, Relation};
use crate::manifest::jinja::Rows;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::defer::{Defer, Favor};
use crate::ops::plan::Making;
use crate::ops::run::{RunRequest, Verb};
use crate::ops::workspace::{Selection, Workspace};
use crate::plan::explain::Explained;
use crate::plan::{self, Action, OnError, Plan, ReadBounds};
use crate::postgres::{Lease, PostgresError};
use crate::project::Vars;
use crate::state::past::Memory;
use crate::transform::description::{self, Functions};

/// The form of the file that this version writes and reads.
const FORMAT: u32 = 2;

/// A plan as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    pub format: u32,
    pub made_at: Timestamp,
    pub tool_version: String,
    pub project: String,
    pub target: String,
    /// `user@host:port/dbname`.
    pub database: String,
    pub command: String,
    pub settings: SavedSettings,
    pub steps: Vec<SavedStep>,
    /// sha256 of every file of the project, by its path.
    pub files: BTreeMap<String, String>,
    /// The newest batch of each staged table that the steps read or bring up to date; 0 where there is none.
    pub batches: BTreeMap<NodeName, i64>,
    /// sha256 of columns and keys of each relation that the steps write; empty where there is none.
    pub relations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedSettings {
    pub on_error: String,
    pub full_refresh: bool,
    pub fail_fast: bool,
    pub warn_error: bool,
    pub lock_wait_seconds: u64,
    pub threads: Option<usize>,
    pub store_failures: bool,
    pub empty: bool,
    pub reads: ReadBounds,
    /// What `--defer` reads, if it was given.
    pub defer: Option<SavedDefer>,
    /// `--vars`.
    pub vars: Vars,
    /// What was typed to choose the steps; `steps` is what it came to.
    pub selection: SavedSelection,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedDefer {
    /// The folder of the other manifest, from the root of the file system.
    pub state: PathBuf,
    pub favor_state: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedSelection {
    pub select: Vec<String>,
    pub exclude: Vec<String>,
    pub selector: Option<String>,
    /// `--indirect-selection`, which templates see.
    pub indirect: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedStep {
    pub name: NodeName,
    pub action: String,
    pub reason: String,
    /// Of its compiled SQL and its settings.
    pub code_digest: String,
}

/// Everything that the file says, as it is now.
pub(super) async fn capture(
    (workspace, request): (&Workspace, &RunRequest),
    (making, steps): (&Making<'_>, &[Explained]),
    (connections, session): (&Connections, &Lease),
) -> Result<SavedPlan, OpError> {
    let digests = making.plan.steps.iter().map(|step| plan::digest(&step.action));
    let steps = steps.iter().zip(digests).map(|(step, code_digest)| SavedStep {
        name: step.name.clone(),
        action: step.action.clone(),
        reason: step.reason.clone(),
        code_digest,
    });
    Ok(SavedPlan {
        format: FORMAT,
        made_at: Timestamp::now(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        project: workspace.project.name.clone(),
        target: workspace.environment.target_name.clone(),
        database: connections.target.endpoint().describe(),
        command: making.plan.command.clone(),
        settings: settings(workspace, request)?,
        steps: steps.collect(),
        files: files(workspace)?,
        batches: batches(making),
        relations: relations(making.plan, session).await?,
    })
}

fn settings(workspace: &Workspace, request: &RunRequest) -> Result<SavedSettings, OpError> {
    let defer = match &request.defer {
        Some(Defer { state, favor }) => Some(SavedDefer {
            state: std::path::absolute(state).map_err(|source| OpError::File {
                doing: "find",
                path: state.clone(),
                source,
            })?,
            favor_state: *favor == Favor::State,
        }),
        None => None,
    };
    let on_error = match request.on_error {
        OnError::Continue => "continue",
        OnError::Skip => "skip",
    };
    Ok(SavedSettings {
        on_error: on_error.to_owned(),
        full_refresh: request.full_refresh,
        reads: request.reads.clone(),
        fail_fast: request.fail_fast,
        warn_error: request.warn_error,
        lock_wait_seconds: request.lock_wait.as_secs(),
        threads: request.threads,
        store_failures: request.store_failures,
        empty: request.rows == Rows::None,
        defer,
        vars: workspace.given_vars.clone(),
        selection: SavedSelection {
            select: request.selection.select.clone(),
            exclude: request.selection.exclude.clone(),
            selector: request.selection.selector.clone(),
            indirect: request.selection.indirect.as_str().to_owned(),
        },
    })
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The project file and everything below the folders that it names.
fn files(workspace: &Workspace) -> Result<BTreeMap<String, String>, OpError> {
    let root = &workspace.project.root;
    let mut found = BTreeMap::new();
    let mut add = |path: &Path| -> Result<(), OpError> {
        let bytes =
            fs_err::read(path).map_err(|source| OpError::File { doing: "read", path: path.to_path_buf(), source })?;
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        found.insert(name, hex(bytes));
        Ok(())
    };
    add(&root.join(&workspace.project.file.path))?;
    for folder in &workspace.project.roots {
        let entries = WalkDir::new(root.join(folder)).sort_by_file_name().into_iter().filter_map(Result::ok);
        for entry in entries.filter(|entry| entry.file_type().is_file()) {
            add(entry.path())?;
        }
    }
    Ok(found)
}

fn batches(making: &Making<'_>) -> BTreeMap<NodeName, i64> {
    let memory: &Memory = making.memory;
    let mut batches = BTreeMap::new();
    for step in &making.plan.steps {
        let parents: &[NodeName] = match &step.action {
            Action::Stage(_) => std::slice::from_ref(&step.name),
            Action::Crosswalk(crosswalk) => &crosswalk.staged_parents,
            Action::Merge(merge) => &merge.staged_parents,
            Action::Table(select) | Action::View(select) => &select.staged_parents,
            Action::MaterializedView(view) => &view.staged_parents,
            Action::Incremental(incremental) => &incremental.staged_parents,
            Action::Snapshot(snapshot) => &snapshot.staged_parents,
            Action::Seed(_) | Action::Test(_) | Action::UnitTest(_) => &[],
        };
        for parent in parents {
            batches.insert(parent.clone(), memory.batches.get(parent).map_or(0, |last| last.batch_id));
        }
    }
    batches
}

/// Columns and keys of what the steps write; rows are not looked at.
async fn relations(plan: &Plan, session: &Lease) -> Result<BTreeMap<String, String>, OpError> {
    let written: Vec<&Relation> = plan.steps.iter().filter_map(|step| written_by(&step.action)).collect();
    let mut schemas: Vec<&str> = written.iter().map(|relation| relation.schema.as_str()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    session
        .batch_execute("begin read only")
        .await
        .map_err(|error| PostgresError::server("read the target's catalog", error))?;
    let catalog = description::describe(session, &schemas, Functions::Omit).await?;
    session.batch_execute("commit").await.map_err(|error| PostgresError::server("read the target's catalog", error))?;
    let digest = |relation: &Relation| match catalog.relation(relation) {
        Some(described) => hex(serde_json::to_vec(described).expect("names and types can be written as JSON")),
        None => String::new(),
    };
    Ok(written.into_iter().map(|relation| (relation.to_string(), digest(relation))).collect())
}

fn written_by(action: &Action) -> Option<&Relation> {
    match action {
        Action::Stage(stage) => Some(&stage.node.stg_relation),
        Action::Crosswalk(crosswalk) => Some(&crosswalk.node.target),
        Action::Merge(merge) => Some(&merge.target.relation),
        Action::Table(select) | Action::View(select) => Some(&select.node.relation),
        Action::MaterializedView(view) => Some(&view.node.relation),
        Action::Incremental(incremental) => Some(&incremental.node.relation),
        Action::Snapshot(snapshot) => Some(&snapshot.node.relation),
        Action::Seed(seed) => Some(&seed.node.relation),
        Action::Test(_) | Action::UnitTest(_) => None,
    }
}

impl SavedPlan {
    pub fn write(&self, path: &Path) -> Result<(), OpError> {
        let text = serde_json::to_string_pretty(self).expect("a plan can be written as JSON");
        let failed = |source| OpError::File { doing: "write", path: path.to_path_buf(), source };
        fs_err::write(path, text + "\n").map_err(failed)
    }

    pub fn read(path: &Path) -> Result<Self, OpError> {
        let hint = "unimig plan --save FILE writes a plan";
        let refuse = |what: String| OpError::usage(format!("{} {what}", path.display()), hint);
        let text = fs_err::read_to_string(path).map_err(|error| refuse(format!("cannot be read: {}", error.kind())))?;
        let form: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| refuse(format!("is no saved plan: {error}")))?;
        match form["format"].as_u64() {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => return Err(refuse(format!("is of format {format}, and this version reads {FORMAT}"))),
            None => return Err(refuse("is no saved plan".to_owned())),
        }
        serde_json::from_value(form).map_err(|error| refuse(format!("is no saved plan: {error}")))
    }

    fn indirect(&self) -> Indirect {
        let written = &self.settings.selection.indirect;
        let all = [Indirect::Eager, Indirect::Cautious, Indirect::Buildable, Indirect::Empty];
        all.into_iter().find(|indirect| indirect.as_str() == written).unwrap_or_default()
    }

    /// The request that carries out exactly the plan's steps.
    pub fn request(&self) -> RunRequest {
        let mut verbs = [Verb::Build, Verb::Run, Verb::Test, Verb::Seed, Verb::Snapshot].into_iter();
        let verb = verbs.find(|verb| verb.as_str() == self.command).unwrap_or(Verb::Build);
        let only = self.steps.iter().map(|step| step.name.clone()).collect();
        RunRequest {
            selection: Selection { only: Some(Arc::new(only)), indirect: self.indirect(), ..Selection::default() },
            threads: self.settings.threads,
            on_error: if self.settings.on_error == "skip" { OnError::Skip } else { OnError::Continue },
            lock_wait: std::time::Duration::from_secs(self.settings.lock_wait_seconds),
            full_refresh: self.settings.full_refresh,
            reads: self.settings.reads.clone(),
            fail_fast: self.settings.fail_fast,
            warn_error: self.settings.warn_error,
            store_failures: self.settings.store_failures,
            rows: if self.settings.empty { Rows::None } else { Rows::All },
            defer: self.settings.defer.as_ref().map(|defer| Defer {
                state: defer.state.clone(),
                favor: if defer.favor_state { Favor::State } else { Favor::Target },
            }),
            ..RunRequest::all(verb)
        }
    }

    /// What is told before the steps are carried out.
    pub fn still_holds(&self) -> String {
        let (count, command) = (self.steps.len(), &self.command);
        let steps = if count == 1 { "step" } else { "steps" };
        let made_at = self.made_at.strftime("%F %T UTC");
        format!("nothing has moved since the plan was made at {made_at}: {count} {steps} of {command}")
    }

    /// Everything that is not as it was when the plan was made.
    pub fn moved(&self, now: &SavedPlan) -> Diagnostics {
        let mut moved = Diagnostics::default();
        let mut say = |what: String| {
            moved.push(
                Diagnostic::error(Code::StalePlan, what)
                    .hint("look at a new plan: unimig plan --save FILE, with the same selection"),
            );
        };
        for (what, was, is) in [
            ("project", &self.project, &now.project),
            ("target", &self.target, &now.target),
            ("database", &self.database, &now.database),
        ] {
            if was != is {
                say(format!("the plan is of {what} \"{was}\", and this is \"{is}\""));
            }
        }
        for (path, change) in changes(&self.files, &now.files) {
            say(format!("file \"{path}\" {change} since the plan was made"));
        }
        let digests = |plan: &SavedPlan| -> BTreeMap<NodeName, String> {
            plan.steps.iter().map(|step| (step.name.clone(), step.code_digest.clone())).collect()
        };
        for (name, change) in changes(&digests(self), &digests(now)) {
            say(format!("the SQL or config of {name} {change} since the plan was made"));
        }
        for (name, batch) in &self.batches {
            let current = now.batches.get(name).copied().unwrap_or(0);
            if current != *batch {
                say(format!("{name} was copied again since the plan was made"));
            }
        }
        for (relation, _) in changes(&self.relations, &now.relations) {
            say(format!("{relation} has other columns or keys than when the plan was made"));
        }
        moved
    }
}

/// Keys whose values are not the same on both sides, and how.
fn changes<'a, K: Ord>(was: &'a BTreeMap<K, String>, is: &'a BTreeMap<K, String>) -> Vec<(&'a K, &'static str)> {
    let mut changes: Vec<(&K, &'static str)> = was
        .iter()
        .filter_map(|(key, value)| match is.get(key) {
            None => Some((key, "is gone")),
            Some(now) if now != value => Some((key, "has changed")),
            Some(_) => None,
        })
        .collect();
    changes.extend(is.keys().filter(|key| !was.contains_key(*key)).map(|key| (key, "is new")));
    changes
}
