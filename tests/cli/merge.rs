//! The merge into an application's own table: what it writes, and what it leaves to the application.

use crate::harness::Test;

/// One source table, one application table, one model with the config given.
fn shop(config: &str) -> Test {
    let test = Test::new()
        .source_sql(
            "shop",
            "create table items (id bigint primary key, code text not null, price numeric, changed_at timestamptz default now());
             insert into items select n, 'code ' || n, n, now() from generate_series(1, 10) as n",
        )
        .target_sql(
            "create table app.item (
                id bigint primary key, code text, price numeric,
                note text default 'new', gone_at timestamptz, touched integer not null default 0
             );
             create function app.touch() returns trigger language plpgsql as
             'begin new.touched = old.touched + 1; return new; end';
             create trigger touch before update on app.item for each row execute function app.touch()",
        )
        .file(
            "sources/shop.yml",
            "version: 2\nsources:\n  - name: shop\n    connection: shop\n    tables:\n      - {name: items, key: [id]}\n",
        );
    model(&test, config, "select id, code, price from {{ source('shop', 'items') }}");
    test
}

fn model(test: &Test, config: &str, select: &str) {
    test.write("models/bl/item.sql", &format!("{{{{ config({config}) }}}}\n{select}\n"));
}

#[test]
fn deletes_are_kept_unless_the_model_says_otherwise() {
    let test = shop("materialized='merge'");
    test.succeeds(&["run"]);
    test.on_source("shop", "delete from items where id < 4");

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.shop.items").wrote(), (0, 0, 3));
    assert_eq!(test.result("bl.item").wrote(), (0, 0, 0));
    assert_eq!(test.value("select count(*) from app.item"), "10");
}

#[test]
fn soft_deletes_mark_only_rows_that_the_process_inserted() {
    let test = shop("deletes='soft', deleted_column='gone_at'")
        .target_sql("insert into app.item (id, code) values (-1, 'mine'), (2, 'mine too')");
    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.item").wrote(), (9, 0, 0));
    test.on_source("shop", "create table kept as table items; delete from items where id < 4");

    test.succeeds(&["run"]);

    assert_eq!(test.result("bl.item").wrote(), (0, 0, 2));
    assert_eq!(test.query_target("select id from app.item where gone_at is not null order by id"), ["1", "3"]);
    let before = test.physical_state();
    test.succeeds(&["run"]);
    assert_eq!(test.physical_state(), before);

    test.on_source("shop", "insert into items select * from kept where id = 3");
    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.item").wrote(), (0, 1, 0));
    assert_eq!(test.query_target("select id from app.item where gone_at is not null"), ["1"]);
}

#[test]
fn hard_deletes_remove_only_rows_that_the_process_inserted() {
    let test =
        shop("deletes='hard'").target_sql("insert into app.item (id, code) values (-1, 'mine'), (2, 'mine too')");
    test.succeeds(&["run"]);
    test.on_source("shop", "create table kept as table items; delete from items where id < 4");

    test.succeeds(&["run"]);

    assert_eq!(test.result("bl.item").wrote(), (0, 0, 2));
    assert_eq!(test.query_target("select id from app.item where id < 4 order by id"), ["-1", "2"]);
    test.on_source("shop", "insert into items select * from kept where id = 3");
    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.item").wrote(), (1, 0, 0));
}

#[test]
fn the_applications_columns_and_trigger_are_left_alone() {
    let test = shop("materialized='merge'");
    test.succeeds(&["run"]);
    test.on_target("alter table app.item disable trigger touch; update app.item set note = 'called'; alter table app.item enable trigger touch");
    test.on_source("shop", "update items set price = 99 where id = 5");

    test.succeeds(&["run"]);

    assert_eq!(test.query_target("select id, price, note, touched from app.item where touched > 0"), ["5|99|called|1"]);
    assert_eq!(test.value("select count(*) from app.item where note = 'called'"), "10");
}

#[test]
fn a_row_that_the_application_changed_is_set_right_again() {
    let test = shop("materialized='merge'");
    test.succeeds(&["run"]);
    test.on_target("update app.item set price = -1 where id = 5; delete from app.item where id = 6");

    test.succeeds(&["run"]);

    assert_eq!(test.result("bl.item").wrote(), (1, 1, 0));
    assert_eq!(test.query_target("select id, price from app.item where id in (5, 6) order by id"), ["5|5", "6|6"]);
}

#[test]
fn identity_columns_are_written_as_the_select_says() {
    for kind in ["always", "by default"] {
        let test = shop("alias='numbered'");
        test.on_target(&format!(
            "create table app.numbered (id bigint generated {kind} as identity primary key, code text, price numeric)"
        ));
        test.succeeds(&["run"]);
        test.on_source("shop", "update items set price = 99 where id = 5; insert into items values (77, 'new', 1)");

        test.succeeds(&["run"]);

        assert_eq!(test.result("bl.item").wrote(), (1, 1, 0), "generated {kind}");
        assert_eq!(test.value("select max(id) from app.numbered"), "77");
    }
}

#[test]
fn columns_that_a_primary_key_only_includes_are_not_of_the_key() {
    let test = shop("alias='included'");
    test.on_target("create table app.included (id bigint, code text, price numeric, primary key (id) include (code))");
    test.succeeds(&["run"]);
    test.on_source("shop", "update items set code = 'changed' where id = 5");

    test.succeeds(&["run"]);

    assert_eq!(test.result("bl.item").wrote(), (0, 1, 0));
}

