//! Mistakes that only a server finds: told at their place in the user's file, and nothing is changed by them.

use crate::harness::Test;

/// The failures whose whole text is kept.
pub const SNAPSHOTS: &[&str] = &[
    "sql_error",
    "sql_error_in_ephemeral",
    "sql_error_after_letters",
    "sql_error_in_extraction",
    "sql_error_in_test",
    "unknown_target_table",
    "unknown_target_column",
    "missing_key_column",
    "duplicate_key",
    "unknown_source_table",
    "unknown_source_column",
    "changed_column",
    "generated_column",
    "missing_privilege",
];

#[track_caller]
fn keep(name: &str, text: &str) {
    assert!(SNAPSHOTS.contains(&name), "{name} is not listed");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

fn person(test: &Test, model: &str) {
    test.write("models/bl/person.sql", model);
}

#[test]
fn a_refused_select_is_shown_at_its_place_in_the_model() {
    let test = Test::sample();
    person(&test, "select\n    a.id,\n    a.nmae as name\nfrom {{ source('qvp', 'applicants') }} as a\n");

    let outcome = test.run(&["run"]).exit(1);

    keep("sql_error", &outcome.failures());
    assert_eq!(test.value("select count(*) from app.person"), "0");
}

#[test]
fn a_refused_select_of_an_ephemeral_model_is_shown_in_its_own_file() {
    let test = Test::sample();
    test.write(
        "models/bl/tidy_person.sql",
        "{{ config(materialized='ephemeral') }}\nselect\n    id,\n    upper(nmae) as name\nfrom {{ ref('person') }}\n",
    );

    let outcome = test.run(&["run"]).exit(1);

    keep("sql_error_in_ephemeral", &outcome.failures());
}

#[test]
fn a_place_after_letters_of_many_bytes_is_exact() {
    let test = Test::sample();
    person(&test, "select 'اسم 🙂 é' as note, a.id, a.name, nope\nfrom {{ source('qvp', 'applicants') }} as a\n");

    let outcome = test.run(&["run"]).exit(1);

    keep("sql_error_after_letters", &outcome.failures());
}

#[test]
fn a_refused_extraction_is_shown_in_its_file() {
    let test = Test::sample();
    test.write("models/stg/qvp/applicants.sql", "select\n    id,\n    nmae\nfrom {{ source('qvp', 'applicants') }}\n");

    let outcome = test.run(&["run", "--select", "stg.qvp.applicants"]).exit(1);

    keep("sql_error_in_extraction", &outcome.failures());
}

#[test]
fn a_refused_test_is_shown_in_its_file() {
    let test = Test::sample();
    test.write("tests/nobody_is_nameless.sql", "select *\nfrom {{ ref('person') }}\nwhere nmae is null\n");
    test.succeeds(&["run"]);

    let outcome = test.run(&["test"]).exit(1);

    keep("sql_error_in_test", &outcome.failures());
}

#[test]
fn a_target_table_that_does_not_exist_is_told_before_anything_runs() {
    let test = Test::sample();
    test.write("models/bl/persn.sql", "select 1 as id\n");

    let outcome = test.run(&["run"]).exit(2);

    keep("unknown_target_table", outcome.stderr.trim());
    assert_eq!(test.tables(), ["app.person"]);
    assert_eq!(test.value("select to_regnamespace('unimig') is null"), "t");
}

#[test]
fn a_column_that_the_target_does_not_have_is_told() {
    let test = Test::sample();
    person(
        &test,
        "select\n    a.id,\n    a.name,\n    a.email as emial\nfrom {{ source('qvp', 'applicants') }} as a\n",
    );

    let outcome = test.run(&["run"]).exit(1);

    keep("unknown_target_column", &outcome.failures());
    assert_eq!(test.value("select count(*) from app.person"), "0");
}

#[test]
fn a_select_without_the_key_is_told() {
    let test = Test::sample();
    person(&test, "select a.name from {{ source('qvp', 'applicants') }} as a\n");

    let outcome = test.run(&["run"]).exit(1);

    keep("missing_key_column", &outcome.failures());
}

#[test]
fn duplicate_keys_are_listed() {
    let test = Test::sample();
    person(&test, "select a.id % 20 as id, a.name from {{ source('qvp', 'applicants') }} as a\n");

    let outcome = test.run(&["run"]).exit(1);

    keep("duplicate_key", &outcome.failures());
    assert_eq!(test.value("select count(*) from app.person"), "0");
}

#[test]
fn a_null_key_is_listed_too() {
    let test = Test::sample();
    person(&test, "select nullif(a.id, 7) as id, a.name from {{ source('qvp', 'applicants') }} as a\n");

    test.run(&["run"]).exit(1).stderr_has("(NULL)");
}

#[test]
fn a_missing_source_table_is_told() {
    let test = Test::sample();
    test.on_source("qvp", "alter table applicants rename to applicant");

    let outcome = test.run(&["run", "--select", "stg.qvp.applicants"]).exit(1);

    keep("unknown_source_table", &outcome.failures());
}

#[test]
fn a_missing_source_column_is_told() {
    let test = Test::sample();
    test.on_source("qvp", "alter table audit_log rename updated_at to changed_at");

    let outcome = test.run(&["run", "--select", "stg.qvp.audit_log"]).exit(1);

    keep("unknown_source_column", &outcome.failures());
}

#[test]
fn a_column_that_changed_its_type_is_told() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("qvp", "alter table applicants alter amount type double precision");
    let before = test.rows_digest("stg_qvp.applicants");

    let outcome = test.run(&["run", "--select", "stg.qvp.applicants"]).exit(1);

    keep("changed_column", &outcome.failures());
    assert_eq!(test.rows_digest("stg_qvp.applicants"), before);
}

#[test]
fn a_new_source_column_is_added_and_filled_for_every_row() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("qvp", "alter table audit_log add level integer default 7");

    test.succeeds(&["run"]);

    assert_eq!(test.value("select count(*) from stg_qvp.audit_log_live where level = 7"), "200");
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn a_generated_column_is_refused() {
    let test = Test::sample();
    test.on_target("alter table app.person add shout text generated always as (upper(name)) stored");
    person(&test, "select a.id, a.name, a.name as shout from {{ source('qvp', 'applicants') }} as a\n");

    let outcome = test.run(&["run"]).exit(1);

    keep("generated_column", &outcome.failures());
}

#[test]
fn a_missing_privilege_is_told_with_what_to_do() {
    let test = Test::sample();
    let place = test.place("qvp").replace("user: unimig", "user: reader");
    test.connection("qvp", &place);
    test.on_source("qvp", "grant select on audit_log to reader");

    let outcome = test.run(&["run", "--select", "stg.qvp.*"]).exit(1);

    keep("missing_privilege", &outcome.failures());
    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (200, 0, 0));
    test.run(&["debug"]).exit(1).stdout_has("applicants");
}

#[test]
fn a_row_that_the_target_refuses_rolls_the_whole_merge_back() {
    let test = Test::sample().target_sql("alter table app.person add check (id <> 33)");

    let outcome = test.run(&["run"]).exit(1).stderr_has("error[bad-rows]");

    outcome.stderr_has("bl.person failed");
    assert_eq!(test.value("select count(*) from app.person"), "0");
    assert_eq!(test.result("bl.people").status, "skipped");
}
