//! Invariant 8: safe to launch twice.

use crate::harness::{PERSON_TABLE, Session, Test};

const IN_THIS_DATABASE: &str = "database = (select oid from pg_database where datname = current_database())";

/// Somebody else's session, which holds a target.
fn holder(test: &Test, target: &str) -> Session {
    let holder = test.session("target");
    holder.execute("set application_name = 'somebody else'");
    holder.execute(&format!("select pg_advisory_lock(hashtextextended('unimig:' || '{target}', 0))"));
    holder
}

#[test]
fn two_runs_at_once_reach_the_state_of_one() {
    let test = Test::sample();
    let twin = test.twin(PERSON_TABLE);

    let first = test.start(&["run"]);
    let second = test.start(&["run"]);
    first.wait().exit(0);
    second.wait().exit(0);
    twin.succeeds(&["run"]);

    assert_eq!(test.state(), twin.state());
    assert_eq!(test.value("select count(*) from stg_qvp.applicants"), "50");
}

#[test]
fn a_run_that_may_not_wait_says_who_holds_the_target() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("svp", "insert into labors (id, full_name) values (99, 'new')");
    let _holder = holder(&test, "app.person");

    test.run(&["run", "--lock-wait", "0"])
        .exit(1)
        .stderr_has("app.person is in use by \"somebody else\"")
        .stderr_has("--lock-wait");

    assert_eq!(test.result("bl.person").status, "failed");
    assert_eq!(test.result("stg.svp.labors").wrote(), (1, 0, 0));
}

#[test]
fn a_run_waits_for_the_target_and_then_goes_on() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("svp", "insert into labors (id, full_name) values (99, 'new')");
    let holder = holder(&test, "app.person");
    let run = test.start(&["run"]);
    holder.wait_until(&format!(
        "exists (select from pg_locks where locktype = 'advisory' and not granted and {IN_THIS_DATABASE})"
    ));

    holder.execute("select pg_advisory_unlock_all()");

    run.wait().exit(0).stderr_has("bl.person waits up to");
    assert_eq!(test.result("bl.person").wrote(), (1, 0, 0));
}

#[test]
fn a_view_that_another_process_is_at_work_on_is_not_made_again_with_its_table() {
    let test = Test::new();
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect 1 as id\n");
    test.write("models/bl/look.sql", "{{ config(materialized='view') }}\nselect id from {{ ref('fact') }}\n");
    test.succeeds(&["run"]);
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect 1 as id, 2 as size\n");
    let holder = holder(&test, "app.look");

    test.run(&["run", "--select", "bl.fact"])
        .exit(1)
        .stderr_has("app.look is in use by \"somebody else\"")
        .stderr_has("made again with what it reads");

    assert_eq!(test.query_target("select * from app.fact"), ["1"]);
    holder.execute("select pg_advisory_unlock_all()");
    test.succeeds(&["run", "--select", "bl.fact"]);
    assert_eq!(test.query_target("select size from app.fact"), ["2"]);
    let left = format!("select count(*) from pg_locks where locktype = 'advisory' and {IN_THIS_DATABASE}");
    assert_eq!(test.value(&left), "0");
}

#[test]
fn the_holder_is_named_by_its_process_and_since_when() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let blocker = test.session("qvp");
    blocker.execute("begin; lock table applicants in access exclusive mode");
    let first = test.start(&["run", "--select", "stg.qvp.applicants"]);
    test.session("qvp").wait_until(&format!("exists (select from pg_locks where not granted and {IN_THIS_DATABASE})"));

    test.run(&["run", "--select", "stg.qvp.applicants", "--lock-wait", "0"])
        .exit(1)
        .stderr_has("stg_qvp.applicants is in use by process \"stg.qvp.applicants\"")
        .stderr_has("since 20");

    blocker.execute("rollback");
    first.wait().exit(0);
}
