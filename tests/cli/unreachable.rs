//! Servers and stores out of reach: exit code 3, who was tried, and nothing changed.

use crate::harness::{Test, socket_folder};

/// A profile whose target is not where the harness made it.
fn with_target(test: Test, target: &str) -> Test {
    let source = test.place("svp");
    let text = format!(
        "shop:\n  target: dev\n  outputs:\n    dev:\n      type: postgres\n{target}      schema: app\n      connections:\n        \
         qvp: {source}\n        svp: {source}\n      stores: {{layer: {{url: \"file://.unimig/layer\"}}}}\n"
    );
    test.own_profile().file("profiles.yml", &text)
}

#[test]
fn an_unreachable_target_is_told() {
    let target = "      host: /nowhere\n      user: unimig\n      dbname: gone\n";
    let test = with_target(Test::sample(), target);

    test.run(&["run"]).exit(3).stderr_has("could not connect to \"target\"").stderr_has("/nowhere");

    assert!(!test.path().join(".unimig").exists());
}

#[test]
fn a_port_where_nobody_listens_is_told() {
    let target = "      host: 127.0.0.1\n      port: 1\n      user: unimig\n      dbname: gone\n";
    let test = with_target(Test::sample(), target);

    test.run(&["run"]).exit(3).stderr_has("127.0.0.1:1").stderr_has("refused");
}

#[test]
fn a_wrong_password_is_told_without_showing_it() {
    let sample = Test::sample();
    let (host, database) = (socket_folder(), sample.database("target"));
    let target =
        format!("      host: \"{host}\"\n      user: guarded\n      password: not-it\n      dbname: {database}\n");
    let test = with_target(sample, &target);

    test.run(&["run"]).exit(3).stderr_has("password authentication failed for user \"guarded\"").stderr_lacks("not-it");

    let profile = std::fs::read_to_string(test.path().join("profiles.yml")).expect("the profile is there");
    test.write("profiles.yml", &profile.replace("not-it", "right-password"));
    test.run(&["run", "--select", "stg.svp.labors"]).exit(0);
}

#[test]
fn a_database_that_does_not_exist_is_told() {
    let target = format!("      host: \"{}\"\n      user: unimig\n      dbname: nowhere\n", socket_folder());
    let test = with_target(Test::sample(), &target);

    test.run(&["run"]).exit(3).stderr_has("database \"nowhere\" does not exist");
}

#[test]
fn debug_looks_at_everything_though_one_is_out_of_reach() {
    let test = Test::sample();
    test.connection("qvp", "{type: postgres, host: /nowhere, user: unimig, dbname: gone}");

    let outcome = test.run(&["debug"]).exit(3);

    outcome.stdout_has("problem  source  qvp").stdout_has("ok       source  svp").stdout_has("store");
}
