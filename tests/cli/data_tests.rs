//! Data tests as dbt has them: every setting, tests that macros define, and failing rows that are kept.

use crate::harness::Test;

const ORDERS: &str = "
select * from (values
    (1, 'open', 10.0), (2, 'open', 20.0), (3, 'paid', 30.0), (3, 'lost', null), (5, null, 50.0)
) as t (id, status, amount)
";

const PROPERTIES: &str = "
version: 2
models:
  - name: orders
    data_tests:
      - unique: {name: twice, arguments: {column_name: id}, config: {fail_calc: sum(n_records), error_if: '>= 2'}}
      - is_between: {arguments: {low: 1, high: \"{{ var('high', 40) }}\"}, column_name: amount, name: bounded}
    columns:
      - name: id
        data_tests:
          - test_name: unique
            name: spread
            config: {severity: WARN, warn_if: '> 2'}
          - relationships: {name: related, to: ref('slim'), field: id, config: {where: id < 3}}
      - name: status
        tests:
          - not_null: {name: filled, config: {warn_if: '> 0', error_if: between 2 and 5}}
          - accepted_values: {name: raw_values, values: [\"'open'\", \"'paid'\"], quote: false, limit: 1}
  - name: slim
    columns:
      - name: status
        data_tests:
          - accepted_values:
              name: kept
              arguments: {values: [open, paid]}
              config: {store_failures: true, schema: audit, alias: odd_orders, severity: warn}
          - not_null: {name: seen, config: {store_failures_as: view}}
";

const IS_BETWEEN: &str = "
{% test is_between(model, column_name, low, high=100) %}
    {{ config(severity='warn') }}
    select {{ column_name }} from {{ model }} where not {{ column_name }} between {{ low }} and {{ high }}
{% endtest %}
";

fn project() -> Test {
    Test::new()
        .file("models/bl/orders.sql", &format!("{{{{ config(materialized='table') }}}}{ORDERS}"))
        .file(
            "models/bl/slim.sql",
            "{{ config(materialized='ephemeral') }}\nselect id, status from {{ ref('orders') }}\n",
        )
        .file("models/bl/p.yml", PROPERTIES)
        .file("tests/generic/is_between.sql", IS_BETWEEN)
        .file("tests/money.sql", "select * from {{ ref('slim') }} where status = 'lost'\n")
        .file(
            "tests/money.yml",
            "data_tests: [{name: money, description: No order is lost., config: {severity: warn}}]\n",
        )
}

#[test]
fn every_setting_of_a_data_test_means_what_it_means_in_dbt() {
    let test = project();

    test.run(&["build"]).exit(1);

    let told = |node: &str| {
        let result = test.result(&format!("test.{node}"));
        (result.status, result.message.unwrap_or_default())
    };
    let said = |status: &str, message: &str| (status.to_owned(), message.to_owned());
    assert_eq!(told("twice"), said("fail", "Got 2 results, configured to fail if >= 2"));
    assert_eq!(told("spread"), said("pass", ""));
    assert_eq!(told("bounded"), said("warn", "Got 1 result, configured to warn if != 0"));
    assert_eq!(told("related"), said("pass", ""));
    assert_eq!(told("filled"), said("warn", "Got 1 result, configured to warn if > 0"));
    assert_eq!(told("raw_values"), said("fail", "Got 1 result, configured to fail if != 0"));
    assert_eq!(told("kept"), said("warn", "Got 1 result, configured to warn if != 0"));
    assert_eq!(told("money").0, "warn");
    assert_eq!(test.query_target("select * from app_audit.odd_orders"), ["lost|1"]);
    assert_eq!(test.value("select relkind from pg_class where relname = 'seen'"), "v");
    let command = ["test", "--select", "test.bounded", "--vars", "{high: 60}"];
    test.succeeds(&command).stderr_has("1 pass");
    test.run(&["test", "--select", "test.bounded", "--warn-error"]).exit(1).stderr_has("Got 1 result");
}

#[test]
fn a_project_says_how_the_relation_of_a_test_is_narrowed() {
    let test = Test::new()
        .file("models/bl/orders.sql", "{{ config(materialized='table') }}\nselect * from (values (1, 'open'), (null, 'it''s'), (3, 'odd')) as v (id, status)\n")
        .file("models/bl/orders.yml", "models: [{name: orders, columns: [
            {name: id, data_tests: [not_null: {config: {where: id is null}}, unique, relationships: {to: ref('orders'), field: id}]},
            {name: status, data_tests: [accepted_values: {values: [open, it's]}]}]}]\n")
        .file("macros/narrow.sql", "{% macro get_where_subquery(relation) %}(select * from {{ relation }} where id < {{ 3 if config.get('where') else 2 }}) as narrowed{% endmacro %}\n");

    test.succeeds(&["build"]).stderr_has("4 pass");

    test.write("macros/narrow.sql", "{% macro other() %}{% endmacro %}\n");
    test.run(&["test"]).exit(1).stderr_has("2 pass, 2 fail");
}

#[test]
fn failing_rows_are_kept_in_relations_of_ours_that_each_run_replaces() {
    let test = project();
    test.succeeds(&["run"]);
    let names = ["test.kept", "test.seen", "test.money", "test.filled"];

    test.run(&[&["test", "--store-failures", "--select"], &names[..]].concat())
        .exit(1)
        .stderr_has("the rows are in app_audit.odd_orders");

    assert_eq!(test.query_target("select id from app_dbt_test__audit.money"), ["3"]);
    assert_eq!(test.query_target("select status from app_dbt_test__audit.filled"), ["∅"]);
    let made = "select obj_description('app_audit.odd_orders'::regclass)";
    assert_eq!(test.value(made), "made by unimig: test.kept");
    test.write(
        "models/bl/orders.sql",
        "{{ config(materialized='table') }}\nselect 1 as id, 'open' as status, 2.0 as amount",
    );
    test.succeeds(&["build", "--store-failures"]);
    assert_eq!(test.value("select count(*) from app_audit.odd_orders"), "0");
    assert_eq!(test.value("select count(*) from app_dbt_test__audit.money"), "0");

    test.on_target("drop table app_audit.odd_orders; create table app_audit.odd_orders (mine integer)");
    test.run(&["test", "--select", "test.kept"]).exit(1).stderr_has("unimig did not make it");
    assert_eq!(test.value("select count(*) from app_audit.odd_orders"), "0");
}

#[test]
fn wrong_tests_are_told_at_their_lines() {
    let test = project();
    test.write(
        "tests/generic/broken.sql",
        "{% test broken(model, column_name) %}select * from {{ ref('nothing') }}{% endtest %}\n",
    );
    let yaml = "
models:
  - name: orders
    columns:
      - name: id
        tests:
          - not_null: {warn_if: many}
          - unique: {limit: few}
          - is_betwen: {low: 1}
          - dbt_utils.nonsense
          - relationships: {to: ref('ordres'), field: id}
          - not_null: {name: where_to, database: elsewhere}
          - broken
          - accepted_values: {vals: [1]}
";
    test.write("models/bl/p.yml", yaml);

    let outcome = test.run(&["parse"]).exit(2);

    outcome
        .stderr_has("\"many\" is no condition for \"warn_if\"")
        .stderr_has("p.yml:7:")
        .stderr_has("\"limit\" must be a number of rows")
        .stderr_has("did you mean \"is_between\"?")
        .stderr_has("test \"dbt_utils.nonsense\" does not exist")
        .stderr_has("did you mean \"orders\"?")
        .stderr_has("\"nothing\" does not exist")
        .stderr_has("tests/generic/broken.sql:1:")
        .stderr_has("test \"accepted_values\" has no key \"vals\"");
}

#[test]
fn failing_rows_are_not_kept_in_what_a_model_writes() {
    let test = project();
    test.write(
        "models/bl/odd.sql",
        "{{ config(materialized='table', schema='dbt_test__audit', alias='money') }}\nselect 1 as id\n",
    );
    test.run(&["run"]).exit(2).stderr_has("two-writers").stderr_has("\"bl.odd\" and by \"test.money\"");
}
