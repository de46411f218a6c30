//! What must not be: two things with one id, or an id that the application has given to a row of its own.

use tokio_postgres::Client;

use super::tables::refused;
use super::{count, failed, key_type};
use crate::diagnostic::{Code, Diagnostic};
use crate::ident::Ident;
use crate::manifest::{CrosswalkMember, NewId};
use crate::materialize::crosswalk::{TypedMember, ranges as ranges_statement};
use crate::plan::CrosswalkAction;
use crate::transform::TransformError;

/// With keep, the members' ranges of ids must lie apart; looked at before anything is written.
pub(super) async fn ranges(
    client: &Client,
    action: &CrosswalkAction,
    members: &[TypedMember<'_>],
) -> Result<(), TransformError> {
    let mut moved: Vec<(&CrosswalkMember, &Ident, i64)> = Vec::new();
    for member in members {
        let (NewId::Keep { offset }, Some(key)) = (&member.node.new_id, member.node.single_key()) else { continue };
        if !["smallint", "integer", "bigint"].contains(&key_type(member)) {
            let message =
                format!("the key of member \"{}\" is {}, and keep adds to it", member.node.name, key_type(member));
            let hint = "strategy keep needs a whole number; others are sequence, uuid5 and natural";
            return Err(refused(member.node, Code::CrosswalkConflict, message, hint));
        }
        moved.push((member.node, key, *offset));
    }
    if moved.len() < 2 {
        return Ok(());
    }
    let rows = client.query_typed(&ranges_statement(&moved), &[]).await.map_err(|error| failed(action, error))?;
    let mut known: Vec<(&CrosswalkMember, i128, i128)> = Vec::new();
    for row in &rows {
        let place = usize::try_from(row.get::<_, i32>(0)).unwrap_or_default();
        let (first, last): (String, String) = (row.get(1), row.get(2));
        let (Some((member, _, _)), Ok(first), Ok(last)) = (moved.get(place), first.parse(), last.parse()) else {
            continue;
        };
        known.push((member, first, last));
    }
    known.sort_by_key(|(_, first, _)| *first);
    for pair in known.windows(2) {
        let ((below, _, last), (above, first, _)) = (pair[0], pair[1]);
        if first <= last {
            return Err(overlap((below, last), (above, first)));
        }
    }
    Ok(())
}

fn overlap((below, last): (&CrosswalkMember, i128), (above, first): (&CrosswalkMember, i128)) -> TransformError {
    let message = format!("the ids of members \"{}\" and \"{}\" overlap", below.name, above.name);
    // Bounds stand beside the caret, for the person at the terminal: history and artifacts keep the message alone.
    let mistake = Diagnostic::error(Code::CrosswalkConflict, message)
        .at(above.declared_at.clone())
        .label(format!("begins at {first}; \"{}\" ends at {last}", below.name))
        .related(below.declared_at.clone(), "the other member")
        .hint(format!("give member \"{}\" an offset that lies well above", above.name));
    TransformError::Project(Box::new(mistake))
}

/// Ids that were given in this transaction, held against all others and against the target.
pub(super) async fn given(
    client: &Client,
    action: &CrosswalkAction,
    members: &[TypedMember<'_>],
) -> Result<(), TransformError> {
    let doing = format!("check the ids of {}", action.node.name);
    for member in members {
        for other in &action.node.members {
            // What is one thing by its nature has one id in all systems.
            if matches!(member.node.new_id, NewId::Natural { .. }) {
                continue;
            }
            let twice = count(client, (&doing, &member.given_twice(other))).await?;
            if twice > 0 {
                let message = format!(
                    "{twice} new ids of member \"{}\" are those of other keys of \"{}\"",
                    member.node.name, other.name
                );
                return Err(refused(member.node, Code::CrosswalkConflict, message, cause(&member.node.new_id)));
            }
        }
        if matches!(member.node.new_id, NewId::Sequence) {
            let taken = count(client, (&doing, &member.taken(&action.node.target, &action.node.column))).await?;
            if taken > 0 {
                let message = format!("{taken} new ids are those of rows that {} has already", action.node.target);
                return Err(refused(member.node, Code::CrosswalkConflict, message, cause(&member.node.new_id)));
            }
        }
    }
    Ok(())
}

/// What to do about ids that are taken.
pub(super) const SEQUENCE_BEHIND: &str = "the column's sequence is behind its greatest value: move it up with setval()";

fn cause(new_id: &NewId) -> &'static str {
    match new_id {
        NewId::Sequence => SEQUENCE_BEHIND,
        NewId::Keep { .. } => "another offset keeps them apart; ids that were imported count too",
        NewId::Uuid5 { .. } | NewId::Natural { .. } => "ids that were imported count too: see unimig crosswalk export",
    }
}
