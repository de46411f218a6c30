//! The source's half: which columns, which rows, and their way into the layer.

use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use super::bounds::{self, Chosen};
use super::{Column, Gathered, Reading, drift, leftovers};
use crate::event::Phase;
use crate::execute::failure::StepError;
use crate::execute::session::Working;
use crate::execute::step::StepContext;
use crate::extract::{self, ExtensionType, Extraction, Joined, Portion, Slice, Snapshot, SourceColumn};
use crate::manifest::StageNode;
use crate::materialize::stage::StagedColumn;
use crate::plan::StageAction;
use crate::postgres::{Pool, PostgresError};
use crate::state::batch;

/// A child may then come before its parent; the run after the next change brings both.
const NOT_SHARED: &str = "the source shares no snapshot, so each table is read at a moment of its own: rows may come before \
                          those that they refer to, which the next run brings";
/// Which of two equal rows changed, nobody can tell.
const NO_KEY: &str = "it has no key: every row is read and compared whole, and a row that changes is one that goes and one \
                      that comes";
/// More read from one disk than gain from it.
const SESSIONS_PER_TABLE: usize = 4;

/// Reads through a session of the source that is given back before the target is written.
///
/// `None` when another run has loaded a batch from a later moment while this one waited: loading an earlier snapshot now
/// would take the copy back in time.
pub(super) async fn read(reading: Reading<'_>) -> Result<Option<Gathered>, StepError> {
    let (context, action) = (reading.context, reading.action);
    let node = &action.node;
    context.hands.guard(&node.connection).before_table(&node.connection, context).await?;
    let snapshot = context.hands.snapshot(&node.connection, reading.target).await.map_err(StepError::Snapshot)?;
    let moment = (snapshot.source_clock, snapshot.opened_at);
    if batch::is_superseded(reading.target, &node.name, moment).await? {
        return Ok(None);
    }
    let pool = context.hands.sources.get(&node.connection).expect("every connection of the plan has a pool");
    let source = Working::lease(pool, context).await?;
    let joined = snapshot.join(&source).await?;
    note_limits(context, node, joined);
    let shape = extract::describe(&source, node, action.extraction.as_ref()).await?;
    let mut columns = staged_columns(reading, shape.columns.clone()).await?;
    let looked = drift::look(reading, &source, (&shape.columns, &columns)).await?;
    columns.retain(|(column, _)| !looked.left_out.contains(&column.name));
    let reading = Reading { last: reading.last.filter(|_| !looked.touches_old_rows), ..reading };
    let extraction_digest = extraction_digest(action, &columns);
    let Chosen { portion, is_complete } =
        bounds::choose(reading, (&snapshot, &source), (&columns, &extraction_digest)).await?;
    let batch_id = batch::next_id(reading.target, &node.name).await?;
    leftovers::remove(reading, batch_id).await?;
    let slices = match (&portion, &action.extraction) {
        (Portion::Whole, None) if joined == Joined::Shared => extract::slices(&source, node, &columns).await?,
        _ => vec![Slice::whole(&node.source_relation)],
    };
    let helpers = helpers((context, pool, node), &snapshot, slices.len()).await?;
    let extraction = Extraction {
        node,
        select: action.extraction.as_ref(),
        columns: &columns,
        portion: &portion,
        slices: &slices,
        batch_id,
        snapshot: &snapshot,
        joined,
        store: reading.layer,
        throttle: &context.hands.guard(&node.connection).throttle,
        tell: &|message| context.note(message),
    };
    extract::note_missing_indexes(&source, extraction).await?;
    context.progress(Phase::Extracting, 0);
    let sessions: Vec<&Client> = std::iter::once(&source).chain(&helpers).map(|session| &**session).collect();
    let manifest = extract::extract(&sessions, extraction, |rows| context.progress(Phase::Extracting, rows)).await?;
    for helper in helpers {
        end(&helper, node).await?;
        helper.give_back();
    }
    // At a moment of its own, perhaps on a server that is behind, rows below the key may not be there yet.
    let greatest_key = snapshot.greatest_keys.get(&node.name).filter(|_| joined == Joined::Shared).cloned();
    end(&source, node).await?;
    source.give_back();
    let kind = manifest.kind.as_str();
    let seen = looked.seen;
    Ok(Some(Gathered { columns, manifest, batch_id, kind, is_complete, greatest_key, extraction_digest, seen }))
}

/// Says what the source or the table does not allow.
fn note_limits(context: &StepContext, node: &StageNode, joined: Joined) {
    if joined == Joined::Own {
        context.note(NOT_SHARED);
    }
    if node.key.is_empty() {
        context.note(NO_KEY);
    }
}

/// As many more sessions as there are slices, of those that nobody waits for; they see what the first one sees.
async fn helpers(
    (context, pool, node): (&StepContext, &Pool, &StageNode),
    snapshot: &Snapshot,
    slices: usize,
) -> Result<Vec<Working>, PostgresError> {
    let mut helpers = Vec::new();
    while helpers.len() + 1 < slices.min(SESSIONS_PER_TABLE) {
        let Some(helper) = Working::lease_if_free(pool, context).await? else { break };
        if snapshot.join(&helper).await? == Joined::Own {
            end(&helper, node).await?;
            helper.give_back();
            break;
        }
        helpers.push(helper);
    }
    Ok(helpers)
}

pub(super) async fn end(source: &Working, node: &StageNode) -> Result<(), PostgresError> {
    source
        .batch_execute("commit")
        .await
        .map_err(|error| PostgresError::server(format!("end the extraction of {}", node.name), error))
}

/// Types of extensions stay as they are where the target has the extension too.
async fn staged_columns(reading: Reading<'_>, columns: Vec<SourceColumn>) -> Result<Vec<Column>, StepError> {
    let mut extensions: Vec<String> =
        columns.iter().filter_map(|column| Some(column.extension.as_ref()?.extension.clone())).collect();
    extensions.sort_unstable();
    extensions.dedup();
    let known =
        if extensions.is_empty() { Vec::new() } else { extract::extension_types(reading.target, &extensions).await? };
    let spelling = |wanted: &ExtensionType| known.iter().find(|(known, _)| known == wanted);
    let staged = columns.into_iter().map(|column| {
        let kept = column.extension.as_ref().and_then(spelling).map(|(_, name)| name.clone());
        (StagedColumn { name: column.name, data_type: kept.unwrap_or(column.staged_type) }, column.data_type)
    });
    Ok(staged.collect())
}

/// Changes when the extraction gives other rows or other values for the same source.
fn extraction_digest(action: &StageAction, columns: &[Column]) -> String {
    let mut hasher = Sha256::new();
    let select = action.extraction.as_ref().map(|select| select.text.as_str());
    hasher.update(select.unwrap_or_default());
    hasher.update(format!("\0{:?}", action.node.strategy));
    hasher.update(format!("\0{:?}", action.node.removals.column));
    for (column, source_type) in columns {
        hasher.update(format!("\0{} {} {source_type}", column.name, column.data_type));
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
