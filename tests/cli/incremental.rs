//! Incremental models: dbt's strategies, what they leave alone, and what becomes of columns that change.

use crate::harness::Test;

const INPUT: &str = "create table app.input (id int, kind text, price numeric, seen date)";

fn model(test: &Test, config: &str, select: &str) {
    test.write("models/bl/fact.sql", &format!("{{{{ config(materialized='incremental'{config}) }}}}\n{select}\n"));
}

const SINCE: &str = "select id, kind, price from app.input\n\
    {% if is_incremental() %}where seen > (select coalesce(max(seen), '-infinity') from app.watermark){% endif %}";

fn facts(test: &Test) -> Vec<String> {
    test.query_target("select * from app.fact order by fact::text")
}

#[test]
fn without_a_key_rows_are_added_and_the_table_is_made_once() {
    let test = Test::new().target_sql(INPUT).target_sql("insert into app.input values (1, 'a', 1.0, '2026-01-01')");
    model(
        &test,
        "",
        "select id, kind from app.input {% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}",
    );
    test.succeeds(&["run"]);
    test.on_target("grant select on app.fact to reader; create view app.mine as select id from app.fact");
    assert_eq!(test.result("bl.fact").wrote(), (1, 0, 0));

    test.succeeds(&["run"]);
    test.wrote_nothing();

    test.on_target("insert into app.input values (2, 'b', 2, '2026-01-02')");
    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.fact").wrote(), (1, 0, 0));
    assert_eq!(facts(&test), ["1|a", "2|b"]);
    assert_eq!(test.query_target("select id from app.mine order by 1"), ["1", "2"]);

    test.on_target("delete from app.input where id = 1");
    test.succeeds(&["run", "--full-refresh"]);
    assert_eq!(facts(&test), ["2|b"]);
    // The config wins over the flag.
    model(&test, ", full_refresh=false", "select 3 as id, 'c' as kind {% if is_incremental() %}where true{% endif %}");
    test.succeeds(&["run", "--full-refresh"]);
    assert_eq!(facts(&test), ["2|b", "3|c"]);
}

#[test]
fn delete_insert_replaces_keys_and_leaves_equal_rows_where_they_are() {
    let test = Test::new().target_sql(INPUT).target_sql(
        "insert into app.input values (1, 'a', 1.0, null), (1, 'b', 1, null), (1, 'b', 1, null), (2, 'a', 2, null)",
    );
    model(&test, ", unique_key='id'", "select id, kind, price from app.input");
    test.succeeds(&["run"]);
    let before = test.physical_state();

    test.succeeds(&["run"]);

    test.wrote_nothing();
    assert_eq!(test.physical_state(), before);
    // One of three rows of key 1 is spelled otherwise, one of its twins is gone, key 2 is no longer selected.
    test.on_target(
        "delete from app.input; insert into app.input values (1, 'a', 1.00, null), (1, 'b', 1, null), (3, 'c', 3, null)",
    );
    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.fact").wrote(), (2, 0, 2));
    assert_eq!(facts(&test), ["1|a|1.00", "1|b|1", "2|a|2", "3|c|3"]);
    // Rows outside of the predicate are neither looked at nor deleted.
    model(
        &test,
        ", unique_key=['id', 'kind'], incremental_predicates=['dbt_internal_dest.id > 1']",
        "select 1 as id, 'a' as kind, 9 as price union all select 3, 'c', 9",
    );
    test.succeeds(&["run"]);
    assert_eq!(facts(&test), ["1|a|1.00", "1|a|9", "1|b|1", "2|a|2", "3|c|9"]);
}

