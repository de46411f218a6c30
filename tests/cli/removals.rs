//! Rows that are gone at the source: how they are found, and what holds back a mistake.

use crate::harness::Test;

const LOG: &str = "stg.qvp.log";

/// 200 rows with times, read by a window of a minute.
fn table(deletes: &str) -> Test {
    Test::new()
        .source_sql(
            "qvp",
            "create table log (
                id bigint primary key,
                entry text,
                updated_at timestamptz not null default now(),
                deleted_at timestamptz
            );
            insert into log select n, 'entry ' || n, now() - interval '10 days' from generate_series(1, 200) as n",
        )
        .file(
            "sources/qvp.yml",
            &format!(
                "sources:
  - name: qvp
    cdc: {{strategy: window, columns: [updated_at], window: 1 minute}}
    deletes: {deletes}
    tables: [{{name: log, key: [id]}}]
"
            ),
        )
}

/// As if every batch had been loaded so long ago.
fn days_pass(test: &Test) {
    test.on_target("update unimig.batch set loaded_at = loaded_at - interval '1 day'");
}

fn gone(test: &Test) -> Vec<String> {
    test.query_target("select id from stg_qvp.log where _deleted_at is not null order by id")
}

#[test]
fn a_sweep_finds_rows_that_are_gone_and_has_a_cadence_of_its_own() {
    let test = table("{detect: sweep, every: 1 day}");
    test.succeeds(&["run"]);
    test.on_source("qvp", "delete from log where id in (3, 4)");
    test.succeeds(&["run"]);
    assert_eq!(gone(&test).len(), 0, "the first load was a look at all keys");
    days_pass(&test);

    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (0, 0, 2));
    assert_eq!(gone(&test), ["3", "4"]);
    assert_eq!(test.value("select count(*) from stg_qvp.log_live"), "198");
    test.succeeds(&["run"]);
    assert_eq!((test.result(LOG).wrote(), test.result(LOG).extracted), ((0, 0, 0), 0), "and now it rests for a day");

    // A key that comes back is live again.
    test.on_source("qvp", "insert into log (id, entry) values (3, 'again')");
    test.succeeds(&["run"]);
    assert_eq!(gone(&test), ["4"]);
    days_pass(&test);
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn a_sweep_that_meets_unknown_rows_has_the_next_run_read_everything() {
    let test = table("{detect: sweep, every: 1 day}");
    test.succeeds(&["run"]);
    test.on_source("qvp", "insert into log values (1000, 'back-dated', '2001-01-01')");
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (0, 0, 0));
    days_pass(&test);

    test.succeeds(&["run"]).stderr_has("1 rows of the source are not in the copy");
    test.succeeds(&["run"]);

    assert_eq!(test.result(LOG).wrote(), (1, 0, 0));
}

#[test]
fn a_sweep_or_an_alarm_that_is_cut_off_is_done_again_and_the_numbers_are_those_of_all_attempts() {
    let test = table("{detect: sweep, every: 1 day}");
    let yaml = std::fs::read_to_string(test.path().join("sources/qvp.yml")).expect("the source is declared");
    let alarmed = yaml.replace("window: 1 minute}", "window: 1 minute, alarm: {every: 1 day, percent: 100}}");
    test.write("sources/qvp.yml", &alarmed);
    test.succeeds(&["run"]);
    days_pass(&test);
    test.on_source(
        "qvp",
        "delete from log where id in (3, 4); insert into log (id, entry) values (1000, 'new');
         update log set entry = 'silent' where id = 7",
    );
    // The first time that rows are buried the session is ended, the second time the server refuses; so with what the
    // sample finds.
    test.on_target(
        "create sequence app.burials; create sequence app.finds;
        create function app.cut_off() returns trigger language plpgsql as $$
        declare
            times bigint := case when new.entry = 'silent' then nextval('app.finds') else nextval('app.burials') end;
        begin
            if times = 1 then perform pg_terminate_backend(pg_backend_pid());
            elsif times = 2 and new.entry <> 'silent' then raise sqlstate '40001' using message = 'not now'; end if;
            return new;
        end $$;
        create trigger cuts before update on stg_qvp.log for each row execute function app.cut_off()",
    );

    test.succeeds(&["run"]).stderr_has("attempt 2").stderr_has("(40001)").stderr_has("attempt 4");

    assert_eq!(test.result(LOG).wrote(), (1, 1, 2));
    let step = "from unimig.step where node = 'stg.qvp.log' order by started_at desc limit 1";
    assert_eq!(
        test.query_target(&format!("select status, rows_inserted, rows_updated, rows_deleted {step}")),
        ["success|1|1|2"]
    );
    assert_eq!(gone(&test), ["3", "4"]);
    assert_eq!(test.value("select entry from stg_qvp.log where id = 7"), "silent");
    test.on_target("drop trigger cuts on stg_qvp.log");
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn a_marked_row_is_a_tombstone_until_its_mark_is_taken_away() {
    let test = table("{detect: column, column: deleted_at}");
    test.on_source("qvp", "update log set deleted_at = now() where id = 1");
    test.succeeds(&["run"]);
    assert_eq!(gone(&test), ["1"]);
    test.on_source("qvp", "update log set deleted_at = now(), updated_at = now() where id = 2");
    test.on_source("qvp", "insert into log values (201, 'born dead', now(), now())");

    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (1, 0, 1), "one came dead, one died");
    assert_eq!(gone(&test), ["1", "2", "201"]);
    let since = test.value("select _deleted_at from stg_qvp.log where id = 2");
    test.succeeds(&["run"]);
    test.wrote_nothing();
    test.on_source("qvp", "update log set entry = 'edited' , updated_at = now() where id = 2");
    test.succeeds(&["run"]);
    assert_eq!(test.value("select _deleted_at from stg_qvp.log where id = 2"), since, "it is gone since then");
    test.on_source("qvp", "update log set deleted_at = null, updated_at = now() where id = 2");
    test.succeeds(&["run"]);
    assert_eq!(gone(&test), ["1", "201"]);
    test.succeeds(&["run", "--full"]);
    test.wrote_nothing();
}

