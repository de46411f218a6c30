//! An old batch once more, from the layer: no source is read.

use super::{Column, Gathered, Reading};
use crate::event::Phase;
use crate::execute::failure::StepError;
use crate::ident::Ident;
use crate::load::LoadError;
use crate::materialize::stage::StagedColumn;
use crate::state::batch;
use crate::store::{self, BatchKind, ManifestColumn};

/// Its rows get a new number, so that models see what comes back; it says nothing of the source's present.
pub(super) async fn gather(reading: Reading<'_>, batch_id: i64) -> Result<Gathered, StepError> {
    let node = &reading.action.node;
    reading.context.progress(Phase::Loading, 0);
    let manifest = store::read(reading.layer, &node.source, &node.table, batch_id).await.map_err(LoadError::Store)?;
    if matches!(manifest.kind, BatchKind::Keys | BatchKind::Ranges) {
        let (node, kind) = (node.name.clone(), manifest.kind.as_str());
        return Err(LoadError::NotReloadable { node, batch_id, kind }.into());
    }
    let column = |column: &ManifestColumn| -> Column {
        let name = Ident::from_catalog(column.name.clone());
        (StagedColumn { name, data_type: column.stg_type.clone() }, column.data_type.clone())
    };
    Ok(Gathered {
        columns: manifest.columns.iter().map(column).collect(),
        batch_id: batch::next_id(reading.target, &node.name).await?,
        kind: "reload",
        is_complete: false,
        greatest_key: None,
        extraction_digest: String::new(),
        seen: None,
        manifest,
    })
}
