//! The application's own rows, and what it edited in rows of a model.

use crate::harness::Test;

const ITEM: &str = "bl.item";

fn shop(config: &str) -> Test {
    let test = Test::new()
        .source_sql(
            "shop",
            "create table items (id bigint primary key, code text not null, price numeric);
             insert into items select n, 'code ' || n, n from generate_series(1, 10) as n",
        )
        .target_sql("create table app.item (id bigint primary key, code varchar(20), price numeric, note text)")
        .file("sources/shop.yml", "sources: [{name: shop, tables: [{name: items, key: [id]}]}]\n");
    configure(&test, config);
    test
}

fn configure(test: &Test, config: &str) {
    let model = format!("{{{{ config({config}) }}}}\nselect id, code, price from {{{{ source('shop', 'items') }}}}\n");
    test.write("models/bl/item.sql", &model);
}

fn rows(test: &Test, ids: &str) -> Vec<String> {
    test.query_target(&format!("select id, code, price from app.item where id in ({ids}) order by id"))
}

fn conflicts(test: &Test) -> Vec<String> {
    test.query_target(
        "select row_key ->> 'id', column_name, resolution from unimig.conflict order by (row_key ->> 'id')::integer, 2",
    )
}

/// Four edits: two columns, one that is set to what the next run gives, a row that is deleted; row 6 is left alone.
const EDITS: &str =
    "update app.item set price = -1 where id = 3; update app.item set price = null, code = 'mine' where id = 4;
    update app.item set price = 99 where id = 5; delete from app.item where id = 7;
    update app.item set note = 'of a column that no model gives' where id = 8";

const CHANGES: &str =
    "update items set price = 99 where id in (5, 6); update items set code = 'ours' where id in (3, 4)";

#[test]
fn a_row_that_somebody_else_inserted_is_neither_updated_nor_deleted_until_it_is_adopted() {
    let test = shop("deletes='hard'")
        .target_sql("insert into app.item (id, code) values (-1, 'mine'), (2, 'mine too'), (3, 'code 3')");
    test.on_target("update app.item set price = 3 where id = 3");

    test.succeeds(&["run"]).stderr_has("1 row of app.item that bl.item did not insert would differ, and is left alone");
    assert_eq!((test.result(ITEM).wrote(), rows(&test, "2")), ((8, 0, 0), vec!["2|mine too|∅".to_owned()]));
    test.succeeds(&["run"]);
    test.wrote_nothing();
    test.on_source("shop", "create table kept as table items; delete from items where id in (2, 3, 4)");
    test.succeeds(&["run"]);
    assert_eq!(test.result(ITEM).wrote(), (0, 0, 1));
    assert_eq!(rows(&test, "2, 3, 4"), ["2|mine too|∅", "3|code 3|3"]);

    test.on_source("shop", "insert into items select * from kept where id in (2, 3, 4)");
    configure(&test, "deletes='hard', adopt=true");
    test.succeeds(&["run"]);
    assert_eq!((test.result(ITEM).wrote(), rows(&test, "2")), ((1, 1, 0), vec!["2|code 2|2".to_owned()]));
    test.on_source("shop", "delete from items where id in (2, 3)");
    test.succeeds(&["run"]);
    assert_eq!(test.result(ITEM).wrote(), (0, 0, 2));
    assert_eq!(rows(&test, "-1"), ["-1|mine|∅"]);
}

