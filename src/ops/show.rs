//! `show`: a few rows of what a node's SELECT gives, read and never kept.
//!
//! The SELECT runs as it is, behind a cursor of a read-only transaction, so that its own order and limit hold and only
//! the rows that are shown are asked for.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::SimpleQueryMessage;
use tokio_util::sync::CancellationToken;

use crate::compile::{CompileFacts, Compiled, CompiledSql, Embedded};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::graph::Indirect;
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::defer::{Defer, defer_compiled};
use crate::ops::introspect;
use crate::ops::workspace::{CompiledProject, Selection, Workspace};
use crate::postgres::{Lease, PostgresError};
use crate::project::INLINE_QUERY;
use crate::sql::{StatementFile, quoted};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("show.sql")));

/// What is shown, and how much of it.
#[derive(Debug, Clone)]
pub struct ShowRequest {
    pub what: Shown,
    /// Without one, every row.
    pub limit: Option<u64>,
    /// Read what is not shown elsewhere.
    pub defer: Option<Defer>,
}

#[derive(Debug, Clone)]
pub enum Shown {
    /// The query that the workspace was loaded with.
    Inline,
    Nodes(Selection),
}

/// The first rows of one node.
#[derive(Debug, Clone)]
pub struct Preview {
    /// An inline query has no name.
    pub node: Option<NodeName>,
    pub columns: Vec<PreviewColumn>,
    /// PostgreSQL's text of each value.
    pub rows: Vec<Vec<Option<String>>>,
}

#[derive(Debug, Clone)]
pub struct PreviewColumn {
    pub name: String,
    /// The catalog's name, such as `int4`.
    pub type_name: String,
}

/// Reads the first rows of each selected node, parents first.
pub async fn show(
    workspace: &Workspace,
    request: &ShowRequest,
    stop: CancellationToken,
) -> Result<Vec<Preview>, OpError> {
    let mut compiled = workspace.compile(&CompileFacts::default())?;
    let inline = NodeName::model(INLINE_QUERY);
    let names: Vec<NodeName> = match &request.what {
        Shown::Inline => vec![inline.clone()],
        Shown::Nodes(selection) => {
            // The tests of a model are shown when they are named.
            let named = Selection { indirect: Indirect::Empty, ..selection.clone() };
            let selected = compiled.select(&workspace.manifest, &named, |name| *name != inline)?;
            compiled.graph.topological_order().iter().filter(|name| selected.contains(*name)).cloned().collect()
        }
    };
    let connections = Connections::open(workspace, 1).await?;
    let completed = complete((workspace, request), &mut compiled, (&names, &connections)).await;
    let previews = match completed {
        Ok(()) => previews((workspace, &compiled), &connections, (&names, request.limit, stop)).await,
        Err(error) => Err(error),
    };
    connections.close().await?;
    let mut previews = previews?;
    for preview in previews.iter_mut().filter(|preview| preview.node.as_ref() == Some(&inline)) {
        preview.node = None;
    }
    Ok(previews)
}

/// Compiles those that ask the database, and reads elsewhere what `--defer` says.
async fn complete(
    (workspace, request): (&Workspace, &ShowRequest),
    compiled: &mut CompiledProject,
    (names, connections): (&[NodeName], &Connections),
) -> Result<(), OpError> {
    let asks = introspect::asks(compiled, |name| names.contains(name));
    if !asks && request.defer.is_none() {
        return Ok(());
    }
    let session = connections.target.lease("show").await?;
    let mut completed = match asks {
        true => introspect::complete(workspace, compiled, |name| names.contains(name), &session).await,
        false => Ok(()),
    };
    if let (Ok(()), Some(defer)) = (&completed, &request.defer) {
        completed = defer_compiled(workspace, defer, (compiled, &names.iter().collect()), &session).await;
    }
    session.discard();
    completed
}

async fn previews(
    (workspace, compiled): (&Workspace, &CompiledProject),
    connections: &Connections,
    (names, limit, stop): (&[NodeName], Option<u64>, CancellationToken),
) -> Result<Vec<Preview>, OpError> {
    let session = connections.target.lease("show").await?;
    let canceller = session.canceller();
    let mut found = Vec::new();
    for name in names {
        let Some(select) = select(&workspace.manifest, compiled, name) else { continue };
        let read = {
            let reading = preview(&session, (name, &select), limit);
            tokio::pin!(reading);
            tokio::select! {
                read = &mut reading => read,
                () = stop.cancelled() => {
                    canceller.cancel().await?;
                    reading.await
                }
            }
        };
        match read {
            Ok(preview) => found.push(preview),
            Err(error) => {
                session.discard();
                return Err(error);
            }
        }
    }
    Ok(found)
}

/// A node's own SELECT, or everything of what has none.
fn select(manifest: &Manifest, compiled: &CompiledProject, name: &NodeName) -> Option<CompiledSql> {
    let text = |text: String| CompiledSql { text, origins: Vec::new() };
    let has_no_select = manifest.stages.contains_key(name) || manifest.crosswalks.contains_key(name);
    if has_no_select || manifest.seeds.contains_key(name) {
        let relation = manifest.read_relation(name)?;
        return Some(text(STATEMENTS.render("everything", context! { relation => quoted(relation) })));
    }
    compiled.compiled.get(name).map(|Compiled { sql, .. }| sql.clone())
}

async fn preview(
    session: &Lease,
    (name, select): (&NodeName, &CompiledSql),
    limit: Option<u64>,
) -> Result<Preview, OpError> {
    let declared = Embedded::after(&STATEMENTS.render("declare", context! {}), select);
    let failed = |error| refused(name, error, &|position| declared.locate(position, select));
    session.batch_execute(&STATEMENTS.render("begin", context! {})).await.map_err(failed)?;
    let described = session
        .prepare(&select.text)
        .await
        .map_err(|error| refused(name, error, &|position| Embedded::bare(select).locate(position, select)))?;
    session.batch_execute(&declared.sql).await.map_err(failed)?;
    let fetch = match limit {
        Some(limit) => STATEMENTS.render("fetch", context! { limit }),
        None => STATEMENTS.render("fetch_all", context! {}),
    };
    // Places in the cursor's statement are those of its declaration.
    let messages = session.simple_query(&fetch).await.map_err(failed)?;
    session.batch_execute("rollback").await.map_err(failed)?;
    let columns = described
        .columns()
        .iter()
        .map(|column| PreviewColumn { name: column.name().to_owned(), type_name: column.type_().name().to_owned() });
    let columns: Vec<PreviewColumn> = columns.collect();
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..columns.len()).map(|at| row.get(at).map(str::to_owned)).collect::<Vec<_>>())
        }
        _ => None,
    });
    Ok(Preview { node: Some(name.clone()), rows: rows.collect(), columns })
}

/// The server's error at its place in the user's file, where it names one.
fn refused(
    name: &NodeName,
    error: tokio_postgres::Error,
    locate: &dyn Fn(u32) -> Option<crate::diagnostic::Span>,
) -> OpError {
    let error = PostgresError::server(format!("show {name}"), error);
    let Some(server) = error.server_error() else { return error.into() };
    let Some(place) = server.position.and_then(locate) else { return error.into() };
    let mistake =
        Diagnostic { hint: server.hint.clone(), ..Diagnostic::error(Code::SqlError, server.message.clone()).at(place) };
    Diagnostics(vec![mistake]).into()
}
