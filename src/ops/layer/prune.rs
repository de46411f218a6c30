//! `layer prune`: old batches go; those that the copy could be built from again stay.
//!
//! A copy is built from the newest batch that was loaded, left nothing out and held the whole table: its base. The base
//! and every later batch stay, whatever is asked. Where there is no base nothing is known to be dispensable, and nothing
//! but leftovers of killed uploads goes. A table is locked meanwhile, so that no extraction is writing.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::SignedDuration;
use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::{layer, remembered, selected};
use crate::ident::NodeName;
use crate::manifest::StageNode;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::workspace::{Selection, Workspace};
use crate::postgres::{Lease, PostgresError};
use crate::sql::{StatementFile, quoted};
use crate::state::batch::{self, Remembered};
use crate::state::lock::{self, Scope};
use crate::store::{self, FoundBatch, Store};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("prune.sql")));

const EXISTS: &str = "select to_regclass($1) is not null";

/// Which batches stay besides those that must; one that any of them names stays.
#[derive(Debug, Clone, Default)]
pub struct Keep {
    /// Those that began no longer ago by the target's clock.
    pub younger_than: Option<SignedDuration>,
    /// The newest of each table.
    pub newest: Option<usize>,
    /// Those that wrote rows which are live in staging as they wrote them.
    pub live: bool,
    /// Say what would go, and keep it.
    pub dry_run: bool,
}

/// What became of one table's batches.
#[derive(Debug, Clone)]
pub struct TablePruned {
    pub node: NodeName,
    pub outcome: Pruned,
}

#[derive(Debug, Clone)]
pub enum Pruned {
    /// These went, or would go.
    Removed { batches: Vec<FoundBatch>, kept: usize },
    /// Another process is at work on the table; it was left alone.
    Locked { holder: String },
}

/// Table by table; what is done stays done if a later one fails.
pub async fn prune(workspace: &Workspace, (selection, keep): (&Selection, &Keep)) -> Result<Vec<TablePruned>, OpError> {
    let tables = selected(workspace, selection)?;
    let Some(layer) = layer(workspace, &tables)? else { return Ok(Vec::new()) };
    let connections = Connections::open(workspace, 1).await?;
    let pruned = prune_connected(&connections, (&layer, &tables), keep).await;
    connections.close().await?;
    pruned
}

async fn prune_connected(
    connections: &Connections,
    (layer, tables): (&Store, &[&StageNode]),
    keep: &Keep,
) -> Result<Vec<TablePruned>, OpError> {
    let mut all = Vec::new();
    for node in tables {
        let session = connections.target.lease("layer prune").await?;
        if let Some(holder) = lock::try_acquire(&session, &node.stg_relation, Scope::Session).await? {
            let outcome = Pruned::Locked { holder: holder.to_string() };
            all.push(TablePruned { node: node.name.clone(), outcome });
            continue;
        }
        let outcome = prune_table(&session, (layer, node), keep).await;
        // The lock ends with the session.
        session.discard();
        all.push(TablePruned { node: node.name.clone(), outcome: outcome? });
    }
    Ok(all)
}

async fn prune_table(session: &Lease, (layer, node): (&Store, &StageNode), keep: &Keep) -> Result<Pruned, OpError> {
    let known = remembered(session, &[node]).await?.remove(&node.name).unwrap_or_default();
    let found = store::batches(layer, &node.source, &node.table, None).await?;
    let live = if keep.live { live_batches(session, node).await? } else { BTreeSet::new() };
    let not_before = match keep.younger_than {
        Some(age) => Some(batch::number_now(session).await?.saturating_sub(microseconds(age))),
        None => None,
    };
    let wish = Wish { not_before, newest: keep.newest, live };
    let total = found.len();
    let batches = dispensable(found, &known, &wish);
    if !keep.dry_run {
        for batch in &batches {
            store::remove_batch(layer, &node.source, &node.table, batch).await?;
        }
    }
    Ok(Pruned::Removed { kept: total - batches.len(), batches })
}

fn microseconds(age: SignedDuration) -> i64 {
    i64::try_from(age.as_micros()).unwrap_or(i64::MAX)
}

