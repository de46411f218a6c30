//! What hangs on a relation, made by its project or by others, as statements that hang it on a new one of its name.
//!
//! Grants, owner, comments, options, indexes, constraints, triggers, rules, statistics, row security and its policies,
//! publications, replica identity. What guards rows, or carries them elsewhere, comes back or nothing is changed.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::diagnostic::{Code, Diagnostic};
use crate::ident::NodeName;
use crate::materialize::mark;
use crate::postgres::{PostgresError, ServerError};
use crate::sql::StatementFile;
use crate::state::set_aside::{self, SetAside};
use crate::transform::TransformError;
use crate::transform::subject::Subject;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("hanging.sql")));

const UNDEFINED_COLUMN: &str = "42703";

/// One thing that hangs on a relation.
#[derive(Debug)]
pub(super) struct Hanging {
    what: String,
    restore: String,
    need: Need,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Without it the relation may not be made again.
    Must,
    /// Told where it does not fit.
    May,
    /// Of a column: told where it does not fit, unless the column is gone.
    Column,
    /// Not worth a word.
    Quiet,
    /// As `May`, once the project's own indexes are there.
    Last,
}

impl Need {
    const ALL: [Self; 5] = [Self::Must, Self::May, Self::Column, Self::Quiet, Self::Last];

    fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::May => "may",
            Self::Column => "column",
            Self::Quiet => "quiet",
            Self::Last => "last",
        }
    }

    fn read(word: &str) -> Self {
        Self::ALL.into_iter().find(|need| need.word() == word).unwrap_or(Self::May)
    }
}

/// Who makes the relation of a new one's comment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Maker<'a> {
    Node(&'a NodeName),
    /// The one that the comment names.
    Same,
}

pub(super) async fn read(client: &Client, relation: &str, maker: Maker<'_>) -> Result<Vec<Hanging>, PostgresError> {
    let mark = match maker {
        Maker::Node(node) => Some(mark(node)),
        Maker::Same => None,
    };
    let rows = client
        .query_typed(&STATEMENTS.render("hanging", context! {}), &[(&relation, Type::TEXT), (&mark, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server(format!("find what hangs on {relation}"), error))?;
    let hanging = rows.iter().map(|row| Hanging {
        what: row.get("what"),
        restore: row.get("restore"),
        need: Need::read(row.get("need")),
    });
    Ok(hanging.collect())
}

/// Keeps it for the time when the relation's model runs.
pub(super) async fn set_aside(client: &Client, relation: &str, hanging: &[Hanging]) -> Result<(), PostgresError> {
    let kept = hanging.iter().map(|one| SetAside {
        what: one.what.clone(),
        restore: one.restore.clone(),
        need: one.need.word().to_owned(),
    });
    set_aside::keep(client, relation, &kept.collect::<Vec<_>>()).await
}

/// Hangs on a new relation what was set aside when it was dropped; gives back what has to wait, as [`restore`] does.
pub(super) async fn take_back(
    client: &Client,
    subject: Subject<'_>,
    note: &mut impl FnMut(&str),
) -> Result<Vec<Hanging>, TransformError> {
    let relation = subject.relation.to_string();
    let taken = set_aside::take(client, &relation).await?;
    if taken.is_empty() {
        return Ok(Vec::new());
    }
    let hanging =
        taken.into_iter().map(|one| Hanging { what: one.what, restore: one.restore, need: Need::read(&one.need) });
    restore(client, (subject, &relation), hanging.collect(), note).await
}

/// Hangs everything on the new relation; gives back what has to wait for the project's indexes.
pub(super) async fn restore(
    client: &Client,
    (subject, relation): (Subject<'_>, &str),
    hanging: Vec<Hanging>,
    note: &mut impl FnMut(&str),
) -> Result<Vec<Hanging>, TransformError> {
    // What default privileges gave the new relation, the old one need not have had.
    let failed = |error| PostgresError::server(format!("restore the privileges of {relation}"), error);
    let ungranted = STATEMENTS.render("ungranted", context! {});
    if let Some(row) = client.query_typed_opt(&ungranted, &[(&relation, Type::TEXT)]).await.map_err(failed)? {
        client.batch_execute(row.get(0)).await.map_err(failed)?;
    }
    let (last, now): (Vec<Hanging>, Vec<Hanging>) = hanging.into_iter().partition(|one| one.need == Need::Last);
    for one in &now {
        let Attempt::Refused(server) = attempt(client, &one.restore).await? else { continue };
        match one.need {
            Need::Must => return Err(lost(subject, (relation, one), &server)),
            Need::Column if server.sqlstate == UNDEFINED_COLUMN => {}
            Need::May | Need::Column | Need::Last => tell(one, note),
            Need::Quiet => {}
        }
    }
    Ok(last)
}

/// Hangs on what waited.
pub(super) async fn finish(
    client: &Client,
    last: &[Hanging],
    note: &mut impl FnMut(&str),
) -> Result<(), PostgresError> {
    for one in last {
        if let Attempt::Refused(_) = attempt(client, &one.restore).await? {
            tell(one, note);
        }
    }
    Ok(())
}

fn tell(one: &Hanging, note: &mut impl FnMut(&str)) {
    note(&format!("{} does not fit the new columns, and was dropped", one.what));
}

#[derive(Debug)]
pub(super) enum Attempt {
    Done,
    Refused(Box<ServerError>),
}

/// Runs a statement that the server may refuse, without harm to the transaction.
pub(super) async fn attempt(client: &Client, statement: &str) -> Result<Attempt, PostgresError> {
    let failed = |error| PostgresError::server("restore what hung on a relation", error);
    client.batch_execute("savepoint before_restore").await.map_err(failed)?;
    match client.batch_execute(statement).await.map_err(failed) {
        Ok(()) => Ok(Attempt::Done),
        // What another attempt of the step may not meet is no answer.
        Err(error) if error.is_transient() => Err(error),
        Err(PostgresError::Server { error, .. }) => {
            client.batch_execute("rollback to savepoint before_restore").await.map_err(failed)?;
            Ok(Attempt::Refused(error))
        }
        Err(error) => Err(error),
    }
}

/// Takes back the statement that was attempted last.
pub(super) async fn undo(client: &Client) -> Result<(), PostgresError> {
    let failed = |error| PostgresError::server("take a statement back", error);
    client.batch_execute("rollback to savepoint before_restore").await.map_err(failed)
}

fn lost(subject: Subject<'_>, (relation, one): (&str, &Hanging), server: &ServerError) -> TransformError {
    let message = format!(
        "{relation} has to be made again, and would lose its {}, which does not fit: {}",
        one.what, server.message
    );
    let mistake = Diagnostic::error(Code::NotOurs, message)
        .at(subject.declared_at.clone())
        .hint("nothing was changed; change or drop it yourself, or keep the columns");
    TransformError::Project(Box::new(mistake))
}
