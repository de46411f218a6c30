//! Mistakes in models: names, Jinja, config, two files or two writers of one thing.

use crate::project::fixture::Fixture;

#[test]
fn a_disabled_model_vanishes_and_a_ref_to_it_says_why() {
    let fixture = Fixture::new()
        .file("models/bl/old.sql", "{{ config(enabled=false) }} select * from {{ ref('nowhere') }}")
        .file("models/bl/person.sql", "select * from {{ ref('old') }}");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-ref]: model or seed "old" is disabled
     --> models/bl/person.sql:1:23
      |
    1 | select * from {{ ref('old') }}
      |                       ^^^
      |
     ::: models/bl/old.sql:1:11
      |
    1 | {{ config(enabled=false) }} select * from {{ ref('nowhere') }}
      |           ------- disabled here
      |
      = hint: enable it, or remove this ref
    "##);
}

#[test]
fn unknown_names_are_collected_with_carets_on_the_names() {
    let fixture = Fixture::with_source().file("models/bl/peron.sql", "select 1").file(
        "models/bl/visit.sql",
        "select *\nfrom {{ ref('person') }}\njoin {{ source('svp', 'labor') }} using (id)\njoin {{ source('qvp', 'x') }} using (id)",
    );
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-ref]: model or seed "person" does not exist
     --> models/bl/visit.sql:2:14
      |
    2 | from {{ ref('person') }}
      |              ^^^^^^
      |
      = hint: did you mean "peron"?

    error[unknown-source]: source "svp" has no table "labor"
     --> models/bl/visit.sql:3:24
      |
    3 | join {{ source('svp', 'labor') }} using (id)
      |                        ^^^^^
      |
      = hint: did you mean "labors"?

    error[unknown-source]: source "qvp" does not exist
     --> models/bl/visit.sql:4:17
      |
    4 | join {{ source('qvp', 'x') }} using (id)
      |                 ^^^
      |
      = hint: did you mean "svp"?
    "##);
}

#[test]
fn a_mistake_in_jinja_does_not_hide_an_unknown_ref() {
    let fixture = Fixture::new()
        .file("macros/money.sql", "{% macro cents(x) %}({{ x }} / 100){% endmacro %}")
        .file("models/bl/a.sql", "select {{ cnets('a') }} from {{ ref('nowhere') }}")
        .file("models/bl/b.sql", "select {{ shop.dollars('a') }}")
        .file("models/bl/c.sql", "select {{ 1 + }}")
        .file("models/bl/d.sql", "select {{ missing.thing }}, {{ nothing }}");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-macro]: macro "cnets" does not exist
     --> models/bl/a.sql:1:11
      |
    1 | select {{ cnets('a') }} from {{ ref('nowhere') }}
      |           ^^^^^
      |
      = hint: did you mean "cents"?

    error[unknown-ref]: model or seed "nowhere" does not exist
     --> models/bl/a.sql:1:38
      |
    1 | select {{ cnets('a') }} from {{ ref('nowhere') }}
      |                                      ^^^^^^^

    error[unknown-macro]: macro "dollars" does not exist
     --> models/bl/b.sql:1:16
      |
    1 | select {{ shop.dollars('a') }}
      |                ^^^^^^^

    error[bad-jinja]: syntax error: unexpected end of variable block
     --> models/bl/c.sql:1:15
      |
    1 | select {{ 1 + }}
      |               ^^

    error[bad-jinja]: undefined value: `missing.thing` is undefined
     --> models/bl/d.sql:1:11
      |
    1 | select {{ missing.thing }}, {{ nothing }}
      |           ^^^^^^^^^^^^^
    "##);
}

#[test]
fn a_mistake_in_a_macro_is_shown_at_the_call() {
    let fixture = Fixture::new()
        .file("macros/money.sql", "{% macro cents(x) %}({{ x }} / {{ hundred }}){% endmacro %}\n")
        .file("models/bl/a.sql", "select\n  {{ cents('a') }}");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[bad-jinja]: undefined value: `hundred` is undefined
     --> models/bl/a.sql:2:6
      |
    2 |   {{ cents('a') }}
      |      ^^^^^
      |
     ::: macros/money.sql:1:35
      |
    1 | {% macro cents(x) %}({{ x }} / {{ hundred }}){% endmacro %}
      |                                   ------- in this macro
    "##);
}

