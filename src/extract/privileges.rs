//! What a source's role could write, whatever unimig does: its sessions are read-only, and a role that is too proves it.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::Relation;
use crate::postgres::PostgresError;
use crate::sql::StatementFile;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("privileges.sql")));

/// More subjects than these are counted.
const TOLD: usize = 3;

/// A role that could write to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    pub role: String,
    /// `insert, update on public.labors`, `create on schema public`; never empty.
    pub grants: Vec<String>,
}

impl std::fmt::Display for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "role \"{}\" could write: {}", self.role, self.grants.join("; "))
    }
}

impl Writer {
    /// The mistake of a connection that asks for a role that can't.
    pub fn refused(&self, connection: &str, asked_at: &Span) -> Diagnostic {
        Diagnostic::error(Code::WritableSource, format!("connection \"{connection}\" is not read-only: {self}"))
            .at(asked_at.clone())
            .hint("use a role that has usage on the schemas and select on the tables, and nothing else")
    }
}

/// The role of a session, if it could write to any of the tables, or create beside them. A replica can't be written.
pub async fn writer(client: &Client, tables: &[Relation]) -> Result<Option<Writer>, PostgresError> {
    let failed = |error| PostgresError::server("look up what the source's role could write", error);
    let found = client.query_one(&STATEMENTS.render("role", context! {}), &[]).await.map_err(failed)?;
    let role: String = found.get("role");
    if found.get("is_replica") {
        return Ok(None);
    }
    if found.get("is_superuser") {
        return Ok(Some(Writer { role, grants: vec!["it is a superuser".to_owned()] }));
    }
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        tables.iter().map(|table| (table.schema.as_str(), table.name.as_str())).unzip();
    let rows = client
        .query_typed(
            &STATEMENTS.render("grants", context! {}),
            &[(&schemas, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(failed)?;
    let member = found.get::<_, bool>("writes_all_data").then(|| "it is a member of pg_write_all_data".to_owned());
    let grants: Vec<String> = member.into_iter().chain(rows.iter().map(|row| shortened(row.get(0)))).collect();
    Ok((!grants.is_empty()).then_some(Writer { role, grants }))
}

/// `update on a, b, c and 4 more`: a schema may have hundreds of tables.
fn shortened(grant: String) -> String {
    let Some((privileges, subjects)) = grant.split_once(" on ") else { return grant };
    let subjects: Vec<&str> = subjects.split(", ").collect();
    match subjects.len().checked_sub(TOLD) {
        Some(more) if more > 0 => format!("{privileges} on {} and {more} more", subjects[..TOLD].join(", ")),
        Some(_) | None => grant,
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn many_tables_are_counted() {
        assert_eq!(shortened("update on a, b, c".to_owned()), "update on a, b, c");
        assert_eq!(shortened("insert, update on a, b, c, d, e".to_owned()), "insert, update on a, b, c and 2 more");
    }
}
