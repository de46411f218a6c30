//! What can be typed: each command's output, its artifacts and its exit code.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Outcome, Test, files_below};

fn artifact(test: &Test, name: &str) -> Value {
    let text = std::fs::read(test.path().join("target").join(name)).expect("the artifact is there");
    serde_json::from_slice(&text).expect("artifacts are JSON")
}

fn names(outcome: &Outcome) -> Vec<&str> {
    outcome.stdout.lines().collect()
}

#[test]
fn a_new_project_runs_as_it_is() {
    let place = Embedded::new();
    place.run(&["init", "shop"]).exit(0);
    let shop = place.inside("shop");
    shop.run(&["psql", "shop", "--", "-qf", "demo/shop.sql"]).exit(0);
    shop.run(&["psql", "--", "-qf", "demo/app.sql"]).exit(0);

    shop.run(&["seed"]).exit(0);
    shop.run(&["run"]).exit(0);
    shop.run(&["test"]).exit(0);
    shop.run(&["run"]).exit(0).stderr_has("0 inserted, 0 updated, 0 deleted");

    shop.run(&["init"]).exit(2).stderr_has("is a project already");
    let settings = std::fs::read_to_string(shop.root().join(".vscode/settings.json")).expect("editors are told");
    assert!(settings.contains("./.vscode/properties.schema.json"), "{settings}");
    let schema = shop.run(&["schema", "project"]).exit(0).json();
    assert_eq!(schema["properties"]["name"]["type"], "string");
    let written = std::fs::read(shop.root().join(".vscode/project.schema.json")).expect("the schema is there");
    assert_eq!(serde_json::from_slice::<Value>(&written).expect("it is JSON"), schema);
}

#[test]
fn the_private_server_starts_stays_and_stops() {
    let place = Embedded::new();
    place.run(&["init"]).exit(0);
    place.run(&["server", "status"]).exit(1).stdout_has("not made yet");
    place.run(&["server", "start"]).exit(0).stdout_has("running: PostgreSQL");

    let shown = place.run(&["psql", "--", "-Atc", "select 1"]).exit(0);
    assert_eq!(shown.stdout, "1\n");
    place.run(&["server", "status"]).exit(0).stdout_has("running");
    place.run(&["server", "stop"]).exit(0).stdout_has("stopped");

    place.run(&["server", "status"]).exit(1).stdout_has("stopped");
    place.run(&["psql", "shop", "--", "-Atc", "select 1"]).exit(0);
    place.run(&["server", "status"]).exit(1).stdout_has("stopped");
    place.run(&["server", "stop"]).exit(0).stdout_has("was not running");
}

#[test]
fn psql_passes_its_exit_code_on() {
    let test = Test::sample();

    test.run(&["psql", "qvp", "--", "-Atc", "select count(*) from applicants"]).exit(0).stdout_has("50");
    test.run(&["psql", "--", "-Atc", "select nonsense"]).exit(1);
    test.run(&["psql", "nobody"]).exit(2).stderr_has("nobody");
}

#[test]
fn names_are_selected_by_wildcard_and_by_what_they_read() {
    let test = Test::sample();
    let ls = |terms: &[&str]| {
        let outcome = test.succeeds(&[&["ls"], terms].concat());
        names(&outcome).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };

    assert_eq!(ls(&["--select", "stg.*"]), ["stg.qvp.applicants", "stg.qvp.audit_log", "stg.svp.labors"]);
    assert_eq!(ls(&["-s", "bl.person+"]), ["bl.person", "bl.people", "bl.tidy_person", "bl.person_count"]);
    assert_eq!(ls(&["-s", "+bl.audit"]), ["stg.qvp.audit_log", "bl.audit"]);
    assert_eq!(
        ls(&["-s", "stg.qvp.*", "bl.audit", "--exclude", "stg.*.applicants"]),
        ["stg.qvp.audit_log", "bl.audit"]
    );
    assert_eq!(ls(&["-s", "stg.qvp.*", "-s", "bl.audit"]).len(), 3);
    assert_eq!(ls(&["--select", "seed.*"]), ["seed.codes"]);
    assert!(!test.path().join(".unimig").exists(), "ls needs no server");
}

#[test]
fn compile_writes_plain_sql_without_a_server() {
    let test = Test::sample();
    test.connection("qvp", "{type: postgres, host: /nowhere, user: unimig, dbname: gone}");

    test.succeeds(&["compile"]);

    let folder = test.path().join("target/compiled/shop/models/bl");
    let sql = std::fs::read_to_string(folder.join("person.sql")).expect("the model is compiled");
    assert!(sql.contains("from stg_qvp.applicants_live as a") && !sql.contains("{{"), "{sql}");
    let one = test.succeeds(&["compile", "--select", "bl.person"]);
    assert_eq!(one.stdout.trim(), sql.trim());
}

