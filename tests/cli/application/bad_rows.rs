//! Rows that the application's table would refuse: told by rule, or set aside until they are mended.

use crate::harness::Test;

const ORDER: &str = "bl.purchase";

/// A table with every kind of rule, references to itself and in a circle, an identity, a default and a generated column.
const TARGET: &str = "
    create type app.state as enum ('open', 'paid');
    create domain app.percent as numeric(5, 2) check (value between 0 and 100);
    create table app.customer (id integer primary key, favourite integer);
    insert into app.customer select n from generate_series(1, 5) as n;
    create table app.purchase (
        id bigint generated always as identity primary key,
        code varchar(8) not null,
        amount numeric(6, 2) not null,
        quantity smallint not null default 1,
        state app.state not null,
        discount app.percent,
        made_on date,
        customer_id integer references app.customer,
        parent_id bigint references app.purchase,
        total numeric generated always as (amount * quantity) stored,
        noted text not null default 'new',
        constraint purchase_code unique (code),
        constraint small_total check (total < 5000 or noted = 'big'),
        constraint positive check (quantity > 0)
    );
    create unique index one_per_day on app.purchase (customer_id, made_on) where state = 'paid';
    alter table app.customer add foreign key (favourite) references app.purchase;
    create function app.touch() returns trigger language plpgsql as 'begin return null; end';
    create trigger touch after insert or update on app.purchase for each row execute function app.touch()";

/// Good rows whose types are wider than the target's.
const GOOD: &str = "insert into purchase
    select n, 'code ' || n, n, n, case when n % 2 = 0 then 'open' else 'paid' end, '5.125', '2026-01-01',
        1 + n % 5, null
    from generate_series(1, 20) as n;
    update purchase set made_on = date '2026-01-01' + id::integer, parent_id = nullif(id - 1, 0)";

fn shop(config: &str) -> Test {
    let test = Test::new().target_sql(TARGET).source_sql(
        "shop",
        "create table purchase (
            id bigint primary key, code text, amount numeric, quantity bigint, state text, discount text, made_on text,
            customer_id bigint, parent_id bigint
        )",
    );
    test.on_source("shop", GOOD);
    test.write("sources/shop.yml", "sources: [{name: shop, tables: [{name: purchase, key: [id]}]}]\n");
    configure(&test, config);
    test
}

fn configure(test: &Test, config: &str) {
    let select = "select id, code, amount, quantity, state, discount, made_on, customer_id, parent_id";
    test.write(
        "models/bl/purchase.sql",
        &format!("{{{{ config({config}) }}}}\n{select} from {{{{ source('shop', 'purchase') }}}}\n"),
    );
}

/// One row of each kind of fault beside good ones; row 112 refers to a row that is set aside.
const FAULTS: &str =
    "insert into purchase (id, code, amount, quantity, state, discount, made_on, customer_id, parent_id) values
    (101, 'much too long', 1, 1, 'open', null, null, null, null),
    (102, 'b', 123456, 1, 'open', null, null, null, null),
    (103, 'c', 1, 40000, 'open', null, null, null, null),
    (104, 'd', 1, 1, 'lost', null, null, null, null),
    (105, 'e', 1, 1, 'open', '101', null, null, null),
    (106, 'f', 1, 1, 'open', null, '31.02.', null, null),
    (107, null, 1, 1, 'open', null, null, null, null),
    (108, 'h', 1, 0, 'open', null, null, null, null),
    (109, 'i', 100, 100, 'open', null, null, null, null),
    (110, 'code 7', 1, 1, 'open', null, null, null, null),
    (111, 'k', 1, 1, 'open', null, null, 99, null),
    (112, 'l', 1, 1, 'open', null, null, null, 107),
    (113, 'm', 1, 1, 'paid', null, '2026-01-08', 3, null),
    (114, 'n', 1, 1, 'open', null, null, null, 115), (115, 'o', 1, 1, 'open', null, null, null, 114)";

