//! UUIDs of version 5: made here from each key's name, as PostgreSQL has no SHA-1 without an extension.

use tokio_postgres::Client;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{execute, failed};
use crate::materialize::crosswalk::TypedMember;
use crate::plan::CrosswalkAction;
use crate::transform::TransformError;

/// The name of a key is `<member>:<key>`; several columns stand as a JSON array.
pub(super) async fn allocate(
    client: &Client,
    (action, member): (&CrosswalkAction, &TypedMember<'_>),
    namespace: Uuid,
) -> Result<u64, TransformError> {
    client.batch_execute(&member.create_named()).await.map_err(|error| failed(action, error))?;
    let (names, keep) = (member.names(), member.keep_names());
    let mut last: i64 = 0;
    loop {
        let rows = client.query_typed(&names, &[(&last, Type::INT8)]).await.map_err(|error| failed(action, error))?;
        let Some(end) = rows.last() else { break };
        last = end.get(0);
        let places: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        let name = |key: &str| Uuid::new_v5(&namespace, format!("{}:{key}", member.node.name).as_bytes());
        let ids: Vec<String> = rows.iter().map(|row| name(row.get(1)).to_string()).collect();
        client
            .execute_typed(&keep, &[(&places, Type::INT8_ARRAY), (&ids, Type::TEXT_ARRAY)])
            .await
            .map_err(|error| failed(action, error))?;
    }
    let inserted = execute(client, action, &member.allocate_named()).await?;
    client.batch_execute(&member.drop_named()).await.map_err(|error| failed(action, error))?;
    Ok(inserted)
}
