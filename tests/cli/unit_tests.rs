//! Unit tests as dbt has them: literal rows in, rows out, compared on the server, in nothing that stays.

use crate::harness::{Test, files_below};

const TOTALS: &str = "{{ config(materialized='table') }}
select c.id as customer_id, count(o.id) as orders, coalesce(sum(o.amount), 0) as total, '{{ var('unit', 'SAR') }}' as unit
from {{ ref('customers') }} as c
left join app.orders on orders.customer_id = c.id
left join {{ ref('orders') }} as o on o.id = orders.id
group by c.id
";

const EVENTS: &str = "{{ config(materialized='incremental', unique_key='id') }}
select id, upper(kind) as kind, {{ stamp() }} as seen from {{ ref('loud') }}
{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
";

const TESTS: &str = "
unit_tests:
  - name: customers_without_orders_have_zero
    model: totals
    description: Nobody is lost.
    given:
      - input: ref('customers')
        rows: [{id: 1, name: it's}, {id: 2}]
      - input: ref('orders')
        format: csv
        rows: |
          id,customer_id,amount
          10,1,12.5
          11,1,7.5
    overrides: {vars: {unit: EUR}}
    expect:
      rows:
        - {total: 0, customer_id: 2, unit: EUR}
        - {total: 20, customer_id: 1, unit: EUR}
  - name: nothing_in_nothing_out
    model: totals
    given: [{input: ref('customers'), rows: []}, {input: ref('orders'), format: csv, fixture: two_orders}]
    expect: {rows: []}
  - name: an_incremental_run_takes_what_is_later
    model: events
    given:
      - input: ref('loud')
        format: sql
        rows: select 1 as id, 'a' as kind union all select 3, 'c'
      - input: this
        rows: [{id: 2}]
    overrides: {macros: {is_incremental: true, stamp: \"date '2024-01-31'\"}}
    expect:
      format: sql
      rows: select 3 as id, 'C' as kind, date '2024-01-31' as seen
  - name: seeds_bring_their_rows
    model: named
    given: [{input: ref('codes')}]
    expect: {format: csv, rows: \"label\\none\\ntwo\\n\"}
";

fn project() -> Test {
    Test::new()
        .file("models/bl/customers.sql", "{{ config(materialized='table') }}\nselect 1::bigint as id, 'x'::varchar(3) as name\n")
        .file(
            "models/bl/orders.sql",
            "{{ config(materialized='table') }}\nselect 1::bigint as id, 1::bigint as customer_id, 1.0::numeric(10, 2) as amount\n",
        )
        .file("models/bl/loud.sql", "{{ config(materialized='ephemeral') }}\nselect id, 'x' as kind from {{ ref('orders') }}\n")
        .file("models/bl/totals.sql", TOTALS)
        .file("models/bl/events.sql", EVENTS)
        .file("models/bl/named.sql", "{{ config(materialized='view') }}\nselect label from {{ ref('codes') }}\n")
        .file("models/bl/above.sql", "{{ config(materialized='view') }}\nselect * from {{ ref('totals') }}\n")
        .file("macros/stamp.sql", "{% macro stamp() %}current_date{% endmacro %}\n")
        .file("seeds/codes.csv", "code,label\n1,one\n2,two\n")
        .file("tests/fixtures/two_orders.csv", "id,customer_id,amount\n1,7,1\n2,8,2\n")
        .file("models/bl/unit_tests.yml", TESTS)
}

#[test]
fn a_model_is_tested_on_rows_that_are_written_out() {
    let test = project();
    test.write(
        "models/bl/more.yml",
        "unit_tests:\n  - name: all\n    model: above\n    given: [{input: ref('totals'), rows: [{customer_id: 5}]}]\n    expect: {rows: [{customer_id: 5}]}\n",
    );
    let outcome = test.run(&["test", "--select", "test_type:unit"]).exit(1);
    outcome.stderr_has("the columns of input ref('totals') are not known yet").stderr_has("build it first");
    // What is not built is described by its SELECT, where that can be asked for.
    assert_eq!(test.result("unit_test.totals.customers_without_orders_have_zero").status, "pass");

    test.succeeds(&["build"]).stderr_has("5 pass");

    let order: Vec<String> = test.results().into_iter().map(|result| result.node).collect();
    let place = |node: &str| order.iter().position(|name| name == node).expect("it was part of the build");
    assert!(place("unit_test.totals.customers_without_orders_have_zero") < place("bl.totals"), "{order:?}");
    assert!(place("bl.orders") < place("unit_test.totals.customers_without_orders_have_zero"), "{order:?}");
    assert_eq!(test.query_target("select * from app.totals"), ["1|1|1.00|SAR"]);
    test.succeeds(&["test", "--select", "test_type:unit"]).stderr_has("5 tests: 5 pass");
    test.succeeds(&["run"]).stderr_lacks("unit_test");
    assert_eq!(test.value("select count(*) from pg_class where relname = 'unimig_actual'"), "0");
}

#[test]
fn unit_tests_are_compiled_checked_and_planned_before_anything_is_built() {
    let test = project();

    // The models' columns come from their shells.
    let json = test.succeeds(&["check", "--output", "json"]).json();
    let nodes = json["nodes"].as_array().expect("a list");
    let verdict = |name: &str| &nodes.iter().find(|node| node["name"] == name).expect("it was looked at")["verdict"];
    assert_eq!(verdict("unit_test.totals.customers_without_orders_have_zero"), "sound");
    assert_eq!(verdict("unit_test.named.seeds_bring_their_rows"), "sound");

    let shown = test.succeeds(&["compile", "--select", "unit_test.events.*"]);
    shown.stdout_has("date '2024-01-31' as seen").stdout_has("where id > (select max(id)");
    let written = files_below(&test.path().join("target/compiled"));
    let place = "models/bl/unit_tests.yml/models/an_incremental_run_takes_what_is_later.sql";
    assert!(written.iter().any(|path| path.ends_with(place)), "{written:?}");

    test.succeeds(&["plan", "--select", "test_type:unit"]).stdout_has("unit_test.totals.nothing_in_nothing_out");

    test.write(
        "models/bl/unit_tests.yml",
        &TESTS.replace("{id: 2}]\n      - input: ref('orders')", "{idd: 2}]\n      - input: ref('orders')"),
    );
    test.run(&["check"])
        .exit(2)
        .stderr_has("input ref('customers') has no column \"idd\"")
        .stderr_has("unit_tests.yml:8:");
    assert_eq!(test.value("select count(*) from pg_class where relnamespace = 'app'::regnamespace"), "0");
}

#[test]
fn rows_that_differ_are_shown_and_hold_the_model_back() {
    let test = project();
    test.succeeds(&["build", "--exclude", "test_type:unit"]);
    test.write("models/bl/totals.sql", &TOTALS.replace("coalesce(sum(o.amount), 0)", "sum(o.amount)"));

    let outcome = test.run(&["build"]).exit(1);

    outcome
        .stderr_has("actual rows differ from expected rows: 1 missing, 1 not expected")
        .stderr_has("    total  customer_id  unit\n  - 0      2            EUR\n  + NULL   2            EUR\n    20.00  1            EUR\n")
        .stderr_has("skipped because of it: bl.totals, bl.above");
    assert_eq!(test.query_target("select * from app.totals"), ["1|1|1.00|SAR"]);
}

#[test]
fn wrong_rows_are_told_at_their_places() {
    let test = project();
    test.succeeds(&["build"]);
    let yaml = |given: &str, expect: &str| {
        format!("unit_tests:\n  - name: odd\n    model: named\n    given: {given}\n    expect: {expect}\n")
    };
    let told = |given: &str, expect: &str, texts: &[&str]| {
        test.write("models/bl/unit_tests.yml", &yaml(given, expect));
        let mut outcome = test.run(&["test", "--select", "unit_test.*"]);
        assert_ne!(outcome.code, Some(0));
        for text in texts {
            outcome = outcome.stderr_has(text);
        }
    };
    let codes = "[{input: ref('codes'), rows: [{label: one}]}]";

    told("[]", "{rows: []}", &["gives no rows for ref('codes')", "unit_tests.yml:2:"]);
    told("[{input: ref('cods'), rows: []}]", "{rows: []}", &["did you mean \"codes\"?", "unit_tests.yml:4:"]);
    told("[{input: codes, rows: []}]", "{rows: []}", &["\"codes\" is no input of a unit test"]);
    told(codes, "{rows: [{label: one}, {lable: two}]}", &["expected rows have unequal columns", "unit_tests.yml:5:"]);
    told(codes, "{rows: [{lable: one}]}", &["bl.named gives no column \"lable\"", "did you mean \"label\"?"]);
    told(
        "[{input: ref('codes'), rows: [{lable: 1}]}]",
        "{rows: []}",
        &["has no column \"lable\"", "unit_tests.yml:4:"],
    );
    told("[{input: ref('codes'), rows: [{code: x}]}]", "{rows: []}", &["invalid input syntax", "unit_tests.yml:4:"]);
    told(
        "[{input: ref('codes'), format: csv, rows: \"a,b\\n1\\n\"}]",
        "{rows: []}",
        &["line 2 of the CSV has 1 fields"],
    );
    told("[{input: ref('codes'), format: csv, fixture: none}]", "{rows: []}", &["fixture \"none.csv\" does not exist"]);
    told("[{input: ref('codes'), format: sql, rows: select nope}]", "{rows: []}", &["column \"nope\" does not exist"]);
    told("[{input: ref('codes'), format: xml, rows: a}]", "{rows: []}", &["\"xml\" is no format of rows"]);
    told("[{input: ref('codes'), rowz: []}]", "{rows: []}", &["did you mean \"rows\"?"]);
    told(codes, "{}", &["\"expect\" needs the key \"rows\" or \"fixture\""]);
}
