use super::{Check, Deletes, Materialization, Strategy, TestKind, TestSeverity};
use crate::ident::NodeName;
use crate::project::fixture::{Fixture, PROJECT};

fn names<'n>(names: impl IntoIterator<Item = &'n NodeName>) -> Vec<&'n str> {
    names.into_iter().map(NodeName::as_str).collect()
}

#[test]
fn a_project_settles_into_nodes() {
    let fixture = Fixture::with_source()
        .file("models/bl/person.sql", "{{ config(unique_key='id', tags=['core']) }}\nselect id from {{ source('svp', 'labors') }}")
        .file("models/bl/person.yml", "models: [{name: person, config: {tags: daily, deletes: hard}}]")
        .file("models/staging/clean.sql", "select * from {{ ref('person') }}")
        .file("seeds/status.csv", "code\n1\n");
    let manifest = fixture.resolved().manifest;
    let person = &manifest.models[&NodeName::model("person")];
    assert_eq!(person.relation.to_string(), "app.person");
    assert_eq!(person.tags, ["core", "daily"]);
    assert_eq!(names(&person.depends_on), ["stg.svp.labors"]);
    let Materialization::Merge(merge) = &person.materialization else { unreachable!("a merge") };
    assert_eq!(merge.deletes, Deletes::Hard);
    assert_eq!(merge.unique_key[0].as_str(), "id");
    let clean = &manifest.models[&NodeName::model("clean")];
    assert_eq!(clean.materialization, Materialization::View);
    assert_eq!(names(&clean.depends_on), ["bl.person"]);
    let stage = &manifest.stages[&NodeName::stage("svp", "labors")];
    assert_eq!(stage.stg_relation.to_string(), "stg_svp.labors");
    assert_eq!(stage.live_relation.to_string(), "stg_svp.labors_live");
    assert_eq!(stage.source_relation.to_string(), "public.labors");
    assert_eq!(stage.connection, "svp");
    assert_eq!(manifest.seeds[&NodeName::seed("status")].relation.to_string(), "app.status");
}

#[test]
fn the_nearest_config_wins() {
    let project = format!(
        "{PROJECT}models:\n  shop:\n    +schema: far\n    bl:\n      +materialized: table\n      near: {{+schema: \"{{{{ target.schema }}}}_near\", materialized: view}}\n"
    );
    let fixture = Fixture::new()
        .file("unimig.yml", &project)
        .file("models/bl/a.sql", "select 1")
        .file("models/bl/near/b.sql", "select 1")
        .file("models/bl/near/c.sql", "{{ config(materialized='merge', schema='mine', alias='see') }}select 1")
        .file("models/bl/near/p.yml", "models: [{name: b, config: {materialized: ephemeral}}]");
    let manifest = fixture.resolved().manifest;
    let of = |name: &str| {
        let model = &manifest.models[&NodeName::model(name)];
        (model.materialization.clone(), model.relation.to_string())
    };
    assert_eq!(of("a"), (Materialization::Table, "app_far.a".to_owned()));
    assert_eq!(of("b"), (Materialization::Ephemeral, "app_app_near.b".to_owned()));
    assert_eq!(of("c").1, "mine.see");
    assert!(matches!(of("c").0, Materialization::Merge(_)));
}

#[test]
fn change_capture_of_a_table_replaces_that_of_its_source() {
    let source = "sources:
  - name: svp
    schema: data
    stg_schema: copies
    cdc: {strategy: window, columns: [created_at, updated_at], window: 7 days}
    tables:
      - {name: labors, key: [id], identifier: Labors}
      - {name: occupations, key: id, cdc: {strategy: full}}
";
    let manifest = Fixture::new().file("sources/svp.yml", source).resolved().manifest;
    let labors = &manifest.stages[&NodeName::stage("svp", "labors")];
    let Strategy::Window { columns, reach } = &labors.strategy else { unreachable!("a window") };
    assert_eq!((columns.len(), reach.as_hours()), (2, 168));
    assert_eq!(labors.source_relation.to_string(), "data.\"Labors\"");
    assert_eq!(labors.live_relation.to_string(), "copies.labors_live");
    assert_eq!(manifest.stages[&NodeName::stage("svp", "occupations")].strategy, Strategy::Full);
}

