//! What a run asks of a source before it reads: who the role is, looked at once a run and connection.

use tokio::sync::OnceCell;

use crate::diagnostic::Diagnostic;
use crate::execute::failure::StepError;
use crate::execute::step::StepContext;
use crate::extract::{self, ExtractError};
use crate::ident::Relation;
use crate::project::SourceLimits;

/// One source connection of a run.
#[derive(Debug, Default)]
pub struct Guard {
    pub limits: SourceLimits,
    /// What the run reads of it.
    pub tables: Vec<Relation>,
    /// Whether the server is unimig's own, whose one role may do everything.
    pub is_private: bool,
    looked: OnceCell<Option<Diagnostic>>,
}

impl Guard {
    pub fn new(limits: SourceLimits, tables: Vec<Relation>, is_private: bool) -> Self {
        Self { limits, tables, is_private, looked: OnceCell::new() }
    }

    /// Tells of a role that could write, or refuses to read with it.
    pub(super) async fn look(&self, connection: &str, context: &StepContext) -> Result<(), StepError> {
        if self.is_private && self.limits.require_read_only.is_none() {
            return Ok(());
        }
        let refused = self.looked.get_or_try_init(|| self.refusal(connection, context)).await?;
        match refused {
            Some(diagnostic) => Err(ExtractError::Project(Box::new(diagnostic.clone())).into()),
            None => Ok(()),
        }
    }

    async fn refusal(&self, connection: &str, context: &StepContext) -> Result<Option<Diagnostic>, StepError> {
        let pool = context.hands.sources.get(connection).expect("every connection of the plan has a pool");
        let session = pool.lease("privileges").await?;
        let Some(writer) = extract::writer(&session, &self.tables).await? else { return Ok(None) };
        match &self.limits.require_read_only {
            Some(asked_at) => Ok(Some(writer.refused(connection, asked_at))),
            None => {
                context.note_run(&format!("connection \"{connection}\": {writer}"));
                Ok(None)
            }
        }
    }
}
