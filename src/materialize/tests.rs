//! The statements as they are sent, kept as golden files beside this one; the command line's tests run them twice.

mod snapshot;

use std::sync::Arc;

use super::given::{GivenColumn, ValueTest};
use super::incremental::{self, IncrementalShape, IncrementalStatements, Width};
use super::merge::{ColumnFault, MergeShape, statements};
use super::stage::{StageShape, StagedColumn};
use super::upkeep::{Carried, RelationKind};
use super::{FilledBy, TargetColumn, TargetTable, contract, table, upkeep, view};
use crate::compile::CompiledSql;
use crate::diagnostic::{SourceFile, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::{
    Constraint, Contract, ContractColumn, Deletes, IncrementalConfig, IncrementalStrategy, IndexConfig, Logging,
    MergeUpdates, PersistDocs, StageNode, Strategy, Uniqueness, Upkeep,
};
use crate::project::ConstraintKind;

fn ident(name: &str) -> Ident {
    Ident::new(name).expect("a valid name")
}

fn relation(schema: &str, name: &str) -> Relation {
    Relation::new(ident(schema), ident(name))
}

fn select() -> CompiledSql {
    CompiledSql { text: "select 1 as id, 'x' as name".to_owned(), origins: Vec::new() }
}

fn person() -> TargetTable {
    let column = |name: &str, data_type: &str, filled| TargetColumn {
        name: ident(name),
        data_type: data_type.to_owned(),
        filled,
    };
    TargetTable {
        relation: relation("app", "Person"),
        columns: vec![
            column("id", "bigint", FilledBy::IdentityAlways),
            column("name", "character varying(200)", FilledBy::Default),
            column("order", "integer", FilledBy::Default),
            column("initials", "text", FilledBy::Expression),
            column("deleted_at", "timestamp with time zone", FilledBy::Default),
        ],
        primary_key: vec![ident("id")],
        triggers: Vec::new(),
    }
}

fn merged(deletes: &Deletes, selected: &[&str]) -> Result<String, Vec<ColumnFault>> {
    let (target, node) = (person(), NodeName::model("person"));
    let selected: Vec<Ident> = selected.iter().map(|name| ident(name)).collect();
    let shape = MergeShape { node: &node, target: &target, unique_key: &[], deletes, selected: &selected };
    let columns: Vec<GivenColumn> = shape
        .selected
        .iter()
        .filter_map(|name| target.column(name))
        .map(|column| GivenColumn {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            held_as: column.data_type.clone(),
            test: ValueTest::Fits,
        })
        .collect();
    let statements = statements(shape, &columns, &select())?;
    let all = [
        Some(statements.create_staged),
        Some(statements.fill_staged.sql),
        Some(statements.analyze_staged),
        Some(statements.bad_keys),
        Some(statements.create_written),
        Some(statements.find_changes),
        Some(statements.write),
        statements.revive,
        statements.delete,
    ];
    Ok(all.into_iter().flatten().map(|sql| sql.trim_end().to_owned()).collect::<Vec<_>>().join(";\n\n"))
}

#[test]
fn a_merge_names_only_the_columns_of_the_select() {
    let sql = merged(&Deletes::Keep, &["id", "name", "order"]).expect("columns that fit");
    insta::assert_snapshot!("merge_keep", sql);
}

#[test]
fn a_merge_with_hard_deletes_removes_only_what_it_inserted() {
    let sql = merged(&Deletes::Hard, &["id", "name"]).expect("columns that fit");
    insta::assert_snapshot!("merge_hard", sql);
}

#[test]
fn a_merge_with_soft_deletes_marks_and_revives() {
    let sql = merged(&Deletes::Soft { column: ident("deleted_at") }, &["id", "name"]).expect("columns that fit");
    insta::assert_snapshot!("merge_soft", sql);
}

#[test]
fn a_merge_of_keys_alone_updates_nothing() {
    let sql = merged(&Deletes::Keep, &["id"]).expect("columns that fit");
    assert!(!sql.contains("update app"), "{sql}");
}

#[test]
fn every_fault_of_the_columns_is_told() {
    let faults = merged(&Deletes::Soft { column: ident("removed_at") }, &["name", "name", "initials", "nickname"]);
    let expected = vec![
        ColumnFault::Twice(ident("name")),
        ColumnFault::Computed(ident("initials")),
        ColumnFault::Unknown(ident("nickname")),
        ColumnFault::NoKey(ident("id")),
        ColumnFault::DeletedColumn(ident("removed_at")),
    ];
    assert_eq!(faults, Err(expected));
}

fn labors() -> StageNode {
    let file = Arc::new(SourceFile { path: "sources/svp.yml".into(), text: "sources:\n".to_owned(), written: None });
    StageNode {
        name: NodeName::stage("svp", "labors"),
        source: "svp".to_owned(),
        table: "labors".to_owned(),
        description: String::new(),
        connection: "svp".to_owned(),
        source_relation: relation("public", "labors"),
        stg_relation: relation("stg_svp", "labors"),
        live_relation: relation("stg_svp", "labors_live"),
        key: vec![ident("id")],
        strategy: Strategy::Full,
        removals: crate::manifest::Removals::default(),
        alarm: None,
        drift: crate::manifest::DriftPolicy::default(),
        checksum: crate::manifest::Checksum::default(),
        quarantine: None,
        columns: Vec::new(),
        extraction: None,
        properties: crate::manifest::SourceProperties::default(),
        declared_at: Span::whole(&file),
        limits_at: crate::manifest::LimitPlaces {
            max_deletes: Span::whole(&file),
            quarantine_rows: Span::whole(&file),
            quarantine_percent: Span::whole(&file),
        },
    }
}

#[test]
fn a_batch_passes_through_staging() {
    let node = labors();
    let column = |name: &str, data_type: &str| StagedColumn { name: ident(name), data_type: data_type.to_owned() };
    let columns = [column("id", "bigint"), column("Full name", "text"), column("data", "json")];
    let shape = StageShape { node: &node, columns: &columns, batch_id: 1_763_000_000_000_000 };
    let names: Vec<&Ident> = columns.iter().map(|column| &column.name).collect();
    let mut all = shape.create_table();
    all.extend(shape.create_view(&names));
    all.extend([
        shape.empty_for_freeze(),
        shape.copy_freeze(),
        shape.finish_first_load(),
        shape.add_column(&column("added", "integer")),
        shape.create_incoming(),
        shape.copy_incoming(),
        shape.analyze_incoming(),
        shape.merge(),
        shape.bury(None),
        shape.rows_written(),
    ]);
    insta::assert_snapshot!("stage", all.join(";\n\n"));

    let removals = crate::manifest::Removals { column: Some(ident("data")), ..Default::default() };
    let node = StageNode { removals, ..node.clone() };
    let shape = StageShape { node: &node, ..shape };
    let marked = [
        shape.bury_first_load().unwrap_or_default(),
        shape.merge(),
        shape.newly_gone().unwrap_or_default(),
        shape.create_swept(),
        shape.copy_swept(),
        shape.bury_swept(),
        shape.unknown_swept(),
        shape.bury(Some("id < '5'")),
        shape.turned_back(17, crate::store::BatchKind::Full),
    ];
    insta::assert_snapshot!("stage_with_marks", marked.join(";\n\n"));
}

#[test]
fn a_batch_without_a_key_is_compared_whole() {
    let node = StageNode { key: Vec::new(), ..labors() };
    let column = |name: &str, data_type: &str| StagedColumn { name: ident(name), data_type: data_type.to_owned() };
    let columns = [column("id", "bigint"), column("Full name", "text"), column("data", "json")];
    let shape = StageShape { node: &node, columns: &columns, batch_id: 1_763_000_000_000_000 };
    let keyless = [
        shape.finish_first_load(),
        shape.create_difference(),
        shape.analyze_difference(),
        shape.surplus(),
        shape.insert_missing(),
        shape.bury_too_many(),
        shape.written_later(17),
    ];
    insta::assert_snapshot!("keyless", keyless.join(";\n\n"));
}

#[test]
fn a_contract_makes_columns_and_constraints() {
    let file = Arc::new(SourceFile { path: "models/fact.yml".into(), text: String::new(), written: None });
    let of = |kind: ConstraintKind, columns: &[&str]| Constraint {
        kind,
        name: None,
        expression: None,
        columns: columns.iter().map(|name| ident(name)).collect(),
        to: None,
        refers_to: None,
        to_columns: Vec::new(),
        declared_at: Span::whole(&file),
    };
    let column = |name: &str, data_type: &str, constraints: Vec<Constraint>| ContractColumn {
        name: ident(name),
        data_type: data_type.to_owned(),
        constraints,
        declared_at: Span::whole(&file),
    };
    let check = Constraint { expression: Some("\"Size\" > 0".to_owned()), ..of(ConstraintKind::Check, &[]) };
    let reference = Constraint {
        refers_to: Some(relation("app", "Kind")),
        to_columns: vec![ident("id")],
        name: Some(ident("of_kind")),
        ..of(ConstraintKind::ForeignKey, &["kind"])
    };
    let contract = Contract {
        columns: vec![
            column("id", "bigint", vec![of(ConstraintKind::NotNull, &[]), of(ConstraintKind::PrimaryKey, &[])]),
            column("Size", "numeric(10, 2)", vec![check]),
            column("kind", "integer", Vec::new()),
        ],
        constraints: vec![of(ConstraintKind::Unique, &["kind", "Size"]), reference],
    };
    let made = relation("app", "fact");

    let build = contract::build(&contract, &select());

    let create = contract::create(&made, &contract, Logging::Unlogged);
    let all = [build.create, build.fill.sql, create, contract::insert(&made, &contract)];
    insta::assert_snapshot!("contract", all.map(|sql| sql.trim_end().to_owned()).join(";\n\n"));
    let other = Contract { constraints: Vec::new(), ..contract.clone() };
    assert_ne!(contract::seal(&contract), contract::seal(&other));
}

#[test]
fn a_table_and_a_view_say_who_made_them() {
    let (node, made) = (NodeName::model("left_out"), relation("reporting", "left_out"));
    let table = table::statements(&node, &made, (Logging::Logged, None));
    let view = view::statements(&node, &made, &select());
    let all = [
        table::build(&select()).sql,
        table.compare,
        table.create,
        table.replace_rows,
        table.drop,
        table.mark,
        view.create.sql,
        view.mark,
        view.drop,
    ];
    insta::assert_snapshot!("table_and_view", all.map(|sql| sql.trim_end().to_owned()).join(";\n\n"));
}

fn brought_in(config: &IncrementalConfig, width: Width) -> String {
    let columns: Vec<StagedColumn> = [("id", "bigint"), ("order", "integer"), ("name", "character varying(20)")]
        .map(|(name, data_type)| StagedColumn { name: ident(name), data_type: data_type.to_owned() })
        .into();
    let table = relation("app", "Person");
    let shape = IncrementalShape { config, table: &table, columns: &columns, width };
    let statements = match incremental::statements(shape) {
        IncrementalStatements::Append { insert } => vec![Some(insert)],
        IncrementalStatements::DeleteInsert { note_same, delete, insert } => {
            vec![note_same, Some(delete), Some(insert)]
        }
        IncrementalStatements::Merge { changing_keys, count_new, merge } => {
            vec![changing_keys, Some(count_new), Some(merge)]
        }
    };
    statements.into_iter().flatten().map(|sql| sql.trim_end().to_owned()).collect::<Vec<_>>().join(";\n\n")
}

#[test]
fn rows_are_brought_in_in_dbts_three_ways() {
    let config = |strategy, keys: &[&str], updates| IncrementalConfig {
        unique_key: keys.iter().map(|key| (*key).to_owned()).collect(),
        strategy,
        updates,
        predicates: vec!["dbt_internal_dest.id > 7".to_owned(), "true or false".to_owned()],
        ..IncrementalConfig::default()
    };
    let append = config(IncrementalStrategy::Append, &[], MergeUpdates::All);
    insta::assert_snapshot!("incremental_append", brought_in(&append, Width::WholeRow));
    let replace = config(IncrementalStrategy::DeleteInsert, &["id", "lower(name)"], MergeUpdates::All);
    insta::assert_snapshot!("incremental_delete_insert", brought_in(&replace, Width::WholeRow));
    insta::assert_snapshot!("incremental_delete_insert_of_some_columns", brought_in(&replace, Width::SomeColumns));
    let merge = config(IncrementalStrategy::Merge, &["id", "name"], MergeUpdates::AllBut(vec![ident("ID")]));
    insta::assert_snapshot!("incremental_merge", brought_in(&merge, Width::WholeRow));
    let keyless = config(IncrementalStrategy::Merge, &[], MergeUpdates::All);
    insta::assert_snapshot!("incremental_merge_without_key", brought_in(&keyless, Width::WholeRow));
}

#[test]
fn only_what_is_missing_or_too_much_is_written() {
    let node = NodeName::model("fact");
    let relation = relation("app", "Fact");
    let index = IndexConfig {
        columns: vec!["id".to_owned(), "lower(name)".to_owned()],
        uniqueness: Uniqueness::Unique,
        method: Some(ident("btree")),
    };
    let upkeep = Upkeep {
        indexes: vec![index.clone()],
        grants: Some([("select".to_owned(), [ident("reader"), ident("Auditor")].into())].into()),
        logging: Logging::Unlogged,
        docs: PersistDocs { relation: true, columns: true },
    };
    let subject = upkeep::Subject {
        node: &node,
        relation: &relation,
        kind: RelationKind::Table,
        upkeep: &upkeep,
        description: "What it\'s about.",
        columns: &[],
    };
    let bare = Carried {
        indexes: ["Fact_000000000000".to_owned()].into(),
        grants: [("insert".to_owned(), ident("reader")), ("select".to_owned(), ident("public"))].into(),
        ..Carried::default()
    };
    insta::assert_snapshot!("upkeep", upkeep::statements(subject, &bare).join(";\n\n"));
    let kept_up = Carried {
        indexes: [upkeep::index_name(&relation, &index).as_str().to_owned()].into(),
        grants: [("select".to_owned(), ident("reader")), ("select".to_owned(), ident("Auditor"))].into(),
        logging: Logging::Unlogged,
        comment: "What it\'s about.\nmade by unimig: bl.fact".to_owned(),
        ..Carried::default()
    };
    assert_eq!(upkeep::statements(subject, &kept_up), Vec::<String>::new());
}
