//! Mistakes in what YAML declares: properties, tests, sources, change capture.

use crate::project::fixture::Fixture;

#[test]
fn names_in_property_files_are_looked_up() {
    let yaml = "models: [{name: persn}, {name: person}, {name: person}]";
    let fixture = Fixture::new().file("models/bl/person.sql", "select 1").file("models/bl/p.yml", yaml);
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-model]: model "persn" does not exist
     --> models/bl/p.yml:1:17
      |
    1 | models: [{name: persn}, {name: person}, {name: person}]
      |                 ^^^^^
      |
      = hint: did you mean "person"?

    error[duplicate-name]: model "person" is described twice
     --> models/bl/p.yml:1:48
      |
    1 | models: [{name: persn}, {name: person}, {name: person}]
      |                                                ^^^^^^
      |
     ::: models/bl/p.yml:1:32
      |
    1 | models: [{name: persn}, {name: person}, {name: person}]
      |                                ------ first described here
    "##);
}

#[test]
fn arguments_of_tests_are_checked() {
    let yaml = "models:
  - name: person
    columns:
      - name: id
        tests:
          - uniqe
          - relationships: {to: ref('cuntry'), field: id}
          - relationships: {to: country, fild: id}
          - accepted_values: {values: a}
          - not_null: {config: {severity: bad}}
";
    let fixture = Fixture::new()
        .file("models/bl/person.sql", "select 1")
        .file("models/bl/country.sql", "select 1")
        .file("models/bl/p.yml", yaml);
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-test-kind]: test "uniqe" does not exist
     --> models/bl/p.yml:6:13
      |
    6 |           - uniqe
      |             ^^^^^
      |
      = hint: did you mean "unique"?

    error[unknown-ref]: model or seed "cuntry" does not exist
     --> models/bl/p.yml:7:38
      |
    7 |           - relationships: {to: ref('cuntry'), field: id}
      |                                      ^^^^^^
      |
      = hint: did you mean "country"?

    error[missing-key]: test "relationships" needs the argument "field"
     --> models/bl/p.yml:8:13
      |
    8 |           - relationships: {to: country, fild: id}
      |             ^^^^^^^^^^^^^

    error[unknown-key]: test "relationships" has no key "fild"
     --> models/bl/p.yml:8:42
      |
    8 |           - relationships: {to: country, fild: id}
      |                                          ^^^^
      |
      = hint: did you mean "field"?

    error[wrong-type]: expected a list, found text
     --> models/bl/p.yml:9:39
      |
    9 |           - accepted_values: {values: a}
      |                                       ^

    error[bad-config]: "bad" is no value of "severity"
      --> models/bl/p.yml:10:43
       |
    10 |           - not_null: {config: {severity: bad}}
       |                                           ^^^
       |
       = hint: it is one of error, warn
    "##);
}

#[test]
fn names_in_sources_are_looked_up() {
    let source = "sources:
  - {name: svp, connection: svpp, tables: [{name: labors, key: [id]}]}
  - {name: svp, tables: [{name: labors, key: [id]}]}
";
    let fixture = Fixture::new().file("sources/svp.yml", source);
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[unknown-connection]: connection "svpp" is not in output "dev"
     --> sources/svp.yml:2:29
      |
    2 |   - {name: svp, connection: svpp, tables: [{name: labors, key: [id]}]}
      |                             ^^^^
      |
      = hint: did you mean "svp"?

    error[duplicate-name]: source "svp" is declared twice
     --> sources/svp.yml:3:12
      |
    3 |   - {name: svp, tables: [{name: labors, key: [id]}]}
      |            ^^^
      |
     ::: sources/svp.yml:2:12
      |
    2 |   - {name: svp, connection: svpp, tables: [{name: labors, key: [id]}]}
      |            --- first declared here

    error[duplicate-name]: source table "svp.labors" is declared twice
     --> sources/svp.yml:3:33
      |
    3 |   - {name: svp, tables: [{name: labors, key: [id]}]}
      |                                 ^^^^^^
      |
     ::: sources/svp.yml:2:51
      |
    2 |   - {name: svp, connection: svpp, tables: [{name: labors, key: [id]}]}
      |                                                   ------ first declared here
    "##);
}

#[test]
fn change_capture_says_what_it_needs() {
    let source = "sources:
  - name: svp
    tables:
      - {name: labors, key: [id], cdc: {strategy: windw}}
      - {name: x, key: [id], cdc: {strategy: window}}
      - {name: y, key: [id], cdc: {strategy: window, columns: [a], window: 7 moons}}
";
    let fixture = Fixture::new().file("sources/svp.yml", source);
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[bad-value]: "windw" is no strategy
     --> sources/svp.yml:4:51
      |
    4 |       - {name: labors, key: [id], cdc: {strategy: windw}}
      |                                                   ^^^^^
      |
      = hint: strategy is "full", "window", "watermark", "append" or "compare"

    error[missing-key]: strategy "window" needs the key "columns"
     --> sources/svp.yml:5:46
      |
    5 |       - {name: x, key: [id], cdc: {strategy: window}}
      |                                              ^^^^^^
      |
      = hint: name the timestamp columns that a change sets, as in "columns: [created_at, updated_at]"

    error[missing-key]: strategy "window" needs the key "window"
     --> sources/svp.yml:5:46
      |
    5 |       - {name: x, key: [id], cdc: {strategy: window}}
      |                                              ^^^^^^
      |
      = hint: say how far back to read, as in "window: 7 days"

    error[bad-value]: "7 moons" is no length of time
     --> sources/svp.yml:6:76
      |
    6 |       - {name: y, key: [id], cdc: {strategy: window, columns: [a], window: 7 moons}}
      |                                                                            ^^^^^^^
      |
      = hint: write it as in "7 days" or "36 hours"
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
fn a_table_without_key_says_what_its_strategy_needs() {
    let fixture = Fixture::new()
        .file("sources/svp.yml", "sources: [{name: svp, cdc: {strategy: compare}, tables: [{name: labors}]}]");
    insta::assert_snapshot!(fixture.resolve_errors(), @r##"
    error[missing-key]: source table "labors" needs the key "key" for strategy "compare"
     --> sources/svp.yml:1:65
      |
    1 | sources: [{name: svp, cdc: {strategy: compare}, tables: [{name: labors}]}]
      |                                                                 ^^^^^^
      |
      = hint: name the columns that identify a row, as in "key: [id]"; without a key, whole rows are compared, which "cdc: {strategy: full}" of the table does
    "##);
}
