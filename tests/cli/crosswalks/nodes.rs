//! A crosswalk among the other processes: selected, ordered, checked, told of in artifacts.

use super::{BY_SEQUENCE, project};

#[test]
fn a_crosswalk_is_selected_and_ordered_as_other_processes_are() {
    let test = project(BY_SEQUENCE);
    let listed = |selection: &str| test.succeeds(&["ls", "--select", selection]).stdout;
    assert_eq!(listed("xref.*"), "xref.person\n");
    assert_eq!(listed("+xref.person"), "stg.qvp.people\nstg.svp.people\nxref.person\n");
    assert_eq!(listed("xref.person+"), "xref.person\nbl.person\n");
    test.succeeds(&["plan"]).stdout_has("xref.person");

    test.succeeds(&["build"]);
    let manifest = std::fs::read_to_string(test.path().join("target/manifest.json")).expect("it was written");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("it is JSON");
    let parents = &manifest["nodes"]["model.shop.person"]["depends_on"]["nodes"];
    assert!(parents.as_array().is_some_and(|parents| parents.contains(&"source.shop.xref.person".into())), "{parents}");
    let source = &manifest["sources"]["source.shop.xref.person"];
    assert_eq!(source["identifier"], "xref.person");
    assert_eq!(source["config"]["unimig"]["members"][1]["relation"], "unimig.\"xref.person.qvp\"");
    test.succeeds(&["show", "--select", "xref.person", "--limit", "1"]).stdout_has("source_key");

    // A plain name is an edge too.
    test.write("models/bl/person.sql", "select target_id as id, 'x' as name from unimig.\"xref.person.svp\"");
    assert_eq!(listed("xref.person+"), "xref.person\nbl.person\n");
}

#[test]
fn a_unit_test_gives_the_rows_of_a_crosswalk() {
    let test = project(BY_SEQUENCE);
    test.write(
        "models/bl/person.yml",
        "unit_tests:
  - name: takes_ids
    model: person
    given:
      - {input: \"source('svp', 'people')\", rows: [{id: 5, name: a}, {id: 6, name: b}]}
      - {input: \"source('qvp', 'people')\", rows: [{id: 5, name: c}]}
      - {input: \"xref('person', 'svp')\", rows: [{source_key: 5, target_id: 70}]}
      - {input: \"xref('person', 'qvp')\", rows: [{id: 5, target_id: 90}]}
    expect: {rows: [{id: 70, name: a}, {id: 90, name: c}]}
",
    );
    test.succeeds(&["run"]);
    test.succeeds(&["test"]);
    assert_eq!(test.result("unit_test.person.takes_ids").status, "pass");
}

#[test]
fn a_model_is_checked_against_a_crosswalk_that_never_ran() {
    let test = project(BY_SEQUENCE);
    test.succeeds(&["check"]);
    test.write(
        "models/bl/person.sql",
        "select x.target_id as id, x.nmae as name from {{ xref('person', 'svp') }} as x",
    );
    test.run(&["check"]).exit(2).stderr_has("column x.nmae does not exist");
    test.write(
        "models/bl/person.sql",
        "select x.target_id as id, x.source_key as name from {{ xref('person', 'svq') }} as x",
    );
    test.run(&["check"]).exit(2).stderr_has("error[unknown-crosswalk]: crosswalk \"person\" has no member \"svq\"");
}
