//! `demo`: two source systems and a target on the private server, filled and migrated.
//!
//! Sources and target are made once and kept: the second demo finds nothing to write, and `--change` does to the
//! sources what their applications might do in a minute.

use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use tokio_util::sync::CancellationToken;

use crate::event::{Listener, RunSummary};
use crate::ops::OpError;
use crate::ops::connections::private_server;
use crate::ops::init::write_new;
use crate::ops::run::{RunRequest, Verb, run};
use crate::ops::workspace::Workspace;
use crate::postgres::server::PrivateServer;
use crate::postgres::{PostgresError, Role, Session, SessionOptions, connect};
use crate::project::{Invocation, PROJECT_FILE, ServerKind};

/// The project that proves the tool.
#[derive(RustEmbed)]
#[folder = "project"]
#[exclude = ".unimig/*"]
#[exclude = "target/*"]
struct DemoProject;

#[derive(Debug, Clone, Copy)]
pub struct DemoOptions {
    /// 1 is about 200,000 rows in both sources.
    pub scale: f64,
    /// Change a few rows of the sources first.
    pub change: bool,
}

/// What a demo did before it ran the project.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    pub filled: Vec<FilledDatabase>,
    pub changed: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct FilledDatabase {
    pub name: String,
    pub elapsed: std::time::Duration,
}

/// Writes the demo's project into a folder that has none.
pub fn write_project(folder: &Path) -> Result<Vec<PathBuf>, OpError> {
    if folder.join(PROJECT_FILE).exists() { Ok(Vec::new()) } else { write_new::<DemoProject>(folder) }
}

/// Makes and fills the databases that are not there yet, and changes rows if that is asked for.
pub async fn prepare(workspace: &Workspace, options: DemoOptions) -> Result<Prepared, OpError> {
    let server = private_server(workspace)?;
    let borrowed = server.borrow().await?;
    let prepared = prepare_databases(workspace, &server, options).await;
    borrowed.give_back().await?;
    prepared
}

/// Seeds, the whole run, and the tests, each with its own listeners.
pub async fn migrate(
    workspace: &mut Workspace,
    mut listeners: impl FnMut(Verb) -> Vec<Box<dyn Listener>>,
    stop: &CancellationToken,
) -> Result<Vec<RunSummary>, OpError> {
    let borrowed = private_server(workspace)?.borrow().await?;
    let mut summaries = Vec::new();
    for verb in [Verb::Seed, Verb::Run, Verb::Test] {
        // Each is a run of its own, with its own place in the history.
        workspace.environment.invocation = Invocation::begin();
        let ended = run(workspace, &RunRequest::all(verb), &mut listeners(verb), stop.clone()).await;
        let summary = ended.map(|ended| ended.summary);
        let goes_on = summary.as_ref().is_ok_and(RunSummary::succeeded);
        summaries.push(summary);
        if !goes_on {
            break;
        }
    }
    borrowed.give_back().await?;
    summaries.into_iter().collect()
}

async fn prepare_databases(
    workspace: &Workspace,
    server: &PrivateServer,
    options: DemoOptions,
) -> Result<Prepared, OpError> {
    let environment = &workspace.environment;
    let all_embedded = environment.target.kind == ServerKind::Embedded
        && environment.connections.values().all(|source| source.kind == ServerKind::Embedded);
    if !all_embedded {
        let message = format!("output \"{}\" is not on the private server", environment.target_name);
        return Err(OpError::usage(message, "the demo makes databases, and only on its own server: --target dev"));
    }
    let mut prepared = Prepared::default();
    let targets = [("unipacc", environment.target.dbname.as_str())];
    let sources = environment.connections.iter().map(|(name, source)| (name.as_str(), source.dbname.as_str()));
    for (folder, dbname) in targets.into_iter().chain(sources) {
        let folder = workspace.project.root.join("demo").join(folder);
        let database = Database { server, dbname, folder: &folder };
        if let Some(filled) = database.fill(options.scale).await? {
            prepared.filled.push(filled);
        } else if options.change && database.change().await? {
            prepared.changed.push(dbname.to_owned());
        }
    }
    Ok(prepared)
}

/// A database of the demo and the folder with its `schema.sql`, `fill.sql` and `change.sql`.
#[derive(Clone, Copy)]
struct Database<'a> {
    server: &'a PrivateServer,
    dbname: &'a str,
    folder: &'a Path,
}

impl Database<'_> {
    /// In one transaction with a mark at its end, so that a killed demo begins again.
    async fn fill(self, scale: f64) -> Result<Option<FilledDatabase>, OpError> {
        let started = std::time::Instant::now();
        self.server.ensure_database(self.dbname).await?;
        let session = self.session().await?;
        let failed = |error| PostgresError::server(format!("fill database \"{}\"", self.dbname), error);
        let mark = "select coalesce(shobj_description(oid, 'pg_database'), '') = 'filled by unimig demo'
                    from pg_database where datname = current_database()";
        if session.query_one(mark, &[]).await.map_err(failed)?.get(0) {
            return Ok(None);
        }
        session.batch_execute("begin").await.map_err(failed)?;
        session.batch_execute(&self.read("schema.sql")?.unwrap_or_default()).await.map_err(failed)?;
        if let Some(fill) = self.read("fill.sql")? {
            session
                .query_one("select set_config('demo.scale', $1, false)", &[&scale.to_string()])
                .await
                .map_err(failed)?;
            session.batch_execute(&fill).await.map_err(failed)?;
        }
        let name = crate::ident::Ident::from_catalog(self.dbname);
        let remember = format!("comment on database {name} is 'filled by unimig demo'; commit; analyze");
        session.batch_execute(&remember).await.map_err(failed)?;
        Ok(Some(FilledDatabase { name: self.dbname.to_owned(), elapsed: started.elapsed() }))
    }

    async fn change(self) -> Result<bool, OpError> {
        let Some(change) = self.read("change.sql")? else { return Ok(false) };
        let session = self.session().await?;
        session
            .batch_execute(&change)
            .await
            .map_err(|error| PostgresError::server(format!("change database \"{}\"", self.dbname), error))?;
        Ok(true)
    }

    async fn session(self) -> Result<Session, PostgresError> {
        let endpoint = self.server.endpoint(self.dbname);
        connect(self.dbname, &endpoint, Role::Target, &SessionOptions::default()).await
    }

    fn read(self, file: &str) -> Result<Option<String>, OpError> {
        let path = self.folder.join(file);
        match fs_err::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(OpError::File { doing: "read", path, source }),
        }
    }
}
