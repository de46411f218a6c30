//! What goes to stderr and to JUnit files: for people, for programs, or not at all.

use serde_json::Value;

use crate::harness::Test;

#[test]
fn a_program_reads_the_log_line_by_line_and_a_quiet_run_says_only_what_went_wrong() {
    let test = Test::sample().file("tests/somebody.sql", "select * from {{ ref('person') }} where id <= 3\n");

    let run = test.succeeds(&["run", "--log-format", "json"]);
    let lines: Vec<Value> =
        run.stderr.lines().map(|line| serde_json::from_str(line).expect("each line is an object")).collect();
    assert!(lines.iter().all(|line| line["ts"].is_string() && line["level"].is_string() && line["event"].is_string()));
    let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    assert_eq!((events[0], events[events.len() - 1]), ("run_started", "run_finished"));
    let person = lines.iter().find(|line| line["node"] == "bl.person" && line["event"] == "step_finished");
    assert_eq!(person.map(|line| &line["rows_inserted"]), Some(&90.into()));

    let failed = test.run(&["test", "--log-format", "json", "--log-level", "error"]).exit(1);
    let grave: Vec<Value> = failed.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(grave.len(), 2, "{}", failed.stderr);
    assert_eq!((&grave[0]["node"], &grave[0]["failing_rows"]), (&"test.somebody".into(), &3.into()));

    let quiet = test.succeeds(&["run", "--quiet"]);
    assert_eq!((quiet.stderr.as_str(), quiet.stdout.as_str()), ("", ""));
    test.run(&["test", "-q"]).exit(1).stderr_has("test.somebody").stderr_lacks("1 test");
    let mistake = test.run(&["show", "--inline", "select {{ ref('nobody') }}", "--log-format", "json"]).exit(2);
    let said: Value = serde_json::from_str(mistake.stderr.lines().next().unwrap_or_default()).expect("an object");
    assert_eq!(
        (&said["event"], &said["code"], &said["line"]),
        (&"diagnostic".into(), &"unknown-ref".into(), &1.into())
    );
}

#[test]
fn ci_servers_get_junit_xml_of_tests_that_pass_fail_and_cannot_run() {
    let test = Test::sample()
        .file("tests/nobody.sql", "select * from {{ ref('person') }} where id < 0\n")
        .file("tests/somebody.sql", "select * from {{ ref('person') }} where id <= 3\n")
        .file("tests/broken.sql", "select no_such_column from {{ ref('person') }}\n");
    test.succeeds(&["run", "--junit", "out/run.xml"]);

    test.run(&["test", "--junit", "out/test.xml"]).exit(1);

    let read = |name: &str| std::fs::read_to_string(test.path().join("out").join(name)).expect("the file is written");
    let tests = read("test.xml");
    assert!(
        tests.contains("<testsuite name=\"data tests\" tests=\"3\" disabled=\"0\" errors=\"1\" failures=\"1\">"),
        "{tests}"
    );
    assert!(tests.contains("<failure message=\"3 failing rows\" type=\"fail\"/>"), "{tests}");
    assert!(tests.contains("at tests/broken.sql:1:8"), "{tests}");
    assert!(read("run.xml").contains("<testcase name=\"bl.person\" classname=\"processes\""));
}
