//! Invariant 1: what is remembered is in the target, and losing it costs time and never correctness.

use crate::harness::{Test, files_below};

#[test]
fn a_copy_of_the_project_on_another_path_finds_nothing_to_do() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let before = test.physical_state();
    let elsewhere = tempfile::tempdir().expect("a temporary folder can be made");
    for path in files_below(test.path()) {
        let name = path.strip_prefix(test.path()).expect("it is below the folder");
        if !name.starts_with("target") && !name.starts_with(".unimig") {
            let to = elsewhere.path().join(name);
            std::fs::create_dir_all(to.parent().expect("a file has a folder")).expect("folders can be made");
            std::fs::copy(&path, to).expect("files can be copied");
        }
    }
    let empty = tempfile::tempdir().expect("a temporary folder can be made");

    let mut command = test.command(&["run", "--project-dir"]);
    let output = command.arg(elsewhere.path()).current_dir(empty.path()).output().expect("the binary starts");

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for result in Test::results_in(elsewhere.path()) {
        assert_eq!(result.wrote(), (0, 0, 0), "{result:?}");
    }
    assert_eq!(test.physical_state(), before);
    assert_eq!(files_below(empty.path()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn losing_the_memory_and_the_layer_changes_no_row() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let before = test.physical_state();
    test.on_target("drop schema unimig cascade");
    std::fs::remove_dir_all(test.path().join(".unimig")).expect("the layer is there");

    test.succeeds(&["run"]);

    test.wrote_nothing();
    assert_eq!(test.physical_state(), before);
    assert_eq!(test.result("stg.qvp.audit_log").extracted, 200, "without memory a window is the whole table");
}

#[test]
fn a_process_runs_alone() {
    let test = Test::sample();
    test.succeeds(&["run", "--select", "stg.svp.labors"]);
    test.succeeds(&["run", "--select", "stg.qvp.applicants"]);
    assert_eq!(test.results().len(), 1);

    test.succeeds(&["run", "--select", "bl.person"]);

    assert_eq!(test.result("bl.person").wrote(), (90, 0, 0));
}
