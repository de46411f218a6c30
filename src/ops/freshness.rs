//! `source freshness`: how old the newest row of each source table is, and whether that is too old.
//!
//! A table of the target is asked through `loaded_at_field` or `loaded_at_query`. A staged table that names neither is
//! as old as its last batch: what it holds is the source's of that time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use minijinja::context;

use crate::compile::{CompileFacts, Templates, Text};
use crate::diagnostic::SourceFile;
use crate::ident::{NodeName, Relation};
use crate::manifest::jinja::Session;
use crate::manifest::{Freshness, FreshnessStatus, Manifest, SourceProperties};
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::record::unwritten;
use crate::ops::workspace::{CompiledProject, Selection, Workspace};
use crate::postgres::{Lease, PostgresError};
use crate::report::artifacts::{self, Age, Measured};
use crate::sql::{StatementFile, quoted};
use crate::state::{batch, schema};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("freshness.sql")));

/// What was found of every table that has limits.
pub struct Report {
    pub measured: Vec<Measured>,
    pub elapsed: Duration,
    pub compiled: CompiledProject,
}

impl Report {
    /// Whether a table is older than it may be, or could not be looked at.
    pub fn has_errors(&self) -> bool {
        self.measured.iter().any(|measured| match &measured.age {
            Ok(age) => age.status == FreshnessStatus::Error,
            Err(_) => true,
        })
    }
}

/// Measures the selected source tables that have limits, and writes `sources.json`.
pub async fn freshness(workspace: &Workspace, selection: &Selection) -> Result<Report, OpError> {
    let started = Instant::now();
    let manifest = &workspace.manifest;
    let compiled = workspace.compile(&CompileFacts::default())?;
    let selected = compiled.select(manifest, selection, |name| properties(manifest, name).is_some())?;
    workspace.write_manifest(&compiled)?;
    let threads = workspace.environment.target.threads;
    let queries = queries(workspace, &selected)?;
    let wanted = selected.iter().filter_map(|name| {
        let properties = properties(manifest, name)?;
        let criteria = properties.freshness.clone().filter(has_limit)?;
        let (relation, is_staged) = (manifest.read_relation(name)?, manifest.stages.contains_key(name));
        Some(Asked { name, relation, is_staged, properties, query: queries.get(name), criteria })
    });
    let wanted: Vec<Asked<'_>> = wanted.collect();
    let connections = Connections::open(workspace, threads).await?;
    let measured = measure_all(&connections, &wanted, threads).await;
    connections.close().await?;
    let report = Report { measured: measured?, elapsed: started.elapsed(), compiled };
    let described = workspace.describe(&report.compiled);
    artifacts::write_sources(&workspace.target_dir(), described, (&report.measured, report.elapsed))
        .map_err(unwritten)?;
    Ok(report)
}

fn properties<'m>(manifest: &'m Manifest, name: &NodeName) -> Option<&'m SourceProperties> {
    let staged = manifest.stages.get(name).map(|stage| &stage.properties);
    staged.or_else(|| manifest.tables.get(name).map(|table| &table.properties))
}

/// The queries that tell ages, with `this`, `source()` and macros in them.
fn queries(workspace: &Workspace, selected: &BTreeSet<NodeName>) -> Result<BTreeMap<NodeName, String>, OpError> {
    let manifest = &workspace.manifest;
    let written =
        selected.iter().filter_map(|name| Some((name, properties(manifest, name)?.loaded_at_query.as_ref()?)));
    let written: Vec<(&NodeName, &String)> = written.collect();
    if written.is_empty() {
        return Ok(BTreeMap::new());
    }
    let templates = Templates::owned(&workspace.project, manifest, &workspace.environment)?;
    let rendered = written.into_iter().map(|(name, query)| {
        let path = manifest.facts(name).map(|facts| facts.path.to_path_buf()).unwrap_or_default();
        let file = Arc::new(SourceFile { path, text: query.clone(), written: None });
        let text = Text { file, node: Some(name.clone()) };
        Ok((name.clone(), templates.render_text(&text, Session::Absent)?.text))
    });
    rendered.collect()
}