#[test]
fn a_macro_file_that_does_not_parse_is_shown() {
    let fixture = Fixture::new().file("macros/money.sql", "{% macro cents(x) %}\n{{ x / }}\n{% endmacro %}");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[bad-jinja]: syntax error: unexpected end of variable block
     --> macros/money.sql:2:8
      |
    2 | {{ x / }}
      |        ^^
    "##);
}

#[test]
fn variables_that_nothing_gives_are_collected() {
    let fixture = Fixture::new().file(
        "models/bl/a.sql",
        "select '{{ var('country') }}', '{{ var('since') }}', '{{ env_var('SHOP_X') }}', '{{ var('z', 'd') }}'",
    );
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-var]: variable "since" is not defined
     --> models/bl/a.sql:1:41
      |
    1 | select '{{ var('country') }}', '{{ var('since') }}', '{{ env_var('SHOP_X') }}', '{{ var('z', 'd') }}'
      |                                         ^^^^^
      |
      = hint: define it under "vars" or with --vars, or give a default: var('since', 'default')

    error[missing-env-var]: environment variable "SHOP_X" is not set
     --> models/bl/a.sql:1:67
      |
    1 | select '{{ var('country') }}', '{{ var('since') }}', '{{ env_var('SHOP_X') }}', '{{ var('z', 'd') }}'
      |                                                                   ^^^^^^
      |
      = hint: set it, or give a default: env_var('SHOP_X', 'default')
    "##);
}

#[test]
fn config_that_makes_no_sense_is_shown_at_its_key() {
    let fixture = Fixture::new()
        .file("models/bl/a.sql", "{{ config(materialized='mrege', uniqe_key='id') }} select 1")
        .file("models/bl/b.sql", "{{ config(deletes='soft') }} select 1")
        .file("models/bl/d.sql", "{{ config(unique_key=5, sql_header='x') }} select 1");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-key]: model config has no key "uniqe_key"
     --> models/bl/a.sql:1:33
      |
    1 | {{ config(materialized='mrege', uniqe_key='id') }} select 1
      |                                 ^^^^^^^^^
      |
      = hint: did you mean "unique_key"?

    error[bad-config]: "mrege" is no value of "materialized"
     --> models/bl/a.sql:1:11
      |
    1 | {{ config(materialized='mrege', uniqe_key='id') }} select 1
      |           ^^^^^^^^^^^^
      |
      = hint: did you mean "merge"?

    error[bad-config]: soft deletes need "deleted_column"
     --> models/bl/b.sql:1:11
      |
    1 | {{ config(deletes='soft') }} select 1
      |           ^^^^^^^
      |
      = hint: name the timestamp column that marks a row as deleted

    error[unknown-key]: model config has no key "sql_header"
     --> models/bl/d.sql:1:25
      |
    1 | {{ config(unique_key=5, sql_header='x') }} select 1
      |                         ^^^^^^^^^^
      |
      = hint: dbt's "sql_header" is not supported yet

    error[bad-config]: expected text or a list of texts
     --> models/bl/d.sql:1:11
      |
    1 | {{ config(unique_key=5, sql_header='x') }} select 1
      |           ^^^^^^^^^^
    "##);
}

#[test]
fn deletes_need_a_whole_select() {
    let fixture = Fixture::new().file(
        "models/bl/a.sql",
        "{{ config(deletes='hard') }}\nselect 1 {% if is_incremental() %} where true {% endif %}",
    );
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[partial-deletes]: model "a" deletes rows, but its SELECT may be partial
     --> models/bl/a.sql:2:16
      |
    2 | select 1 {% if is_incremental() %} where true {% endif %}
      |                ^^^^^^^^^^^^^^
      |
     ::: models/bl/a.sql:1:4
      |
    1 | {{ config(deletes='hard') }}
      |    ------ configured here
      |
      = hint: an incremental SELECT cannot tell a deleted row from an unchanged one: remove is_incremental(), or use deletes='keep'
    "##);
}

