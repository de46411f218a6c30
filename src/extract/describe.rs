//! What columns an extraction gives, and which type each of them has in staging.

use std::sync::LazyLock;

use tokio_postgres::types::{Oid, Type};
use tokio_postgres::{Client, Row};

use crate::compile::CompiledSql;
use crate::diagnostic::{Code, Diagnostic};
use crate::extract::ExtractError;
use crate::ident::Ident;
use crate::manifest::StageNode;
use crate::materialize::stage::OWN_COLUMNS;
use crate::postgres::PostgresError;
use crate::sql::StatementFile;
use crate::state::source::{Identity, SeenColumn};

static CATALOG: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("describe.sql")));

/// A column as the source has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceColumn {
    pub name: Ident,
    /// Unknown for what a SELECT gives.
    pub identity: Option<Identity>,
    /// Of an enum, in their order.
    pub labels: Option<Vec<String>>,
    /// The source's spelling.
    pub data_type: String,
    /// Domains and enums as their base type, types that only this source knows as text.
    pub staged_type: String,
    /// Set for a type that an extension brings: a target with the extension may keep it.
    pub extension: Option<ExtensionType>,
}

impl SourceColumn {
    /// What of it is remembered.
    pub fn seen(&self) -> SeenColumn {
        SeenColumn {
            name: self.name.clone(),
            identity: self.identity,
            data_type: self.data_type.clone(),
            labels: self.labels.clone(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionType {
    pub extension: String,
    pub type_name: String,
}

/// The columns of a source table, or of the SELECT that replaces it, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceShape {
    pub columns: Vec<SourceColumn>,
}

/// Reads the shape at the source and holds the project's words against it.
pub async fn describe(
    client: &Client,
    node: &StageNode,
    extraction: Option<&CompiledSql>,
) -> Result<SourceShape, ExtractError> {
    let fields = match extraction {
        Some(select) => select_fields(client, node, select).await?,
        None => table_fields(client, node).await?,
    };
    let columns = settle_types(client, node, fields).await?;
    let shape = SourceShape { columns };
    check_names(node, &shape)?;
    Ok(shape)
}

/// A column's name with the oid and modifier of its type.
struct Field {
    name: String,
    type_id: Oid,
    modifier: i32,
    identity: Option<Identity>,
}

async fn table_fields(client: &Client, node: &StageNode) -> Result<Vec<Field>, ExtractError> {
    let failed = |error| PostgresError::server(format!("describe {}", node.source_relation), error);
    let schema = node.source_relation.schema.as_str();
    let rows = client
        .query_typed(
            &CATALOG.render("table_columns", minijinja::context! {}),
            &[(&schema, Type::TEXT), (&node.source_relation.name.as_str(), Type::TEXT)],
        )
        .await
        .map_err(failed)?;
    if !rows.is_empty() {
        let field = |row: &Row| Field {
            name: row.get(0),
            type_id: row.get(1),
            modifier: row.get(2),
            identity: Some(Identity { table_id: row.get(3), number: row.get(4) }),
        };
        return Ok(rows.iter().map(field).collect());
    }
    let others = client
        .query_typed(&CATALOG.render("nearest_tables", minijinja::context! {}), &[(&schema, Type::TEXT)])
        .await
        .map_err(failed)?;
    let others: Vec<String> = others.iter().map(|row| row.get(0)).collect();
    let message = format!("source \"{}\" has no table {}", node.source, node.source_relation);
    let mistake = Diagnostic::error(Code::UnknownSourceTable, message)
        .at(node.declared_at.clone())
        .did_you_mean(node.source_relation.name.as_str(), others.iter().map(String::as_str));
    Err(ExtractError::Project(Box::new(mistake)))
}

async fn select_fields(client: &Client, node: &StageNode, select: &CompiledSql) -> Result<Vec<Field>, ExtractError> {
    let statement = client.prepare(&select.text).await.map_err(|error| {
        let error = PostgresError::server(format!("prepare the extraction of {}", node.name), error);
        located(error, select)
    })?;
    let field = |column: &tokio_postgres::Column| Field {
        name: column.name().to_owned(),
        type_id: column.type_().oid(),
        modifier: column.type_modifier(),
        identity: None,
    };
    Ok(statement.columns().iter().map(field).collect())
}

/// A refusal of the user's SELECT, with its place in the user's file.
fn located(error: PostgresError, select: &CompiledSql) -> ExtractError {
    let place = error.server_error().and_then(|server| {
        let span = select.locate(usize::try_from(server.position?).ok()?)?;
        Some((span, server.message.clone(), server.hint.clone()))
    });
    match place {
        Some((span, message, hint)) => {
            let mistake = Diagnostic { hint, ..Diagnostic::error(Code::SqlError, message).at(span) };
            ExtractError::Project(Box::new(mistake))
        }
        None => ExtractError::Postgres(error),
    }
}

async fn settle_types(
    client: &Client,
    node: &StageNode,
    fields: Vec<Field>,
) -> Result<Vec<SourceColumn>, PostgresError> {
    let type_ids: Vec<Oid> = fields.iter().map(|field| field.type_id).collect();
    let modifiers: Vec<i32> = fields.iter().map(|field| field.modifier).collect();
    let rows = client
        .query_typed(
            &CATALOG.render("settle_types", minijinja::context! {}),
            &[(&type_ids, Type::OID_ARRAY), (&modifiers, Type::INT4_ARRAY)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("describe {}", node.source_relation), error))?;
    let columns = fields.into_iter().zip(rows).map(|(field, row)| SourceColumn {
        name: Ident::from_catalog(field.name),
        identity: field.identity,
        labels: row.get(4),
        data_type: row.get(0),
        staged_type: row.get(1),
        extension: row.get::<_, Option<String>>(2).map(|extension| ExtensionType { extension, type_name: row.get(3) }),
    });
    Ok(columns.collect())
}

/// Keys, window columns and declared columns must exist.
fn check_names(node: &StageNode, shape: &SourceShape) -> Result<(), ExtractError> {
    if let Some(taken) = shape.columns.iter().find(|column| OWN_COLUMNS.contains(&column.name.as_str())) {
        let name = taken.name.as_str();
        let message =
            format!("source table {} has a column \"{name}\", which unimig adds itself", node.source_relation);
        let mistake = Diagnostic::error(Code::DuplicateName, message)
            .at(node.declared_at.clone())
            .hint(format!("give it another name in models/stg/{}/{}.sql", node.source, node.table));
        return Err(ExtractError::Project(Box::new(mistake)));
    }
    let known = || shape.columns.iter().map(|column| column.name.as_str());
    let named = node
        .key
        .iter()
        .chain(node.strategy.columns())
        .chain(&node.removals.column)
        .map(|name| (name, &node.declared_at));
    let declared = node.columns.iter().map(|column| (&column.name, &column.declared_at));
    for (name, place) in declared.chain(named) {
        if !known().any(|known| known == name.as_str()) {
            let message = format!("source table {} has no column \"{}\"", node.source_relation, name.as_str());
            let mistake = Diagnostic::error(Code::UnknownSourceColumn, message)
                .at(place.clone())
                .did_you_mean(name.as_str(), known());
            return Err(ExtractError::Project(Box::new(mistake)));
        }
    }
    Ok(())
}

/// Tables of a schema, without those that are parts of others.
pub async fn tables(client: &Client, schema: &Ident) -> Result<Vec<String>, PostgresError> {
    let rows = client
        .query_typed(&CATALOG.render("tables", minijinja::context! {}), &[(&schema.as_str(), Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server("list the tables of a source", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What extension types the target knows, spelled as the target spells them.
pub async fn extension_types(
    client: &Client,
    extensions: &[String],
) -> Result<Vec<(ExtensionType, String)>, PostgresError> {
    let rows = client
        .query_typed(&CATALOG.render("extension_types", minijinja::context! {}), &[(&extensions, Type::TEXT_ARRAY)])
        .await
        .map_err(|error| PostgresError::server("read the target's extensions", error))?;
    Ok(rows.iter().map(|row| (ExtensionType { extension: row.get(0), type_name: row.get(1) }, row.get(2))).collect())
}
