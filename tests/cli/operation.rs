//! `run-operation`: a macro with a live session, kept whole or not at all.

use crate::artifacts::artifact;
use crate::harness::Test;

const MACROS: &str = "
{% macro note(name, times=1) %}
    {% do run_query('create table if not exists app.notes (name text)') %}
    {% for n in range(times) %}
        {% do run_query(\"insert into app.notes values ('\" ~ name ~ \"')\") %}
    {% endfor %}
    {% set found = run_query('select count(*) from app.notes').columns[0].values()[0] %}
    {% do log('there are ' ~ found ~ ' notes', info=true) %}
    {% do print(found) %}
{% endmacro %}

{% macro spoil() %}
    {% do run_query('delete from app.notes') %}
    {% do run_query('select no_such_column from app.notes') %}
{% endmacro %}

{% macro of_person() %}
    {% do print(run_query('select count(*) from ' ~ ref('person')).columns[0].values()[0]) %}
{% endmacro %}
";

#[test]
fn a_macro_is_called_with_its_arguments_and_what_it_does_is_kept() {
    let test = Test::sample().file("macros/notes.sql", MACROS);
    test.succeeds(&["run"]);

    let noted = test.succeeds(&["run-operation", "note", "--args", "{name: one, times: 3}"]);

    assert_eq!(noted.stdout.trim(), "3");
    noted.stderr_has("there are 3 notes");
    assert_eq!(test.value("select count(*) from app.notes where name = 'one'"), "3");
    let results = artifact(&test, "run_results.json");
    assert_eq!(results["results"][0]["unique_id"], "macro.shop.note");
    assert_eq!(
        (&results["results"][0]["status"], &results["args"]["which"]),
        (&"success".into(), &"run-operation".into())
    );
    assert_eq!(test.succeeds(&["run-operation", "shop.of_person"]).stdout.trim(), "90");
}

#[test]
fn a_macro_that_fails_leaves_everything_as_it_was() {
    let test = Test::sample().file("macros/notes.sql", MACROS);
    test.succeeds(&["run-operation", "note", "--args", "{name: one}"]);

    let failed = test.run(&["run-operation", "spoil"]).exit(1);

    failed.stderr_has("column \"no_such_column\" does not exist").stderr_has("macros/notes.sql:14");
    assert_eq!(test.value("select count(*) from app.notes"), "1");
    assert_eq!(artifact(&test, "run_results.json")["results"][0]["status"], "error");
    test.run(&["run-operation", "nothing_such"]).exit(1).stderr_has("nothing_such");
    test.run(&["run-operation", "note", "--args", "[1]"]).exit(2).stderr_has("--args");
}

#[test]
fn a_query_that_asks_the_database_first_is_shown() {
    let test = Test::sample().file(
        "models/bl/asks.sql",
        "{{ config(materialized='ephemeral') }}\n{% set n = run_query('select count(*) from ' ~ ref('person')).columns[0].values()[0] %}\n\
         select {{ n }} as people from {{ ref('person') }}\n",
    );
    test.succeeds(&["run"]);

    let shown = test.succeeds(&["show", "-s", "bl.asks", "--limit", "1"]);
    assert!(shown.stdout.contains("| people |\n|--------|\n| 90     |"), "{}", shown.stdout);
    let query = "{% set n = run_query('select 41 + 1').columns[0].values()[0] %} select {{ n }} as n";
    test.succeeds(&["show", "--inline", query]).stdout_has("| 42 |");
}