#[test]
fn an_identity_that_the_select_does_not_give_is_the_applications() {
    for kind in ["always", "by default"] {
        let test = shop("alias='numbered', unique_key='code'");
        model(&test, "alias='numbered', unique_key='code'", "select code, price from {{ source('shop', 'items') }}");
        test.on_target(&format!(
            "create table app.numbered (id bigint generated {kind} as identity (start 500) primary key, code text unique, price numeric)"
        ));
        test.succeeds(&["run"]);
        test.on_source("shop", "update items set price = 99 where id = 5");

        test.succeeds(&["run"]);

        assert_eq!(test.result("bl.item").wrote(), (0, 1, 0), "generated {kind}");
        assert_eq!(test.value("select min(id) || ' ' || max(id) from app.numbered"), "500 509");
    }
}

#[test]
fn a_key_of_several_columns_identifies_rows() {
    let test = shop("unique_key=['code', 'id']");
    test.succeeds(&["run"]);
    test.on_source("shop", "update items set code = 'other' where id = 5");
    test.on_target("alter table app.item drop constraint item_pkey");

    test.succeeds(&["run"]);

    assert_eq!(test.result("bl.item").wrote(), (1, 0, 0));
    assert_eq!(test.query_target("select code from app.item where id = 5 order by 1"), ["code 5", "other"]);
}

#[test]
fn another_unique_key_is_taken_up_by_the_next_run() {
    let test = shop("deletes='hard'");
    test.succeeds(&["run"]);
    model(&test, "deletes='hard', unique_key='code'", "select id, code, price from {{ source('shop', 'items') }}");

    test.succeeds(&["run"]);
    test.wrote_nothing();
    test.on_source("shop", "insert into items values (77, 'new', 1); delete from items where id = 3");
    test.succeeds(&["run"]);

    assert_eq!(test.result("bl.item").wrote(), (1, 0, 1));
    assert_eq!(test.value("select count(*) from app.item where id = 3"), "0");
}

#[test]
fn rows_of_another_target_are_not_taken_for_the_models_own() {
    let test = shop("deletes='hard'");
    test.succeeds(&["run"]);
    test.on_target("create table app.other (id bigint primary key, code text, price numeric); insert into app.other values (3, 'mine', 0)");
    model(&test, "deletes='hard', alias='other'", "select id, code, price from {{ source('shop', 'items') }}");
    test.on_source("shop", "delete from items where id = 3");

    test.succeeds(&["run"]);

    assert_eq!(test.query_target("select code from app.other where id = 3"), ["mine"]);
}

#[test]
fn rows_of_a_target_that_was_made_anew_are_not_taken_for_the_models_own() {
    let test = shop("deletes='hard'");
    test.succeeds(&["run"]);
    test.on_target("drop table app.item; create table app.item (id bigint primary key, code text, price numeric); insert into app.item values (3, 'mine', 0)");
    test.on_source("shop", "delete from items where id = 3");

    test.succeeds(&["run"]);

    assert_eq!(test.query_target("select code from app.item where id = 3"), ["mine"]);
}

#[test]
fn an_incremental_select_sees_the_table_that_it_fills() {
    let test = shop("materialized='merge'");
    let select = "select id, code, price from {{ source('shop', 'items') }}
        {% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}";
    model(&test, "materialized='merge'", select);
    test.succeeds(&["run"]);
    test.on_source("shop", "update items set price = 99 where id = 5; insert into items values (77, 'new', 1)");

    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.item").wrote(), (1, 0, 0));
    test.succeeds(&["run", "--full-refresh"]);
    assert_eq!(test.result("bl.item").wrote(), (0, 1, 0));
}

#[test]
fn parents_by_foreign_key_come_first() {
    let test = Test::new()
        .target_sql(
            "create table app.b_parent (id integer primary key, boss_id integer references app.b_parent);
             create table app.a_child (id integer primary key, parent_id integer not null references app.b_parent)",
        )
        .file("models/bl/a_child.sql", "select n as id, n as parent_id from generate_series(1, 5) as n\n")
        .file("models/bl/b_parent.sql", "select n as id, 6 - n as boss_id from generate_series(1, 5) as n\n");

    test.succeeds(&["run", "--threads", "4"]);

    assert_eq!(test.value("select count(*) from app.a_child"), "5");
}

#[test]
fn enums_domains_and_short_types_take_values_as_an_insert_would() {
    let test = Test::new()
        .target_sql(
            "create type app.mood as enum ('ok', 'bad');
             create domain app.percent as numeric(5, 2) check (value between 0 and 100);
             create table app.fact (id integer primary key, mood app.mood, share app.percent, code varchar(3), tags app.mood[])",
        )
        .file(
            "models/bl/fact.sql",
            "select 1 as id, 'ok'::app.mood as mood, 12.345 as share, 'abc' as code, array['ok', 'bad']::app.mood[] as tags\n",
        );

    test.succeeds(&["run"]);

    assert_eq!(test.query_target("select * from app.fact"), ["1|ok|12.35|abc|{ok,bad}"]);
    test.succeeds(&["run"]);
    test.wrote_nothing();
    test.write("models/bl/fact.sql", "select 1 as id, 'abcd' as code\n");
    test.run(&["run"]).exit(1).stderr_has("length of \"code\": 1");
    test.write("models/bl/fact.sql", "select 1 as id, 101 as share\n");
    test.run(&["run"]).exit(1).stderr_has("check of \"share\": 1");
    test.write("models/bl/fact.sql", "select 1 as id, mood from (values ('ok')) as said (mood)\n");
    test.succeeds(&["check"]);
    test.succeeds(&["run"]);
    test.write("models/bl/fact.sql", "select 1 as id, 7 as mood\n");
    test.run(&["run"]).exit(1).stderr_has("column \"mood\" is of type mood but expression is of type integer");
}
