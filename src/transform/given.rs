//! How each column of a merge's SELECT is held until its values are looked at, and the look itself.

use std::sync::LazyLock;

use minijinja::context;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use crate::ident::{Ident, Relation};
use crate::materialize::given::{GivenColumn, GivenStatements, ValueTest};
use crate::postgres::PostgresError;
use crate::sql::StatementFile;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("given.sql")));

/// A column that a SELECT gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selected {
    pub name: Ident,
    pub type_oid: u32,
}

/// The columns that the target has, in the order of the SELECT.
pub(super) async fn columns(
    client: &Client,
    target: &Relation,
    selected: &[Selected],
) -> Result<Vec<GivenColumn>, PostgresError> {
    let names: Vec<&str> = selected.iter().map(|column| column.name.as_str()).collect();
    let oids: Vec<u32> = selected.iter().map(|column| column.type_oid).collect();
    let rows = client
        .query_typed(
            &STATEMENTS.render("columns", context! {}),
            &[(&target.to_string(), Type::TEXT), (&names, Type::TEXT_ARRAY), (&oids, Type::OID_ARRAY)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("describe {target}"), error))?;
    Ok(rows.iter().map(given_column).collect())
}

fn given_column(row: &Row) -> GivenColumn {
    let data_type: String = row.get("data_type");
    let test = value_test(row);
    let given_type: String = row.get("given_type");
    let held_as = match (&test, given_type.as_str()) {
        (ValueTest::Fits, _) => data_type.clone(),
        // Its trailing blanks would be lost when it is measured.
        (_, "character" | "name" | "unknown") => "text".to_owned(),
        (_, _) => given_type,
    };
    GivenColumn { name: Ident::from_catalog(row.get::<_, String>("name")), data_type, held_as, test }
}

/// Which values the target's type may refuse; what has a cast that never fails is given in the target's type at once.
fn value_test(row: &Row) -> ValueTest {
    let (given, base): (&str, &str) = (row.get("given_type"), row.get("base_type"));
    let category = |name| row.get::<_, Option<&str>>(name).unwrap_or("X");
    let (given_category, base_category) = (category("given_category"), category("base_category"));
    let is_text = matches!(given_category, "S" | "X");
    let modifier: i32 = row.get("modifier");
    let is_number = given_category == "N" && given != "money" && !given.starts_with("reg") && given != "oid";
    if row.get("is_same") {
        return ValueTest::Fits;
    }
    match row.get::<_, &str>("kind") {
        "d" if is_text || given_category == base_category => return ValueTest::Taken,
        "e" if is_text => return ValueTest::Labels(row.get("labels")),
        "d" | "e" => return ValueTest::Fits,
        _ => {}
    }
    match base {
        "character varying" | "character" if modifier >= 4 => ValueTest::Length(modifier - 4),
        "text" | "character varying" | "character" | "name" => ValueTest::Fits,
        "smallint" | "integer" | "bigint" if is_number => range(given, base),
        "numeric" if is_number && modifier >= 4 => {
            let bits = modifier - 4;
            // Eleven bits, the highest of which is the sign.
            let scale = ((bits & 0x7ff) ^ 1024) - 1024;
            ValueTest::Precision { precision: (bits >> 16) & 0xffff, scale }
        }
        _ if is_text => ValueTest::Taken,
        _ => ValueTest::Fits,
    }
}

fn range(given: &str, base: &str) -> ValueTest {
    let width = |name: &str| match name {
        "smallint" => 2,
        "integer" => 4,
        "bigint" => 8,
        _ => 16,
    };
    let (least, greatest) = match base {
        _ if width(given) <= width(base) => return ValueTest::Fits,
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    ValueTest::Range { least, greatest }
}

/// Finds values that the target would refuse, takes their rows out, and makes `unimig_staged` of the others.
pub(super) async fn look(client: &Client, statements: &GivenStatements, doing: &str) -> Result<(), PostgresError> {
    let failed = |error| PostgresError::server(doing, error);
    let execute = async |sql: &str| client.batch_execute(sql).await.map_err(failed);
    let faults = match &statements.try_all {
        Some(try_all) if refuses(client, try_all, doing).await? => {
            execute(&statements.create_functions).await?;
            execute(&statements.value_faults_with_functions).await?;
            execute(&statements.drop_functions).await?;
            true
        }
        Some(_) | None => match &statements.value_faults {
            Some(faults) => client.execute_typed(faults, &[]).await.map_err(failed)? > 0,
            None => false,
        },
    };
    execute(&statements.remember_keys).await?;
    if faults {
        execute(&format!("{};\n{}", statements.take_out, statements.forget_places)).await?;
    }
    execute(&statements.cast_staged).await
}

/// Whether a value is refused; what else may go wrong is told.
async fn refuses(client: &Client, try_all: &str, doing: &str) -> Result<bool, PostgresError> {
    let failed = |error| PostgresError::server(doing, error);
    client.batch_execute("savepoint unimig_values").await.map_err(failed)?;
    match client.query_typed_one(try_all, &[]).await.map_err(failed) {
        Ok(_) => {
            client.batch_execute("release savepoint unimig_values").await.map_err(failed)?;
            Ok(false)
        }
        Err(error) if is_of_data(&error) => {
            let undo = "rollback to savepoint unimig_values;\nrelease savepoint unimig_values";
            client.batch_execute(undo).await.map_err(failed)?;
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

/// Whether a value or a row was refused, rather than the statement.
pub(super) fn is_of_data(error: &PostgresError) -> bool {
    error.sqlstate().is_some_and(|state| state.starts_with("22") || state.starts_with("23"))
}
