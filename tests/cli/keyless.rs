//! Source tables without a key: their rows are compared whole, and equal ones are counted.

use crate::harness::Test;

const LOG: &str = "stg.qvp.log";

/// Six rows, three of them equal, with types that have no equality of their own.
fn table(settings: &str) -> Test {
    Test::new()
        .source_sql(
            "qvp",
            "create table log (entry text, doc json, tree xml, place point, at timestamptz, amount numeric, number int);
            insert into log
            select 'same', '{\"a\": 1}', '<a/>', point(1, 2), '2026-03-29 02:30+02', 1.0, null
            from generate_series(1, 3);
            insert into log values
                ('', '{}', null, null, null, 1, 1),
                (null, '{}', null, null, null, 1.00, 1),
                ('other', null, '<b/>', point(0.1, -0.0), 'infinity', 'NaN', 2)",
        )
        .file("sources/qvp.yml", &format!("sources: [{{name: qvp, tables: [{{name: log{settings}}}]}}]\n"))
}

fn images(rows: &[String]) -> Vec<String> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows
}

#[track_caller]
fn is_as_its_source(test: &Test) {
    let image = "row(entry, doc, tree, place, at, amount, number)::text";
    let source = test.query_source("qvp", &format!("select {image} from log"));
    let copy = test.query_target(&format!("select {image} from stg_qvp.log_live"));
    assert_eq!(images(&source), images(&copy));
}

#[test]
fn a_table_without_a_key_is_compared_as_a_multiset_of_whole_rows() {
    let test = table("");
    test.succeeds(&["run"]).stderr_has("it has no key: every row is read and compared whole");
    assert_eq!(test.result(LOG).wrote(), (6, 0, 0));
    assert_eq!(test.value("select count(*) from pg_index where indrelid = 'stg_qvp.log'::regclass"), "0");
    is_as_its_source(&test);
    let batch = test.value("select max(batch_id) from unimig.batch");
    let before = test.physical_state();
    test.succeeds(&["run"]);
    test.wrote_nothing();
    assert_eq!(test.physical_state(), before);

    // One of three equal rows goes, one becomes four, one changes in its JSON's spaces alone, one is new.
    test.on_source(
        "qvp",
        "delete from log where ctid = (select min(ctid) from log where entry = 'same');
         insert into log select log.* from log cross join generate_series(1, 3) where entry = 'other';
         update log set doc = '{ }' where entry = '';
         insert into log (entry) values ('new')",
    );
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (5, 0, 2));
    is_as_its_source(&test);
    assert_eq!(test.value("select count(*) from stg_qvp.log where _deleted_at is not null"), "2");
    test.succeeds(&["run"]);
    test.wrote_nothing();
    test.run(&["run", "--select", LOG, "--reload", &batch]).exit(1).stderr_has("older than 7 rows");

    // What was buried comes back as a row of its own; a new column is compared too.
    test.on_source(
        "qvp",
        "insert into log select * from log where entry = 'same' limit 1;
         alter table log add column extra int",
    );
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (1, 0, 0));
    test.on_source("qvp", "update log set extra = 5 where entry = 'same'");
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (3, 0, 3));
    test.on_source("qvp", "truncate log");
    test.succeeds(&["run"]);
    assert_eq!((test.result(LOG).deleted, test.value("select count(*) from stg_qvp.log_live")), (10, "0".to_owned()));
}

#[test]
fn rows_without_a_key_may_all_change_but_not_all_go() {
    let test = table(", deletes: {detect: full, max_percent: 20}");
    test.succeeds(&["run"]);
    test.on_source("qvp", "update log set number = 7");
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (6, 0, 6));
    test.on_source("qvp", "delete from log where entry = 'same'");
    test.run(&["run"]).exit(1).stderr_has("3 of 6 live rows");
    test.write("sources/qvp.yml", "sources: [{name: qvp, tables: [{name: log, deletes: {detect: never}}]}]\n");
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn a_key_that_is_added_or_taken_away_is_told_and_nothing_is_touched() {
    let test = table("");
    test.on_source("qvp", "alter table log add column id bigint generated always as identity");
    test.succeeds(&["run"]);
    let before = test.physical_state();
    let keyed = "sources: [{name: qvp, tables: [{name: log, key: [id]}]}]\n";
    test.write("sources/qvp.yml", keyed);
    test.run(&["run"])
        .exit(1)
        .stderr_has("error[changed-column]: stg_qvp.log has no key, and the source declares the key (id)")
        .stderr_has("drop view stg_qvp.log_live and table stg_qvp.log");
    assert_eq!(test.physical_state(), before);
    test.on_target("drop view stg_qvp.log_live; drop table stg_qvp.log");
    test.succeeds(&["run"]);
    assert_eq!(test.result(LOG).wrote(), (6, 0, 0));
    test.write("sources/qvp.yml", "sources: [{name: qvp, tables: [{name: log}]}]\n");
    test.run(&["run"]).exit(1).stderr_has("has the key (id), and the source declares no key");
}

#[test]
fn what_needs_a_key_is_refused_where_it_is_written() {
    for (settings, message) in [
        (", cdc: {strategy: window, columns: [at], window: 1 day}", "for strategy \"window\""),
        (", cdc: {strategy: watermark, columns: [at]}", "for strategy \"watermark\""),
        (", cdc: {strategy: append, columns: [number]}", "for strategy \"append\""),
        (", cdc: {strategy: compare}", "for strategy \"compare\""),
        (", deletes: {detect: sweep, every: 1 day}", "for detect \"sweep\""),
        (", deletes: {detect: column, column: at}", "for detect \"column\""),
    ] {
        table(settings)
            .run(&["parse"])
            .exit(2)
            .stderr_has(&format!("error[missing-key]: source table \"log\" needs the key \"key\" {message}"))
            .stderr_has("sources/qvp.yml:1")
            .stderr_has("name the columns that identify a row");
    }
}
