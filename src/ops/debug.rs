//! `debug`: is every connection and store of the profile reachable, and may the role do what it will have to?

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use minijinja::context;
use tokio_postgres::types::Type;

use crate::extract::{self, Writer};
use crate::ident::Relation;
use crate::manifest::Materialization;
use crate::ops::OpError;
use crate::ops::connections::{Connections, TARGET, open_store};
use crate::ops::indexes;
use crate::ops::workspace::Workspace;
use crate::postgres::{Lease, Pool, PostgresError};
use crate::project::ServerKind;
use crate::sql::StatementFile;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("debug.sql")));

/// What was found of one connection or store.
#[derive(Debug, Clone)]
pub struct Finding {
    pub name: String,
    /// `target`, `source` or `store`.
    pub kind: &'static str,
    /// Where it is, without secrets.
    pub place: String,
    pub latency: Option<Duration>,
    /// Version and role of a server.
    pub facts: Vec<String>,
    /// What people should know, and stops nothing.
    pub notes: Vec<String>,
    /// What will stop a run.
    pub problems: Vec<String>,
    /// Whether it could not be reached at all.
    pub unreachable: bool,
}

/// Looks at everything; one that is out of reach hides no other.
pub async fn debug(workspace: &Workspace) -> Result<Vec<Finding>, OpError> {
    let connections = Connections::open(workspace, 1).await?;
    let merged =
        workspace.manifest.models.values().filter(|model| matches!(model.materialization, Materialization::Merge(_)));
    let targets: Vec<&Relation> = merged.map(|model| &model.relation).collect();
    let mut findings =
        vec![server(&connections.target, "target", Wanted { tables: targets, statement: "unwritable_tables" }).await];
    for (name, pool) in &connections.sources {
        let staged = workspace.manifest.stages.values().filter(|stage| &stage.connection == name);
        let tables = staged.map(|stage| &stage.source_relation).collect();
        let mut finding = server(pool, "source", Wanted { tables, statement: "unreadable_tables" }).await;
        if !finding.unreachable {
            look_for_writers(workspace, pool, &mut finding).await;
            match indexes::missing(pool, workspace.manifest.stages.values()).await {
                Ok(missing) => finding.notes.extend(missing.iter().map(ToString::to_string)),
                Err(error) => finding.problems.push(with_causes(&error)),
            }
        }
        findings.push(finding);
    }
    for name in workspace.environment.stores.keys() {
        findings.push(store(workspace, name).await);
    }
    connections.close().await?;
    Ok(findings)
}

/// A source whose role could write is told, or a problem where the profile asks for one that can't.
async fn look_for_writers(workspace: &Workspace, pool: &Pool, finding: &mut Finding) {
    let Some(connection) = workspace.environment.connections.get(pool.name()) else { return };
    let asked = &connection.limits.require_read_only;
    if connection.kind == ServerKind::Embedded && asked.is_none() {
        return;
    }
    let staged = workspace.manifest.stages.values().filter(|stage| stage.connection == pool.name());
    let tables: Vec<Relation> = staged.map(|stage| stage.source_relation.clone()).collect();
    match (writer(pool, &tables).await, asked) {
        (Ok(None), _) => {}
        (Ok(Some(writer)), None) => finding.notes.push(writer.to_string()),
        (Ok(Some(writer)), Some(_)) => finding.problems.push(format!("{writer}, and require_read_only is set")),
        (Err(error), _) => finding.problems.push(with_causes(&error)),
    }
}

async fn writer(pool: &Pool, tables: &[Relation]) -> Result<Option<Writer>, PostgresError> {
    let session = pool.lease("debug").await?;
    extract::writer(&session, tables).await
}

/// Tables that a role must be able to use, and the statement that finds those it can't.
struct Wanted<'a> {
    tables: Vec<&'a Relation>,
    statement: &'static str,
}

async fn server(pool: &Pool, kind: &'static str, wanted: Wanted<'_>) -> Finding {
    let mut finding = Finding {
        name: pool.name().to_owned(),
        kind,
        place: pool.endpoint().describe(),
        latency: None,
        facts: Vec::new(),
        notes: Vec::new(),
        problems: Vec::new(),
        unreachable: false,
    };
    if let Err(error) = look(pool, wanted, &mut finding).await {
        finding.unreachable = error.is_unreachable();
        finding.problems.push(with_causes(&error));
    }
    finding
}

async fn look(pool: &Pool, wanted: Wanted<'_>, finding: &mut Finding) -> Result<(), PostgresError> {
    let failed = |error| PostgresError::server("look at the server", error);
    let session = pool.lease("debug").await?;
    let started = Instant::now();
    session.batch_execute("select 1").await.map_err(failed)?;
    finding.latency = Some(started.elapsed());
    let row = session.query_one(&STATEMENTS.render("facts", context! {}), &[]).await.map_err(failed)?;
    finding.facts.push(format!("PostgreSQL {}", row.get::<_, String>("version")));
    finding.facts.push(format!("role {}", row.get::<_, String>("role")));
    if row.get("is_replica") {
        finding.facts.push("a replica".to_owned());
    }
    if row.get("read_only") {
        finding.facts.push("read-only".to_owned());
    }
    if pool.name() == TARGET && !row.get::<_, bool>("may_create_schemas") {
        finding.problems.push("the role may not create schemas: grant create on the database".to_owned());
    }
    let forbidden = forbidden(&session, wanted).await?;
    if !forbidden.is_empty() {
        let needed = if pool.name() == TARGET { "select, insert, update" } else { "select" };
        finding.problems.push(format!("the role needs {needed} on {}", forbidden.join(", ")));
    }
    Ok(())
}

async fn forbidden(session: &Lease, wanted: Wanted<'_>) -> Result<Vec<String>, PostgresError> {
    let names: Vec<String> =
        wanted.tables.iter().map(|table| format!("{}.{}", table.schema.as_str(), table.name.as_str())).collect();
    let rows = session
        .query_typed(&STATEMENTS.render(wanted.statement, context! {}), &[(&names, Type::TEXT_ARRAY)])
        .await
        .map_err(|error| PostgresError::server("look up privileges", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn store(workspace: &Workspace, name: &str) -> Finding {
    let place = workspace.environment.stores.get(name).map(|store| store.url.clone()).unwrap_or_default();
    let started = Instant::now();
    let mut finding = Finding {
        name: name.to_owned(),
        kind: "store",
        place,
        latency: None,
        facts: Vec::new(),
        notes: Vec::new(),
        problems: Vec::new(),
        unreachable: false,
    };
    let written = match open_store(workspace, name) {
        Ok(store) => store.check_writable().await.map_err(|error| (error.is_unreachable(), with_causes(&error))),
        Err(error) => Err((error.exit_code() == 3, with_causes(&error))),
    };
    match written {
        Ok(()) => {
            finding.latency = Some(started.elapsed());
            finding.facts.push("writable".to_owned());
        }
        Err((unreachable, problem)) => {
            finding.unreachable = unreachable;
            finding.problems.push(problem);
        }
    }
    finding
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
