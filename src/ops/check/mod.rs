//! `check`: PostgreSQL's own verdict on every model, without data.
//!
//! 1. compile and select; what the selected nodes read is looked at too
//! 2. read from the target's catalog what copies, tables and types are there; nothing real is locked
//! 3. in one transaction, make schemas of our own, and in them shells in the order of the graph, some hundred at a time
//! 4. compare each model that merges with its table, and have the server look at the INSERT
//! 5. carry out unit tests, which bring their own rows
//! 6. put what was refused at its place in the user's files, and roll back

mod columns;
mod look;
mod offline;
mod scratch;
mod unit_tests;
mod verdict;
mod waves;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::compile::{CompileFacts, Compiled};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::extract::MissingIndexes;
use crate::ident::NodeName;
use crate::materialize::stage::StagedColumn;
use crate::ops::OpError;
use crate::ops::check::offline::Offline;
use crate::ops::check::scratch::Scratch;
use crate::ops::connections::Connections;
use crate::ops::indexes;
use crate::ops::introspect;
use crate::ops::workspace::{CompiledProject, Selection, Workspace};
use crate::postgres::{Lease, Pool, PostgresError};
use crate::transform::description::{self, Functions, TargetDescription};

pub use offline::CATALOG_FILE;

/// How long a look may wait for a lock that somebody holds on a table which a model names outright.
const LOCK_TIMEOUT: &str = "set local lock_timeout = '10s'";

/// What was looked at and what was found.
#[derive(Debug)]
pub struct Checked {
    /// The selected nodes, parents first.
    pub nodes: Vec<CheckedNode>,
    pub mistakes: Diagnostics,
    /// Big source tables whose changes no index can find.
    pub missing_indexes: Vec<MissingIndexes>,
    /// What a saved catalog names and the private server could not make, and why.
    pub missing: Vec<String>,
    /// Where the catalog was written.
    pub saved: Option<PathBuf>,
    pub elapsed: Duration,
}

/// A node and the server's verdict.
#[derive(Debug, Clone)]
pub struct CheckedNode {
    pub name: NodeName,
    pub verdict: Verdict,
    /// As PostgreSQL has them; none of a test.
    pub columns: Vec<StagedColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Sound,
    Broken,
    /// Something that it reads is broken or has unknown columns.
    NotChecked {
        because: String,
    },
}

impl Checked {
    pub fn count(&self, is_counted: impl Fn(&Verdict) -> bool) -> usize {
        self.nodes.iter().filter(|node| is_counted(&node.verdict)).count()
    }
}

/// A project ready to be looked at.
pub(super) struct Subject<'a> {
    pub workspace: &'a Workspace,
    pub compiled: &'a CompiledProject,
    /// The other face of models that ask `is_incremental()`: the SQL of a run that adds to what is there.
    pub incremental: BTreeMap<NodeName, Compiled>,
    /// Templates that asked the database and did not get an answer, as where what they read is not built yet.
    pub refused: BTreeMap<NodeName, Diagnostic>,
    pub description: TargetDescription,
    /// Parents first; what the selected nodes read included.
    pub order: Vec<NodeName>,
}

/// What a check is asked for.
#[derive(Debug, Clone, Default)]
pub struct CheckRequest {
    pub selection: Selection,
    pub against: Against,
}

/// Whose word is taken for what the target holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Against {
    /// The target's own.
    #[default]
    Live,
    /// The target's own, and it is written down for checks without a connection.
    LiveAndSave,
    /// What was written down; the server that looks is the project's private one.
    Saved,
}

/// Checks the selected nodes.
pub async fn check(workspace: &Workspace, request: &CheckRequest) -> Result<Checked, OpError> {
    let started = Instant::now();
    let mut compiled = workspace.compile(&CompileFacts::default())?;
    let selected = compiled.select(&workspace.manifest, &request.selection, |_| true)?;
    let refused = complete(workspace, &mut compiled, (&selected, request.against)).await?;
    let checking = Checking {
        workspace,
        compiled: &compiled,
        incremental: incremental(workspace)?,
        refused,
        selected: &selected,
        against: request.against,
    };
    let checked = match request.against {
        Against::Live | Against::LiveAndSave => {
            let connections = Connections::open(workspace, 1).await?;
            let outcome = on_session(checking, &connections.target, Some(&connections)).await;
            let stages = selected.iter().filter_map(|name| workspace.manifest.stages.get(name));
            let missing_indexes = indexes::missing_of_all(&connections, stages).await;
            connections.close().await?;
            Checked { missing_indexes, ..outcome? }
        }
        Against::Saved => {
            let offline = Offline::open(workspace).await?;
            let outcome = on_session(checking, &offline.pool, None).await;
            offline.close().await?;
            outcome?
        }
    };
    Ok(Checked { elapsed: started.elapsed(), ..checked })
}

