//! Sequences that number rows of the application's tables, held against the greatest value that stands there.
//!
//! A merge writes ids that no sequence gave; the application's next insert would then meet one of them. A sequence is only
//! ever moved on: over a short way by drawing from it, which cannot undo what others draw meanwhile.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::{Value, context};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::{Ident, Literal, Relation};
use crate::postgres::PostgresError;
use crate::sql::{StatementFile, quoted};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("sequences.sql")));

const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// A sequence and the columns whose default or identity draws from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    pub relation: Relation,
    pub columns: Vec<(Relation, Ident)>,
    /// The value in these columns that it must be beyond; none in empty tables.
    pub furthest: Option<String>,
    pub next_value: String,
    pub standing: Standing,
    direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Beyond,
    /// It would give a value that is there, or is yet to be passed.
    Behind,
    /// No value is left beyond the furthest.
    Exhausted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// Every sequence that numbers rows of the tables.
pub async fn look(client: &Client, tables: &[&Relation]) -> Result<Vec<Sequence>, PostgresError> {
    let failed = |error| PostgresError::server("look at the sequences of the target's tables", error);
    let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let rows = client
        .query_typed(&STATEMENTS.render("numbered", context! {}), &[(&names, Type::TEXT_ARRAY)])
        .await
        .map_err(failed)?;
    let mut found: BTreeMap<Relation, (Vec<(Relation, Ident)>, Direction)> = BTreeMap::new();
    for row in &rows {
        let ident = |name| Ident::from_catalog(row.get::<_, String>(name));
        let direction = if row.get("ascends") { Direction::Up } else { Direction::Down };
        let sequence = Relation::new(ident("sequence_schema"), ident("sequence_name"));
        let table = Relation::new(ident("table_schema"), ident("table_name"));
        found.entry(sequence).or_insert_with(|| (Vec::new(), direction)).0.push((table, ident("column_name")));
    }
    let mut sequences = Vec::with_capacity(found.len());
    for (relation, (columns, direction)) in found {
        sequences.push(state(client, relation, (columns, direction)).await?);
    }
    Ok(sequences)
}

async fn state(
    client: &Client,
    relation: Relation,
    (columns, direction): (Vec<(Relation, Ident)>, Direction),
) -> Result<Sequence, PostgresError> {
    let shown: Vec<Value> =
        columns.iter().map(|(table, column)| context! { table => quoted(table), name => quoted(column) }).collect();
    let context = context! {
        sequence => quoted(&relation),
        name => quoted(Literal(&relation.to_string())),
        columns => shown,
        ascends => direction == Direction::Up,
    };
    let row = client
        .query_typed_one(&STATEMENTS.render("state", context), &[])
        .await
        .map_err(|error| PostgresError::server(format!("look at sequence {relation}"), error))?;
    let standing = match (row.get("is_behind"), row.get("is_exhausted")) {
        (true, true) => Standing::Exhausted,
        (true, false) => Standing::Behind,
        (false, _) => Standing::Beyond,
    };
    let (furthest, next_value) = (row.get("furthest"), row.get("next_value"));
    Ok(Sequence { relation, columns, furthest, next_value, standing, direction })
}

/// Moves a sequence that is behind beyond the furthest value.
pub async fn advance(client: &Client, sequence: &Sequence) -> Result<(), PostgresError> {
    let (Standing::Behind, Some(furthest)) = (sequence.standing, &sequence.furthest) else { return Ok(()) };
    let relation = &sequence.relation;
    let failed = |error| PostgresError::server(format!("move sequence {relation} on"), error);
    let context = context! {
        sequence => quoted(relation),
        name => quoted(Literal(&relation.to_string())),
        furthest => quoted(furthest),
    };
    let render = |name| STATEMENTS.render(name, context.clone());
    let is_far: bool = client.query_typed_one(&render("distance"), &[]).await.map_err(failed)?.get("is_far");
    let statement = render(if is_far { "set" } else { "draw" });
    client.query_typed(&statement, &[]).await.map_err(failed)?;
    Ok(())
}

/// Moves the sequences of a table on, after rows came in with ids of their own: the application's next row must not get one
/// of them. What is drawn from a sequence stays drawn when the transaction is undone, which leaves a gap and nothing else.
pub(super) async fn follow(client: &Client, table: &Relation, mut note: impl FnMut(&str)) -> Result<(), PostgresError> {
    let failed = |error| PostgresError::server(format!("move the sequences of {table} on"), error);
    client.batch_execute("savepoint unimig_sequences").await.map_err(failed)?;
    match advance_all(client, table).await {
        Ok(exhausted) => {
            for relation in exhausted {
                note(&format!("sequence {relation} has no value left beyond the greatest of {table}"));
            }
            client.batch_execute("release savepoint unimig_sequences").await.map_err(failed)
        }
        Err(error) if error.sqlstate() == Some(INSUFFICIENT_PRIVILEGE) => {
            let undo = "rollback to savepoint unimig_sequences;\nrelease savepoint unimig_sequences";
            client.batch_execute(undo).await.map_err(failed)?;
            note(&format!(
                "the sequences of {table} may not be read or moved by this role: see unimig sequences check, and fix"
            ));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

async fn advance_all(client: &Client, table: &Relation) -> Result<Vec<Relation>, PostgresError> {
    let mut exhausted = Vec::new();
    for sequence in look(client, &[table]).await? {
        advance(client, &sequence).await?;
        if sequence.standing == Standing::Exhausted {
            exhausted.push(sequence.relation);
        }
    }
    Ok(exhausted)
}
