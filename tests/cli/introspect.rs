//! Templates that ask the database while they are rendered.

use crate::harness::Test;

const MACROS: &str = "{% macro kinds(relation) %}
  {%- set query %}select distinct kind from {{ relation }} order by 1{% endset -%}
  {%- set found = run_query(query) -%}
  {{ return(found.columns['kind'].values() if execute else []) }}
{% endmacro %}
{% macro largest(relation) %}
  {%- call statement('largest', fetch_result=true) %}select max(id) as id, true as yes, 1.5 as half, date '2026-02-03' as day from {{ relation }}{% endcall -%}
  {%- set row = load_result('largest').table.rows[0] -%}
  {{ return([row.id, row['yes'], row[2], row.day.strftime('%d.%m.%Y'), load_result('largest')['data'][0][0]]) }}
{% endmacro %}
";

const PIVOTED: &str = "{{ config(materialized='table') }}
select {% for kind in kinds(ref('base')) %}count(*) filter (where kind = '{{ kind }}') as \"{{ kind }}\", {% endfor %}count(*) as total from {{ ref('base') }}
";

const PIVOTED_TEST: &str = "unit_tests:
  - name: kinds_are_counted
    model: pivoted
    given: [{input: ref('base'), rows: [{id: 1, kind: a}, {id: 2, kind: c}, {id: 3, kind: c}]}]
    expect: {rows: [{a: 1, b: 0, c: 2, total: 3}]}
";

fn project() -> Test {
    let test = Test::new().target_sql("create table app.input (id int, kind text)");
    test.on_target("insert into app.input values (1, 'a'), (2, 'b'), (3, 'b')");
    test.write("macros/ask.sql", MACROS);
    test.write("models/bl/base.sql", "{{ config(materialized='table') }}\nselect id, kind from app.input\n");
    test.write(
        "models/bl/wide.sql",
        "{{ config(materialized='table') }}\nselect\n\
         {% for kind in kinds(ref('base')) %}  count(*) filter (where kind = '{{ kind }}') as \"{{ kind }}\",\n{% endfor %}\
         \x20 count(*) as total,\n\
         \x20 '{{ largest(ref('base')) | join(' ') }}' as largest,\n\
         \x20 '{% for column in adapter.get_columns_in_relation(ref('base')) %}{{ column.name }}:{{ column.data_type }}:{{ column.is_string() }} {% endfor %}' as columns,\n\
         \x20 '{{ load_relation(ref('base')).type }}' as kind\n\
         from {{ ref('base') }}\n",
    );
    test.write(
        "models/bl/below.sql",
        "{{ config(materialized='ephemeral') }}\nselect {{ dbt_utils.star(ref('wide'), except=['columns']) }} from {{ ref('wide') }}\n",
    );
    test.write("models/bl/top.sql", "{{ config(materialized='view') }}\nselect * from {{ ref('below') }}\n");
    test
}

#[test]
fn a_model_that_asks_is_compiled_when_its_parents_are_built() {
    let test = project();

    test.succeeds(&["ls"]);
    test.succeeds(&["run"]);

    let row = "1|2|3|3 True 1.5 03.02.2026 3|id:integer:False kind:text:True |table";
    assert_eq!(test.query_target("select * from app.wide"), [row]);
    assert_eq!(test.query_target("select * from app.top"), ["1|2|3|3 True 1.5 03.02.2026 3|table"]);

    // What the parents are now decides, not what they were.
    test.on_target("insert into app.input values (4, 'c')");
    test.succeeds(&["run"]);
    let columns = "select string_agg(attname, ' ' order by attnum) from pg_attribute \
                   where attrelid = 'app.wide'::regclass and attnum between 1 and 4";
    assert_eq!(test.query_target(columns), ["a b c total"]);

    // Verbs that only look ask the target as it is; a plan, as it would leave it.
    test.succeeds(&["check"]);
    test.succeeds(&["show", "--select", "wide"]).stdout_has("total");
    test.on_target("insert into app.input values (5, 'd')");
    test.succeeds(&["plan", "--diff"]).stdout_has("bl.wide");
    test.write("models/bl/pivoted.sql", PIVOTED);
    test.write("models/bl/pivoted.yml", PIVOTED_TEST);
    test.succeeds(&["test", "--select", "unit_test.pivoted.kinds_are_counted"]).stderr_has("1 pass");
    test.succeeds(&["check", "--select", "unit_test.pivoted.kinds_are_counted"]);
    test.succeeds(&["compile", "--select", "unit_test.pivoted.kinds_are_counted"]).stdout_has("kind = 'c'");

    test.succeeds(&["compile", "--select", "wide"]).stdout_has("count(*) filter (where kind = 'c') as \"c\"");
}

#[test]
fn what_the_server_refuses_is_shown_with_the_way_of_calls() {
    let test = project();
    test.write(
        "models/bl/broken.sql",
        "{{ config(materialized='table') }}\nselect 1 as one\n-- {{ kinds('app.nowhere') }}\n",
    );

    test.run(&["run", "--select", "broken"])
        .exit(1)
        .stderr_has("relation \"app.nowhere\" does not exist")
        .stderr_has("models/bl/broken.sql:3")
        .stderr_has("macros/ask.sql:3");
}