#[test]
fn what_was_edited_is_written_over_and_told_by_key() {
    let test = shop("");
    test.succeeds(&["run"]);
    assert_eq!(test.value("select count(*) from unimig.\"bl.item\" where array_length(_hashes, 1) = 2"), "10");
    test.on_target(EDITS);
    test.on_source("shop", CHANGES);

    test.succeeds(&["run"])
        .stderr_has("3 rows of app.item were edited after bl.item wrote them (deleted: 1, \"code\": 1, \"price\": 2)")
        .stderr_has("written over: see unimig.conflict");

    assert_eq!(conflicts(&test), ["3|price|ours", "4|code|ours", "4|price|ours", "7||ours"]);
    assert_eq!(rows(&test, "3, 4, 5, 6, 7"), ["3|ours|3", "4|ours|4", "5|code 5|99", "6|code 6|99", "7|code 7|7"]);
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn what_was_edited_is_left_as_long_as_the_model_says_theirs() {
    let test = shop("on_conflict='theirs'");
    test.succeeds(&["run"]);
    test.on_target(EDITS);
    test.on_source("shop", CHANGES);

    test.succeeds(&["run"]).stderr_has("left as they are: see unimig.conflict");

    let theirs = ["3|ours|-1", "4|mine|∅", "5|code 5|99", "6|code 6|99"];
    assert_eq!(
        (test.result(ITEM).wrote(), rows(&test, "3, 4, 5, 6, 7")),
        ((0, 2, 0), theirs.map(str::to_owned).to_vec())
    );
    assert_eq!(conflicts(&test), ["3|price|theirs", "4|code|theirs", "4|price|theirs", "7||theirs"]);
    // It stays so however often other columns of the row are written.
    test.on_source(
        "shop",
        "update items set code = 'again' where id = 3; update items set price = 0 where id in (3, 4)",
    );
    test.succeeds(&["run"]);
    assert_eq!(rows(&test, "3, 4"), ["3|again|-1", "4|mine|∅"]);
    let before = test.physical_state();
    test.succeeds(&["run"]);
    assert_eq!(test.physical_state(), before);

    // Columns of another order, and one more: what was known of them stays.
    let model =
        "{{ config(on_conflict='theirs') }}\nselect id, price, code, 'x' as note from {{ source('shop', 'items') }}\n";
    test.write("models/bl/item.sql", model);
    test.succeeds(&["run"]);
    assert_eq!(
        (rows(&test, "3, 4"), test.result(ITEM).wrote()),
        (["3|again|-1", "4|mine|∅"].map(str::to_owned).to_vec(), (0, 9, 0))
    );
    // The edit is taken back: nothing is in conflict any more.
    test.on_target("update app.item set price = 0 where id = 3");
    test.succeeds(&["run"]);
    assert_eq!(conflicts(&test), ["4|code|theirs", "4|price|theirs", "7||theirs"]);
    configure(&test, "on_conflict='ours'");
    test.succeeds(&["run"]);
    assert_eq!(rows(&test, "3, 4, 7"), ["3|again|0", "4|ours|0", "7|code 7|7"]);
}

#[test]
fn an_edit_stops_a_model_that_says_fail_and_its_keys_are_told() {
    let test = shop("on_conflict='fail'");
    test.succeeds(&["run"]);
    test.on_target(EDITS);
    let before = test.rows_digest("app.item");

    test.run(&["run"])
        .exit(1)
        .stderr_has("error[edited-in-target]")
        .stderr_has("4 rows of app.item were edited after bl.item wrote them (deleted: 1, \"code\": 1, \"price\": 3)")
        .stderr_has("code: {\"id\": \"4\"}")
        .stderr_has("on_conflict='ours'");
    assert_eq!(test.rows_digest("app.item"), before);
    // An edit to what the model gives anyhow is none.
    test.on_target("update app.item set price = 3 where id = 3; update app.item set price = 5 where id = 5");
    test.on_target(
        "update app.item set price = 4, code = 'code 4' where id = 4; insert into app.item values (7, 'code 7', 7)",
    );
    test.succeeds(&["run"]);
    test.wrote_nothing();
    configure(&test, "on_conflict='mine', adopt='yes'");
    test.run(&["parse"])
        .exit(2)
        .stderr_has("\"mine\" is no value of \"on_conflict\"")
        .stderr_has("\"adopt\" must be true or false");
}

#[test]
fn what_a_trigger_made_of_a_value_is_no_edit() {
    let test = shop("on_conflict='fail'").target_sql(
        "create function app.lower_it() returns trigger language plpgsql as
         'begin new.code = upper(new.code); return new; end';
         create trigger lower_it before insert or update on app.item for each row execute function app.lower_it()",
    );
    test.succeeds(&["run"]);
    test.on_source("shop", "update items set price = 99 where id = 5");
    test.succeeds(&["run"]);
    assert_eq!(rows(&test, "5"), ["5|CODE 5|99"]);
    test.on_target("update app.item set code = 'other' where id = 5");
    test.run(&["run"]).exit(1).stderr_has("1 row of app.item was edited");
}