/// The numbers that live rows of the copy carry.
async fn live_batches(session: &Client, node: &StageNode) -> Result<BTreeSet<i64>, PostgresError> {
    let failed = |error| PostgresError::server(format!("read the batches of {}", node.stg_relation), error);
    let found =
        session.query_typed_one(EXISTS, &[(&node.stg_relation.to_string(), Type::TEXT)]).await.map_err(failed)?;
    if !found.get::<_, bool>(0) {
        return Ok(BTreeSet::new());
    }
    let statement = STATEMENTS.render("live_batches", context! { relation => quoted(&node.stg_relation) });
    let rows = session.query_typed(&statement, &[]).await.map_err(failed)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What stays of a table's batches, settled.
struct Wish {
    not_before: Option<i64>,
    newest: Option<usize>,
    live: BTreeSet<i64>,
}

/// The batches that may go.
fn dispensable(found: Vec<FoundBatch>, known: &[Remembered], wish: &Wish) -> Vec<FoundBatch> {
    let is_base = |batch: &&FoundBatch| {
        batch.has_manifest && known.iter().any(|known| known.is_base && known.batch_id == batch.batch_id)
    };
    let base = found.iter().filter(is_base).map(|batch| batch.batch_id).max();
    let mut complete: Vec<i64> = found.iter().filter(|batch| batch.has_manifest).map(|batch| batch.batch_id).collect();
    complete.sort_unstable();
    let newest: BTreeSet<i64> = complete.iter().rev().take(wish.newest.unwrap_or(0)).copied().collect();
    let stays = |batch: &FoundBatch| {
        batch.has_manifest
            && (base.is_none_or(|base| batch.batch_id >= base)
                || wish.not_before.is_some_and(|bound| batch.batch_id >= bound)
                || newest.contains(&batch.batch_id)
                || wish.live.contains(&batch.batch_id))
    };
    found.into_iter().filter(|batch| !stays(batch)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(numbers: &[i64], without_manifest: &[i64]) -> Vec<FoundBatch> {
        let batch = |batch_id: &i64| FoundBatch {
            batch_id: *batch_id,
            objects: Vec::new(),
            has_manifest: !without_manifest.contains(batch_id),
        };
        numbers.iter().map(batch).collect()
    }

    fn known(all: &[i64], bases: &[i64]) -> Vec<Remembered> {
        all.iter().map(|id| Remembered { batch_id: *id, is_base: bases.contains(id) }).collect()
    }

    fn goes(found: Vec<FoundBatch>, known: &[Remembered], wish: &Wish) -> Vec<i64> {
        dispensable(found, known, wish).iter().map(|batch| batch.batch_id).collect()
    }

    fn wish() -> Wish {
        Wish { not_before: None, newest: None, live: BTreeSet::new() }
    }

    #[test]
    fn the_last_whole_table_and_everything_after_it_stay_whatever_is_asked() {
        let all = [1, 2, 3, 4, 5];
        assert_eq!(goes(found(&all, &[]), &known(&all, &[1, 3]), &wish()), [1, 2]);
        let asked = Wish { newest: Some(1), ..wish() };
        assert_eq!(goes(found(&all, &[]), &known(&all, &[1, 3]), &asked), [1, 2]);
    }

    #[test]
    fn without_a_whole_table_that_is_loaded_only_leftovers_go() {
        let all = [1, 2, 3];
        assert_eq!(goes(found(&all, &[2]), &[], &wish()), [2]);
        // A whole table that was never loaded, or whose batch is no longer there, is none to build on.
        assert_eq!(goes(found(&all, &[3]), &known(&[1, 2, 3], &[3]), &wish()), [3]);
    }

    #[test]
    fn a_number_an_age_and_live_rows_keep_more() {
        let (all, known) = ([1, 2, 3, 4, 5, 6], known(&[1, 2, 3, 4, 5, 6], &[6]));
        assert_eq!(goes(found(&all, &[]), &known, &Wish { newest: Some(3), ..wish() }), [1, 2, 3]);
        assert_eq!(goes(found(&all, &[]), &known, &Wish { not_before: Some(3), ..wish() }), [1, 2]);
        assert_eq!(goes(found(&all, &[]), &known, &Wish { live: BTreeSet::from([1, 4]), ..wish() }), [2, 3, 5]);
    }
}
