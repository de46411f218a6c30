//! How a source table differs from what it was.
//!
//! A column is known by its number in its table, which outlives a new name; where the table itself is another one, and for
//! what a SELECT gives, by its name.

use crate::ident::Ident;
use crate::state::source::SeenColumn;

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Added {
        name: Ident,
    },
    Dropped {
        name: Ident,
    },
    /// Dropped and made again under its name: its values are others.
    Replaced {
        name: Ident,
    },
    Renamed {
        from: Ident,
        to: Ident,
    },
    Retyped {
        name: Ident,
        from: String,
        to: String,
    },
    Labels {
        name: Ident,
        added: Vec<String>,
        gone: Vec<String>,
    },
}

/// What changed, in the order of the columns that were seen; nothing where none were.
pub fn changes(seen: &[SeenColumn], found: &[SeenColumn]) -> Vec<Change> {
    if seen.is_empty() {
        return Vec::new();
    }
    let mut changes = Vec::new();
    let is_same_table = is_same_table(seen, found);
    let is_same = |old: &SeenColumn, new: &SeenColumn| match is_same_table {
        true => old.identity == new.identity,
        false => old.name == new.name,
    };
    for old in seen {
        match found.iter().find(|new| is_same(old, new)) {
            Some(new) => changes.extend(changed(old, new)),
            None if found.iter().any(|new| new.name == old.name) => {
                changes.push(Change::Replaced { name: old.name.clone() });
            }
            None => changes.push(Change::Dropped { name: old.name.clone() }),
        }
    }
    let is_new = |new: &&SeenColumn| {
        let is_replaced = changes.contains(&Change::Replaced { name: new.name.clone() });
        !is_replaced && !seen.iter().any(|old| is_same(old, new))
    };
    let added: Vec<Change> = found.iter().filter(is_new).map(|new| Change::Added { name: new.name.clone() }).collect();
    changes.extend(added);
    changes
}

fn is_same_table(seen: &[SeenColumn], found: &[SeenColumn]) -> bool {
    let table = |columns: &[SeenColumn]| Some(columns.first()?.identity?.table_id);
    table(seen).is_some() && table(seen) == table(found)
}

/// What changed of one column.
fn changed(old: &SeenColumn, new: &SeenColumn) -> Vec<Change> {
    let mut changes = Vec::new();
    if old.name != new.name {
        changes.push(Change::Renamed { from: old.name.clone(), to: new.name.clone() });
    }
    if old.data_type != new.data_type {
        let (from, to) = (old.data_type.clone(), new.data_type.clone());
        changes.push(Change::Retyped { name: new.name.clone(), from, to });
    }
    if let (Some(before), Some(after)) = (&old.labels, &new.labels) {
        let lacking = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|label| !those.contains(label)).cloned().collect()
        };
        let (added, gone) = (lacking(after, before), lacking(before, after));
        if !added.is_empty() || !gone.is_empty() {
            changes.push(Change::Labels { name: new.name.clone(), added, gone });
        }
    }
    changes
}

impl Change {
    /// Whether rows that did not tell of a change may hold other values than the copy.
    pub fn touches_old_rows(&self) -> bool {
        match self {
            Self::Labels { gone, .. } => !gone.is_empty(),
            Self::Added { .. }
            | Self::Dropped { .. }
            | Self::Replaced { .. }
            | Self::Renamed { .. }
            | Self::Retyped { .. } => true,
        }
    }

    /// The column by the name that the project knows.
    pub fn column(&self) -> &Ident {
        match self {
            Self::Renamed { from, .. } => from,
            Self::Added { name }
            | Self::Dropped { name }
            | Self::Replaced { name }
            | Self::Retyped { name, .. }
            | Self::Labels { name, .. } => name,
        }
    }

    /// A sentence's end after "source table x: ".
    pub fn words(&self) -> String {
        let quoted = |labels: &[String]| labels.iter().map(|label| format!("'{label}'")).collect::<Vec<_>>().join(", ");
        let column = self.column().as_str();
        match self {
            Self::Added { .. } => format!("column \"{column}\" is new"),
            Self::Dropped { .. } => format!("column \"{column}\" is gone"),
            Self::Replaced { .. } => format!("column \"{column}\" was dropped and made again"),
            Self::Renamed { to, .. } => format!("column \"{column}\" was renamed to \"{}\"", to.as_str()),
            Self::Retyped { from, to, .. } => format!("column \"{column}\" was {from} and is {to}"),
            Self::Labels { added, gone, .. } if gone.is_empty() => {
                format!("the type of column \"{column}\" has the new labels {}", quoted(added))
            }
            Self::Labels { added, gone, .. } if added.is_empty() => {
                format!("the type of column \"{column}\" no longer has the labels {}", quoted(gone))
            }
            Self::Labels { added, gone, .. } => {
                format!("the type of column \"{column}\" has the labels {} instead of {}", quoted(added), quoted(gone))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::source::Identity;

    fn column(name: &str, number: i16, data_type: &str) -> SeenColumn {
        SeenColumn {
            name: Ident::from_catalog(name),
            identity: Some(Identity { table_id: 7, number }),
            data_type: data_type.to_owned(),
            labels: None,
        }
    }

    fn words(found: &[SeenColumn]) -> Vec<String> {
        let seen = [column("id", 1, "bigint"), column("a", 2, "text"), column("b", 3, "text")];
        changes(&seen, found).iter().map(Change::words).collect()
    }

    #[test]
    fn names_that_were_swapped_are_two_renames() {
        let found = [column("id", 1, "bigint"), column("b", 2, "text"), column("a", 3, "text")];
        assert_eq!(words(&found), ["column \"a\" was renamed to \"b\"", "column \"b\" was renamed to \"a\""]);
    }

    #[test]
    fn a_column_that_was_made_again_is_no_old_one() {
        let found = [column("id", 1, "bigint"), column("b", 3, "text"), column("a", 4, "integer")];
        assert_eq!(words(&found), ["column \"a\" was dropped and made again"]);
        let found = [column("id", 1, "bigint"), column("c", 2, "text"), column("b", 3, "text"), column("a", 4, "text")];
        assert_eq!(words(&found), ["column \"a\" was renamed to \"c\"", "column \"a\" is new"]);
    }

    #[test]
    fn a_table_that_was_made_again_is_compared_by_names() {
        let other = |name: &str, number: i16| {
            let identity = Some(Identity { table_id: 8, number });
            SeenColumn { identity, ..column(name, number, "text") }
        };
        assert_eq!(
            words(&[other("b", 1), other("id", 2), other("c", 3)]),
            ["column \"id\" was bigint and is text", "column \"a\" is gone", "column \"c\" is new"]
        );
        assert_eq!(changes(&[], &[other("b", 1)]), []);
    }
}
