//! What a sound project settles into.

mod dbt;
mod declared;
mod mistakes;
mod packages;

use super::{Check, Deletes, Materialization, Strategy, TestKind, TestSeverity};
use crate::ident::NodeName;
use crate::project::fixture::{Fixture, PROJECT};

fn names<'n>(names: impl IntoIterator<Item = &'n NodeName>) -> Vec<&'n str> {
    names.into_iter().map(NodeName::as_str).collect()
}

#[test]
fn a_project_settles_into_nodes() {
    let fixture = Fixture::with_source()
        .file(
            "models/bl/person.sql",
            "{{ config(unique_key='id', tags=['core']) }}\nselect id from {{ source('svp', 'labors') }}",
        )
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
    let accepted = &manifest.tests[&NodeName::test("accepted_values_person_status__False__1__2_5")];
    assert_eq!(accepted.severity, TestSeverity::Warn);
    let TestKind::Generic { subject, check, filter, .. } = &accepted.kind else { unreachable!("generic") };
    assert_eq!(subject.relation.to_string(), "app.person");
    assert_eq!(filter.as_deref(), Some("id > 1"));
    assert_eq!(*check, Check::AcceptedValues { values: vec!["1".to_owned(), "2.50".to_owned()], quote: false });
    let related = manifest.tests.values().find(|test| test.name.as_str().starts_with("test.relationships"));
    let TestKind::Generic { check: Check::Relationships { to, .. }, .. } = &related.expect("a test").kind else {
        unreachable!("relationships")
    };
    assert_eq!(to.relation.to_string(), "stg_svp.labors_live");
}

#[test]
fn a_long_test_name_is_cut_and_ends_in_a_hash() {
    let yaml = "models: [{name: person, columns: [{name: kind, tests: [{accepted_values: {values: [some quite long value, another quite long value]}}]}]}]";
    let fixture = Fixture::new().file("models/bl/person.sql", "select 1").file("models/bl/p.yml", yaml);
    let manifest = fixture.resolved().manifest;
    let name = names(manifest.tests.keys())[0];
    assert_eq!(name, "test.accepted_values_person_1daa25c3ff94551ebfe0b1b0d84facaf");
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
