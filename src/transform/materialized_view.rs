//! Materialized views that unimig makes itself.
//!
//! One whose SELECT changed is made anew; else its indexes are brought to what the config says, and it is refreshed where
//! its SELECT gives other rows.

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::compile::Embedded;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::OnConfigurationChange;
use crate::materialize::materialized_view::{DEFINED, MaterializedViewStatements, statements};
use crate::materialize::upkeep::RelationKind;
use crate::materialize::{table, view};
use crate::plan::{Extent, MaterializedViewAction};
use crate::postgres::PostgresError;
use crate::transform::catalog::STATEMENTS;
use crate::transform::relation::{Existing, existing, table_statements};
use crate::transform::remake;
use crate::transform::subject::Subject;
use crate::transform::{TransformError, ViewChange, contract, hanging, located, upkeep};

/// Makes or refreshes it; whether anything changed.
pub async fn materialized_view(
    client: &Client,
    action: &MaterializedViewAction,
    mut note: impl FnMut(&str),
) -> Result<ViewChange, TransformError> {
    contract::check(client, &action.node, &action.select).await?;
    let subject = Subject::of_model(&action.node);
    let statements = statements(subject.node, subject.relation, &action.select);
    let kept = match existing(client, subject).await? {
        Existing::Nothing => None,
        Existing::Table { .. } => Some(remake::drop(client, subject, &table_statements(subject).drop).await?),
        Existing::View => Some(remake::drop(client, subject, &view::drop(subject.relation)).await?),
        Existing::MaterializedView => match action.extent {
            Extent::Whole => Some(remake::drop(client, subject, &statements.drop).await?),
            Extent::Increment if is_defined_otherwise(client, (action, &statements)).await? => {
                Some(remake::drop(client, subject, &statements.drop).await?)
            }
            Extent::Increment => return keep(client, (action, &statements), note).await,
        },
    };
    run(client, (action, &statements.create)).await?;
    client.batch_execute(&statements.mark).await.map_err(|error| failed(action, error))?;
    let last = remake::restore(client, (subject, kept), &mut note).await?;
    upkeep::bring_up_to_date(client, subject, RelationKind::MaterializedView).await?;
    hanging::finish(client, &last, &mut note).await?;
    Ok(ViewChange::Replaced)
}

/// One that stays: its indexes, then its rows.
async fn keep(
    client: &Client,
    (action, statements): (&MaterializedViewAction, &MaterializedViewStatements),
    mut note: impl FnMut(&str),
) -> Result<ViewChange, TransformError> {
    let subject = Subject::of_model(&action.node);
    let indexes_differ = upkeep::indexes_differ(client, subject).await?;
    match action.config.on_configuration_change {
        OnConfigurationChange::Continue if indexes_differ => {
            note(
                "its indexes are not those of its config, and on_configuration_change is continue: it is left as it is",
            );
            return Ok(ViewChange::Same);
        }
        OnConfigurationChange::Fail if indexes_differ => return Err(configured_otherwise(action)),
        OnConfigurationChange::Apply | OnConfigurationChange::Continue | OnConfigurationChange::Fail => {}
    }
    let has_other_rows = has_other_rows(client, action).await?;
    if has_other_rows {
        client.batch_execute(&statements.refresh).await.map_err(|error| failed(action, error))?;
    }
    upkeep::bring_up_to_date(client, subject, RelationKind::MaterializedView).await?;
    Ok(if has_other_rows || indexes_differ { ViewChange::Replaced } else { ViewChange::Same })
}

/// Whether the SELECT is another one than the server knows.
async fn is_defined_otherwise(
    client: &Client,
    (action, statements): (&MaterializedViewAction, &MaterializedViewStatements),
) -> Result<bool, TransformError> {
    let undo = |statement: &'static str| async move {
        client.batch_execute(statement).await.map_err(|error| failed(action, error))
    };
    undo("savepoint before_definition").await?;
    run(client, (action, &statements.define)).await?;
    let relation = action.node.relation.to_string();
    let row = client
        .query_typed_one(
            &STATEMENTS.render("same_definition", context! {}),
            &[(&relation, Type::TEXT), (&DEFINED, Type::TEXT)],
        )
        .await
        .map_err(|error| failed(action, error))?;
    undo("rollback to savepoint before_definition").await?;
    Ok(!row.get::<_, bool>("same"))
}

/// Builds the rows beside, and compares. One that was never filled can't be read.
async fn has_other_rows(client: &Client, action: &MaterializedViewAction) -> Result<bool, TransformError> {
    let subject = Subject::of_model(&action.node);
    let relation = action.node.relation.to_string();
    let row = client
        .query_typed_one(&STATEMENTS.render("is_filled", context! {}), &[(&relation, Type::TEXT)])
        .await
        .map_err(|error| failed(action, error))?;
    if !row.get::<_, bool>("filled") {
        return Ok(true);
    }
    run(client, (action, &table::build(&action.select))).await?;
    let compare = table_statements(subject).compare;
    let compared = client.query_typed_one(&compare, &[]).await.map_err(|error| failed(action, error))?;
    Ok(!compared.get::<_, bool>("equal"))
}

async fn run(client: &Client, (action, statement): (&MaterializedViewAction, &Embedded)) -> Result<(), TransformError> {
    let done = client.batch_execute(&statement.sql).await;
    done.map_err(|error| located(failed(action, error), statement, &action.select))
}

fn failed(action: &MaterializedViewAction, error: tokio_postgres::Error) -> PostgresError {
    PostgresError::server(format!("build materialized view {}", action.node.relation), error)
}

fn configured_otherwise(action: &MaterializedViewAction) -> TransformError {
    let message = format!("the indexes of materialized view {} are not those of its config", action.node.relation);
    let mistake = Diagnostic::error(Code::SchemaChanged, message)
        .at(action.node.configured_at.clone())
        .hint("on_configuration_change is fail: set it to apply, or make the view anew with --full-refresh");
    TransformError::Project(Box::new(mistake))
}