#[test]
fn generic_tests_have_the_names_that_dbt_gives() {
    let yaml = "version: 2
models:
  - name: person
    columns:
      - name: id
        data_tests: [unique, not_null]
      - name: status
        data_tests:
          - accepted_values: {values: [a, b], config: {severity: warn, where: \"id > 1\"}}
      - name: country_id
        tests:
          - relationships:
              arguments: {to: ref('country'), field: id}
              name: has_country
          - relationships: {to: ref('country'), field: id}
";
    let source = "sources:
  - name: svp
    tables:
      - name: labors
        key: [id]
        columns: [{name: id, tests: [not_null]}]
";
    let fixture = Fixture::new()
        .file("sources/svp.yml", source)
        .file("models/bl/person.sql", "select 1 as id")
        .file("models/bl/country.sql", "select 1 as id")
        .file("models/bl/person.yml", yaml);
    let manifest = fixture.resolved().manifest;
    let found = names(manifest.tests.keys());
    assert_eq!(
        found,
        [
            "test.accepted_values_person_status__a__b",
            "test.has_country",
            "test.not_null_person_id",
            "test.relationships_person_country_id__id__ref_country_",
            "test.source_not_null_svp_labors_id",
            "test.unique_person_id",
        ]
    );
}

#[test]
fn a_test_knows_its_subject_and_arguments() {
    let yaml = "models:
  - name: person
    columns:
      - name: status
        data_tests:
          - accepted_values: {values: [1, 2.50], quote: false, severity: warn, where: id > 1}
          - relationships: {to: \"source('svp', 'labors')\", field: id}
";
    let fixture = Fixture::with_source().file("models/bl/person.sql", "select 1").file("models/bl/p.yml", yaml);
    let manifest = fixture.resolved().manifest;
    let accepted = &manifest.tests[&NodeName::test("accepted_values_person_status__False__1__2_50")];
    assert_eq!(accepted.severity, TestSeverity::Warn);
    let TestKind::Generic { subject, check, filter, .. } = &accepted.kind else { unreachable!("generic") };
    assert_eq!(subject.relation.to_string(), "app.person");
    assert_eq!(filter.as_deref(), Some("id > 1"));
    assert_eq!(*check, Check::AcceptedValues { values: vec!["1".to_owned(), "2.50".to_owned()], quote: false });
    let related = manifest.tests.values().find(|test| test.name.as_str().starts_with("test.relationships"));
    let TestKind::Generic { check: Check::Relationships { relation, .. }, .. } = &related.expect("a test").kind else {
        unreachable!("relationships")
    };
    assert_eq!(relation.to_string(), "stg_svp.labors_live");
}

#[test]
fn a_long_test_name_is_cut_and_ends_in_a_hash() {
    let yaml = "models: [{name: person, columns: [{name: kind, tests: [{accepted_values: {values: [some quite long value, another quite long value]}}]}]}]";
    let fixture = Fixture::new().file("models/bl/person.sql", "select 1").file("models/bl/p.yml", yaml);
    let manifest = fixture.resolved().manifest;
    let name = names(manifest.tests.keys())[0];
    assert!(name.starts_with("test.accepted_values_person_"), "{name}");
    assert!(name.len() <= "test.".len() + 63);
    assert_eq!(name.rsplit('_').next().map(str::len), Some(32));
}

#[test]
fn singular_tests_and_extraction_overrides_belong_to_what_they_name() {
    let fixture = Fixture::with_source()
        .file("models/bl/person.sql", "select 1 as id")
        .file("models/stg/svp/labors.sql", "select id from {{ source('svp', 'labors') }}")
        .file("tests/none.sql", "{{ config(severity='warn') }} select * from {{ ref('person') }} where id < 0");
    let manifest = fixture.resolved().manifest;
    assert!(manifest.stages[&NodeName::stage("svp", "labors")].extraction.is_some());
    assert!(manifest.stages[&NodeName::stage("svp", "occupations")].extraction.is_none());
    let test = &manifest.tests[&NodeName::test("none")];
    assert_eq!((test.severity, names(&test.depends_on)), (TestSeverity::Warn, vec!["bl.person"]));
}

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
fn edges_do_not_depend_on_whether_a_run_is_incremental() {
    let fixture = Fixture::with_source().file(
        "models/bl/person.sql",
        "{% if is_incremental() %}select 1 from {{ source('svp', 'labors') }}{% else %}select 1 from {{ source('svp', 'occupations') }}{% endif %}",
    );
    let manifest = fixture.resolved().manifest;
    let person = &manifest.models[&NodeName::model("person")];
    assert!(person.asks_incremental);
    assert_eq!(names(&person.depends_on), ["stg.svp.occupations", "stg.svp.labors"]);
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

    error[bad-jinja]: undefined value: `missing` is undefined
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
        .file("models/bl/c.sql", "{{ config(materialized='incremental') }} select 1")
        .file("models/bl/d.sql", "{{ config(unique_key=5, pre_hook='x') }} select 1");
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

    error[bad-config]: "incremental" is no value of "materialized"
     --> models/bl/c.sql:1:11
      |
    1 | {{ config(materialized='incremental') }} select 1
      |           ^^^^^^^^^^^^
      |
      = hint: it is one of merge, table, view, ephemeral; dbt's incremental is merge here

    error[unknown-key]: model config has no key "pre_hook"
     --> models/bl/d.sql:1:25
      |
    1 | {{ config(unique_key=5, pre_hook='x') }} select 1
      |                         ^^^^^^^^
      |
      = hint: dbt's "pre_hook" is not supported yet

    error[bad-config]: expected text or a list of texts
     --> models/bl/d.sql:1:11
      |
    1 | {{ config(unique_key=5, pre_hook='x') }} select 1
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
fn names_in_yaml_are_looked_up() {
    let yaml = "models:
  - name: persn
  - name: person
    columns:
      - name: id
        tests: [uniqe, {relationships: {to: ref('cuntry'), field: id}}, {relationships: {to: country, fild: id}}, {accepted_values: {values: a}}]
  - name: person
";
    let source = "sources:
  - {name: svp, connection: svpp, tables: [{name: labors, key: [id], cdc: {strategy: windw}}, {name: x, key: [id], cdc: {strategy: window}}]}
  - {name: svp, tables: [{name: labors, key: [id], cdc: {strategy: window, columns: [a], window: 7 moons}}]}
";
    let fixture = Fixture::new()
        .file("sources/svp.yml", source)
        .file("models/bl/person.sql", "select 1")
        .file("models/bl/country.sql", "select 1")
        .file("models/bl/p.yml", yaml);
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-connection]: connection "svpp" is not in output "dev"
     --> sources/svp.yml:2:29
      |
    2 |   - {name: svp, connection: svpp, tables: [{name: labors, key: [id], cdc: {strategy: windw}}, {name: x, key: [id], cdc: {strategy: wi...
      |                             ^^^^
      |
      = hint: did you mean "svp"?

    error[bad-value]: "windw" is no strategy
     --> sources/svp.yml:2:86
      |
    2 |   - {name: svp, connection: svpp, tables: [{name: labors, key: [id], cdc: {strategy: windw}}, {name: x, key: [id], cdc: {strategy: wi...
      |                                                                                      ^^^^^
      |
      = hint: strategy is "full" or "window"

    error[missing-key]: strategy "window" needs the key "columns"
     --> sources/svp.yml:2:132
      |
    2 | ...cdc: {strategy: windw}}, {name: x, key: [id], cdc: {strategy: window}}]}
      |                                                                  ^^^^^^
      |
      = hint: name the timestamp columns that a change sets, as in "columns: [created_at, updated_at]"

    error[missing-key]: strategy "window" needs the key "window"
     --> sources/svp.yml:2:132
      |
    2 | ...cdc: {strategy: windw}}, {name: x, key: [id], cdc: {strategy: window}}]}
      |                                                                  ^^^^^^
      |
      = hint: say how far back to read, as in "window: 7 days"

    error[duplicate-name]: source "svp" is declared twice
     --> sources/svp.yml:3:12
      |
    3 |   - {name: svp, tables: [{name: labors, key: [id], cdc: {strategy: window, columns: [a], window: 7 moons}}]}
      |            ^^^
      |
     ::: sources/svp.yml:2:12
      |
    2 |   - {name: svp, connection: svpp, tables: [{name: labors, key: [id], cdc: {strategy: windw}}, {name: x, key: [id], cdc: {strategy: wi...
      |            --- first declared here

    error[bad-value]: "7 moons" is no length of time
     --> sources/svp.yml:3:98
      |
    3 |   - {name: svp, tables: [{name: labors, key: [id], cdc: {strategy: window, columns: [a], window: 7 moons}}]}
      |                                                                                                  ^^^^^^^
      |
      = hint: write it as in "7 days" or "36 hours"

    error[duplicate-name]: source table "svp.labors" is declared twice
     --> sources/svp.yml:3:33
      |
    3 |   - {name: svp, tables: [{name: labors, key: [id], cdc: {strategy: window, columns: [a], window: 7 moons}}]}
      |                                 ^^^^^^
      |
     ::: sources/svp.yml:2:51
      |
    2 |   - {name: svp, connection: svpp, tables: [{name: labors, key: [id], cdc: {strategy: windw}}, {name: x, key: [id], cdc: {strategy: wi...
      |                                                   ------ first declared here

    error[unknown-model]: model "persn" does not exist
     --> models/bl/p.yml:2:11
      |
    2 |   - name: persn
      |           ^^^^^
      |
      = hint: did you mean "person"?

    error[duplicate-name]: model "person" is described twice
     --> models/bl/p.yml:7:11
      |
    7 |   - name: person
      |           ^^^^^^
      |
     ::: models/bl/p.yml:3:11
      |
    3 |   - name: person
      |           ------ first described here

    error[unknown-test-kind]: test "uniqe" does not exist
     --> models/bl/p.yml:6:17
      |
    6 | ...   tests: [uniqe, {relationships: {to: ref('cuntry'), field: id}}, {relationships: {to: country, fild: id}}, {accepted_values: {va...
      |               ^^^^^
      |
      = hint: did you mean "unique"?

    error[unknown-ref]: model or seed "cuntry" does not exist
     --> models/bl/p.yml:6:50
      |
    6 | ...   tests: [uniqe, {relationships: {to: ref('cuntry'), field: id}}, {relationships: {to: country, fild: id}}, {accepted_values: {va...
      |                                                ^^^^^^
      |
      = hint: did you mean "country"?

    error[missing-key]: test "relationships" needs the argument "field"
     --> models/bl/p.yml:6:74
      |
    6 | ...   tests: [uniqe, {relationships: {to: ref('cuntry'), field: id}}, {relationships: {to: country, fild: id}}, {accepted_values: {va...
      |                                                                        ^^^^^^^^^^^^^

    error[unknown-key]: test "relationships" has no key "fild"
     --> models/bl/p.yml:6:103
      |
    6 | ...   tests: [uniqe, {relationships: {to: ref('cuntry'), field: id}}, {relationships: {to: country, fild: id}}, {accepted_values: {va...
      |                                                                                                     ^^^^
      |
      = hint: did you mean "field"?

    error[wrong-type]: expected a list, found text
     --> models/bl/p.yml:6:142
      |
    6 | ...tionships: {to: country, fild: id}}, {accepted_values: {values: a}}]
      |                                                                    ^
    "##);
}

#[test]
fn an_override_of_an_unknown_table_is_refused() {
    let fixture = Fixture::with_source()
        .file("models/stg/svp/labor.sql", "select 1")
        .file("models/stg/labors.sql", "select 1")
        .file("models/stg/svp/occupations.sql", "select 1 from {{ ref('person') }}")
        .file("models/bl/person.sql", "select 1");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-source]: file "models/stg/labors.sql" replaces no extraction
     --> models/stg/labors.sql:1:1
      |
    1 | select 1
      | ^^^^^^^^
      |
      = hint: an extraction override is models/stg/<source>/<table>.sql

    error[unknown-source]: source "svp" has no table "labor"
     --> models/stg/svp/labor.sql:1:1
      |
    1 | select 1
      | ^^^^^^^^
      |
      = hint: did you mean "labors"?

    error[unknown-ref]: an extraction reads the source only, and ref names a table of the target
     --> models/stg/svp/occupations.sql:1:23
      |
    1 | select 1 from {{ ref('person') }}
      |                       ^^^^^^
      |
      = hint: use source()
    "##);
}

#[test]
fn a_table_without_key_says_what_to_write() {
    let fixture = Fixture::new().file("sources/svp.yml", "sources: [{name: svp, tables: [{name: labors}]}]");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[missing-key]: source table "labors" needs the key "key"
     --> sources/svp.yml:1:39
      |
    1 | sources: [{name: svp, tables: [{name: labors}]}]
      |                                       ^^^^^^
      |
      = hint: name the columns that identify a row, as in "key: [id]"
    "##);
}
