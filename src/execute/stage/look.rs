//! Another look at a table after its changes are in, at the moment that the run reads its source.

use std::sync::Arc;

use super::read::end;
use super::{Column, Reading};
use crate::event::Phase;
use crate::execute::failure::StepError;
use crate::execute::session::Working;
use crate::extract::{self, Extraction, Joined, Portion, Slice, Snapshot};
use crate::store::BatchManifest;

/// A session of the source in the run's snapshot, or in one of its own where the source shares none.
pub(super) struct Look {
    pub(super) source: Working,
    pub(super) joined: Joined,
    snapshot: Arc<Snapshot>,
}

impl Look {
    pub(super) async fn open(reading: Reading<'_>) -> Result<Self, StepError> {
        let (context, node) = (reading.context, &reading.action.node);
        let snapshot = context.hands.snapshot(&node.connection, reading.target).await.map_err(StepError::Snapshot)?;
        let pool = context.hands.sources.get(&node.connection).expect("every connection of the plan has a pool");
        let source = Working::lease(pool, context).await?;
        let joined = snapshot.join(&source).await?;
        Ok(Self { source, joined, snapshot })
    }

    /// Copies the portion to the layer, and gives the session back.
    pub(super) async fn extract(
        self,
        reading: Reading<'_>,
        (columns, portion, batch_id): (&[Column], &Portion, i64),
    ) -> Result<BatchManifest, StepError> {
        let (context, node) = (reading.context, &reading.action.node);
        let extraction = Extraction {
            node,
            select: reading.action.extraction.as_ref(),
            columns,
            portion,
            slices: &[Slice::whole(&node.source_relation)],
            batch_id,
            snapshot: &self.snapshot,
            joined: self.joined,
            store: reading.layer,
            throttle: &context.hands.guard(&node.connection).throttle,
            tell: &|message| context.note(message),
        };
        context.progress(Phase::Extracting, 0);
        let progress = |rows| context.progress(Phase::Extracting, rows);
        let manifest = extract::extract(&[&self.source], extraction, progress).await?;
        end(&self.source, node).await?;
        self.source.give_back();
        Ok(manifest)
    }
}
