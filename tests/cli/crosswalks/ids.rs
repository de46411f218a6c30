//! Ids that were given once: nothing that happens to rows, copies or runs changes them.

use super::{BY_SEQUENCE, ids, project};
use crate::harness::Test;

#[test]
fn ids_last_whatever_becomes_of_the_rows_and_the_copies() {
    let test = project(BY_SEQUENCE);
    test.succeeds(&["run"]);
    assert_eq!(test.result("xref.person").wrote(), (80, 0, 0));
    let first = ids(&test);
    assert_eq!(test.value("select count(distinct target_id) from unimig.\"xref.person\""), "80");
    assert_eq!(
        test.value("select target_id from unimig.\"xref.person.svp\" where id = 7"),
        "7",
        "in the order of keys"
    );
    assert_eq!(test.value("select target_id from unimig.\"xref.person.qvp\" where source_key = 7"), "47");
    assert_eq!(test.value("select count(*) from app.person"), "80");

    test.succeeds(&["run"]);
    test.wrote_nothing();
    assert_eq!(test.result("xref.person").status, "unchanged");

    // The rows stand in another order, and one is gone.
    test.on_source(
        "svp",
        "create table other as select * from people order by md5(id::text);
         truncate people;
         insert into people select * from other where id <> 7 order by md5(id::text);",
    );
    test.on_target("drop schema stg_svp cascade; drop schema stg_qvp cascade");
    test.succeeds(&["run", "--full-refresh"]);
    assert_eq!(test.result("xref.person").status, "unchanged");
    assert_eq!(ids(&test), first);

    // It comes back, and with it one that is new.
    test.on_source("svp", "insert into people values (7, 'back'), (-1, 'new')");
    test.succeeds(&["run"]);
    assert_eq!(test.result("xref.person").wrote(), (1, 0, 0));
    let now = ids(&test);
    assert!(first.iter().all(|id| now.contains(id)), "{now:?}");
    assert_eq!(test.value("select name from app.person where id = 7"), "back");
    assert_eq!(test.value("select target_id from unimig.\"xref.person.svp\" where id = -1"), "81");
}

#[test]
fn keys_of_several_columns_of_texts_and_of_uuids_have_ids_too() {
    let test = Test::new()
        .source_sql(
            "svp",
            "create table papers (office text, number integer, note text, primary key (office, number));
             insert into papers select chr(65 + n % 3), n, null from generate_series(1, 30) as n;
             create table scans (id uuid primary key, code text);
             insert into scans select md5(n::text)::uuid, nullif('c' || n % 4, 'c0') from generate_series(1, 8) as n",
        )
        .target_sql("create table app.paper (id serial primary key, note text)")
        .file(
            "sources/svp.yml",
            "sources: [{name: svp, tables: [{name: papers, key: [office, number]}, {name: scans, key: [id]}]}]\n",
        )
        .file(
            "crosswalks/all.yml",
            "crosswalks:
  - name: paper
    target: {table: paper, column: id}
    members:
      - {source: svp, table: papers}
      - {name: scans, source: svp, table: scans}
      - {name: codes, source: svp, table: scans, key: code}
",
        );
    test.succeeds(&["run"]).stderr_has("2 rows of stg.svp.scans have no key, and get no id");
    let columns = |relation: &str| {
        test.query_target(&format!(
            "select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum)
             from pg_attribute where attrelid = 'unimig.\"{relation}\"'::regclass and attnum > 0"
        ))
    };
    assert_eq!(columns("xref.paper.svp"), ["office text, number integer, target_id integer"]);
    assert_eq!(columns("xref.paper.scans"), ["id uuid, source_key uuid, target_id integer"]);
    assert_eq!(test.value("select count(*) from unimig.\"xref.paper.codes\""), "3");
    assert_eq!(
        test.query_target(
            "select source_key, target_id from unimig.\"xref.paper\" where member = 'svp' order by 2 limit 2"
        ),
        ["[\"A\", \"3\"]|1", "[\"A\", \"6\"]|2"]
    );
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn two_runs_at_once_give_each_key_one_id() {
    let test = project(BY_SEQUENCE);
    test.succeeds(&["run", "--select", "stg.*"]);
    let holder = test.session("target");
    holder.execute("begin; lock table app.person in access exclusive mode");
    let first = test.start(&["run", "--select", "xref.person"]);
    holder.wait_until("exists (select from pg_locks where not granted and relation = 'app.person'::regclass)");
    let second = test.start(&["run", "--select", "xref.person"]);
    holder.wait_until(
        "exists (select from pg_locks where locktype = 'advisory' and not granted
         and database = (select oid from pg_database where datname = current_database()))",
    );
    holder.execute("commit");
    first.wait().exit(0);
    second.wait().exit(0);
    assert_eq!(test.value("select count(*) || ' ' || max(target_id) from unimig.\"xref.person\""), "80 80");

    // And where there is nothing to wait for.
    test.on_source("qvp", "insert into people select n, 'new', null, null from generate_series(101, 140) as n");
    let runs: Vec<_> = (0..3).map(|_| test.start(&["run"])).collect();
    for run in runs {
        run.wait().exit(0);
    }
    assert_eq!(test.value("select count(*) || ' ' || max(target_id) from unimig.\"xref.person\""), "120 120");
    assert_eq!(test.value("select count(*) from app.person"), "120");
}

#[test]
fn a_run_that_is_killed_half_way_has_given_no_ids() {
    let test = project(BY_SEQUENCE);
    test.succeeds(&["run", "--select", "stg.*"]);
    // The new ids are held against the application's table, which waits.
    let holder = test.session("target");
    holder.execute("begin; lock table app.person in access exclusive mode");
    let run = test.start(&["run", "--select", "xref.person"]);
    let waits = "exists (select from pg_locks where not granted and relation = 'app.person'::regclass)";
    holder.wait_until(waits);
    assert!(run.kill(), "it was at work");
    holder.execute("commit");

    test.wait_until_quiet();
    assert_eq!(test.value("select to_regclass('unimig.\"keys.person.svp\"') is null"), "t");
    test.succeeds(&["run"]);
    assert_eq!(test.value("select count(*) || ' ' || count(distinct target_id) from unimig.\"xref.person\""), "80 80");
}

#[test]
fn the_application_numbers_its_own_rows_from_the_same_sequence() {
    let test = project(BY_SEQUENCE);
    test.on_target("insert into app.person (name) select 'own ' || n from generate_series(1, 5) as n");
    test.succeeds(&["run"]);
    assert_eq!(test.value("select count(*) from app.person"), "85");
    assert_eq!(test.value("select name from app.person where id = 5"), "own 5");
    let before = ids(&test);

    // A dump was restored, and nobody moved the sequence.
    test.on_target("alter sequence app.person_id_seq restart with 1");
    test.on_source("qvp", "insert into people values (41, 'new', null, null)");
    test.run(&["run"])
        .exit(1)
        .stderr_has("error[crosswalk-conflict]")
        .stderr_has("the column's sequence is behind its greatest value");
    assert_eq!(ids(&test), before, "nothing was given");
    assert_eq!(test.value("select name from app.person where id = 1"), "own 1");

    test.on_target("select setval('app.person_id_seq', (select max(id) from app.person))");
    test.succeeds(&["run"]);
    assert_eq!(test.value("select target_id from unimig.\"xref.person.qvp\" where id = 41"), "86");
}
