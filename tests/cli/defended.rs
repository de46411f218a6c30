//! What a live source and a live target do to a run in the worst case, and what must not come of it.

use crate::harness::{PERSON_TABLE, Test};

/// Reads the source through a role without any privilege but SELECT.
fn unprivileged(test: &Test) {
    test.on_source("qvp", "grant select on all tables in schema public to reader");
    let place = test.place("qvp").replace("user: unimig", "user: reader");
    test.connection("qvp", &place);
}

#[test]
fn a_role_that_sees_no_transactions_of_others_still_loses_no_late_commit() {
    let test = Test::sample();
    unprivileged(&test);
    let yaml = std::fs::read_to_string(test.path().join("sources/qvp.yml")).expect("the source is declared");
    test.write("sources/qvp.yml", &yaml.replace("1 hour", "1 millisecond"));
    test.succeeds(&["run"]);
    let late = test.session("qvp");
    late.execute("begin; insert into audit_log (id, entry, created_at) values (1000, 'late', now())");
    test.succeeds(&["run"]).stderr_has("grant pg_read_all_stats");
    late.execute("commit");

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (1, 0, 0));
}

#[test]
fn rows_that_a_policy_hides_are_not_taken_for_deleted() {
    let test = Test::sample();
    unprivileged(&test);
    test.succeeds(&["run"]);
    test.on_source("qvp", "alter table applicants enable row level security");

    test.run(&["run"]).exit(1).stderr_has("row-level security");

    assert_eq!(test.value("select count(*) from stg_qvp.applicants_live"), "50");
}

#[test]
fn a_run_that_waited_does_not_take_a_copy_back_in_time() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let holder = test.session("target");
    holder.execute("select pg_advisory_lock(hashtextextended('unimig:' || 'stg_qvp.audit_log', 0))");
    // Its snapshot is opened by the one table and is old when the other may be loaded.
    let waiting = test.start(&["run", "--select", "stg.qvp.*"]);
    holder.wait_until(
        "exists (select from pg_locks where locktype = 'advisory' and not granted \
         and database = (select oid from pg_database where datname = current_database()))",
    );
    holder.wait_until("(select count(*) from unimig.batch where node = 'stg.qvp.applicants') = 2");
    test.on_source("qvp", "update audit_log set entry = 'newer', updated_at = now() where id = 7");
    holder
        .execute("update unimig.batch set source_clock = now() + interval '1 minute', loaded_at = now() where node = 'stg.qvp.audit_log'");

    holder.execute("select pg_advisory_unlock_all()");

    waiting.wait().exit(0).stderr_has("another run has loaded a later state");
    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (0, 0, 0));
}

#[test]
fn an_edited_extraction_reads_the_whole_table_again() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.write(
        "models/stg/qvp/audit_log.sql",
        "select id, upper(entry) as entry, created_at, updated_at from {{ source('qvp', 'audit_log') }}\n",
    );

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (0, 200, 0));
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn a_key_that_is_not_unique_at_the_source_is_refused() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("qvp", "alter table applicants drop constraint applicants_pkey");
    test.on_source("qvp", "insert into applicants overriding system value select * from applicants where id = 5");

    test.run(&["run"]).exit(1).stderr_has("the key (id) of stg.qvp.applicants is NULL or not unique at the source");

    assert_eq!(test.value("select count(*) from stg_qvp.applicants"), "50");
}

#[test]
fn an_empty_source_table_is_left_alone() {
    let test = Test::sample();
    test.on_source("qvp", "truncate applicants");
    test.succeeds(&["run"]);
    let before = test.physical_state();

    test.succeeds(&["run"]);

    assert_eq!(test.physical_state(), before);
    test.on_source("qvp", "insert into applicants (name) values ('first')");
    test.succeeds(&["run"]);
    assert_eq!(test.result("stg.qvp.applicants").wrote(), (1, 0, 0));
}

