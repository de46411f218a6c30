//! Rows that their copy refuses: set aside where the project lets them, tried again at each run, never lost.

use crate::harness::{Session, Test};

const LOG: &str = "stg.qvp.log";

/// A source without an encoding: rows 2 and 4 of five have a byte that is no UTF-8, and no time tells of anything.
fn table(settings: &str) -> Test {
    let test = Test::new();
    test.on_source("qvp", "select");
    let database = test.database("qvp");
    let server = Session::open("postgres");
    server.execute(&format!("drop database {database}"));
    server.execute(&format!("create database {database} template template0 encoding 'SQL_ASCII' locale 'C'"));
    test.on_source(
        "qvp",
        r"create table log (
            id bigint primary key,
            entry text,
            note varchar(20),
            updated_at timestamptz not null default now() - interval '10 days'
        );
        insert into log values
            (1, 'Zoë, \', ''), (2, E'caf\xe9', 'x'), (3, null, E'a\nb'), (4, E'\xff\xfe', E'b\xe9'), (5, '5', null)"
            .replace(r"'Zoë, \'", "'Zoë, \"'")
            .as_str(),
    );
    declare(&test, settings);
    test
}

fn declare(test: &Test, settings: &str) {
    test.write(
        "sources/qvp.yml",
        &format!(
            "sources:
  - name: qvp
    tables:
      - {{name: log, key: [id], cdc: {{strategy: window, columns: [updated_at], window: 1 minute}}{settings}}}
"
        ),
    );
}

fn copied(test: &Test) -> Vec<String> {
    test.query_target("select id, entry from stg_qvp.log_live order by id")
}

fn set_aside(test: &Test) -> Vec<String> {
    test.query_target("select row_key ->> 'id', column_name, sqlstate from unimig.quarantine order by 1, 2")
}

#[test]
fn refused_rows_are_set_aside_tried_again_and_leave_when_they_are_mended() {
    let test = table(", quarantine: {max_rows: 2}");
    test.succeeds(&["run"]).stderr_has("2 rows are in quarantine: unimig quarantine show stg.qvp.log");
    assert_eq!(test.result(LOG).wrote(), (3, 0, 0));
    assert_eq!(copied(&test), ["1|Zoë, \"", "3|∅", "5|5"]);
    assert_eq!(test.query_target("select note from stg_qvp.log order by id"), ["", "a\nb", "∅"]);
    assert_eq!(set_aside(&test), ["2|entry|22021", "4|entry|22021", "4|note|22021"]);
    let since = test.value("select min(first_seen_at) from unimig.quarantine");
    test.succeeds(&["run"]).stderr_has("2 rows are in quarantine");
    test.wrote_nothing();
    assert_eq!(test.value("select min(first_seen_at) from unimig.quarantine"), since);

    // One is mended, and one that was copied turns bad; no time tells of either.
    test.on_source("qvp", r"update log set entry = 'café' where id = 2; update log set entry = E'\xe9' where id = 5");
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (1, 0, 0));
    assert_eq!(copied(&test), ["1|Zoë, \"", "2|café", "3|∅", "5|5"], "the copy keeps the last good row 5");
    assert_eq!(set_aside(&test), ["4|entry|22021", "4|note|22021", "5|entry|22021"]);
    let before = test.rows_digest("stg_qvp.log");
    test.succeeds(&["run"]);
    test.wrote_nothing();
    assert_eq!(test.rows_digest("stg_qvp.log"), before);

    // What is really gone is buried, and what is mended comes in; then windows are enough again.
    test.on_source("qvp", "delete from log where id = 5; update log set entry = '4', note = null where id = 4");
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (1, 0, 1));
    assert_eq!(copied(&test), ["1|Zoë, \"", "2|café", "3|∅", "4|4"]);
    assert_eq!(set_aside(&test).len(), 0);
    test.succeeds(&["run"]);
    assert_eq!((test.result(LOG).wrote(), test.result(LOG).extracted), ((0, 0, 0), 0));
    // A row that turns bad within the window.
    test.on_source("qvp", r"update log set entry = E'\xe9', updated_at = now() where id = 3");
    test.succeeds(&["run"]).stderr_has("1 rows are in quarantine");
    assert_eq!(test.result(LOG).extracted, 1);
    assert_eq!(copied(&test)[2], "3|∅");
    test.succeeds(&["run"]);
    assert_eq!((test.result(LOG).wrote(), test.result(LOG).extracted), ((0, 0, 0), 4));
}

#[test]
fn without_leave_or_above_the_limit_the_process_fails_and_nothing_is_changed() {
    let test = table("");
    test.run(&["run"]).exit(1).stderr_has("invalid byte sequence");
    for (limit, column) in
        [("{max_rows: 1}", 121), ("{max_percent: 39.9}", 124), ("{max_rows: 100, max_percent: 10}", 139)]
    {
        declare(&test, &format!(", quarantine: {limit}"));
        test.run(&["run"])
            .exit(1)
            .stderr_has("error[too-many-refused]: 2 of 5 rows of stg.qvp.log are refused by the copy")
            .stderr_has(&format!("sources/qvp.yml:4:{column}"));
        assert_eq!(test.value("select to_regclass('stg_qvp.log') is null"), "t");
        assert_eq!(test.value("select count(*) from unimig.quarantine"), "0");
    }
    declare(&test, ", quarantine: {max_percent: 40}");
    test.succeeds(&["run"]);
    for (settings, message) in [
        (", quarantine: {}", "quarantine needs the key"),
        (", quarantine: {max_rows: few}", "\"few\" is no number of rows"),
        (", quarantine: {max_percent: 101}", "\"101\" is no percentage"),
    ] {
        declare(&test, settings);
        test.run(&["parse"]).exit(2).stderr_has(message).stderr_has("sources/qvp.yml:4");
    }
}

