//! What a run asks of a source before it reads: whether it may be read just now, and who the role is, looked at once a run
//! and connection.

use tokio::sync::OnceCell;

use crate::diagnostic::{Diagnostic, Span};
use crate::execute::failure::StepError;
use crate::execute::step::StepContext;
use crate::extract::{self, ExtractError, Moment, Throttle};
use crate::ident::Relation;

/// What a guard is made of.
#[derive(Debug)]
pub struct GuardOptions {
    pub require_read_only: Option<Span>,
    pub throttle: Throttle,
    pub tables: Vec<Relation>,
    pub is_private: bool,
}

/// One source connection of a run.
#[derive(Debug)]
pub struct Guard {
    /// Where it is asked that the role can't write.
    pub require_read_only: Option<Span>,
    pub throttle: Throttle,
    /// What the run reads of it.
    pub tables: Vec<Relation>,
    /// Whether the server is unimig's own, whose one role may do everything.
    pub is_private: bool,
    looked: OnceCell<Option<Diagnostic>>,
}

impl Guard {
    pub fn new(options: GuardOptions) -> Self {
        let GuardOptions { require_read_only, throttle, tables, is_private } = options;
        Self { require_read_only, throttle, tables, is_private, looked: OnceCell::new() }
    }

    /// Waits until the source may be read, and looks who reads it.
    pub(super) async fn before_table(&self, connection: &str, context: &StepContext) -> Result<(), StepError> {
        self.throttle.pass(Moment::BeforeTable, &|message| context.note(message)).await?;
        self.look(connection, context).await
    }

    /// Tells of a role that could write, or refuses to read with it.
    async fn look(&self, connection: &str, context: &StepContext) -> Result<(), StepError> {
        if self.is_private && self.require_read_only.is_none() {
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
        match &self.require_read_only {
            Some(asked_at) => Ok(Some(writer.refused(connection, asked_at))),
            None => {
                context.note_run(&format!("connection \"{connection}\": {writer}"));
                Ok(None)
            }
        }
    }
}
