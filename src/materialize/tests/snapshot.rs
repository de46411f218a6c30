//! The statements of snapshots, as they are sent.

use super::{ident, relation, select};
use crate::manifest::{CheckColumns, HardDeletes, MetaNames, SnapshotConfig, SnapshotStrategy};
use crate::materialize::snapshot::{self, Changed};

fn shown(config: &SnapshotConfig, changed: Changed<'_>) -> String {
    let (table, columns, held) = (relation("app", "Kept"), [ident("id"), ident("new")], [ident("id")]);
    let statements = snapshot::statements((config, &table), (&columns, &held), changed);
    let all = [
        Some(snapshot::first_select(config, &select()).text),
        Some(snapshot::build(config, &select()).sql),
        Some(statements.hold),
        statements.note_gone,
        Some(statements.note_arriving),
        Some(statements.note_ending),
        Some(statements.end),
        Some(statements.begin),
        statements.begin_deleted,
    ];
    all.into_iter().flatten().map(|sql| sql.trim_end().to_owned()).collect::<Vec<_>>().join(";\n\n")
}

#[test]
fn versions_end_and_begin() {
    let later = SnapshotConfig {
        unique_key: vec!["id".to_owned()],
        strategy: SnapshotStrategy::Timestamp { updated_at: "changed".to_owned() },
        hard_deletes: HardDeletes::Ignore,
        valid_to_current: None,
        names: MetaNames::default(),
    };
    insta::assert_snapshot!("snapshot_timestamp", shown(&later, Changed::Later));
    let watched = SnapshotConfig {
        unique_key: vec!["id".to_owned(), "lower(name)".to_owned()],
        strategy: SnapshotStrategy::Check { columns: CheckColumns::All, updated_at: None },
        hard_deletes: HardDeletes::NewRecord,
        valid_to_current: Some("'9999-12-31'::timestamp".to_owned()),
        names: MetaNames { valid_to: ident("Until"), ..MetaNames::default() },
    };
    insta::assert_snapshot!("snapshot_check", shown(&watched, Changed::In(&[ident("id"), ident("order")])));
}
