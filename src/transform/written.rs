//! The keys of rows that a process inserted, kept for the table and the key that they are of.
//!
//! Only these rows may the process ever delete. When the model gets another target, its keys are forgotten: what has
//! the same keys there was inserted by somebody else.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::Ident;
use crate::materialize::edits;
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
        if !found.get::<_, bool>("has_hashes") {
            client.batch_execute(&merge::add_hashes(shape)).await.map_err(failed)?;
        }
        return order_hashes(client, shape).await;
    } else if names.iter().all(|name| shape.target.column(name).is_some()) {
        merge::renew_written(shape, OldKeys::Carry(&names))
    } else {
        merge::renew_written(shape, OldKeys::Forget)
    };
    let marked = merge::mark_written(shape, mark);
    if found.get::<_, bool>("present") && !found.get::<_, bool>("has_hashes") {
        client.batch_execute(&merge::add_hashes(shape)).await.map_err(failed)?;
    }
    client.batch_execute(&format!("{renewed};\n{marked}")).await.map_err(failed)?;
    order_hashes(client, shape).await
}

/// Has the hashes of each key stand in the order of the columns that are written now.
async fn order_hashes(client: &Client, shape: MergeShape<'_>) -> Result<(), PostgresError> {
    let node = shape.node.as_str();
    let failed = |error| PostgresError::server(format!("prepare the hashes of {node}"), error);
    let known = client
        .query_typed("select columns from unimig.written_columns where node = $1", &[(&node, Type::TEXT)])
        .await
        .map_err(failed)?;
    let known: Option<Vec<String>> = known.first().map(|row| row.get(0));
    let wanted: Vec<&str> = merge::updated(shape).into_iter().map(Ident::as_str).collect();
    if known.as_ref().is_some_and(|known| known.iter().map(String::as_str).eq(wanted.iter().copied())) {
        return Ok(());
    }
    if let Some(known) = known {
        let known: Vec<Ident> = known.into_iter().map(Ident::from_catalog).collect();
        client.batch_execute(&edits::reorder(shape, &known)).await.map_err(failed)?;
    }
    client
        .execute_typed(
            "insert into unimig.written_columns (node, columns)
             values ($1, $2)
             on conflict (node) do update set
                 columns = excluded.columns",
            &[(&node, Type::TEXT), (&wanted, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(failed)?;
    Ok(())
}