/// Models that ask the database are compiled against the target as it is now.
async fn complete(
    workspace: &Workspace,
    compiled: &mut CompiledProject,
    (selected, against): (&BTreeSet<NodeName>, Against),
) -> Result<BTreeMap<NodeName, Diagnostic>, OpError> {
    let mut waiting = with_ancestors(compiled, selected);
    waiting.retain(|name| compiled.compiled.get(name).is_some_and(|node| node.later));
    let mut refused = BTreeMap::new();
    if waiting.is_empty() {
        return Ok(refused);
    }
    match against {
        Against::Live | Against::LiveAndSave => {
            let connections = Connections::open(workspace, 1).await?;
            let session = connections.target.lease("check").await?;
            for name in waiting {
                let completed = introspect::complete(workspace, compiled, |other| *other == name, &session).await;
                match completed {
                    Ok(()) => {}
                    Err(OpError::Project(Diagnostics(mistakes))) => {
                        refused.extend(mistakes.into_iter().next().map(|mistake| (name, mistake)));
                    }
                    Err(error) => return Err(error),
                }
            }
            session.discard();
            connections.close().await?;
            Ok(refused)
        }
        Against::Saved => Err(OpError::usage(
            "a selected model asks the database while it is compiled",
            "check it with a connection, or leave it out with --exclude",
        )),
    }
}

struct Checking<'a> {
    workspace: &'a Workspace,
    compiled: &'a CompiledProject,
    incremental: BTreeMap<NodeName, Compiled>,
    refused: BTreeMap<NodeName, Diagnostic>,
    selected: &'a BTreeSet<NodeName>,
    against: Against,
}

/// The SQL of incremental runs, where a model asks.
fn incremental(workspace: &Workspace) -> Result<BTreeMap<NodeName, Compiled>, OpError> {
    let asking = workspace.manifest.models.values().filter(|model| model.asks_incremental);
    let facts =
        CompileFacts { incremental: asking.map(|model| model.name.clone()).collect(), ..CompileFacts::default() };
    if facts.incremental.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut compiled = workspace.compile(&facts)?.compiled;
    compiled.retain(|name, node| facts.incremental.contains(name) && node.incremental);
    Ok(compiled)
}

async fn on_session(
    checking: Checking<'_>,
    pool: &Pool,
    connections: Option<&Connections>,
) -> Result<Checked, OpError> {
    let session = pool.lease("check").await?;
    let outcome = in_transaction(checking, connections, &session).await;
    // The transaction is open and statements are prepared: closing the session undoes all of it, as a crash would.
    session.discard();
    outcome
}

async fn in_transaction(
    checking: Checking<'_>,
    connections: Option<&Connections>,
    session: &Lease,
) -> Result<Checked, OpError> {
    let failed = |error| PostgresError::server("check the project", error);
    let Checking { workspace, compiled, incremental, refused, selected, against } = checking;
    let scratch = Scratch::new(&workspace.manifest);
    session.batch_execute(&format!("begin read write;\n{LOCK_TIMEOUT}")).await.map_err(failed)?;
    let description = match against {
        Against::Live | Against::LiveAndSave => {
            description::describe(session, &scratch.real_schemas(), Functions::Omit).await?
        }
        Against::Saved => offline::read(workspace)?,
    };
    let saved = match against {
        Against::LiveAndSave => Some(offline::save(workspace, session).await?),
        Against::Live | Against::Saved => None,
    };
    let order = with_ancestors(compiled, selected);
    let subject = Subject { workspace, compiled, incremental, refused, description, order };
    let missing = match against {
        Against::Saved => offline::furnish(session, &subject, &scratch).await?,
        Against::Live | Against::LiveAndSave => Vec::new(),
    };
    session.batch_execute(&scratch.open(&workspace.environment.target.schema)).await.map_err(failed)?;
    let known = columns::of_sources(&subject, session, connections).await?;
    let mut findings = waves::fly_all(session, &subject, (&scratch, known)).await?;
    unit_tests::look(session, &subject, &mut findings).await?;
    findings.nodes.retain(|node| selected.contains(&node.name));
    Ok(Checked {
        nodes: findings.nodes,
        mistakes: findings.mistakes,
        missing_indexes: Vec::new(),
        missing,
        saved,
        elapsed: Duration::ZERO,
    })
}

fn with_ancestors(compiled: &CompiledProject, selected: &BTreeSet<NodeName>) -> Vec<NodeName> {
    let mut wanted = selected.clone();
    let mut open: Vec<&NodeName> = selected.iter().collect();
    while let Some(name) = open.pop() {
        for parent in compiled.graph.parents(name) {
            if wanted.insert(parent.clone()) {
                open.push(parent);
            }
        }
    }
    compiled.graph.topological_order().iter().filter(|name| wanted.contains(*name)).cloned().collect()
}
