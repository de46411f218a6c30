//! Invariant 6: only what changed is written, and equal means bit-equal.

use crate::harness::Test;

fn written_rows(test: &Test) -> Vec<String> {
    test.query_target("select id from stg_qvp.applicants where _updated_at <> _inserted_at order by id")
}

#[test]
fn a_number_with_another_scale_is_written() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("qvp", "update applicants set amount = 3.00 where id = 2");

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.applicants").wrote(), (0, 1, 0));
    assert_eq!(test.result("bl.person").wrote(), (0, 1, 0));
    assert_eq!(test.value("select amount from app.person where id = 2"), "3.00");
    assert_eq!(written_rows(&test), ["2"]);
}

#[test]
fn white_space_in_json_is_written() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("qvp", "update applicants set extra = '{\"n\"  :  2}' where id = 2");

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.applicants").wrote(), (0, 1, 0));
    assert_eq!(test.value("select extra from stg_qvp.applicants where id = 2"), "{\"n\"  :  2}");
}

#[test]
fn a_row_that_was_rewritten_with_its_own_values_is_left_alone() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let before = test.physical_state();
    test.on_source(
        "qvp",
        "update applicants set name = name; update audit_log set entry = entry, created_at = created_at",
    );
    test.on_source("qvp", "vacuum full applicants");

    test.succeeds(&["run", "--full-refresh"]);

    assert_eq!(test.physical_state(), before);
}

#[test]
fn null_and_the_empty_string_differ() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source(
        "qvp",
        "update applicants set email = '' where id = 1; update applicants set email = null where id = 2",
    );

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.applicants").wrote(), (0, 2, 0));
    assert_eq!(test.query_target("select email from app.person where id in (1, 2) order by id"), ["", "∅"]);
}

#[test]
fn the_times_of_untouched_rows_stay() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let times = "select id, _inserted_at, _updated_at, _batch_id from stg_qvp.applicants where id <> 2 order by id";
    let before = test.query_target(times);
    test.on_source("qvp", "update applicants set name = 'other' where id = 2");

    test.succeeds(&["run"]);

    assert_eq!(test.query_target(times), before);
    assert_eq!(written_rows(&test), ["2"]);
}
