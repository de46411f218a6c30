//! Snapshots: versions begin and end as in dbt, and a run that finds nothing new writes nothing.

use crate::harness::Test;

const INPUT: &str = "create table app.input (id int, area text, label text, changed timestamp)";

fn snapshot(test: &Test, config: &str) {
    test.write(
        "snapshots/kept.sql",
        &format!(
            "-- what stands outside is no part of it\n{{% snapshot kept %}}\n{{{{ config({config}) }}}}\nselect * from app.input\n{{% endsnapshot %}}\n"
        ),
    );
}

/// The SELECT's columns, and whether each version is over, in order.
fn versions(test: &Test) -> Vec<String> {
    test.query_target(
        "select id, label, case when dbt_valid_to is null then 'current' else 'over' end
        from app.kept order by id, dbt_valid_from, label",
    )
}

#[test]
fn the_timestamp_strategy_keeps_versions_with_the_identities_of_dbt() {
    let test = Test::new().target_sql(INPUT).target_sql(
        "insert into app.input values (1, 'a', 'one', '2026-01-01'), (2, 'a', 'two', '2026-01-01'), (3, 'a', 'three', '2026-01-01')",
    );
    snapshot(&test, "unique_key='id', strategy='timestamp', updated_at='changed', invalidate_hard_deletes=true");
    test.write(
        "models/bl/latest.sql",
        "{{ config(materialized='view') }}\nselect id from {{ ref('kept') }} where dbt_valid_to is null\n",
    );
    test.succeeds(&["snapshot"]);
    assert_eq!(test.result("snapshot.kept").wrote(), (3, 0, 0));
    let columns = "select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum)
        from pg_attribute where attrelid = 'app.kept'::regclass and attnum > 4";
    assert_eq!(
        test.value(columns),
        "dbt_scd_id text, dbt_updated_at timestamp without time zone, dbt_valid_from timestamp without time zone, \
         dbt_valid_to timestamp without time zone"
    );
    assert_eq!(test.query_target("select dbt_scd_id = md5('1|2026-01-01 00:00:00') from app.kept where id = 1"), ["t"]);
    let before = test.physical_state();
    test.succeeds(&["snapshot"]);
    test.wrote_nothing();
    assert_eq!(test.physical_state(), before);

    // Later and other, other and not later, gone, new; and a column that was not there before.
    test.on_target(
        "update app.input set label = 'uno', changed = '2026-02-01' where id = 1;
        update app.input set label = 'dos' where id = 2;
        delete from app.input where id = 3;
        alter table app.input add column size int;
        insert into app.input values (4, 'a', 'four', '2026-02-01', 44)",
    );
    test.succeeds(&["snapshot"]);
    assert_eq!(test.result("snapshot.kept").wrote(), (2, 2, 0));
    assert_eq!(versions(&test), ["1|one|over", "1|uno|current", "2|two|current", "3|three|over", "4|four|current"]);
    assert_eq!(
        test.query_target("select id, size, dbt_valid_from = changed, dbt_updated_at = changed from app.kept where dbt_valid_to is null order by id"),
        ["1|∅|t|t", "2|∅|t|t", "4|44|t|t"]
    );
    assert_eq!(test.value("select dbt_valid_to from app.kept where id = 1 and label = 'one'"), "2026-02-01 00:00:00");
    test.succeeds(&["snapshot", "--full-refresh"]);
    test.wrote_nothing();
    test.succeeds(&["build"]);
    assert_eq!(test.query_target("select id from app.latest order by id"), ["1", "2", "4"]);
    test.succeeds(&["run"]);
    assert_eq!(test.results().len(), 1, "snapshots are not part of run");
}

#[test]
fn the_check_strategy_watches_columns_and_keeps_deletions_as_versions() {
    let test = Test::new()
        .target_sql(INPUT)
        .target_sql("insert into app.input values (1, 'a', 'one', null), (1, 'b', null, null), (2, 'a', 'two', null)");
    test.write(
        "snapshots/kept.yml",
        "snapshots:\n  - name: kept\n    description: Every version.\n    relation: source('app', 'input')\n    config:\n      unique_key: [id, area]\n      strategy: check\n      check_cols: [label]\n      hard_deletes: new_record\n      dbt_valid_to_current: \"'9999-12-31'::timestamp\"\n      snapshot_meta_column_names: {dbt_valid_to: until, dbt_is_deleted: gone}\n    columns:\n      - name: id\n        data_tests: [not_null]\n",
    );
    test.write(
        "sources/app.yml",
        "version: 2\nsources:\n  - name: app\n    schema: app\n    tables: [{name: input}]\n",
    );
    let rows =
        "select id, area, label, until = '9999-12-31', gone from app.kept order by id, area, dbt_valid_from, gone";
    test.succeeds(&["snapshot"]);
    assert_eq!(test.query_target(rows), ["1|a|one|t|False", "1|b|∅|t|False", "2|a|two|t|False"]);
    test.succeeds(&["snapshot"]);
    test.wrote_nothing();

    test.on_target("update app.input set area = area, changed = now(); update app.input set label = 'x' where area = 'b'; delete from app.input where id = 2");
    test.succeeds(&["snapshot"]);
    assert_eq!(
        test.query_target(rows),
        ["1|a|one|t|False", "1|b|∅|f|False", "1|b|x|t|False", "2|a|two|f|False", "2|a|two|t|True"]
    );
    test.succeeds(&["snapshot"]);
    test.wrote_nothing();

    test.on_target("insert into app.input values (2, 'a', 'two', null)");
    test.succeeds(&["build"]);
    assert_eq!(
        test.query_target(&format!("select * from ({rows}) as all_rows where id = 2")),
        ["2|a|two|f|False", "2|a|two|f|True", "2|a|two|t|False"]
    );
    assert_eq!(test.result("test.not_null_kept_id").status, "pass");
}

#[test]
fn a_watched_column_that_is_new_makes_every_row_a_new_version() {
    let test = Test::new().target_sql(INPUT).target_sql("insert into app.input values (1, 'a', 'one', null)");
    snapshot(&test, "unique_key='id', strategy='check', check_cols='all'");
    test.succeeds(&["snapshot"]);
    test.on_target("alter table app.input add column size int");
    test.succeeds(&["snapshot"]);
    assert_eq!(versions(&test), ["1|one|over", "1|one|current"]);
    test.succeeds(&["snapshot"]);
    test.wrote_nothing();
}

#[test]
fn what_a_snapshot_lacks_is_told_at_its_place() {
    let test = Test::new().target_sql(INPUT);
    snapshot(&test, "unique_key='id', strategy='timestamp'");
    test.run(&["snapshot"]).exit(2).stderr_has("needs \"updated_at\"").stderr_has("snapshots/kept.sql:3");
    snapshot(&test, "unique_key='id', strategy='sometimes'");
    test.run(&["snapshot"]).exit(2).stderr_has("\"sometimes\" is no value of \"strategy\"");
    snapshot(&test, "unique_key='id', strategy='check', check_cols=['lable']");
    test.succeeds(&["snapshot"]);
    test.run(&["snapshot"]).exit(1).stderr_has("column \"lable\" does not exist");
    snapshot(&test, "unique_key='nope', strategy='check', check_cols='all'");
    test.run(&["snapshot"]).exit(1).stderr_has("nope");
    test.on_target("drop table app.kept; create table app.kept (id int)");
    snapshot(&test, "unique_key='id', strategy='check', check_cols='all'");
    test.run(&["snapshot"]).exit(1).stderr_has("not-ours");
}
