//! Invariant 2: running anything twice leaves the second run with nothing to do.

use crate::harness::Test;

#[test]
fn a_second_run_writes_nothing_anywhere() {
    let test = Test::sample();
    test.succeeds(&["seed"]);
    test.succeeds(&["run"]);
    let before = test.physical_state();

    test.succeeds(&["seed"]);
    assert_eq!(test.result("seed.codes").wrote(), (0, 0, 0));
    test.succeeds(&["run"]);

    test.wrote_nothing();
    assert_eq!(test.physical_state(), before);
}

#[test]
fn a_full_refresh_of_an_unchanged_source_writes_nothing() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let before = test.physical_state();

    test.succeeds(&["run", "--full-refresh"]);

    assert_eq!(test.result("stg.qvp.audit_log").extracted, 200);
    assert_eq!(test.physical_state(), before);
}

#[test]
fn the_first_run_writes_every_row_once() {
    let test = Test::sample();

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.applicants").wrote(), (50, 0, 0));
    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (200, 0, 0));
    assert_eq!(test.result("bl.person").wrote(), (90, 0, 0));
    assert_eq!(test.query_target("select * from app.person_count"), ["90|APPLICANT 1"]);
    assert_eq!(test.query_target("select count(*) from app.people"), ["90"]);
}
