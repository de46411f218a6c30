//! Why keys of a crosswalk have one id: what joined them, and which ids a verdict changed.

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ident::NodeName;
use crate::postgres::PostgresError;

/// A key of a member, by its text.
pub type MemberKey = (String, String);

/// Two keys that were joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub left: MemberKey,
    pub right: MemberKey,
    /// `None` is a verdict of people.
    pub rule: Option<String>,
    pub linked_at: Timestamp,
}

/// An id that a verdict changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub key: MemberKey,
    pub old_id: String,
    pub new_id: String,
    pub changed_at: Timestamp,
}

/// What was joined among some keys, in the order in which it was.
pub async fn links(client: &Client, node: &NodeName, keys: &[MemberKey]) -> Result<Vec<Link>, PostgresError> {
    let members: Vec<&str> = keys.iter().map(|(member, _)| member.as_str()).collect();
    let texts: Vec<&str> = keys.iter().map(|(_, key)| key.as_str()).collect();
    let rows = client
        .query_typed(
            "with named as (
                 select member, source_key
                 from unnest($2::text[], $3::text[]) as named (member, source_key)
             )
             select
                 link.left_member,
                 link.left_key,
                 link.right_member,
                 link.right_key,
                 link.rule,
                 link.linked_at
             from unimig.crosswalk_link as link
             join named as one on one.member = link.left_member and one.source_key = link.left_key
             join named as other on other.member = link.right_member and other.source_key = link.right_key
             where link.crosswalk = $1
             order by link.linked_at, link.left_member, link.left_key, link.right_member, link.right_key",
            &[(&node.as_str(), Type::TEXT), (&members, Type::TEXT_ARRAY), (&texts, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("read what joined keys of {node}"), error))?;
    let link = |row: &tokio_postgres::Row| Link {
        left: (row.get(0), row.get(1)),
        right: (row.get(2), row.get(3)),
        rule: row.get(4),
        linked_at: row.get(5),
    };
    Ok(rows.iter().map(link).collect())
}

/// The changes that led to an id or away from it.
pub async fn changes(client: &Client, node: &NodeName, id: &str) -> Result<Vec<Change>, PostgresError> {
    let rows = client
        .query_typed(
            "select
                 member,
                 source_key,
                 old_id,
                 new_id,
                 changed_at
             from unimig.crosswalk_change
             where crosswalk = $1
                 and (new_id = $2 or old_id = $2)
             order by changed_at, member, source_key",
            &[(&node.as_str(), Type::TEXT), (&id, Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("read which ids of {node} changed"), error))?;
    let change = |row: &tokio_postgres::Row| Change {
        key: (row.get(0), row.get(1)),
        old_id: row.get(2),
        new_id: row.get(3),
        changed_at: row.get(4),
    };
    Ok(rows.iter().map(change).collect())
}