#[test]
fn a_source_that_lost_much_of_a_table_is_looked_at_by_a_person_first() {
    let test = table("{detect: [full, sweep], every: 1 day, max_percent: 5}");
    test.succeeds(&["run"]);
    test.on_source(
        "qvp",
        "delete from log where id <= 10; update log set entry = 'changed', updated_at = now() where id = 50",
    );
    days_pass(&test);
    test.succeeds(&["run"]);
    assert_eq!(gone(&test).len(), 10, "5 percent of 200 may go");
    test.on_source("qvp", "truncate log");
    days_pass(&test);

    // A sweep that is held back takes back nothing of what its step had loaded, and the step has failed.
    test.on_source("qvp", "insert into log (id, entry) values (1000, 'new')");
    test.run(&["run"])
        .exit(1)
        .stderr_has("error[too-many-deletes]: 190 of 191 live rows of stg.qvp.log are gone at the source")
        .stderr_has("sources/qvp.yml:4:65");
    assert_eq!(test.value("select _deleted_at is null from stg_qvp.log where id = 1000"), "t");
    assert_eq!(test.value("select status from unimig.step order by started_at desc limit 1"), "failed");
    assert_eq!(test.result(LOG).wrote(), (1, 0, 0), "what is committed counts");
    test.on_source("qvp", "delete from log");

    for arguments in [&["run"][..], &["run", "--full"]] {
        test.run(arguments).exit(1).stderr_has("191 of 191 live rows").stderr_has("--accept-deletes");
        assert_eq!(gone(&test).len(), 10);
    }
    test.succeeds(&["run", "--accept-deletes"]);
    assert_eq!(test.result(LOG).wrote(), (0, 0, 191));
}

#[test]
fn rows_stay_where_deletes_are_never_looked_for() {
    let test = table("{detect: never}");
    test.succeeds(&["run"]);
    test.on_source("qvp", "delete from log where id < 10");
    test.succeeds(&["run", "--full"]);
    test.wrote_nothing();
}

#[test]
fn marked_rows_make_no_ranges_differ() {
    let test = table("{detect: column, column: deleted_at}");
    let yaml = std::fs::read_to_string(test.path().join("sources/qvp.yml")).expect("the source is declared");
    let compared = yaml.replace("{strategy: window, columns: [updated_at], window: 1 minute}", "{strategy: compare}");
    test.write("sources/qvp.yml", &compared);
    test.on_source("qvp", "update log set deleted_at = now() where id < 5");
    test.succeeds(&["run"]);
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).extracted, 0);
    test.on_source(
        "qvp",
        "update log set deleted_at = now() where id = 7;
         delete from log where id = 2;
         update log set deleted_at = null where id = 3",
    );

    test.succeeds(&["run"]);

    assert_eq!(test.result(LOG).wrote(), (0, 1, 1));
    assert_eq!(gone(&test), ["1", "2", "4", "7"]);
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).extracted, 0);
}

#[test]
fn what_deletes_say_must_fit_together() {
    for (deletes, message) in [
        ("{detect: sometimes}", "\"sometimes\" is no way to find deleted rows"),
        ("{detect: sweep}", "detect \"sweep\" needs the key \"every\""),
        ("{detect: full, every: 1 day}", "the key \"every\" is for detect \"sweep\""),
        ("{detect: column}", "needs the key \"column\""),
        ("{detect: sweep, every: soon}", "\"soon\" is no length of time"),
        ("{detect: full, max_percent: 120}", "\"120\" is no percentage"),
        ("{detect: [never, full]}", "\"never\" stands alone"),
        ("{every: 1 day}", "needs the key \"detect\""),
    ] {
        table(deletes).run(&["parse"]).exit(2).stderr_has(message).stderr_has("sources/qvp.yml:4");
    }
    let test = table("{detect: column, column: deletet_at}");
    test.run(&["run"]).exit(1).stderr_has("has no column \"deletet_at\"").stderr_has("deleted_at");
}
