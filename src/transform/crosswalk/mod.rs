//! Ids of the target for the keys of a crosswalk's members, in this order:
//!
//! 1. the members' keys are described, and tables of keys and ids made where there are none; 2. what must not be is
//!    looked for before anything is written; 3. keys without an id get one, member by member; 4. ids that were given are
//!    held against all others; 5. the views that models read are brought up to date.
//!
//! An id that is recorded is changed by nothing but a verdict of people, and none is ever deleted.

mod checks;
mod clusters;
mod import;
mod matching;
mod named;
mod new_ids;
mod tables;

pub use import::{ImportMistake, ImportedId, Sharing, import_ids};

use tokio_postgres::Client;

use crate::materialize::crosswalk::{self, TypedMember};
use crate::materialize::merge::ANALYZE_FROM_ROWS;
use crate::plan::CrosswalkAction;
use crate::postgres::PostgresError;
use crate::state::run::Tally;
use crate::transform::TransformError;

/// Gives ids to the keys that have none; `note` hears of rows that get none.
pub async fn crosswalk(
    client: &Client,
    action: &CrosswalkAction,
    mut note: impl FnMut(&str),
) -> Result<Tally, TransformError> {
    client.batch_execute("set local work_mem = '256MB'").await.map_err(|error| failed(action, error))?;
    let members = tables::prepare(client, action).await?;
    checks::ranges(client, action, &members).await?;
    let sequence = new_ids::sequence(client, action).await?;
    for member in &members {
        tables::tell_keyless(client, member, &mut note).await?;
    }
    if let (Some(matching), Some(sequence)) = (&action.node.matching, &sequence) {
        let of = matching::Matched { client, action, members: &members, matching };
        let tally = matching::allocate(of, sequence, &mut note).await?;
        finish(client, action, &members).await?;
        return Ok(tally);
    }
    let mut inserted = 0;
    for member in &members {
        let given = new_ids::allocate(client, (action, member), sequence.as_deref(), &mut note).await?;
        if given >= ANALYZE_FROM_ROWS {
            execute(client, action, &member.analyze()).await?;
        }
        inserted += given;
    }
    if inserted > 0 {
        checks::given(client, action, &members).await?;
    }
    finish(client, action, &members).await?;
    Ok(Tally { inserted, ..Tally::default() })
}

/// The views over the tables.
async fn finish(client: &Client, action: &CrosswalkAction, members: &[TypedMember<'_>]) -> Result<(), TransformError> {
    let views = members.iter().map(|member| member.view(&action.node.name));
    for view in views.chain([crosswalk::union(&action.node)]) {
        tables::keep_view(client, &view).await?;
    }
    Ok(())
}

/// How many rows a statement wrote.
async fn execute(client: &Client, action: &CrosswalkAction, statement: &str) -> Result<u64, TransformError> {
    Ok(client.execute_typed(statement, &[]).await.map_err(|error| failed(action, error))?)
}

/// The one number that a statement gives.
async fn count(client: &Client, (doing, statement): (&str, &str)) -> Result<i64, TransformError> {
    let row = client.query_typed_one(statement, &[]).await.map_err(|error| PostgresError::server(doing, error))?;
    Ok(row.get(0))
}

fn failed(action: &CrosswalkAction, error: tokio_postgres::Error) -> PostgresError {
    PostgresError::server(format!("give ids of {}", action.node.name), error)
}

/// The key column's type, as staging has it.
fn key_type<'m>(member: &'m TypedMember<'_>) -> &'m str {
    member.keys.first().map_or("", |key| key.data_type.as_str())
}