#[test]
fn an_incremental_model_fills_a_target_that_was_made_anew() {
    let model = "select a.id, a.name, a.email, a.amount from {{ source('qvp', 'applicants') }} as a
        {% if is_incremental() %} where a.id > 1000 {% endif %}\n";
    let test = Test::sample();
    test.write("models/bl/person.sql", model);
    test.succeeds(&["run"]);
    assert_eq!(test.value("select count(*) from app.person"), "50");
    test.on_target(&format!("drop table app.person cascade; {PERSON_TABLE}"));

    test.succeeds(&["run", "--select", "bl.person"]);

    assert_eq!(test.result("bl.person").wrote(), (50, 0, 0));
}

#[test]
fn parents_that_are_still_referred_to_are_deleted_by_the_next_run() {
    let test = Test::sample().target_sql(
        "create table app.entry (id bigint primary key, person_id bigint not null references app.person (id))",
    );
    let hard = "{{ config(deletes='hard') }}\n";
    test.write("models/bl/person.sql", &format!("{hard}select id, name from {{{{ source('qvp', 'applicants') }}}}\n"));
    test.write(
        "models/bl/entry.sql",
        &format!(
            "{hard}select person.id, person.id as person_id from {{{{ ref('person') }}}} as person
            join {{{{ source('qvp', 'applicants') }}}} as applicant on applicant.id = person.id\n"
        ),
    );
    test.succeeds(&["run"]);
    test.on_source("qvp", "delete from applicants where id = 3");

    test.succeeds(&["run"]).stderr_has("still referred to");
    test.succeeds(&["run"]);

    assert_eq!(test.value("select count(*) from app.person where id = 3"), "0");
    assert_eq!(test.value("select count(*) from app.entry where id = 3"), "0");
}

#[test]
fn a_time_that_the_application_set_is_not_taken_back() {
    let test = Test::sample().target_sql("alter table app.person add gone_at timestamp");
    test.write(
        "models/bl/person.sql",
        "{{ config(deletes='soft', deleted_column='gone_at') }}\nselect id, name from {{ source('qvp', 'applicants') }}\n",
    );
    test.succeeds(&["run"]);
    test.on_target("update app.person set gone_at = '2026-01-01' where id = 3");
    test.on_source("qvp", "create table kept as table applicants; delete from applicants where id in (3, 4)");
    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.person").wrote(), (0, 0, 1));
    test.on_source("qvp", "insert into applicants overriding system value select * from kept where id in (3, 4)");

    test.succeeds(&["run"]);

    assert_eq!(test.query_target("select id from app.person where gone_at is not null"), ["3"]);
}

#[test]
fn the_layer_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let test = Test::sample();

    test.succeeds(&["run"]);

    let layer = std::fs::metadata(test.path().join(".unimig/layer")).expect("the layer is there");
    assert_eq!(layer.permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_value_that_is_looked_up_as_a_name_is_not_shown() {
    let test = Test::sample();
    test.on_source("qvp", "update applicants set name = 'markedvalue'");
    test.write(
        "models/bl/person.sql",
        "select id, (name::regclass)::text as name from {{ source('qvp', 'applicants') }}\n",
    );

    test.run(&["run"]).exit(1).stderr_has("bl.person failed").stderr_lacks("markedvalue");

    assert_eq!(test.value("select count(*) from unimig.step where message like '%markedvalue%'"), "0");
    let results = std::fs::read_to_string(test.path().join("target/run_results.json")).expect("results are written");
    assert!(!results.contains("markedvalue"));
}

#[test]
fn a_row_that_the_application_inserts_meanwhile_is_not_taken_for_ours() {
    let test = Test::sample();
    let application = test.session("target");
    application.execute("begin; lock table app.person in share row exclusive mode");
    application.execute("insert into app.person (id, name) values (5, 'the application')");
    let run = test.start(&["run"]);
    application.wait_until("exists (select from pg_locks where not granted and relation = 'app.person'::regclass)");
    application.execute("commit");

    run.wait().exit(1).stderr_has("duplicate key value");

    assert_eq!(test.value("select name from app.person where id = 5"), "the application");
    test.succeeds(&["run"]);
    assert_eq!(test.value("select count(*) from unimig.\"bl.person\" where id = 5"), "0");
}
