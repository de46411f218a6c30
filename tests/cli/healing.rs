//! Invariant 4: after the cause is mended the ordinary run reaches the state that would have been reached without it.

use crate::harness::{PERSON_TABLE, Test};

const CHANGES: &str = "
    update applicants set email = 'changed@example.org' where id % 7 = 0;
    delete from applicants where id = 3;
    insert into applicants (name, email) values ('late', null);
    update audit_log set entry = 'changed', updated_at = now() where id = 5;
    insert into audit_log (id, entry) values (1000, 'new');
";

#[test]
fn a_mended_model_reaches_the_state_of_a_run_that_never_failed() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let good = std::fs::read_to_string(test.path().join("models/bl/person.sql")).expect("the model is there");
    test.write("models/bl/person.sql", "select id, name, 1 / 0 as amount from {{ source('qvp', 'applicants') }}\n");
    test.on_source("qvp", CHANGES);
    test.run(&["run"]).exit(1);
    test.write("models/bl/person.sql", &good);
    let twin = test.twin(PERSON_TABLE);

    test.succeeds(&["run"]);
    twin.succeeds(&["run"]);

    // A row that the models stopped giving stays in the application's table: deletes are kept there by default.
    test.on_target("delete from app.person where id = 3");
    test.succeeds(&["run"]);
    assert_eq!(test.live_state(), twin.live_state());
}

#[test]
fn a_source_that_was_out_of_reach_is_caught_up_with() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.connection("qvp", "{type: postgres, host: /nowhere, user: unimig, dbname: gone}");
    test.on_source("qvp", CHANGES);
    test.run(&["run"]).exit(3);
    let here = test.place("qvp");
    test.connection("qvp", &here);

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (1, 1, 0));
    assert_eq!(test.result("stg.qvp.applicants").wrote(), (1, 7, 1));
}

#[test]
fn a_window_widens_over_the_days_that_were_missed() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    // The last run was five days ago, and its window reaches one hour back.
    test.on_target(
        "update unimig.batch set
            source_clock = source_clock - interval '5 days',
            oldest_transaction_at = oldest_transaction_at - interval '5 days',
            loaded_at = loaded_at - interval '5 days'",
    );
    test.on_source(
        "qvp",
        "update audit_log set entry = 'missed', updated_at = now() - interval '4 days' where id = 7;
         insert into audit_log (id, entry, created_at) values (1000, 'missed', now() - interval '3 days')",
    );

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (1, 1, 0));
    assert!(test.result("stg.qvp.audit_log").extracted < 202, "the rest stays outside of the window");
}

#[test]
fn a_late_commit_is_found_though_its_times_are_old() {
    let test = Test::sample();
    let yaml = std::fs::read_to_string(test.path().join("sources/qvp.yml")).expect("the source is declared");
    test.write("sources/qvp.yml", &yaml.replace("1 hour", "1 millisecond"));
    test.succeeds(&["run"]);
    let late = test.session("qvp");
    late.execute("begin; update audit_log set entry = 'late', updated_at = now() where id = 9");
    late.execute("insert into audit_log (id, entry, created_at) values (1000, 'late', now())");
    // Two runs see nothing of it, and each moves the watermark on.
    for _ in 0..2 {
        test.succeeds(&["run"]);
        assert_eq!(test.result("stg.qvp.audit_log").wrote(), (0, 0, 0));
    }
    late.execute("commit");

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (1, 1, 0));
    assert_eq!(test.query_target("select id from stg_qvp.audit_log where entry = 'late' order by id"), ["9", "1000"]);
}

#[test]
fn rows_without_any_time_are_always_inside_the_window() {
    let test = Test::sample();
    test.on_source("qvp", "alter table audit_log alter created_at drop not null");
    test.succeeds(&["run"]);
    test.on_source("qvp", "insert into audit_log (id, entry, created_at) values (1000, 'timeless', null)");

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (1, 0, 0));
}

#[test]
fn a_deleted_row_that_comes_back_is_live_again() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source(
        "qvp",
        "create table kept as select * from applicants where id = 4; delete from applicants where id = 4",
    );
    test.succeeds(&["run"]);
    assert_eq!(test.result("stg.qvp.applicants").wrote(), (0, 0, 1));
    assert_eq!(test.value("select _deleted_at is not null from stg_qvp.applicants where id = 4"), "t");
    test.on_source("qvp", "insert into applicants overriding system value select * from kept");

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.applicants").wrote(), (0, 1, 0));
    assert_eq!(test.value("select _deleted_at is null from stg_qvp.applicants where id = 4"), "t");
}

#[test]
fn a_live_view_that_somebody_dropped_is_made_again() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_target("drop view stg_svp.labors_live");

    test.succeeds(&["run"]);

    assert_eq!(test.value("select count(*) from stg_svp.labors_live"), "40");
}
