//! `--empty`: which nodes it leaves alone, and that people are told.

use crate::event::{Event, Listener};
use crate::ident::NodeName;
use crate::manifest::jinja::Rows;
use crate::manifest::{Manifest, Materialization};
use crate::ops::OpError;
use crate::ops::run::{self, RunRequest};
use crate::ops::workspace::{CompiledProject, Workspace};

/// Whether a run without rows must not touch a node: what holds rows that a SELECT alone can't bring back, and the tables
/// of the application.
pub(super) fn keeps(manifest: &Manifest, name: &NodeName) -> bool {
    manifest.stages.contains_key(name)
        || manifest.crosswalks.contains_key(name)
        || manifest.models.get(name).is_some_and(|model| match model.materialization {
            Materialization::Merge(_) | Materialization::Snapshot(_) => true,
            Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_)
            | Materialization::Incremental(_)
            | Materialization::Ephemeral => false,
        })
}

/// Says which selected nodes are left out.
pub(super) fn tell(
    (workspace, compiled): (&Workspace, &CompiledProject),
    request: &RunRequest,
    listeners: &mut [Box<dyn Listener>],
) -> Result<(), OpError> {
    if request.rows == Rows::All {
        return Ok(());
    }
    let manifest = &workspace.manifest;
    for name in run::select_any(manifest, compiled, request)?.into_iter().filter(|name| keeps(manifest, name)) {
        let event =
            Event::Noted { node: Some(name), message: "left as it is: --empty writes no rows to it".to_owned() };
        listeners.iter_mut().for_each(|listener| listener.hear(&event));
    }
    Ok(())
}
