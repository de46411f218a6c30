//! One member's keys that have no id get one, by its strategy: one INSERT for all of them.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::tables::refused;
use super::{count, execute, failed, named};
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::NewId;
use crate::materialize::crosswalk::TypedMember;
use crate::plan::CrosswalkAction;
use crate::postgres::PostgresError;
use crate::transform::TransformError;

/// The sequence of an identity or serial column, or the one that its default asks.
const SEQUENCE: &str = "
    select coalesce(
        pg_get_serial_sequence($1, $2),
        (
            select depends.refobjid::regclass::text
            from pg_attribute as attribute
            join pg_attrdef as own_default on own_default.adrelid = attribute.attrelid
                and own_default.adnum = attribute.attnum
            join pg_depend as depends on depends.classid = 'pg_attrdef'::regclass
                and depends.objid = own_default.oid
                and depends.refclassid = 'pg_class'::regclass
            join pg_class as sequence on sequence.oid = depends.refobjid
                and sequence.relkind = 'S'
            where attribute.attrelid = to_regclass($1)
                and attribute.attname = $2
            limit 1
        )
    )";

/// The sequence that gives the ids, where the strategy wants one.
pub(super) async fn sequence(client: &Client, action: &CrosswalkAction) -> Result<Option<String>, TransformError> {
    let node = &action.node;
    if !node.members.iter().any(|member| matches!(member.new_id, NewId::Sequence)) {
        return Ok(None);
    }
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&node.target.to_string(), Type::TEXT), (&node.column.as_str(), Type::TEXT)];
    let row = client.query_typed_one(SEQUENCE, &parameters).await.map_err(|error| failed(action, error))?;
    if let Some(sequence) = row.get::<_, Option<String>>(0) {
        return Ok(Some(sequence));
    }
    let message = format!("column \"{}\" of {} has no sequence", node.column.as_str(), node.target);
    let hint = "strategy sequence takes the column's identity or serial; others are keep, uuid5 and natural";
    let mistake = Diagnostic::error(Code::CrosswalkConflict, message).at(node.target_at.1.clone()).hint(hint);
    Err(TransformError::Project(Box::new(mistake)))
}

/// How many keys got an id.
pub(super) async fn allocate(
    client: &Client,
    (action, member): (&CrosswalkAction, &TypedMember<'_>),
    sequence: Option<&str>,
    note: &mut impl FnMut(&str),
) -> Result<u64, TransformError> {
    match &member.node.new_id {
        NewId::Sequence => match sequence {
            Some(sequence) => execute(client, action, &member.allocate_from_sequence(sequence)).await,
            None => Ok(0),
        },
        NewId::Keep { offset } => match member.node.single_key() {
            Some(key) => execute(client, action, &member.allocate_from_key(key, *offset)).await,
            None => Ok(0),
        },
        NewId::Natural { value } => natural(client, (action, member), value, note).await,
        NewId::Uuid5 { namespace } => named::allocate(client, (action, member), *namespace).await,
    }
}

async fn natural(
    client: &Client,
    (action, member): (&CrosswalkAction, &TypedMember<'_>),
    value: &str,
    note: &mut impl FnMut(&str),
) -> Result<u64, TransformError> {
    let node = member.node;
    let doing = format!("give ids of {}", action.node.name);
    client.batch_execute(&member.create_natural(value)).await.map_err(|error| {
        let error = PostgresError::server(doing.as_str(), error);
        match error.server_error() {
            Some(server) => refused(node, Code::SqlError, format!("the value of the id: {}", server.message), ""),
            None => error.into(),
        }
    })?;
    let twice = count(client, (&doing, &member.natural_twice())).await?;
    if twice > 0 {
        let message = format!("{twice} values are the id of more than one row of member \"{}\"", node.name);
        let hint = "the value must tell the member's rows apart";
        return Err(refused(node, Code::CrosswalkConflict, message, hint));
    }
    let missing = count(client, (&doing, &member.natural_missing())).await?;
    if missing > 0 {
        note(&format!("{missing} rows of {} have no value for an id, and get none", node.stage));
    }
    let inserted = execute(client, action, &member.allocate_natural()).await?;
    execute(client, action, &member.drop_natural()).await?;
    Ok(inserted)
}
