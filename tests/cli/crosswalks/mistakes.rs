//! What is wrong with a crosswalk is told at its place, and before anything is written.

use super::{BY_SEQUENCE, ids, project};

#[test]
fn mistakes_of_a_declaration_are_told_together() {
    let test = project(
        "crosswalks:
  - name: person
    target: {table: person, column: id}
    strategy: sequense
    members:
      - {source: svp, table: peple}
      - {source: qvp, table: people, offset: 5}
      - {source: qvp, table: people}
  - name: person
    target: {table: person, column: id}
    strategy: uuid5
    members: []
  - name: code
    target: {table: person, column: id}
    strategy: natural
    members: [{source: svp, table: people, key: [id, id]}]
",
    );
    test.run(&["compile"])
        .exit(2)
        .stderr_has("\"sequense\" is no strategy of a crosswalk")
        .stderr_has("did you mean \"sequence\"?")
        .stderr_has("source \"svp\" has no table \"peple\"")
        .stderr_has("crosswalk \"person\" needs the key \"namespace\"")
        .stderr_has("crosswalk \"person\" has no members")
        .stderr_has("a member of crosswalk \"code\" needs the key \"value\"")
        .stderr_has("column \"id\" is twice in the key");
    test.write(
        "crosswalks/person.yml",
        &BY_SEQUENCE.replace("{source: svp, table: people, key: [id]}", "{name: qvp, source: svp, table: people}"),
    );
    test.run(&["compile"]).exit(2).stderr_has("member \"qvp\" of crosswalk \"person\" is declared twice");
}

#[test]
fn a_target_that_is_not_there_or_numbers_nothing_is_told() {
    let test = project(&BY_SEQUENCE.replace("column: id", "column: uid"));
    test.run(&["run"]).exit(2).stderr_has("table app.person has no column \"uid\"");
    test.write("crosswalks/person.yml", &BY_SEQUENCE.replace("table: person", "table: persons"));
    test.run(&["run"]).exit(2).stderr_has("error[unknown-target-table]").stderr_has("did you mean \"person\"?");
    test.on_target("alter table app.person alter column id drop identity");
    test.write("crosswalks/person.yml", BY_SEQUENCE);
    test.run(&["run"]).exit(1).stderr_has("column \"id\" of app.person has no sequence");
    test.write("crosswalks/person.yml", &BY_SEQUENCE.replace("[id]", "[uid]"));
    test.run(&["run"]).exit(1).stderr_has("stg.svp.people has no column \"uid\", which the crosswalk takes for a key");
}

#[test]
fn another_key_does_not_forget_the_ids_of_the_first() {
    let test = project(BY_SEQUENCE);
    test.succeeds(&["run"]);
    let before = ids(&test);
    test.write("crosswalks/person.yml", &BY_SEQUENCE.replace("[id]", "[email]"));
    test.run(&["run", "--select", "xref.person"])
        .exit(1)
        .stderr_has("error[crosswalk-conflict]: the ids of member \"svp\" are recorded by the key (id)");
    assert_eq!(ids(&test), before);
}
