//! `build`: tests between models, and what a failing test, a warning and a first failure hold back.

use crate::harness::Test;

const PROPERTIES: &str = "
version: 2
models:
  - name: person
    columns:
      - name: id
        data_tests: [unique]
      - name: email
        data_tests: [not_null: {config: {severity: warn}}]
  - name: audit
    columns:
      - name: entry
        data_tests:
          - accepted_values: {name: known_entries, arguments: {values: [none]}}
      - name: id
        data_tests:
          - relationships: {name: audited_people, to: ref('person'), field: id, config: {where: 'id > 50'}}
seeds:
  - name: codes
    columns: [{name: code, data_tests: [unique]}]
";

fn project() -> Test {
    Test::sample()
        .file("models/bl/p.yml", PROPERTIES)
        .file("models/bl/tidy_audit.sql", "{{ config(materialized='ephemeral') }}\nselect * from {{ ref('audit') }}\n")
        .file("models/bl/above.sql", "{{ config(materialized='view') }}\nselect * from {{ ref('tidy_audit') }}\n")
        .file("models/bl/further.sql", "{{ config(materialized='table') }}\nselect * from {{ ref('above') }}\n")
        .file(
            "models/bl/both.sql",
            "{{ config(materialized='view') }}\nselect p.id from {{ ref('people') }} p join {{ ref('audit') }} a using (id)\n",
        )
}

#[test]
fn a_failing_test_holds_back_what_is_below_everything_that_it_speaks_of() {
    let test = project();

    let outcome = test.run(&["build"]).exit(1);

    outcome.stderr_has("test.known_entries did not succeed").stderr_has("skipped because of it");
    let status = |node: &str| test.result(node).status;
    assert_eq!((status("test.known_entries"), status("bl.audit")), ("fail".to_owned(), "ok".to_owned()));
    assert_eq!(["bl.above", "bl.further", "bl.both"].map(status), ["skipped", "skipped", "skipped"]);
    // A warning and a test whose subjects are not all above it hold nothing back.
    assert_eq!((status("test.not_null_person_email"), status("bl.people")), ("warn".to_owned(), "ok".to_owned()));
    assert_eq!((status("test.audited_people"), status("bl.person_count")), ("fail".to_owned(), "ok".to_owned()));
    let order: Vec<String> = test.results().into_iter().map(|result| result.node).collect();
    let place = |node: &str| order.iter().position(|name| name == node).expect("it was part of the build");
    assert!(place("test.unique_person_id") < place("bl.people"), "{order:?}");
    assert!(place("bl.person") < place("test.unique_person_id"), "{order:?}");

    test.write(
        "models/bl/p.yml",
        &PROPERTIES.replace("{values: [none]}", "{values: [none]}, config: {where: 'false'}"),
    );
    test.run(&["build"]).exit(1).stderr_has("skipped because of it: bl.both");
    assert_eq!((status("bl.further"), status("bl.both")), ("ok".to_owned(), "skipped".to_owned()));
    test.remove("models/bl/p.yml");
    test.succeeds(&["build"]);
    test.succeeds(&["build"]).stderr_has("0 inserted, 0 updated, 0 deleted");
    test.wrote_nothing();
}

#[test]
fn a_build_can_be_narrowed_and_stopped_at_its_first_failure() {
    let test = project();

    test.succeeds(&["build", "--resource-type", "model", "source"]);
    let kinds = |prefix: &str| test.results().iter().filter(|result| result.node.starts_with(prefix)).count();
    assert_eq!((kinds("bl."), kinds("stg."), kinds("seed."), kinds("test.")), (7, 3, 0, 0));

    test.run(&["build", "--select", "bl.person", "--warn-error"]).exit(1);
    assert_eq!(test.result("test.not_null_person_email").status, "fail");
    test.run(&["build", "--select", "bl.person", "--warn-error-options", "{error: [LogTestResult]}"]).exit(1);
    assert_eq!(test.result("test.not_null_person_email").status, "fail");
    test.run(&["build", "--select", "bl.person", "--warn-error-options", "{error: all, warn: [test]}"]).exit(1);
    assert_eq!(test.result("test.not_null_person_email").status, "warn");
    test.succeeds(&[
        "build",
        "--select",
        "bl.person",
        "seed.codes",
        "--exclude",
        "test.unique_person_id",
        "test.audited_people",
    ]);
    assert_eq!((kinds("bl."), kinds("seed."), kinds("test.")), (1, 1, 2));

    let outcome = test.run(&["test", "--fail-fast", "--threads", "1", "--select", "bl.audit"]).exit(1);
    outcome.stderr_has("the run stops at its first failure");
    let mut statuses: Vec<String> = test.results().into_iter().map(|result| result.status).collect();
    statuses.sort();
    assert_eq!(statuses, ["fail", "skipped"]);
}

#[test]
fn a_test_of_a_failed_source_looks_at_its_last_good_copy() {
    let test = project();
    test.remove("models/bl/p.yml");
    test.write(
        "models/bl/s.yml",
        "sources:\n  - name: other\n    connection: svp\n    tables: [{name: labors, key: [id], columns: [{name: id, tests: [unique]}]}]\n",
    );
    test.succeeds(&["build"]);
    test.on_source("svp", "drop table labors");

    test.run(&["build"]).exit(1);

    assert_eq!(test.result("stg.other.labors").status, "failed");
    assert_eq!(test.result("test.source_unique_other_labors_id").status, "pass");
    assert_eq!(test.result("bl.people").status, "unchanged");
    test.run(&["build", "--on-error", "skip"]).exit(1);
    assert_eq!(test.result("test.source_unique_other_labors_id").status, "skipped");
}