#[test]
fn two_files_with_one_name_are_both_named() {
    let fixture = Fixture::new()
        .file("models/bl/x/person.sql", "select 1")
        .file("models/bl/y/person.sql", "select 2")
        .file("seeds/city.csv", "id\n")
        .file("models/bl/city.sql", "{{ config(alias='town') }}select 2");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[duplicate-name]: name "person" is given by two files
     --> models/bl/y/person.sql:1:1
      |
    1 | select 2
      | ^^^^^^^^
      |
     ::: models/bl/x/person.sql:1:1
      |
    1 | select 1
      | -------- the other file
      |
      = hint: rename "models/bl/x/person.sql" or "models/bl/y/person.sql"

    error[duplicate-name]: name "city" is given by two files
     --> seeds/city.csv
      |
     ::: models/bl/city.sql:1:1
      |
    1 | {{ config(alias='town') }}select 2
      | ---------------------------------- the other file
      |
      = hint: rename "models/bl/city.sql" or "seeds/city.csv"
    "##);
}

#[test]
fn two_writers_of_one_relation_are_both_named() {
    let fixture = Fixture::with_source()
        .file("models/bl/person.sql", "select 1")
        .file("models/bl/human.sql", "{{ config(alias='person') }} select 2")
        .file("models/bl/labors.sql", "{{ config(schema='stg_svp') }} select 2");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[two-writers]: "stg_svp.labors" is written by "stg.svp.labors" and by "bl.labors"
     --> models/bl/labors.sql:1:4
      |
    1 | {{ config(schema='stg_svp') }} select 2
      |    ^^^^^^
      |
     ::: sources/svp.yml:5:16
      |
    5 |       - {name: labors, key: [id]}
      |                ------ the other writer
      |
      = hint: give one of "sources/svp.yml" and "models/bl/labors.sql" another alias or schema

    error[two-writers]: "app.person" is written by "bl.human" and by "bl.person"
     --> models/bl/person.sql:1:1
      |
    1 | select 1
      | ^^^^^^^^
      |
     ::: models/bl/human.sql:1:4
      |
    1 | {{ config(alias='person') }} select 2
      |    ------ the other writer
      |
      = hint: give one of "models/bl/human.sql" and "models/bl/person.sql" another alias or schema
    "##);
}

#[test]
fn a_contract_that_says_too_little_is_told_at_its_place() {
    let config = "contract={'enforced': true}";
    let fixture = Fixture::new()
        .file("models/bl/a.sql", &format!("{{{{ config(materialized='table', {config}) }}}} select 1 as id"))
        .file("models/bl/b.sql", "{{ config(materialized='table', contract={'enforced': false}) }} select 1 as id")
        .file("models/bl/c.sql", &format!("{{{{ config(materialized='table', {config}) }}}} select 1 as id"))
        .file("models/bl/d.sql", &format!("{{{{ config(materialized='incremental', {config}) }}}} select 1 as id"))
        .file("models/bl/e.sql", &format!("{{{{ config(materialized='ephemeral', {config}) }}}} select 1 as id"))
        .file(
            "models/bl/all.yml",
            "models:
  - name: c
    constraints: [{type: unique}, {type: not_null, columns: [idd]}, {type: foreign_key, columns: [id], to: orders, to_columns: [id]}]
    columns:
      - {name: id, data_type: int, constraints: [{type: check}, {type: primary_key}]}
      - {name: label, constraints: [{type: primary_key}]}
  - {name: d, columns: [{name: id, data_type: int}]}
  - {name: e, columns: [{name: id, data_type: int}]}
",
        );

    let shown = fixture.resolve_errors();

    for (message, place) in [
        ("a model with an enforced contract has no columns declared", "models/bl/a.sql:1:33"),
        ("a constraint of type \"unique\" needs \"columns\"", "models/bl/all.yml:3:26"),
        ("the contract has no column \"idd\"", "models/bl/all.yml:3:42"),
        ("a constraint of type \"check\" needs \"expression\"", "models/bl/all.yml:5:57"),
        ("column \"label\" has no type, and the model's contract is enforced", "models/bl/all.yml:6:16"),
        ("a model has one primary key at most", "models/bl/all.yml:6:44"),
        ("an incremental model with a contract may not lose or miss columns", "models/bl/d.sql:1:39"),
        ("only a model that makes a table or view can have a contract", "models/bl/e.sql:1:37"),
    ] {
        let told = shown.split("error[").find(|told| told.contains(message));
        let told = told.unwrap_or_else(|| panic!("not told: {message}\n{shown}"));
        assert!(told.contains(place), "{place}\n{told}");
    }
    assert!(shown.contains("\"orders\" is neither a ref nor a source"), "{shown}");
    assert!(!shown.contains("models/bl/b.sql"), "{shown}");
}