#[test]
fn the_quarantine_is_listed_and_values_are_shown_only_where_they_are_asked_for() {
    let test = table(", quarantine: {max_rows: 2}");
    test.succeeds(&["quarantine", "ls"]).stderr_has("nothing is in quarantine");
    test.succeeds(&["quarantine", "show", LOG]).stderr_has("nothing of stg.qvp.log is in quarantine");
    test.run(&["quarantine", "show", "stg.qvp.lg"]).exit(2).stderr_has("did you mean \"stg.qvp.log\"?");
    test.succeeds(&["run"]);
    let listed = test.succeeds(&["quarantine", "ls"]).stdout;
    assert!(listed.contains("stg.qvp.log") && listed.contains(" 2 "), "{listed}");
    let shown = test.succeeds(&["quarantine", "show", LOG]).stdout;
    assert!(shown.contains(" 22021  its bytes are no valid UTF-8  20") && !shown.contains("caf"), "{shown}");
    let shown = test.succeeds(&["quarantine", "show", LOG, "--values"]).stdout;
    assert!(shown.contains("caf") && shown.contains("{\"id\": \"2\"}"), "{shown}");
    let json = test.succeeds(&["quarantine", "show", LOG, "--output", "json"]).json();
    assert_eq!(
        (json["values"][0]["column"].as_str(), json["values"][0]["sqlstate"].as_str()),
        (Some("entry"), Some("22021"))
    );
    assert_eq!(json["values"][0]["message"].as_str(), Some("its bytes are no valid UTF-8"));
    assert!(json["values"][0].get("value").is_none() && json["values"][0].get("key").is_none());
    let json = test.succeeds(&["quarantine", "ls", "--output", "json"]).json();
    assert_eq!((json["tables"][0]["rows"].as_i64(), json["tables"][0]["values"].as_i64()), (Some(2), Some(3)));
}

#[test]
fn values_of_every_type_come_through_the_exact_way_as_they_are() {
    let columns = "id, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q";
    let test = table("");
    test.on_source(
        "qvp",
        &format!(
            "create table kinds (
                id bigint primary key, entry text, a char(5), b \"char\", c bit(3), d varbit(5), e numeric(10, 2), f numeric,
                g boolean, h bytea, i json, j jsonb, k xml, l interval, m timestamptz(3), n text[], o int4range, p point,
                q double precision
            );
            insert into kinds
            select
                n, 'good', 'ab', 'x', b'101', b'1', 1.5, 1.500, n = 1, '\\x00ff', '{{\"a\":  1}}', '{{\"a\": 1}}', '<a> </a>',
                '1 mon 3 days', '2026-03-29 02:30:00.1234+02', array['a,b', null, '\"'], '[1,5)', point(0.1, 2), 'NaN'
            from generate_series(1, 2) as n;
            insert into kinds (id, entry) values (3, E'\\xe9'), (4, 'null');
            insert into kinds ({columns}, entry) select 5, {}, 'again' from kinds where id = 1",
            &columns[4..]
        ),
    );
    test.write(
        "sources/qvp.yml",
        "sources: [{name: qvp, quarantine: {max_rows: 1}, tables: [{name: kinds, key: [id]}]}]\n",
    );
    let images = format!("select row({columns})::text from");
    for _ in 0..2 {
        test.succeeds(&["run"]);
        assert_eq!(
            test.query_target(&format!("{images} stg_qvp.kinds_live order by id")),
            test.query_source("qvp", &format!("{images} kinds where id <> 3 order by id"))
        );
    }
    test.wrote_nothing();
}

#[test]
fn a_sweep_sets_keys_aside_that_the_copy_refuses() {
    let test = table("");
    let old = "now() - interval '10 days'";
    test.on_source(
        "qvp",
        &format!(
            "create table tag (name text primary key, updated_at timestamptz not null default {old});
            insert into tag values ('a'), ('b'), ('c')"
        ),
    );
    let declare = |settings: &str| {
        test.write(
            "sources/qvp.yml",
            &format!(
                "sources:
  - name: qvp
    cdc: {{strategy: window, columns: [updated_at], window: 1 minute}}
    deletes: {{detect: sweep, every: 1 day}}
    tables: [{{name: tag, key: [name]{settings}}}]
"
            ),
        );
    };
    declare("");
    test.succeeds(&["run"]);
    test.on_source("qvp", r"delete from tag where name = 'b'; insert into tag values (E'\xe9')");
    test.on_target("update unimig.batch set loaded_at = loaded_at - interval '1 day'");
    test.run(&["run"]).exit(1).stderr_has("invalid byte sequence");
    declare(", quarantine: {max_rows: 0}");
    test.run(&["run"]).exit(1).stderr_has("1 of 3 rows of stg.qvp.tag are refused by the copy");
    declare(", quarantine: {max_rows: 1}");

    test.succeeds(&["run"]).stderr_has("1 rows are in quarantine");

    assert_eq!(test.result("stg.qvp.tag").wrote(), (0, 0, 1));
    let live = "select name from stg_qvp.tag_live order by name";
    assert_eq!(test.query_target(live), ["a", "c"]);
    assert_eq!(test.query_target("select column_name, sqlstate from unimig.quarantine"), ["name|22021"]);
    test.succeeds(&["run"]);
    test.wrote_nothing();
    assert_eq!(test.result("stg.qvp.tag").extracted, 3, "what is set aside is looked for in the whole table");
    test.on_source("qvp", r"update tag set name = 'é' where name = E'\xe9'");
    test.succeeds(&["run"]);
    assert_eq!(test.query_target(live), ["a", "c", "é"]);
    assert_eq!(test.value("select count(*) from unimig.quarantine"), "0");
}
