//! Invariant 3: a failed process stops no other and spoils no other.

use crate::harness::Test;

#[test]
fn a_dropped_source_table_leaves_its_neighbours_and_the_last_good_state() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("qvp", "drop table applicants");
    test.on_source("svp", "insert into labors (id, full_name) values (99, 'new')");

    let outcome = test.run(&["run"]).exit(1);

    outcome
        .stderr_has("source \"qvp\" has no table public.applicants")
        .stderr_has("bl.person runs on stg.qvp.applicants as of")
        .stderr_has("built on its state of");
    assert_eq!(test.result("stg.qvp.applicants").status, "failed");
    assert_eq!(test.result("stg.svp.labors").wrote(), (1, 0, 0));
    assert_eq!(test.result("bl.person").wrote(), (1, 0, 0));
    assert_eq!(test.value("select count(*) from stg_qvp.applicants_live"), "50");
}

#[test]
fn an_unreachable_source_stops_only_what_reads_it() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.connection("qvp", "{type: postgres, host: /nowhere, user: unimig, dbname: gone}");
    test.on_source("svp", "insert into labors (id, full_name) values (99, 'new')");

    test.run(&["run"]).exit(3).stderr_has("could not connect to \"qvp\"");

    assert_eq!(test.result("stg.qvp.applicants").status, "failed");
    assert_eq!(test.result("stg.qvp.audit_log").status, "failed");
    assert_eq!(test.result("stg.svp.labors").wrote(), (1, 0, 0));
    assert_eq!(test.result("bl.person").wrote(), (1, 0, 0));
}

#[test]
fn on_error_skip_leaves_out_what_is_below() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("qvp", "drop table applicants");
    test.on_source("svp", "insert into labors (id, full_name) values (99, 'new')");

    test.run(&["run", "--on-error", "skip"]).exit(1).stderr_has("skipped because of it: bl.person");

    assert_eq!(test.result("stg.svp.labors").wrote(), (1, 0, 0));
    assert_eq!(test.result("bl.person").status, "skipped");
    assert_eq!(test.result("bl.audit").status, "unchanged");
    assert_eq!(test.value("select count(*) from app.person"), "90");
}

#[test]
fn a_model_above_a_table_that_was_never_loaded_is_skipped() {
    let test = Test::sample();
    test.on_source("qvp", "drop table applicants");

    test.run(&["run"]).exit(1).stderr_has("has never been loaded");

    assert_eq!(test.result("bl.person").status, "skipped");
    assert_eq!(test.result("bl.audit").wrote(), (200, 0, 0));
    assert_eq!(test.value("select count(*) from app.person"), "0");
}

#[test]
fn a_failed_model_stops_only_what_reads_it() {
    let test = Test::sample();
    test.write(
        "models/bl/audit.sql",
        "{{ config(materialized='table') }}\nselect 1 / (id - id) as x from {{ source('qvp', 'audit_log') }}\n",
    );
    test.write("models/bl/above.sql", "{{ config(materialized='view') }}\nselect * from {{ ref('audit') }}\n");

    test.run(&["run"]).exit(1).stderr_has("division by zero");

    assert_eq!(test.result("bl.audit").status, "failed");
    assert_eq!(test.result("bl.above").status, "skipped");
    assert_eq!(test.result("bl.person").wrote(), (90, 0, 0));
    assert_eq!(test.result("bl.people").status, "ok");
}
