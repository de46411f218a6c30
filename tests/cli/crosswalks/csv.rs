//! Ids out as CSV, and back in: all or none.

use super::{BY_SEQUENCE, ids, project};

#[test]
fn ids_are_carried_to_another_target_and_nothing_there_changes_them() {
    let test = project(BY_SEQUENCE);
    test.succeeds(&["run"]);
    let exported = test.succeeds(&["crosswalk", "export", "person"]).stdout;
    assert!(exported.starts_with("member,source_key,target_id\nqvp,1,41\n"), "{exported}");
    test.succeeds(&["crosswalk", "export", "xref.person", "--to", "ids.csv"]);
    assert_eq!(std::fs::read_to_string(test.path().join("ids.csv")).expect("it was written"), exported);
    let before = ids(&test);

    test.succeeds(&["crosswalk", "import", "person", "ids.csv"]).stdout_has("0 of 80 keys are new");
    test.on_target("drop schema unimig cascade; truncate app.person");
    test.succeeds(&["crosswalk", "import", "person", "ids.csv"]).stdout_has("80 of 80 keys are new");
    assert_eq!(ids(&test), before);
    test.succeeds(&["run"]);
    assert_eq!(test.result("xref.person").status, "unchanged");
    assert_eq!(ids(&test), before);
    assert_eq!(test.value("select count(*) from app.person"), "80");
}

#[test]
fn contradictions_are_told_with_their_lines_and_nothing_is_taken() {
    let test = project(BY_SEQUENCE);
    test.succeeds(&["run"]);
    let before = ids(&test);
    let import = |lines: &str, more: &[&str]| {
        test.write("ids.csv", &format!("source_key,target_id,member\n{lines}"));
        test.run(&[&["crosswalk", "import", "person", "ids.csv"], more].concat())
    };
    import("100,500,svp\n7,8,svp\n", &[]).exit(2).stderr_has("ids.csv:3").stderr_has("the key has another id already");
    import("100,500,svp\n100,501,svp\n", &[]).exit(2).stderr_has("ids.csv:3").stderr_has("in an earlier line");
    import("100,500,svp\n101,500,svp\n", &[]).exit(2).stderr_has("ids.csv:3").stderr_has("--merged");
    import("100,7,svp\n", &[]).exit(2).stderr_has("ids.csv:2").stderr_has("another key of the member has the id");
    import("100,500,svp\n1x,501,svp\n102,y,svp\n", &[]).exit(2).stderr_has("ids.csv:3").stderr_has("ids.csv:4");
    import("100,500,abc\n", &[]).exit(2).stderr_has("crosswalk \"person\" has no member \"abc\"");
    test.write("ids.csv", "member,id\nsvp,1\n");
    test.run(&["crosswalk", "import", "person", "ids.csv"]).exit(2).stderr_has("must be member,source_key,target_id");
    test.run(&["crosswalk", "import", "persen", "ids.csv"]).exit(2).stderr_has("did you mean \"person\"?");
    assert_eq!(ids(&test), before);

    import("100,500,svp\n101,500,svp\n3,500,qvp\n", &["--merged"]).exit(2);
    import("100,500,svp\n101,500,svp\n300,500,qvp\n", &["--merged"]).exit(0).stdout_has("3 of 3 keys are new");
    assert_eq!(ids(&test).len(), 83);
}