#[test]
fn a_run_leaves_artifacts_of_dbts_shape() {
    let test = Test::sample();

    let outcome = test.succeeds(&["run", "--output", "json"]);

    let results = artifact(&test, "run_results.json");
    assert_eq!(outcome.json()["results"].as_array().map(Vec::len), results["results"].as_array().map(Vec::len));
    let person = results["results"]
        .as_array()
        .expect("results")
        .iter()
        .find(|result| result["unique_id"] == "model.shop.person");
    let person = person.expect("the model is among the results");
    assert_eq!(person["status"], "success");
    assert_eq!(person["adapter_response"]["rows_inserted"], 90);
    assert_eq!(person["adapter_response"]["node"], "bl.person");
    assert!(person["execution_time"].is_f64() && person["timing"][1]["started_at"].is_string(), "{person}");
    let manifest = artifact(&test, "manifest.json");
    assert_eq!(manifest["nodes"]["model.shop.person"]["resource_type"], "model");
    assert_eq!(manifest["child_map"]["model.shop.tidy_person"][0], "model.shop.person_count");
}

#[test]
fn data_tests_pass_warn_and_fail() {
    let test = Test::sample()
        .file("tests/nobody.sql", "select * from {{ ref('person') }} where id < 0\n")
        .file("tests/somebody.sql", "select * from {{ ref('person') }} where id <= 3\n")
        .file(
            "models/bl/person.yml",
            "version: 2\nmodels:\n  - name: person\n    columns:\n      - name: id\n        data_tests: [unique, not_null]\n      \
             - name: email\n        data_tests:\n          - not_null: {config: {severity: warn}}\n",
        );
    test.succeeds(&["run"]);

    let outcome = test.run(&["test"]).exit(1).stderr_has("test.somebody").stderr_has("3 failing rows");

    outcome.stderr_has("40 failing rows");
    let status = |node: &str| test.result(node).status;
    assert_eq!((status("test.nobody"), status("test.somebody")), ("pass".to_owned(), "fail".to_owned()));
    test.remove("tests/somebody.sql");
    test.run(&["test"]).exit(0).stderr_has("warn");
}

#[test]
fn clean_removes_artifacts_and_nothing_outside_of_the_project() {
    let test = Test::sample();
    test.succeeds(&["compile"]);
    test.run(&["clean"]).exit(0).stderr_has("removed target");
    assert!(!test.path().join("target").exists());
    let outside = tempfile::tempdir().expect("a temporary folder can be made");
    std::os::unix::fs::symlink(outside.path(), test.path().join("link")).expect("a link can be made");
    let project = "name: shop\nversion: \"1.0\"\nprofile: shop\nclean-targets: ";

    for target in ["..", "/", ".", "link", "models/../.."] {
        test.write("unimig.yml", &format!("{project}[\"{target}\"]\n"));
        test.run(&["clean"]).exit(2);
    }

    assert!(outside.path().exists() && test.path().join("models/bl/person.sql").exists());
}

#[test]
fn completions_are_scripts() {
    let test = Test::new();

    for shell in ["bash", "zsh", "fish"] {
        test.run(&["completions", shell]).exit(0).stdout_has("unimig");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let test = Test::new();
    let help = test.run(&["--help"]).exit(0).stdout;
    let commands = help.split("\nCommands:\n").nth(1).expect("there are commands").lines();
    let commands = commands.take_while(|line| line.starts_with("  ")).filter(|line| !line.starts_with("   "));
    let names: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 20 && names.contains(&"build"), "{names:?}");

    test.run(&["man", "pages/man1"]).exit(0).stderr_has("pages/man1/unimig.1");

    for name in names.into_iter().filter(|name| *name != "help") {
        let page = std::fs::read_to_string(test.path().join(format!("pages/man1/unimig-{name}.1")));
        let page = page.unwrap_or_else(|error| unreachable!("{name} has no page: {error}"));
        assert!(page.contains(".TH") && page.contains("--project") | page.contains("project\\-dir"), "{name}: {page}");
    }
    assert!(test.path().join("pages/man1/unimig-server-start.1").exists(), "so have the commands of a command");
}

#[test]
fn ctrl_c_cancels_what_runs_on_the_servers_and_leaves_nothing() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.on_source("svp", "update labors set full_name = 'other', updated_at = now() at time zone 'UTC'");
    let before = test.rows_digest("app.person");
    test.on_target(
        "create function app.gate() returns text language sql as 'select pg_advisory_xact_lock_shared(42)::text'",
    );
    let model = std::fs::read_to_string(test.path().join("models/bl/person.sql")).expect("the model is there");
    test.write("models/bl/person.sql", &model.replace("    null,\n    null\n", "    app.gate(),\n    null\n"));
    let gate = test.session("target");
    gate.execute("select pg_advisory_lock(42)");
    let run = test.start(&["run"]);
    let merging =
        "datname = current_database() and application_name like 'unimig % bl.person' and wait_event_type = 'Lock'";
    gate.wait_until(&format!("exists (select from pg_stat_activity where {merging})"));

    run.interrupt();

    run.wait().exit(130).stderr_has("stopping");
    test.wait_until_quiet();
    assert_eq!(test.rows_digest("app.person"), before);
    assert_eq!(test.result("bl.person").status, "cancelled");
    assert_eq!(test.value("select status from unimig.run order by started_at desc limit 1"), "interrupted");
    gate.execute("select pg_advisory_unlock(42)");
    test.write("models/bl/person.sql", &model);
    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.person").wrote(), (0, 40, 0));
}

