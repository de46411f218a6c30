//! Whether a table can be merged into, and its triggers while it is.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::diagnostic::{Code, Diagnostic};
use crate::plan::MergeAction;
use crate::postgres::PostgresError;
use crate::sql::StatementFile;
use crate::transform::TransformError;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("fitness.sql")));

/// Refuses a table that would be written otherwise than it is told to be.
pub(super) async fn check(client: &Client, action: &MergeAction) -> Result<(), TransformError> {
    let target = &action.target.relation;
    let failed = |error| PostgresError::server(format!("describe {target}"), error);
    let row = client
        .query_typed_one(&STATEMENTS.render("fitness", context! {}), &[(&target.to_string(), Type::TEXT)])
        .await
        .map_err(failed)?;
    let refuse = |message: String, hint: &str| {
        let mistake = Diagnostic::error(Code::UnfitTarget, message).at(action.node.configured_at.clone()).hint(hint);
        Err(TransformError::Project(Box::new(mistake)))
    };
    if row.get("hides_rows") {
        let role: &str = row.get("role_name");
        return refuse(
            format!("row security of {target} applies to role \"{role}\""),
            "rows that it hides would be taken for missing: run as a role with BYPASSRLS, or as the table's owner without FORCE",
        );
    }
    if let [first, ..] = row.get::<_, Vec<String>>("rules").as_slice() {
        return refuse(
            format!("rule \"{first}\" of {target} rewrites what is written"),
            "what the rule does can't be compared: turn it into a trigger, or merge into the table that it writes",
        );
    }
    Ok(())
}

/// Disables every trigger of users that would fire; gives the statements that enable them again. A session that ends
/// before it commits leaves them as they were.
pub(super) async fn disable_triggers(client: &Client, action: &MergeAction) -> Result<Vec<String>, PostgresError> {
    let target = &action.target.relation;
    let failed = |error| PostgresError::server(format!("disable the triggers of {target}"), error);
    let rows = client
        .query_typed(&STATEMENTS.render("triggers", context! {}), &[(&target.to_string(), Type::TEXT)])
        .await
        .map_err(failed)?;
    let mut enable = Vec::with_capacity(rows.len());
    for row in &rows {
        client.batch_execute(row.get("disable")).await.map_err(failed)?;
        enable.push(row.get("enable"));
    }
    Ok(enable)
}

/// Enables them as they were.
pub(super) async fn enable_triggers(
    client: &Client,
    action: &MergeAction,
    enable: &[String],
) -> Result<(), PostgresError> {
    let target = &action.target.relation;
    for statement in enable {
        client
            .batch_execute(statement)
            .await
            .map_err(|error| PostgresError::server(format!("enable the triggers of {target}"), error))?;
    }
    Ok(())
}
