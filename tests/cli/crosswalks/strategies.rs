//! Where new ids come from, other than from a sequence.

use super::{ids, project};

fn by(strategy: &str, svp: &str, qvp: &str) -> String {
    format!(
        "crosswalks:
  - name: person
    target: {{table: person, column: id}}
    strategy: {strategy}
    members:
      - {{source: svp, table: people, key: [id]{svp}}}
      - {{source: qvp, table: people, key: [id]{qvp}}}
"
    )
}

#[test]
fn kept_keys_are_moved_by_an_offset_and_may_not_overlap() {
    let test = project(&by("keep", "", ", offset: 20"));
    test.run(&["run"])
        .exit(1)
        .stderr_has("error[crosswalk-conflict]: the ids of members \"svp\" and \"qvp\" overlap")
        .stderr_has("begins at 21; \"svp\" ends at 40");
    assert_eq!(test.value("select to_regclass('unimig.\"keys.person.svp\"') is null"), "t", "nothing was written");
    assert!(!test.result("xref.person").message.unwrap_or_default().contains("21"), "values are for the terminal");

    test.write("crosswalks/person.yml", &by("keep", "", ", offset: 1_000"));
    test.succeeds(&["run"]);
    assert_eq!(test.value("select target_id from unimig.\"xref.person.qvp\" where id = 7"), "1007");
    assert_eq!(test.value("select count(*) from app.person"), "80");
    test.succeeds(&["run"]);
    test.wrote_nothing();

    // What was given stays when another offset is declared, and a table that grows into the other's range is told.
    test.on_source("svp", "insert into people values (1001, 'far')");
    test.run(&["run"]).exit(1).stderr_has("overlap");
    assert_eq!(ids(&test).len(), 80);
}

#[test]
fn uuids_are_made_of_a_namespace_and_the_keys_name() {
    let namespace = "uuid5\n    namespace: 6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    let test = project(&by(namespace, "", ""));
    test.on_target("drop table app.person; create table app.person (id uuid primary key, name text)");
    test.succeeds(&["run"]);
    assert_eq!(
        test.value("select target_id from unimig.\"xref.person.svp\" where id = 1"),
        "f138659d-a9af-583c-80f8-c7693e92e163",
        "as any other tool makes it of svp:1"
    );
    test.succeeds(&["run"]);
    test.wrote_nothing();
    let before = ids(&test);
    test.on_target("drop schema unimig cascade");
    test.succeeds(&["run"]);
    assert_eq!(ids(&test), before);
}

#[test]
fn natural_ids_are_values_that_both_systems_share() {
    let value = ", value: \"substr(national_id, 2)\"";
    let test = project(&by("natural", value, value));
    test.on_source("svp", "update people set national_id = null where id = 3");
    test.write("models/bl/person.sql", "select target_id as id, 'x' as name from {{ xref('person', 'qvp') }}");
    test.succeeds(&["run"]).stderr_has("1 rows of stg.svp.people have no value for an id, and get none");
    assert_eq!(test.value("select count(*) || ' ' || count(distinct target_id) from unimig.\"xref.person\""), "79 40");
    test.succeeds(&["run"]);
    test.wrote_nothing();

    test.on_source("svp", "insert into people values (50, 'twice', 'N5', null)");
    test.run(&["run"]).exit(1).stderr_has("1 values are the id of more than one row of member \"svp\"");
    test.write("crosswalks/person.yml", &by("natural", ", value: nationality", value));
    test.run(&["run"]).exit(1).stderr_has("column \"nationality\" does not exist");
    assert_eq!(ids(&test).len(), 79);
}