#[test]
fn merge_updates_what_differs_in_the_columns_that_it_may_write() {
    let test = Test::new()
        .target_sql(INPUT)
        .target_sql("create table app.watermark (seen date)")
        .target_sql("insert into app.input values (1, 'a', 1.0, '2026-01-01'), (2, 'b', 2, '2026-01-01')");
    model(&test, ", incremental_strategy='merge', unique_key='id', merge_exclude_columns=['KIND']", SINCE);
    test.succeeds(&["run"]);
    let before = test.physical_state();
    test.succeeds(&["run"]);
    test.wrote_nothing();
    assert_eq!(test.physical_state(), before);

    test.on_target(
        "insert into app.watermark values ('2026-01-01');
         update app.input set kind = 'z', price = 1.00, seen = '2026-01-02' where id = 1;
         insert into app.input values (3, 'c', 3, '2026-01-02')",
    );
    test.succeeds(&["run"]);

    assert_eq!(test.result("bl.fact").wrote(), (1, 1, 0));
    assert_eq!(facts(&test), ["1|a|1.00", "2|b|2", "3|c|3"]);
    model(
        &test,
        ", incremental_strategy='merge', unique_key='id'",
        "select 1 as id, 'a' as kind, n as price from generate_series(1, 2) as n",
    );
    let outcome = test.run(&["run"]).exit(1).stderr_has("duplicate-key").stderr_has("(1) 2 times");
    assert_eq!(facts(&test), ["1|a|1.00", "2|b|2", "3|c|3"], "{}", outcome.transcript());
    model(
        &test,
        ", incremental_strategy='merge', unique_key='id', merge_update_columns=['prise']",
        "select 1 as id, 'a' as kind, 5 as price",
    );
    test.run(&["run"]).exit(1).stderr_has("unknown-target-column").stderr_has("did you mean \"price\"");
}

#[test]
fn a_key_that_the_select_lacks_fails_the_first_run() {
    let test = Test::new();
    for config in ["unique_key='no_id'", "unique_key='no_id', incremental_strategy='merge'"] {
        model(&test, &format!(", {config}"), "select 1 as id, 'a' as kind, 5 as price");
        test.run(&["run"])
            .exit(1)
            .stderr_has("sql-error")
            .stderr_has("does not exist")
            .stderr_has("models/bl/fact.sql:1:");
    }
    model(
        &test,
        ", incremental_strategy='merge', unique_key='id', merge_update_columns=['prise']",
        "select 1 as id, 'a' as kind, 5 as price",
    );
    test.run(&["run"]).exit(1).stderr_has("unknown-target-column").stderr_has("did you mean \"price\"");
    assert_eq!(test.value("select to_regclass('app.fact') is null"), "t");
}

#[test]
fn a_changed_select_changes_the_table_as_on_schema_change_says() {
    let test = Test::new();
    let first = "select 1 as id, 'short'::varchar(5) as label, 1 as size";
    model(&test, ", unique_key='id'", first);
    test.succeeds(&["run"]);
    // A new column is left out and said so; a longer text fits.
    model(&test, ", unique_key='id'", "select 1 as id, 'longer'::varchar(9) as label, 1 as size, true as new");
    test.succeeds(&["run"]).stderr_has("\"new\"");
    assert_eq!(facts(&test), ["1|longer|1"]);
    // A column that is gone needs an answer.
    let changed = "select 1 as id, 'longer'::varchar(9) as label, 1.5 as weight";
    model(&test, ", unique_key='id'", changed);
    test.run(&["run"]).exit(1).stderr_has("schema-changed").stderr_has("\"size\"");
    model(&test, ", unique_key='id', on_schema_change='fail'", changed);
    test.run(&["run"]).exit(1).stderr_has("lacks \"weight\"").stderr_has("\"size\"");
    assert_eq!(facts(&test), ["1|longer|1"]);
    model(&test, ", unique_key='id', on_schema_change='append_new_columns'", changed);
    test.succeeds(&["run"]);
    assert_eq!(facts(&test), ["1|longer|∅|1.5"]);
    model(&test, ", unique_key='id', on_schema_change='sync_all_columns'", "select 1::bigint as id, 1.5 as weight");
    test.succeeds(&["run"]);
    assert_eq!(facts(&test), ["1|1.5"]);
    assert_eq!(test.value("select pg_typeof(id) from app.fact"), "bigint");
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn a_table_that_others_made_is_not_added_to() {
    let test = Test::new().target_sql("create table app.fact (id int)");
    model(&test, "", "select 1 as id {% if is_incremental() %}where false{% endif %}");

    test.run(&["run"]).exit(1).stderr_has("not-ours");

    assert_eq!(facts(&test), [""; 0]);
}

#[test]
fn a_key_that_the_select_no_longer_gives_deletes_nothing() {
    let test = Test::new();
    model(&test, ", unique_key='id'", "select n as id, 'a' as kind from generate_series(1, 3) as n");
    test.succeeds(&["run"]);

    // In a subquery the name would be the table's own column, and match every row.
    model(&test, ", unique_key='id', on_schema_change='append_new_columns'", "select 'b' as kind");
    test.run(&["run"]).exit(1).stderr_has("column \"id\" does not exist").stderr_has("models/bl/fact.sql:1");

    assert_eq!(facts(&test), ["1|a", "2|a", "3|a"]);
}