#[test]
fn ctrl_c_during_an_extraction_ends_the_sources_statement() {
    let test = Test::sample();
    test.on_source("qvp", "create table gate (id integer); alter table applicants rename to kept_applicants");
    test.on_source(
        "qvp",
        "create view applicants as select *, case when id = 40 then pg_advisory_xact_lock_shared(42)::text end as gate from kept_applicants",
    );
    let gate = test.session("qvp");
    gate.execute("select pg_advisory_lock(42)");
    let run = test.start(&["run"]);
    let reading = "datname = current_database() and application_name like 'unimig % stg.qvp.applicants' and wait_event_type = 'Lock'";
    gate.wait_until(&format!("exists (select from pg_stat_activity where {reading})"));

    run.interrupt();

    run.wait().exit(130);
    test.wait_until_quiet();
    let layer = files_below(&test.path().join(".unimig/layer/qvp/applicants"));
    assert!(layer.iter().all(|path| !path.ends_with("manifest.json")), "{layer:?}");
}

#[test]
fn vars_and_targets_come_from_the_command_line() {
    let test = Test::new().file(
        "models/bl/fact.sql",
        "{{ config(materialized='table') }}\nselect '{{ var(\"day\", \"none\") }}' as day\n",
    );

    test.succeeds(&["run", "--vars", "{day: monday}"]);

    assert_eq!(test.query_target("select * from app.fact"), ["monday"]);
    test.run(&["run", "--target", "prod"]).exit(2).stderr_has("prod");
}

#[test]
fn templates_see_dbts_flags_with_dbts_values() {
    let test = Test::new().file(
        "models/bl/seen.sql",
        "{{ config(materialized='view') }}\nselect '{{ [flags.WHICH, flags.INDIRECT_SELECTION, flags.FAIL_FAST, flags.EMPTY, \
         flags.PRINTER_WIDTH, flags.LOG_FORMAT, flags.THREADS is defined, flags.INVOCATION_COMMAND] | join(' ') }}' as seen\n",
    );
    let compiled = |arguments: &[&str]| test.succeeds(arguments).stdout;

    let usual = compiled(&["compile", "--select", "seen"]);
    assert!(usual.contains("'compile eager False None 80 default False unimig compile --select seen'"), "{usual}");

    test.succeeds(&["run", "--empty", "-x", "--log-format", "json", "--indirect-selection", "cautious"]);
    test.write(
        "models/bl/chosen.sql",
        "{{ config(materialized='view') }}\nselect '{{ selected_resources | join(' ') }}' as chosen\n",
    );
    let chosen = compiled(&["compile", "--select", "chosen"]);
    assert!(chosen.contains("'model.shop.chosen'"), "{chosen}");
    test.succeeds(&["run", "--select", "chosen"]);
    assert_eq!(test.value("select chosen from app.chosen"), "model.shop.chosen");

    let told = test.run(&["compile", "-s", "seen", "--no-partial-parse", "--target-path", "elsewhere"]).exit(0);
    told.stderr_has("--no-partial-parse has no effect here: every file is read each time");
    assert!(test.path().join("elsewhere/manifest.json").is_file());

    let seen = test.value("select seen from app.seen");
    assert!(seen.starts_with("run cautious True True 80 json False unimig run --empty -x"), "{seen}");
}

/// A folder for commands that start a private server of their own.
struct Embedded {
    folder: tempfile::TempDir,
    below: PathBuf,
}

impl Embedded {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made"), below: PathBuf::new() }
    }

    fn inside(mut self, below: &str) -> Self {
        self.below = PathBuf::from(below);
        self
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join(&self.below)
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unimig"));
        command
            .args(arguments)
            .current_dir(self.root())
            .env_clear()
            .env("NO_COLOR", "1")
            .env("HOME", self.folder.path());
        for name in ["PATH", "UNIMIG_PG_BIN", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Outcome::of(arguments, &command.output().expect("the binary starts"))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.run(&["server", "stop"]);
        let record = std::fs::read(self.root().join(".unimig/server.json")).unwrap_or_default();
        let record: Value = serde_json::from_slice(&record).unwrap_or_default();
        for folder in ["home", "socket_dir"].iter().filter_map(|key| record[key].as_str()) {
            // Where root runs the tests, the server's folders are not below the project's.
            let _ = std::fs::remove_dir_all(Path::new(folder));
        }
    }
}
