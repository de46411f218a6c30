//! The lasting tables of keys and ids, and the views over them: made where they are not, and otherwise left alone.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::{count, failed};
use crate::diagnostic::{Code, Diagnostic};
use crate::ident::{Ident, Relation};
use crate::manifest::CrosswalkMember;
use crate::materialize::crosswalk::{Repeats, TypedMember, View};
use crate::materialize::is_marked;
use crate::materialize::stage::StagedColumn;
use crate::plan::CrosswalkAction;
use crate::postgres::PostgresError;
use crate::transform::TransformError;

const DESCRIBE: &str = "
    select
        coalesce(obj_description(class.oid, 'pg_class'), ''),
        array_agg(attribute.attname::text order by attribute.attnum),
        array_agg(format_type(attribute.atttypid, attribute.atttypmod) order by attribute.attnum)
    from pg_class as class
    join pg_attribute as attribute on attribute.attrelid = class.oid
    where class.oid = to_regclass($1)
        and attribute.attnum > 0
        and not attribute.attisdropped
    group by class.oid";

/// A relation that is there.
struct Found {
    comment: String,
    columns: Vec<StagedColumn>,
}

async fn describe(client: &Client, relation: &Relation) -> Result<Option<Found>, PostgresError> {
    let found = client
        .query_typed_opt(DESCRIBE, &[(&relation.to_string(), Type::TEXT)])
        .await
        .map_err(|error| PostgresError::server(format!("describe {relation}"), error))?;
    Ok(found.map(|row| {
        let (names, types): (Vec<String>, Vec<String>) = (row.get(1), row.get(2));
        let column = |(name, data_type)| StagedColumn { name: Ident::from_catalog(name), data_type };
        Found { comment: row.get(0), columns: names.into_iter().zip(types).map(column).collect() }
    }))
}

/// The members with their keys' types; each has its table afterwards.
pub(super) async fn prepare<'a>(
    client: &Client,
    action: &'a CrosswalkAction,
) -> Result<Vec<TypedMember<'a>>, TransformError> {
    let mut members = Vec::with_capacity(action.node.members.len());
    for node in &action.node.members {
        let Some(live) = describe(client, &node.live_relation).await? else {
            let message = format!("relation {} does not exist", node.live_relation);
            let hint = format!("copy the table first: unimig run --select {}", node.stage);
            let mistake = Diagnostic::error(Code::SqlError, message).at(node.declared_at.clone()).hint(hint);
            return Err(TransformError::Project(Box::new(mistake)));
        };
        let member = typed(action, node, &live)?;
        make(client, (action, &member)).await?;
        members.push(member);
    }
    Ok(members)
}

fn typed<'a>(
    action: &'a CrosswalkAction,
    node: &'a CrosswalkMember,
    live: &Found,
) -> Result<TypedMember<'a>, TransformError> {
    let mut keys = Vec::with_capacity(node.key.len());
    for key in &node.key {
        let Some(column) = live.columns.iter().find(|column| column.name == *key) else {
            let message =
                format!("{} has no column \"{}\", which the crosswalk takes for a key", node.stage, key.as_str());
            let known = live.columns.iter().map(|column| column.name.as_str());
            let mistake = Diagnostic::error(Code::MissingKeyColumn, message).at(node.declared_at.clone());
            return Err(TransformError::Project(Box::new(mistake.did_you_mean(key.as_str(), known))));
        };
        keys.push(StagedColumn { name: key.clone(), data_type: column.data_type.clone() });
    }
    let repeats = match action.unique_keys.contains(&node.name) {
        true => Repeats::Never,
        false => Repeats::Maybe,
    };
    Ok(TypedMember { node, keys, id_type: &action.id_type, repeats })
}

/// Makes the table, or holds the one that is there against the declaration.
async fn make(client: &Client, (action, member): (&CrosswalkAction, &TypedMember<'_>)) -> Result<(), TransformError> {
    let run = async |statements: String| {
        client.batch_execute(&statements).await.map_err(|error| TransformError::from(failed(action, error)))
    };
    let Some(found) = describe(client, &member.node.table).await? else {
        return run(member.create_table(&action.node.name)).await;
    };
    let own = ["target_id", "_allocated_at"];
    let recorded: Vec<&Ident> =
        found.columns.iter().map(|column| &column.name).filter(|name| !own.contains(&name.as_str())).collect();
    if !is_marked(&found.comment) {
        return Err(refused(member.node, Code::NotOurs, format!("{} was not made by unimig", member.node.table), ""));
    }
    if recorded != member.node.key.iter().collect::<Vec<_>>() {
        let names = recorded.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        let message = format!("the ids of member \"{}\" are recorded by the key ({names})", member.node.name);
        let hint = "name that key again; or give the member another name, and it starts anew";
        return Err(refused(member.node, Code::CrosswalkConflict, message, hint));
    }
    let wanted = member.keys.iter().cloned();
    let id = StagedColumn { name: Ident::from_catalog("target_id"), data_type: action.id_type.clone() };
    let differs = |column: &StagedColumn| !found.columns.contains(column);
    let changed: Vec<StagedColumn> = wanted.chain([id]).filter(differs).collect();
    if changed.is_empty() {
        return Ok(());
    }
    // Views stand in the way of another type; they are made again at the end.
    run(crate::materialize::crosswalk::union(&action.node).drop()).await?;
    run(member.view(&action.node.name).drop()).await?;
    for column in &changed {
        run(member.retype(&column.name, &column.data_type)).await?;
    }
    Ok(())
}

pub(super) fn refused(member: &CrosswalkMember, code: Code, message: String, hint: &str) -> TransformError {
    let mistake = Diagnostic::error(code, message).at(member.declared_at.clone());
    TransformError::Project(Box::new(if hint.is_empty() { mistake } else { mistake.hint(hint) }))
}

/// Rows that get no id because their key is NULL.
pub(super) async fn tell_keyless(
    client: &Client,
    member: &TypedMember<'_>,
    note: &mut impl FnMut(&str),
) -> Result<(), TransformError> {
    if member.repeats == Repeats::Never {
        return Ok(());
    }
    let doing = format!("look for rows of {} without a key", member.node.stage);
    let rows = count(client, (&doing, &member.keyless())).await?;
    if rows > 0 {
        note(&format!("{rows} rows of {} have no key, and get no id", member.node.stage));
    }
    Ok(())
}

/// Makes a view where it is not there, or is another.
pub(super) async fn keep_view(client: &Client, view: &View) -> Result<(), TransformError> {
    let found = describe(client, &view.relation).await?;
    match found {
        Some(found) if found.comment == view.comment => Ok(()),
        Some(_) | None => {
            let doing = format!("create view {}", view.relation);
            let made = client.batch_execute(&view.statements()).await;
            Ok(made.map_err(|error| PostgresError::server(doing, error))?)
        }
    }
}
