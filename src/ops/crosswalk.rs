//! `crosswalk`: the ids of a crosswalk out as rows, and rows of ids back in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::ident::NodeName;
use crate::manifest::{CrosswalkMember, CrosswalkNode};
use crate::materialize::crosswalk_import;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::workspace::Workspace;
use crate::plan;
use crate::postgres::{Lease, PostgresError, copy_out};
use crate::state::lock::{self, Scope};
use crate::state::schema;
use crate::transform::{self, ImportedId, Sharing, TransformError};

/// The header of a file of ids.
const COLUMNS: [&str; 3] = ["member", "source_key", "target_id"];

/// How many mistakes of a file are shown.
const MISTAKES_SHOWN: usize = 10;

/// The crosswalk that a person names, with or without `xref.`.
pub(super) fn named<'w>(workspace: &'w Workspace, entity: &str) -> Result<&'w CrosswalkNode, OpError> {
    let entity = entity.strip_prefix("xref.").unwrap_or(entity);
    let found = workspace.manifest.crosswalks.get(&NodeName::crosswalk(entity));
    found.ok_or_else(|| match workspace.manifest.find_crosswalk(entity, None) {
        Err(no) => OpError::Project(Diagnostics(vec![no.diagnostic])),
        Ok(_) => OpError::usage(format!("crosswalk \"{entity}\" does not exist"), "unimig ls lists those that do"),
    })
}

/// Gives every key with its id as CSV, a few thousand lines at a time; the header comes first.
pub async fn export(
    workspace: &Workspace,
    entity: &str,
    mut take: impl FnMut(&str) -> Result<(), OpError>,
) -> Result<(), OpError> {
    let node = named(workspace, entity)?;
    let connections = Connections::open(workspace, 1).await?;
    let outcome = async {
        let session = connections.target.lease("crosswalk").await?;
        take(&format!("{}\n", COLUMNS.join(",")))?;
        if !is_there(&session, node).await? {
            return Ok(());
        }
        let select = crosswalk_import::export(&node.relation);
        let mut blocks = copy_out(&session, &format!("copy ({select}) to stdout (format csv)")).await?;
        while let Some(block) = blocks.try_next().await? {
            take(&String::from_utf8_lossy(&block.bytes))?;
        }
        Ok(())
    };
    let outcome: Result<(), OpError> = outcome.await;
    connections.close().await?;
    outcome
}

/// Before the first run there are no ids.
pub(super) async fn is_there(session: &Lease, node: &CrosswalkNode) -> Result<bool, PostgresError> {
    let row = session.query_one("select to_regclass($1::text) is not null", &[&node.relation.to_string()]).await;
    Ok(row.map_err(|error| PostgresError::server(format!("look for {}", node.relation), error))?.get(0))
}

/// Takes the ids of a file in; gives how many keys are new, and how many lines the file has.
pub async fn import(
    workspace: &Workspace,
    (entity, path): (&str, &Path),
    sharing: Sharing,
) -> Result<(u64, usize), OpError> {
    let node = named(workspace, entity)?;
    let text = fs_err::read_to_string(path);
    let text = text.map_err(|source| OpError::File { doing: "read", path: path.to_path_buf(), source })?;
    let text = text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned);
    let file = Arc::new(SourceFile { path: path.to_path_buf(), text, written: None });
    let rows = rows(node, &file)?;
    let lines = rows.values().map(Vec::len).sum();
    let connections = Connections::open(workspace, 1).await?;
    let outcome = async {
        let mut session = connections.target.lease("crosswalk").await?;
        schema::prepare(&mut session).await?;
        let imported = in_transaction((workspace, node), &session, (&file, &rows, sharing)).await;
        // What is open is undone with the session.
        session.discard();
        imported
    };
    let imported: Result<u64, OpError> = outcome.await;
    connections.close().await?;
    Ok((imported?, lines))
}

