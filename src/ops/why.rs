//! `why`: which rows of the sources one id of the target stands for, and what joined them. Reads only.

use tokio_postgres::types::Type;

use crate::manifest::{CrosswalkNode, MatchRule};
use crate::materialize::crosswalk_match;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::crosswalk::{is_there, named};
use crate::ops::workspace::Workspace;
use crate::postgres::{Lease, PostgresError};
use crate::state::crosswalk::{self, Change, Link, MemberKey};
use crate::state::schema;

/// Everything that is known of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub members: Vec<MemberKey>,
    pub links: Vec<Link>,
    pub changes: Vec<Change>,
    /// Where values were asked for: what each rule compares, as it is now.
    pub evidence: Vec<Evidence>,
}

/// What a rule compares of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub key: MemberKey,
    pub rule: String,
    pub values: Vec<Option<String>>,
}

/// Whether values of rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    Hidden,
    Shown,
}

/// Looks an id up.
pub async fn why(workspace: &Workspace, (entity, id): (&str, &str), values: Values) -> Result<Why, OpError> {
    let node = named(workspace, entity)?;
    let connections = Connections::open(workspace, 1).await?;
    let found = async {
        let session = connections.target.lease("why").await?;
        if !schema::exists(&session).await? || !is_there(&session, node).await? {
            return Err(absent(node, id));
        }
        look_up(&session, (node, id), values).await
    };
    let found = found.await;
    connections.close().await?;
    found
}

fn absent(node: &CrosswalkNode, id: &str) -> OpError {
    OpError::usage(
        format!("no key of crosswalk \"{}\" has the id {id}", node.entity),
        format!("unimig crosswalk export {} lists them", node.entity),
    )
}

async fn look_up(session: &Lease, (node, id): (&CrosswalkNode, &str), values: Values) -> Result<Why, OpError> {
    let statement = crosswalk_match::members_of(&node.relation);
    let rows = session.query_typed(&statement, &[(&id, Type::TEXT)]).await;
    let rows = rows.map_err(|error| PostgresError::server(format!("read {}", node.relation), error))?;
    let members: Vec<MemberKey> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let changes = crosswalk::changes(session, &node.name, id).await?;
    if members.is_empty() && changes.is_empty() {
        return Err(absent(node, id));
    }
    let links = crosswalk::links(session, &node.name, &members).await?;
    let mut evidence = Vec::new();
    if values == Values::Shown {
        for rule in node.matching.iter().flat_map(|matching| &matching.rules) {
            evidence.extend(of_rule(session, (node, rule), &members).await?);
        }
    }
    Ok(Why { members, links, changes, evidence })
}

async fn of_rule(
    session: &Lease,
    (node, rule): (&CrosswalkNode, &MatchRule),
    members: &[MemberKey],
) -> Result<Vec<Evidence>, PostgresError> {
    let mut found = Vec::new();
    for (member, on) in node.members.iter().zip(&rule.on).filter(|(_, on)| !on.is_empty()) {
        let of_member = members.iter().filter(|(name, _)| *name == member.name);
        let keys: Vec<&str> = of_member.map(|(_, key)| key.as_str()).collect();
        let rows = session
            .query_typed(&crosswalk_match::evidence(member, on), &[(&keys, Type::TEXT_ARRAY)])
            .await
            .map_err(|error| PostgresError::server(format!("read what rule \"{}\" compares", rule.name), error))?;
        found.extend(rows.iter().map(|row| Evidence {
            key: (member.name.clone(), row.get(0)),
            rule: rule.name.clone(),
            values: row.get(1),
        }));
    }
    Ok(found)
}
