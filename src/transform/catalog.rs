//! The target's own description of the tables that models merge into.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::ident::{Ident, NodeName, Relation};
use crate::materialize::{FilledBy, TargetColumn, TargetTable};
use crate::plan::TargetCatalog;
use crate::postgres::PostgresError;
use crate::sql::{StatementFile, quoted};

pub(super) static STATEMENTS: LazyLock<StatementFile> =
    LazyLock::new(|| StatementFile::parse(include_str!("catalog.sql")));

/// Reads every table and foreign key of the schemas named.
pub async fn read_catalog(client: &Client, schemas: &[&str]) -> Result<TargetCatalog, PostgresError> {
    let failed = |error| PostgresError::server("read the target's catalog", error);
    let parameter = [(&schemas as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT_ARRAY)];
    let statement = |name| STATEMENTS.render(name, minijinja::context! {});
    let tables = client.query_typed(&statement("target_tables"), &parameter).await.map_err(failed)?;
    let references = client.query_typed(&statement("foreign_keys"), &parameter).await.map_err(failed)?;
    let relation = |row: &Row, at: usize| Relation::new(ident(row.get(at)), ident(row.get(at + 1)));
    Ok(TargetCatalog {
        tables: tables.iter().map(target_table).map(|table| (table.relation.clone(), table)).collect(),
        incremental: BTreeSet::new(),
        foreign_keys: references.iter().map(|row| (relation(row, 0), relation(row, 2))).collect(),
    })
}

/// Whether a relation is there and holds a row.
pub async fn has_rows(client: &Client, relation: &Relation) -> Result<bool, PostgresError> {
    let failed = |error| PostgresError::server(format!("look into {relation}"), error);
    let exists = client
        .query_typed_one("select to_regclass($1) is not null", &[(&relation.to_string(), Type::TEXT)])
        .await
        .map_err(failed)?;
    if !exists.get::<_, bool>(0) {
        return Ok(false);
    }
    let statement = STATEMENTS.render("has_rows", minijinja::context! { relation => quoted(relation) });
    Ok(client.query_typed_one(&statement, &[]).await.map_err(failed)?.get(0))
}

/// Tables of ours.
pub async fn our_tables(client: &Client) -> Result<BTreeSet<Relation>, PostgresError> {
    let rows = client
        .query_typed(&STATEMENTS.render("our_tables", minijinja::context! {}), &[])
        .await
        .map_err(|error| PostgresError::server("read which tables are there", error))?;
    Ok(rows.iter().map(|row| Relation::new(ident(row.get(0)), ident(row.get(1)))).collect())
}

/// Every relation that unimig made, with the process that its comment names.
pub async fn makers(client: &Client) -> Result<BTreeMap<Relation, NodeName>, PostgresError> {
    let rows = client
        .query_typed(&STATEMENTS.render("makers", minijinja::context! {}), &[])
        .await
        .map_err(|error| PostgresError::server("read who made which relation", error))?;
    let made = rows.iter().map(|row| {
        let maker = NodeName::recorded(row.get::<_, String>("maker"));
        (Relation::new(ident(row.get("schema_name")), ident(row.get("relation_name"))), maker)
    });
    Ok(made.collect())
}

fn target_table(row: &Row) -> TargetTable {
    let names: Vec<String> = row.get("names");
    let types: Vec<String> = row.get("types");
    let filled_by: Vec<String> = row.get("filled_by");
    let columns = names.into_iter().zip(types).zip(filled_by).map(|((name, data_type), filled)| TargetColumn {
        name: ident(name),
        data_type,
        filled: match filled.as_str() {
            "expression" => FilledBy::Expression,
            "identity always" => FilledBy::IdentityAlways,
            "identity by default" => FilledBy::IdentityByDefault,
            _ => FilledBy::Default,
        },
    });
    TargetTable {
        relation: Relation::new(ident(row.get("schema_name")), ident(row.get("table_name"))),
        columns: columns.collect(),
        primary_key: row.get::<_, Vec<String>>("primary_key").into_iter().map(ident).collect(),
        triggers: row.get::<_, Vec<String>>("triggers").into_iter().map(ident).collect(),
    }
}

fn ident(name: String) -> Ident {
    Ident::from_catalog(name)
}
