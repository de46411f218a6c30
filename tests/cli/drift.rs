//! The source's catalog changes between runs: what is taken, what stops a process, and that no value gets into another
//! column.

use crate::harness::Test;

/// Three rows read by a window that none of the changes touches, a table beside it, and models that read both.
fn table(drift: &str) -> Test {
    let test = Test::new()
        .source_sql(
            "qvp",
            "create type mood as enum ('glad', 'sad');
            create table log (
                id bigint primary key,
                a text,
                b text,
                n integer,
                mood mood,
                updated_at timestamptz not null default now() - interval '10 days'
            );
            insert into log select n, 'a' || n, 'b' || n, n, 'glad' from generate_series(1, 3) as n;
            create table other (id bigint primary key)",
        )
        .file(
            "models/bl/only_a.sql",
            "{{ config(materialized='table') }}\nselect id, A as it from {{ source('qvp', 'log') }}\n",
        )
        .file(
            "models/bl/only_id.sql",
            "{{ config(materialized='table') }}\nselect id from {{ source('qvp', 'log') }}\n",
        );
    policy(&test, drift);
    test.succeeds(&["run"]);
    test
}

fn policy(test: &Test, drift: &str) {
    test.write(
        "sources/qvp.yml",
        &format!(
            "sources:
  - name: qvp
    drift: {drift}
    tables:
      - {{name: log, key: [id], cdc: {{strategy: window, columns: [updated_at], window: 1 minute}}}}
      - {{name: other, key: [id]}}
"
        ),
    );
}

fn copied(test: &Test, columns: &str) -> Vec<String> {
    test.query_target(&format!("select {columns} from stg_qvp.log_live order by id"))
}

