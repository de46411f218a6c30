//! The keys of rows that a process inserted, kept for the table and the key that they are of.
//!
//! Only these rows may the process ever delete. When the model gets another target, its keys are forgotten: what has
//! the same keys there was inserted by somebody else.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::Ident;
use crate::materialize::merge::{self, MergeShape, MergeStatements, OldKeys};
use crate::postgres::PostgresError;
use crate::transform::catalog::STATEMENTS;

/// Creates the table of keys, or makes it fit the model's key and target as they are now.
pub(super) async fn prepare(
    client: &Client,
    shape: MergeShape<'_>,
    statements: &MergeStatements,
) -> Result<(), PostgresError> {
    let written = merge::written_relation(shape.node);
    let failed = |error| PostgresError::server(format!("prepare {written}"), error);
    let (name, target) = (written.to_string(), shape.target.relation.to_string());
    let found = client
        .query_typed_one(
            &STATEMENTS.render("written", minijinja::context! {}),
            &[(&name, Type::TEXT), (&target, Type::TEXT)],
        )
        .await
        .map_err(failed)?;
    let (comment, mark): (&str, &str) = (found.get("comment"), found.get("mark"));
    let names: Vec<Ident> = found.get::<_, Vec<String>>("names").into_iter().map(Ident::from_catalog).collect();
    let types: Vec<String> = found.get("types");
    let wanted = shape.key_columns();
    let fits = names.iter().eq(wanted.iter().map(|column| &column.name))
        && types.iter().eq(wanted.iter().map(|column| &column.data_type));
    let renewed = if !found.get::<_, bool>("present") {
        statements.create_written.clone()
    } else if comment != mark {
        merge::renew_written(shape, OldKeys::Forget)
    } else if fits {
        return Ok(());
    } else if names.iter().all(|name| shape.target.column(name).is_some()) {
        merge::renew_written(shape, OldKeys::Carry(&names))
    } else {
        merge::renew_written(shape, OldKeys::Forget)
    };
    let marked = merge::mark_written(shape, mark);
    client.batch_execute(&format!("{renewed};\n{marked}")).await.map_err(failed)
}
