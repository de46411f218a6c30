//! The columns of a table that stays, held against those of the SELECT that is brought into it.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::Ident;
use crate::materialize::incremental::ColumnChange;
use crate::materialize::stage::StagedColumn;
use crate::postgres::PostgresError;
use crate::transform::catalog::STATEMENTS;

/// The longest text that dbt takes a column without a length for.
const USUAL_TEXT_LENGTH: u32 = 256;

/// As dbt does whatever `on_schema_change` says, a varying text of the table grows with the SELECT's.
pub(super) fn widened(built: &[StagedColumn], held: &[StagedColumn]) -> Vec<ColumnChange> {
    let grows = |column: &StagedColumn| {
        let held = find(held, &column.name)?;
        let (wanted, has) = (text_length(&column.data_type)?, varying_length(&held.data_type)?);
        let data_type = format!("character varying({wanted})");
        (wanted > has).then(|| ColumnChange::ChangeType(StagedColumn { name: column.name.clone(), data_type }))
    };
    built.iter().filter_map(grows).collect()
}

pub(super) fn text_length(data_type: &str) -> Option<u32> {
    match data_type {
        "text" | "character varying" => Some(USUAL_TEXT_LENGTH),
        _ => varying_length(data_type),
    }
}

fn varying_length(data_type: &str) -> Option<u32> {
    data_type.strip_prefix("character varying(")?.strip_suffix(')')?.parse().ok()
}

pub(super) fn find<'a>(columns: &'a [StagedColumn], name: &Ident) -> Option<&'a StagedColumn> {
    columns.iter().find(|column| column.name == *name)
}

/// Names and types of a relation's columns, in its order.
pub(super) async fn columns_of(client: &Client, relation: &str) -> Result<Vec<StagedColumn>, PostgresError> {
    let rows = client
        .query_typed(&STATEMENTS.render("columns", minijinja::context! {}), &[(&relation, Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server(format!("describe {relation}"), error))?;
    let column = |row: &tokio_postgres::Row| StagedColumn {
        name: Ident::from_catalog(row.get::<_, String>(0)),
        data_type: row.get(1),
    };
    Ok(rows.iter().map(column).collect())
}