fn has_limit(freshness: &Freshness) -> bool {
    freshness.warn_after.is_some() || freshness.error_after.is_some()
}

/// A table whose age is asked for.
struct Asked<'a> {
    name: &'a NodeName,
    relation: &'a Relation,
    is_staged: bool,
    properties: &'a SourceProperties,
    /// `loaded_at_query`, rendered.
    query: Option<&'a String>,
    criteria: Freshness,
}

async fn measure_all(
    connections: &Connections,
    wanted: &[Asked<'_>],
    threads: usize,
) -> Result<Vec<Measured>, OpError> {
    // One that is out of reach is told once, before a table is blamed.
    drop(connections.target.lease("freshness").await?);
    let measuring = stream::iter(wanted).map(|asked| measure(connections, asked)).buffered(threads.max(1));
    Ok(measuring.collect().await)
}

async fn measure(connections: &Connections, asked: &Asked<'_>) -> Measured {
    let (started_at, started) = (Timestamp::now(), Instant::now());
    let age = age(connections, asked).await.map_err(|error| with_cause(&error));
    Measured {
        node: asked.name.clone(),
        criteria: asked.criteria.clone(),
        started_at,
        elapsed: started.elapsed(),
        age: age.and_then(|age| age.ok_or_else(|| nothing_to_ask(asked))),
    }
}

fn with_cause(error: &PostgresError) -> String {
    match error.server_error() {
        Some(server) => server.message.clone(),
        None => error.to_string(),
    }
}

fn nothing_to_ask(asked: &Asked<'_>) -> String {
    match asked.is_staged {
        true => "it has never been loaded".to_owned(),
        false => "it has neither loaded_at_field nor loaded_at_query, so its age is not known".to_owned(),
    }
}

/// The age, where there is anything to find it by.
async fn age(connections: &Connections, asked: &Asked<'_>) -> Result<Option<Age>, PostgresError> {
    let session = connections.target.lease(&format!("freshness {}", asked.name)).await?;
    let last_batch_at = match asked.is_staged && schema::exists(&session).await? {
        true => batch::last_loaded(&session, asked.name).await?.map(|batch| batch.source_clock),
        false => None,
    };
    let Some((max_loaded_at, snapshotted_at)) = ask(&session, asked, last_batch_at).await? else { return Ok(None) };
    let max_loaded_at = max_loaded_at.unwrap_or_else(long_ago);
    let age = Age { snapshotted_at, max_loaded_at, last_batch_at, status: FreshnessStatus::Pass };
    Ok(Some(Age { status: asked.criteria.judge(age.length()), ..age }))
}

/// When the newest row was loaded, [`None`] for an empty table; and the server's clock.
async fn ask(
    session: &Lease,
    asked: &Asked<'_>,
    last_batch_at: Option<Timestamp>,
) -> Result<Option<(Option<Timestamp>, Timestamp)>, PostgresError> {
    let properties = asked.properties;
    let statement = match (asked.query, &properties.loaded_at_field) {
        (Some(query), _) => STATEMENTS.render("query", context! { query => quoted(query) }),
        (None, Some(field)) => STATEMENTS.render(
            "field",
            context! {
                loaded_at => quoted(field),
                relation => quoted(asked.relation),
                filter => asked.criteria.filter.as_ref().map(quoted),
            },
        ),
        (None, None) if last_batch_at.is_some() => STATEMENTS.render("clock", context! {}),
        (None, None) => return Ok(None),
    };
    let row = session
        .query_typed_one(&statement, &[])
        .await
        .map_err(|error| PostgresError::server(format!("ask {} for its age", asked.name), error))?;
    let is_asked = asked.query.is_some() || properties.loaded_at_field.is_some();
    Ok(Some((if is_asked { row.get("max_loaded_at") } else { last_batch_at }, row.get("snapshotted_at"))))
}

/// dbt's time of a table without rows.
fn long_ago() -> Timestamp {
    "0001-01-01T00:00:00Z".parse().expect("a constant of the right form")
}
