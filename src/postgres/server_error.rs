//! A server's error, told without any row's value.
//!
//! The public fields hold the redacted texts and names of objects only. What the server really said is behind
//! [`ServerError::unredacted`], for the one door that was asked to show it.

use std::fmt;

use tokio_postgres::error::{DbError, ErrorPosition};

use crate::postgres::redact;

/// What a server said about a statement; `Display` and `Debug` show no value of a row.
#[derive(Clone)]
pub struct ServerError {
    pub sqlstate: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub context: Option<String>,
    /// Where in the statement as it was sent, in characters from 1.
    pub position: Option<u32>,
    /// Where in a statement that the server ran for us, inside of a function.
    pub internal_position: Option<u32>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub data_type: Option<String>,
    pub constraint: Option<String>,
    raw: Raw,
}

#[derive(Clone)]
struct Raw {
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    context: Option<String>,
    internal_query: Option<String>,
}

/// The server's own words, which may hold values of rows.
#[derive(Clone, Copy)]
pub struct Unredacted<'a> {
    pub message: &'a str,
    pub detail: Option<&'a str>,
    pub hint: Option<&'a str>,
    pub context: Option<&'a str>,
    /// The statement inside of a function that failed.
    pub internal_query: Option<&'a str>,
}

impl ServerError {
    pub(super) fn from_db(error: &DbError) -> Self {
        let redacted = redact::redact(&redact::Parts {
            sqlstate: error.code().code(),
            file: error.file().unwrap_or_default(),
            routine: error.routine().unwrap_or_default(),
            message: error.message(),
            detail: error.detail(),
            hint: error.hint(),
            context: error.where_(),
            in_our_statement: matches!(error.position(), Some(ErrorPosition::Original(_))),
        });
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (position, internal_position, internal_query) = match error.position() {
            Some(ErrorPosition::Original(position)) => (Some(*position), None, None),
            Some(ErrorPosition::Internal { position, query }) => (None, Some(*position), Some(query.clone())),
            None => (None, None, None),
        };
        Self {
            sqlstate: error.code().code().to_owned(),
            message: redacted.message,
            detail: redacted.detail,
            hint: redacted.hint,
            context: redacted.context,
            position,
            internal_position,
            schema: owned(error.schema()),
            table: owned(error.table()),
            column: owned(error.column()),
            data_type: owned(error.datatype()),
            constraint: owned(error.constraint()),
            raw: Raw {
                message: error.message().to_owned(),
                detail: owned(error.detail()),
                hint: owned(error.hint()),
                context: owned(error.where_()),
                internal_query,
            },
        }
    }

    /// The server's words with whatever values stand in them; only for a user who asked for values.
    pub fn unredacted(&self) -> Unredacted<'_> {
        Unredacted {
            message: &self.raw.message,
            detail: self.raw.detail.as_deref(),
            hint: self.raw.hint.as_deref(),
            context: self.raw.context.as_deref(),
            internal_query: self.raw.internal_query.as_deref(),
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let lines = [("detail", &self.detail), ("hint", &self.hint), ("context", &self.context)];
        for (label, text) in lines {
            if let Some(text) = text {
                write!(f, "\n{label}: {text}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerError")
            .field("sqlstate", &self.sqlstate)
            .field("message", &self.message)
            .field("detail", &self.detail)
            .field("context", &self.context)
            .field("position", &self.position)
            .field("table", &self.table)
            .field("column", &self.column)
            .field("constraint", &self.constraint)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for ServerError {}