async fn in_transaction(
    (workspace, node): (&Workspace, &CrosswalkNode),
    session: &Lease,
    (file, rows, sharing): (&Arc<SourceFile>, &BTreeMap<String, Vec<ImportedId>>, Sharing),
) -> Result<u64, OpError> {
    let failed = |error| PostgresError::server(format!("import ids of {}", node.name), error);
    let catalog = transform::read_catalog(session, &[node.target.schema.as_str()]).await?;
    let action = plan::crosswalk_action((&workspace.manifest, &catalog), node);
    let action = action.map_err(|mistake| OpError::Project(Diagnostics(vec![*mistake])))?;
    session.batch_execute("begin read write").await.map_err(failed)?;
    if let Some(holder) = lock::try_acquire(session, &node.relation, Scope::Transaction).await? {
        let message = format!("{} is in use by {holder}", node.name);
        return Err(OpError::usage(message, "import again when that process has ended"));
    }
    let imported = transform::import_ids(session, &action, (rows, sharing)).await.map_err(|error| match error {
        TransformError::Project(mistake) => OpError::Project(Diagnostics(vec![*mistake])),
        TransformError::Postgres(error) => error.into(),
        TransformError::File { path, source } => OpError::File { doing: "read", path, source },
        TransformError::ViewInUse { view, holder } => {
            OpError::usage(format!("{view} is in use by {holder}"), "import again when that process has ended")
        }
    })?;
    let inserted = imported.map_err(|mistakes| {
        let shown = mistakes.iter().take(MISTAKES_SHOWN).map(|mistake| {
            Diagnostic::error(Code::CrosswalkConflict, mistake.message)
                .at(Span::line(file, mistake.line))
                .hint(mistake.hint)
        });
        OpError::Project(Diagnostics(shown.collect()))
    })?;
    session.batch_execute("commit").await.map_err(failed)?;
    Ok(inserted)
}

/// The lines of a file by member; mistakes of form are told at their lines.
fn rows(node: &CrosswalkNode, file: &Arc<SourceFile>) -> Result<BTreeMap<String, Vec<ImportedId>>, OpError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.text.as_bytes());
    let refused = |line: u64, message: String, hint: &str| {
        Diagnostic::error(Code::BadValue, message).at(Span::line(file, line)).hint(hint)
    };
    let one = |mistake: Diagnostic| OpError::Project(Diagnostics(vec![mistake]));
    let header = reader.headers().map_err(|error| one(refused(1, format!("it is no CSV: {error}"), "")))?;
    let place = |name: &str| header.iter().position(|column| column.trim() == name);
    let places: Vec<Option<usize>> = COLUMNS.iter().map(|name| place(name)).collect();
    let [Some(member_at), Some(key_at), Some(id_at)] = places[..] else {
        let hint = format!("the first line must be {}", COLUMNS.join(","));
        return Err(one(refused(1, "the columns of the file are not those of a crosswalk".to_owned(), &hint)));
    };
    let (mut rows, mut mistakes): (BTreeMap<String, Vec<ImportedId>>, Vec<Diagnostic>) = Default::default();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            one(refused(line, "it is no CSV".to_owned(), "export writes the form that import reads"))
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        let (Some(name), Some(key), Some(id)) = (record.get(member_at), record.get(key_at), record.get(id_at)) else {
            mistakes.push(refused(line, "the line has too few columns".to_owned(), "each line has three"));
            continue;
        };
        let Some(member) = node.member(name) else {
            let known: Vec<&str> = node.members.iter().map(|member| member.name.as_str()).collect();
            let message = format!("crosswalk \"{}\" has no member \"{name}\"", node.entity);
            mistakes.push(refused(line, message, &format!("its members are {}", known.join(", "))));
            continue;
        };
        match parts(member, key) {
            Some(key) => {
                let row = ImportedId { line, key, target_id: id.to_owned() };
                rows.entry(name.to_owned()).or_default().push(row);
            }
            None => {
                let message = format!("the key of member \"{name}\" has {} columns", member.key.len());
                mistakes.push(refused(line, message, "write it as a JSON array of texts: [\"A\", \"7\"]"));
            }
        }
    }
    mistakes.truncate(MISTAKES_SHOWN);
    if mistakes.is_empty() { Ok(rows) } else { Err(OpError::Project(Diagnostics(mistakes))) }
}

/// The columns of a key out of its one text.
fn parts(member: &CrosswalkMember, key: &str) -> Option<Vec<String>> {
    if member.single_key().is_some() {
        return Some(vec![key.to_owned()]);
    }
    let parts: Vec<String> = serde_json::from_str(key).ok()?;
    (parts.len() == member.key.len()).then_some(parts)
}