const NAMED: [&str; 13] = [
    "101|code|length|∅|much too long",
    "102|amount|range|∅|123456",
    "103|quantity|range|∅|40000",
    "104|state|label|∅|lost",
    "105|discount|check|∅|101",
    "106|made_on|type|∅|31.02.",
    "107|code|not_null|∅|∅",
    "108|quantity|check|positive|0",
    "109|total, noted|check|small_total|(10000.00,new)",
    "110|code|unique|purchase_code|code 7",
    "111|customer_id|foreign_key|purchase_customer_id_fkey|99",
    "112|parent_id|foreign_key|purchase_parent_id_fkey|107",
    "113|customer_id, made_on|unique|one_per_day|(3,2026-01-08)",
];

fn set_aside(test: &Test) -> Vec<String> {
    test.query_target(
        "select row_key ->> 'id', column_name, rule, constraint_name, raw_value
         from unimig.quarantine
         where node = 'bl.purchase'
         order by (row_key ->> 'id')::integer, 2",
    )
}

fn fails(test: &Test) -> String {
    test.run(&["run"]).exit(1).stderr
}

#[test]
fn each_bad_row_is_named_by_its_rule_and_all_others_go_in() {
    for first_load in [true, false] {
        let test = shop("on_bad_rows='quarantine'");
        if !first_load {
            test.succeeds(&["run"]);
            assert_eq!(test.result(ORDER).wrote(), (20, 0, 0));
            test.succeeds(&["run"]);
            test.wrote_nothing();
        }
        test.on_source("shop", FAULTS);

        test.succeeds(&["run"]).stderr_has("13 rows are in quarantine: unimig quarantine show bl.purchase");

        assert_eq!(set_aside(&test), NAMED);
        assert_eq!(test.result(ORDER).wrote().0, if first_load { 22 } else { 2 });
        assert_eq!(test.value("select count(*), max(id) from app.purchase"), "22|115");
        assert_eq!(test.value("select discount, made_on from app.purchase where id = 3"), "5.13|2026-01-04");
        let since = test.value("select min(first_seen_at) from unimig.quarantine");
        let before = test.rows_digest("app.purchase");
        test.succeeds(&["run"]).stderr_has("13 rows are in quarantine");
        test.wrote_nothing();
        assert_eq!((set_aside(&test).len(), test.rows_digest("app.purchase")), (13, before));
        assert_eq!(test.value("select min(first_seen_at) from unimig.quarantine"), since);
    }
}

#[test]
fn a_row_that_is_mended_leaves_the_quarantine_and_one_that_turns_bad_keeps_its_last_good_values() {
    let test = shop("on_bad_rows='quarantine', deletes='hard'");
    test.on_source("shop", FAULTS);
    test.succeeds(&["run"]);
    test.on_source(
        "shop",
        "update purchase set code = 'seven' where id = 107; delete from purchase where id in (101, 102);
         update purchase set quantity = -3, amount = 99 where id = 5; update purchase set code = 'no more fits' where id = 6",
    );

    test.succeeds(&["run"]).stderr_has("11 rows are in quarantine");

    // With 107 its child 112 comes in; rows 5 and 6 stay as they were, and are not taken for deleted.
    assert_eq!(test.result(ORDER).wrote(), (2, 0, 0));
    assert_eq!(
        test.query_target("select id, code, quantity from app.purchase where id in (5, 6, 107)"),
        ["5|code 5|5", "6|code 6|6", "107|seven|1"]
    );
    assert_eq!(&set_aside(&test)[..2], ["5|quantity|check|positive|-3", "6|code|length|∅|no more fits"]);
    test.on_source(
        "shop",
        "delete from purchase where id > 100; update purchase set quantity = 1, code = id where id < 10",
    );
    test.succeeds(&["run"]);
    assert_eq!((test.result(ORDER).wrote(), set_aside(&test).len()), ((0, 9, 4), 0));
}

