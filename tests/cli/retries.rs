//! What may pass by itself is tried again: a serialization failure, a deadlock, a session that was ended.

use crate::harness::Test;

/// A model that meets something the first time, and not again: a sequence moves on though the transaction is undone.
fn meets(test: &Test, what: &str) {
    test.on_target(&format!(
        "create sequence app.attempt;
        create function app.meet() returns int language plpgsql as $$
        begin
            if nextval('app.attempt') < 3 then {what}; end if;
            return 1;
        end $$"
    ));
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect app.meet() as id\n");
}

#[test]
fn a_session_that_is_ended_is_replaced_and_the_step_begun_again() {
    let test = Test::new();
    meets(&test, "perform pg_terminate_backend(pg_backend_pid())");

    test.succeeds(&["run"]).stderr_has("attempt 2 in 200 ms").stderr_has("attempt 3 in 600 ms");

    assert_eq!(test.query_target("select id from app.fact"), ["1"]);
    assert_eq!(test.value("select last_value from app.attempt"), "3");
}

#[test]
fn a_real_serialization_failure_is_tried_again() {
    let test = Test::new().target_sql(
        "create table app.input (id int); insert into app.input values (1);
        create table app.person (id int primary key, name text); insert into app.person values (1, 'old')",
    );
    // The model's transaction has its snapshot when another session, through this one's own hook, changes the row.
    let elsewhere = format!("host={} dbname={} user=unimig", crate::harness::socket_folder(), test.database("target"));
    test.on_target("create extension if not exists dblink; create sequence app.attempt");
    test.write(
        "models/bl/person.sql",
        &format!(
            "{{{{ config(adopt=true, pre_hook=\"select case when nextval('app.attempt') = 1 then dblink_exec('{elsewhere}', 'update app.person set name = name || 1') end\") }}}}\nselect id, 'new' as name from app.input\n"
        ),
    );

    test.succeeds(&["run"]).stderr_has("could not serialize access").stderr_has("attempt 2");

    assert_eq!(test.query_target("select name from app.person"), ["new"]);
}

#[test]
fn what_does_not_pass_is_not_tried_for_ever_and_other_failures_not_at_all() {
    let test = Test::new();
    meets(&test, "null; end if; if true then perform pg_terminate_backend(pg_backend_pid())");
    test.run(&["run"]).exit(3).stderr_has("attempt 4");
    assert_eq!(test.value("select last_value from app.attempt"), "4");
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect 1/0 as id, nextval('app.attempt')\n");
    test.run(&["run"]).exit(1).stderr_lacks("attempt");
}

#[test]
fn what_an_attempt_has_left_behind_is_not_done_twice() {
    let test = Test::new();
    let model = |hooks: &str| {
        let select = "select 1 as id {% if is_incremental() %}union all select 2{% endif %}";
        test.write("models/bl/fact.sql", &format!("{{{{ config(materialized='incremental'{hooks}) }}}}\n{select}\n"));
    };
    model("");
    test.succeeds(&["run"]);
    test.on_target(
        "create table app.log (word text); create sequence app.attempt;
        create function app.meet() returns int language plpgsql as $$
        begin
            if nextval('app.attempt') < 3 then raise sqlstate '40001' using message = 'not now'; end if;
            return 1;
        end $$",
    );

    // The rows are committed when the hook fails.
    model(", post_hook={'sql': 'select app.meet()', 'transaction': false}");
    test.run(&["run"]).exit(1).stderr_lacks("attempt 2");
    assert_eq!(test.query_target("select id from app.fact order by 1"), ["1", "1", "2"]);

    // A hook outside of the transaction stays done when the build fails.
    test.on_target("alter sequence app.attempt restart");
    let before = "{'sql': \"insert into app.log values ('before')\", 'transaction': false}";
    model(&format!(", pre_hook=[{before}, 'select app.meet()']"));
    test.run(&["run"]).exit(1).stderr_lacks("attempt 2");
    assert_eq!(test.query_target("select word from app.log"), ["before"]);
    assert_eq!(test.query_target("select id from app.fact order by 1"), ["1", "1", "2"]);

    // What a template wrote is not written again.
    test.on_target("alter sequence app.attempt restart; truncate app.log");
    test.write(
        "models/bl/fact.sql",
        "{{ config(materialized='table') }}\n{% if execute %}{% do run_query(\"insert into app.log values ('asked')\") %}{% endif %}\n\
         select app.meet() as id\n",
    );
    test.succeeds(&["run"]).stderr_has("attempt 3");
    assert_eq!(test.query_target("select word from app.log"), ["asked"]);
}
