//! The rules of a table that a model merges into, as its catalog has them.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::ident::{Ident, Relation};
use crate::materialize::rules::{CheckRule, Need, Origin, ReferenceRule, RuleColumn, TableRules, UniqueRule};
use crate::postgres::PostgresError;
use crate::sql::StatementFile;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("rules.sql")));

/// Reads them; five small questions.
pub(super) async fn read(client: &Client, target: &Relation) -> Result<TableRules, PostgresError> {
    let name = target.to_string();
    let ask = async |statement: &str| {
        client
            .query_typed(&STATEMENTS.render(statement, context! {}), &[(&name, Type::TEXT)])
            .await
            .map_err(|error| PostgresError::server(format!("read the rules of {target}"), error))
    };
    let has_triggers_before = ask("triggers_before").await?.iter().any(|row| row.get(0));
    Ok(TableRules {
        columns: ask("columns").await?.iter().map(column).collect(),
        checks: ask("checks").await?.iter().map(check).collect(),
        uniques: ask("uniques").await?.iter().map(unique).collect(),
        references: ask("references").await?.iter().map(reference).collect(),
        has_triggers_before,
    })
}

fn idents(row: &Row, name: &str) -> Vec<Ident> {
    row.get::<_, Vec<String>>(name).into_iter().map(Ident::from_catalog).collect()
}

fn ident(row: &Row, name: &str) -> Ident {
    Ident::from_catalog(row.get::<_, String>(name))
}

fn column(row: &Row) -> RuleColumn {
    let expression: Option<String> = row.get("expression");
    let origin = match expression {
        _ if row.get("is_numbered") => Origin::Numbered,
        Some(expression) if row.get("is_computed") => Origin::Computed(expression),
        Some(expression) => Origin::Default(expression),
        None => Origin::Nothing,
    };
    let need = if row.get("is_required") { Need::NotNull } else { Need::MayBeNull };
    RuleColumn { name: ident(row, "name"), data_type: row.get("data_type"), need, origin }
}

fn check(row: &Row) -> CheckRule {
    CheckRule { name: row.get("name"), expression: row.get("expression"), columns: idents(row, "columns") }
}

fn unique(row: &Row) -> UniqueRule {
    UniqueRule {
        name: row.get("name"),
        parts: row.get("parts"),
        columns: idents(row, "columns"),
        predicate: row.get("predicate"),
        nulls_collide: row.get("nulls_collide"),
    }
}

fn reference(row: &Row) -> ReferenceRule {
    ReferenceRule {
        name: row.get("name"),
        columns: idents(row, "columns"),
        parent: Relation::new(ident(row, "parent_schema"), ident(row, "parent_name")),
        parent_columns: idents(row, "parent_columns"),
        is_full: row.get("is_full"),
        is_own: row.get("is_own"),
    }
}