/// The process fails and leaves the copy alone, the others run; with `--accept-drift` it goes on.
#[track_caller]
fn stops(test: &Test, message: &str) {
    let before = test.rows_digest("stg_qvp.log");
    let outcome = test
        .run(&["run"])
        .exit(1)
        .stderr_has("error[source-changed]: source table public.log is not what it was")
        .stderr_has("unimig generate sources qvp --write brings the YAML up to date");
    outcome.stderr_has(message).stderr_has("--accept-drift");
    assert_eq!(test.result("stg.qvp.other").status, "unchanged");
    assert_eq!(test.rows_digest("stg_qvp.log"), before);
    test.succeeds(&["run", "--accept-drift"]);
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn swapped_names_are_seen_and_no_value_gets_into_another_column() {
    let test = table("{}");
    let swap = "alter table log rename a to c; alter table log rename b to a; alter table log rename c to b";
    test.on_source("qvp", swap);
    stops(
        &test,
        "column \"a\" was renamed to \"b\" (read by bl.only_a); column \"b\" was renamed to \"a\" (named by no model; the table \
         is read by bl.only_a, bl.only_id)",
    );
    assert_eq!(copied(&test, "a, b"), ["b1|a1", "b2|a2", "b3|a3"]);
}

#[test]
fn a_renamed_a_dropped_and_a_remade_column_stop_the_process_until_somebody_has_looked() {
    let test = table("{}");
    test.on_source("qvp", "alter table log rename b to c");
    stops(&test, "column \"b\" was renamed to \"c\"");
    assert_eq!(copied(&test, "b, c"), ["b1|b1", "b2|b2", "b3|b3"], "the old column keeps what it had");

    test.on_source("qvp", "alter table log drop column a; insert into log (id, c) values (4, 'c4')");
    stops(&test, "column \"a\" is gone (read by bl.only_a)");
    assert_eq!(copied(&test, "a, c")[2..], ["a3|b3", "∅|c4"]);

    // The same name and type, and other values, which no time tells of.
    test.on_source("qvp", "alter table log drop column c; alter table log add c text default 'new'");
    stops(&test, "column \"c\" was dropped and made again");
    assert_eq!(copied(&test, "c"), ["new", "new", "new", "new"]);
}

#[test]
fn a_column_that_is_made_again_with_another_type_never_fills_the_old_one() {
    let test = table("{dropped: warn, retyped: warn}");
    test.on_source("qvp", "alter table log drop column b; alter table log add b integer default 7");
    let before = test.rows_digest("stg_qvp.log");
    for arguments in [&["run"][..], &["run", "--accept-drift"]] {
        test.run(arguments)
            .exit(1)
            .stderr_has("error[changed-column]: column \"b\" of stg_qvp.log is text, and the source now gives integer")
            .stderr_has("it is read by bl.only_a, bl.only_id");
    }
    assert_eq!(test.rows_digest("stg_qvp.log"), before);
    test.on_target("drop view stg_qvp.log_live; alter table stg_qvp.log alter b type integer using null");
    test.succeeds(&["run"]).stderr_has("column \"b\" was dropped and made again");
    assert_eq!(copied(&test, "b"), ["7", "7", "7"]);
}

#[test]
fn a_new_column_is_added_left_out_or_refused() {
    let test = table("{added: fail}");
    test.on_source("qvp", "alter table log add extra integer default 5");
    test.run(&["run"]).exit(1).stderr_has("column \"extra\" is new");
    policy(&test, "{added: warn}");
    for _ in 0..2 {
        test.succeeds(&["run"]).stderr_has("column \"extra\" is new: it is not copied");
        test.wrote_nothing();
    }
    policy(&test, "{}");
    test.succeeds(&["run"]).stderr_has("column \"extra\" is new: the copy gets it, and is read whole");
    assert_eq!(copied(&test, "extra"), ["5", "5", "5"]);
    let told = test.succeeds(&["run"]).stderr;
    assert!(!told.contains("is new"), "{told}");
    test.wrote_nothing();
}

#[test]
fn types_and_labels_that_change_are_told_and_renamed_labels_reach_old_rows() {
    let test = table("{retyped: warn}");
    test.on_source("qvp", "alter type mood add value 'mild'");
    test.succeeds(&["run"]).stderr_has("the type of column \"mood\" has the new labels 'mild'");
    test.wrote_nothing();
    test.on_source("qvp", "alter type mood rename value 'glad' to 'happy'");
    test.succeeds(&["run"]).stderr_has("has the labels 'happy' instead of 'glad'");
    assert_eq!(copied(&test, "mood"), ["happy", "happy", "happy"]);
    test.on_source("qvp", "alter table log alter mood type text using upper(mood::text)");
    test.succeeds(&["run"]).stderr_has("column \"mood\" was mood and is text");
    assert_eq!(copied(&test, "mood"), ["HAPPY", "HAPPY", "HAPPY"]);
    policy(&test, "{labels: fail, retyped: fail}");
    test.on_source("qvp", "alter table log alter mood type mood using 'sad'");
    stops(&test, "column \"mood\" was text and is mood");
    test.on_source("qvp", "alter type mood add value 'wild'");
    stops(&test, "the new labels 'wild'");
    test.on_target("delete from unimig.source_column");
    test.on_source("qvp", "alter table log rename n to m");
    test.succeeds(&["run"]);
    assert_eq!(copied(&test, "m"), ["1", "2", "3"], "without a memory names are what is left");
}

#[test]
fn tables_that_come_later_are_told_until_they_are_declared() {
    let test = table("{}");
    let told = test.succeeds(&["run"]).stderr;
    assert!(!told.contains("new tables"), "{told}");
    test.on_source("qvp", "create table \"Later\" (id bigint primary key); create view seen as select 1");
    let message = "source \"qvp\" has new tables that are not declared: \"Later\"";
    for _ in 0..2 {
        let told = test.succeeds(&["run"]).stderr;
        assert_eq!(told.matches(message).count(), 1, "{told}");
    }
    policy(&test, "{tables: fail}");
    test.run(&["run"])
        .exit(1)
        .stderr_has(&format!("error[source-changed]: {message}"))
        .stderr_has("unimig generate sources qvp --write declares them");
    test.succeeds(&["run", "--accept-drift"]).stderr_has("unimig generate sources qvp --write declares them");
    policy(&test, "{tables: ignore}");
    let told = test.succeeds(&["run"]).stderr;
    assert!(!told.contains("new tables"), "{told}");
}

#[test]
fn what_drift_says_is_checked_where_it_is_written() {
    let test = table("{}");
    for (drift, message) in [
        ("{dropped: add}", "\"add\" is no answer to drift"),
        ("{tables: add}", "write \"ignore\" or \"warn\" or \"fail\""),
        ("{moved: warn}", "moved"),
    ] {
        policy(&test, drift);
        test.run(&["parse"]).exit(2).stderr_has(message).stderr_has("sources/qvp.yml:3");
    }
    test.write("sources/qvp.yml", "sources: [{name: qvp, tables: [{name: log, key: [id], drift: {tables: fail}}]}]\n");
    test.run(&["parse"]).exit(2).stderr_has("\"tables\"");
}
