//! `layer`: what the batches of staged tables are, whether they are whole, and which of them may go.
//!
//! What is loaded is asked of the target; what is there, of the store. Nothing here touches a source.

mod list;
mod prune;
mod verify;

use std::collections::BTreeMap;

use crate::compile::CompileFacts;
use crate::ident::NodeName;
use crate::manifest::StageNode;
use crate::ops::OpError;
use crate::ops::connections::open_layer;
use crate::ops::workspace::{Selection, Workspace};
use crate::postgres::Lease;
use crate::state::batch::{self, Remembered};
use crate::state::schema;
use crate::store::Store;

pub use list::{Entry, State, list};
pub use prune::{Keep, Pruned, TablePruned, prune};
pub use verify::{Verified, verify};

/// Batches of one table that are looked at at once.
const AT_ONCE: usize = 8;

/// The staged tables that a selection names, in the order of their names.
fn selected<'w>(workspace: &'w Workspace, selection: &Selection) -> Result<Vec<&'w StageNode>, OpError> {
    let manifest = &workspace.manifest;
    let (_, chosen) = workspace.compile_selected(&CompileFacts::default(), |compiled| {
        compiled.select(manifest, selection, |name| manifest.stages.contains_key(name))
    })?;
    Ok(chosen.iter().filter_map(|name| manifest.stages.get(name)).collect())
}

/// The layer, where a table is staged at all.
fn layer(workspace: &Workspace, tables: &[&StageNode]) -> Result<Option<Store>, OpError> {
    if tables.is_empty() { Ok(None) } else { open_layer(workspace).map(Some) }
}

/// What the target remembers of each table's batches; nothing before the first run.
async fn remembered(session: &Lease, tables: &[&StageNode]) -> Result<BTreeMap<NodeName, Vec<Remembered>>, OpError> {
    let mut known = BTreeMap::new();
    if schema::exists(session).await? {
        for node in tables {
            known.insert(node.name.clone(), batch::remembered(session, &node.name).await?);
        }
    }
    Ok(known)
}