#[test]
fn without_leave_or_above_the_limit_the_rules_are_named_and_nothing_changes() {
    let test = shop("");
    test.succeeds(&["run"]);
    test.on_source("shop", FAULTS);
    let before = test.rows_digest("app.purchase");

    let told = fails(&test);
    for words in [
        "error[bad-rows]",
        "app.purchase would refuse 13 rows of model \"purchase\"",
        "check \"positive\" (quantity): 1",
        "check \"small_total\" (total, noted): 1",
        "foreign key \"purchase_parent_id_fkey\" (parent_id): 1",
        "unique \"purchase_code\" (code): 1",
        "not null of \"code\": 1",
        "the enum's labels of \"state\": 1",
        "range of \"amount\": 1",
        "{\"id\": \"108\"}",
        "on_bad_rows='quarantine'",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("much too"), "{told}");
    // Where values fit their types, the server's word of one row becomes the rules' word of all.
    test.on_source("shop", "delete from purchase where id between 101 and 106");
    assert!(fails(&test).contains("would refuse 7 rows of model \"purchase\""));
    for limit in ["{'max_rows': 6}", "{'max_percent': 5}"] {
        configure(&test, &format!("quarantine={limit}"));
        assert!(fails(&test).contains("raise the limits under quarantine"), "{limit}");
        assert_eq!(set_aside(&test).len(), 0);
    }
    assert_eq!(test.rows_digest("app.purchase"), before);
    configure(&test, "quarantine={'max_rows': 7, 'max_percent': 30}");
    test.succeeds(&["run"]).stderr_has("7 rows are in quarantine");
    for (config, message) in [
        ("on_bad_rows='maybe'", "\"maybe\" is no value of \"on_bad_rows\""),
        ("quarantine={'max_rows': 'few'}", "\"few\" is no number of rows"),
        ("quarantine={'most': 1}", "quarantine has no key \"most\""),
    ] {
        configure(&test, config);
        test.run(&["parse"]).exit(2).stderr_has(message);
    }
}

#[test]
fn the_quarantine_of_a_model_is_shown_with_values_only_where_they_are_asked_for() {
    let test = shop("on_bad_rows='quarantine'");
    test.on_source("shop", FAULTS);
    test.succeeds(&["run"]);
    let listed = test.succeeds(&["quarantine", "ls"]).stdout;
    assert!(listed.contains("bl.purchase") && listed.contains(" 13 "), "{listed}");
    let shown = test.succeeds(&["quarantine", "show", ORDER]).stdout;
    assert!(shown.contains("check \"positive\" refuses it") && shown.contains("its enum has no such label"), "{shown}");
    assert!(!shown.contains("lost") && !shown.contains("108"), "{shown}");
    let shown = test.succeeds(&["quarantine", "show", ORDER, "--values"]).stdout;
    assert!(shown.contains("{\"id\": \"104\"}") && shown.contains("lost"), "{shown}");
    let json = test.succeeds(&["quarantine", "show", ORDER, "--output", "json"]).json();
    assert_eq!(json["values"][0]["rule"], "length");
    assert!(json["values"][0].get("value").is_none());
}

#[test]
fn a_trigger_that_mends_rows_is_asked_before_the_rules_are() {
    let test = shop("on_bad_rows='quarantine'").target_sql(
        "create function app.mend() returns trigger language plpgsql as
         'begin new.quantity = greatest(new.quantity, 1); return new; end';
         create trigger mend before insert or update on app.purchase for each row execute function app.mend()",
    );
    test.on_source("shop", "insert into purchase (id, code, amount, quantity, state) values (108, 'h', 1, 0, 'open')");

    test.succeeds(&["run"]);

    assert_eq!(test.value("select quantity from app.purchase where id = 108"), "1");
    assert_eq!(set_aside(&test).len(), 0);
}

#[test]
fn an_incremental_select_gives_what_is_set_aside_again() {
    let test = shop("");
    let model = "{{ config(on_bad_rows='quarantine') }}
        select id, code, amount, quantity, state from {{ source('shop', 'purchase') }}
        {% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}";
    test.write("models/bl/purchase.sql", model);
    test.on_source("shop", "update purchase set code = 'much too long' where id = 3");
    test.succeeds(&["run"]).stderr_has("1 row is in quarantine");
    test.on_source("shop", "update purchase set code = 'fits' where id = 3");

    test.succeeds(&["run"]);

    assert_eq!((test.result(ORDER).wrote(), set_aside(&test).len()), ((1, 0, 0), 0));
}
