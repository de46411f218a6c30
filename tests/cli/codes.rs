//! Each diagnostic code is shown by a project in `tests/projects/`, or by a test here where only a server finds it.

use unimig::diagnostic::Code;

use crate::wrong_input::broken_projects;

const SERVER_MISTAKES: &str = include_str!("server_mistakes.rs");
const INCREMENTAL: &str = include_str!("incremental.rs");
const CONTRACTS: &str = include_str!("contracts.rs");
const CROSSWALKS: &str = include_str!("crosswalks/mistakes.rs");
const BAD_ROWS: &str = include_str!("application/bad_rows.rs");
const EDITS: &str = include_str!("application/edits.rs");
const TRIGGERS: &str = include_str!("application/triggers.rs");
const CHECK: &str = include_str!("check.rs");
const DRIFT: &str = include_str!("drift.rs");
const PLAN: &str = include_str!("plan.rs");
const READ_ONLY: &str = include_str!("read_only.rs");
const REMOVALS: &str = include_str!("removals.rs");
const QUARANTINE: &str = include_str!("quarantine.rs");
const STRATEGIES: &str = include_str!("strategies.rs");
const CHECKSUMS: &str = include_str!("checksums.rs");
const NEVER_DESTRUCTIVE: &str = include_str!("never_destructive.rs");

/// Codes that a server's answer decides, and the tests that provoke them.
const ON_A_SERVER: &[(Code, &str, &str)] = &[
    (Code::SqlError, SERVER_MISTAKES, "a_refused_select_is_shown_at_its_place_in_the_model"),
    (Code::UnknownTargetTable, SERVER_MISTAKES, "a_target_table_that_does_not_exist_is_told_before_anything_runs"),
    (Code::UnknownTargetColumn, SERVER_MISTAKES, "a_column_that_the_target_does_not_have_is_told"),
    (Code::MissingKeyColumn, SERVER_MISTAKES, "a_select_without_the_key_is_told"),
    (Code::DuplicateKey, SERVER_MISTAKES, "duplicate_keys_are_listed"),
    (Code::BadRows, BAD_ROWS, "without_leave_or_above_the_limit_the_rules_are_named_and_nothing_changes"),
    (Code::EditedInTarget, EDITS, "an_edit_stops_a_model_that_says_fail_and_its_keys_are_told"),
    (Code::UnfitTarget, TRIGGERS, "row_security_rules_and_views_are_refused_with_their_reason"),
    (Code::NotOurs, NEVER_DESTRUCTIVE, "a_table_in_the_way_of_a_table_model_is_refused"),
    (Code::UnknownSourceTable, SERVER_MISTAKES, "a_missing_source_table_is_told"),
    (Code::UnknownSourceColumn, SERVER_MISTAKES, "a_missing_source_column_is_told"),
    (Code::MissingRequiredColumn, CHECK, "a_column_that_every_new_row_needs_is_a_warning"),
    (Code::StalePlan, PLAN, "a_saved_plan_is_carried_out_only_while_nothing_moves"),
    (Code::WritableSource, READ_ONLY, "a_role_that_could_write_is_told_and_refused_where_that_is_asked"),
    (Code::UnknownColumns, CHECK, "columns_of_a_source_that_nobody_can_tell_are_asked_for"),
    (Code::ChangedColumn, SERVER_MISTAKES, "a_column_that_changed_its_type_is_told"),
    (Code::SourceChanged, DRIFT, "swapped_names_are_seen_and_no_value_gets_into_another_column"),
    (Code::TooManyDeletes, REMOVALS, "a_source_that_lost_much_of_a_table_is_looked_at_by_a_person_first"),
    (Code::TooManyRefused, QUARANTINE, "without_leave_or_above_the_limit_the_process_fails_and_nothing_is_changed"),
    (Code::OldBatch, STRATEGIES, "an_old_batch_is_loaded_again_unless_later_ones_have_changed_its_rows"),
    (Code::BrokenBatch, CHECKSUMS, "a_select_that_gives_other_values_each_time_says_what_to_do"),
    (Code::BrokenContract, CONTRACTS, "a_select_that_breaks_its_contract_changes_nothing"),
    (Code::CrosswalkConflict, CROSSWALKS, "another_key_does_not_forget_the_ids_of_the_first"),
    (Code::SchemaChanged, INCREMENTAL, "a_changed_select_changes_the_table_as_on_schema_change_says"),
];

fn project_of(code: Code) -> String {
    format!("broken_{}", code.as_str().replace('-', "_"))
}

#[test]
fn every_code_is_provoked_by_a_project_or_a_test() {
    let projects = broken_projects();
    for code in Code::ALL {
        let on_a_server = ON_A_SERVER.iter().find(|(known, ..)| known == code);
        match on_a_server {
            Some((_, file, test)) => assert!(file.contains(&format!("fn {test}()")), "{code}: no test {test}"),
            None => assert!(projects.contains(&project_of(*code)), "{code}: no tests/projects/{}", project_of(*code)),
        }
    }
}

#[test]
fn every_broken_project_is_of_a_code() {
    for project in broken_projects() {
        let is_known = Code::ALL.iter().any(|code| project_of(*code) == project);
        assert!(is_known, "tests/projects/{project} is an orphan: its name is of no code");
    }
}
