//! What a template may ask of a live database. Only the trait is here: who holds a session implements it.

use std::fmt;
use std::sync::Arc;

/// A session that a render may use; each call waits for the server's answer.
pub trait Server: Send + Sync + fmt::Debug {
    /// Runs SQL, and gives the rows of its last statement.
    fn query(&self, sql: &str) -> Result<Answer, ServerRefused>;
}

/// Rows as text, with what is known of their types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub columns: Vec<AnswerColumn>,
    /// As many values a row as there are columns; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many rows the last statement returned or changed.
    pub affected: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerColumn {
    pub name: String,
    /// PostgreSQL's short name (`int4`, `bool`, `numeric`); empty where it is not known.
    pub type_name: String,
}

/// Why a server gave no answer, free of row values.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ServerRefused {
    pub message: String,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// What a render may ask a server.
#[derive(Debug, Clone)]
pub enum Session {
    /// Nothing: the template is read for what it refers to, and every question is answered with nothing.
    Reading,
    /// Nothing yet: a template that asks is rendered again when there is a session.
    Absent,
    Live(Arc<dyn Server>),
}

/// A template asked a server and there is none.
#[derive(Debug, thiserror::Error)]
#[error("this template asks the database, and there is no connection")]
pub(super) struct NeedsServer;
