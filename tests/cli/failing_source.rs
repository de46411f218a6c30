//! A source that fails half-way through a table: nothing of the half arrives, and nobody else suffers.

use crate::harness::{Test, files_below};

const YAML: &str = "
version: 2
sources:
  - name: qvp
    connection: qvp
    tables:
      - {name: numbers, key: [id]}
      - {name: applicants, key: [id]}
";

fn numbers(view: &str) -> Test {
    let test = Test::sample();
    test.remove("models/bl/audit.sql");
    test.write("sources/qvp.yml", YAML);
    test.on_source(
        "qvp",
        "create view numbers as select n as id, 'row ' || n as entry from generate_series(1, 1000) as n",
    );
    test.succeeds(&["run"]);
    test.on_source("qvp", &format!("create or replace view numbers as {view}"));
    test
}

/// Batches in the layer that count.
fn manifests(test: &Test) -> usize {
    let files = files_below(&test.path().join(".unimig/layer/qvp/numbers"));
    files.iter().filter(|path| path.ends_with("manifest.json")).count()
}

#[test]
fn an_error_at_a_late_row_leaves_the_copy_as_it_was() {
    let test = numbers("select n as id, 'other ' || n / (n - 50000) as entry from generate_series(1, 100000) as n");
    let before = test.rows_digest("stg_qvp.numbers");
    test.on_source("qvp", "insert into applicants (name) values ('new')");

    test.run(&["run"]).exit(1).stderr_has("division by zero");

    assert_eq!(test.rows_digest("stg_qvp.numbers"), before);
    assert_eq!(manifests(&test), 1);
    assert_eq!(test.value("select count(*) from unimig.batch where node = 'stg.qvp.numbers'"), "1");
    assert_eq!(test.result("stg.qvp.applicants").wrote(), (1, 0, 0));
}

#[test]
fn a_session_that_the_source_ends_is_replaced_and_without_its_snapshot_the_copy_stays_as_it_was() {
    let test = numbers(
        "select n as id, case n when 900 then pg_advisory_xact_lock_shared(42)::text else 'other ' || n end as entry
         from generate_series(1, 1000) as n",
    );
    let before = test.rows_digest("stg_qvp.numbers");
    let gate = test.session("qvp");
    gate.execute("select pg_advisory_lock(42)");
    let extracting = "application_name like 'unimig % stg.qvp.numbers' and wait_event_type = 'Lock'";
    let ends_while_extracting = |ended: &str| {
        let run = test.start(&["run"]);
        let activity = "from pg_stat_activity where datname = current_database() and";
        gate.wait_until(&format!("exists (select {activity} {extracting})"));
        gate.execute(&format!("select pg_terminate_backend(pid) {activity} {ended}"));
        run
    };

    let outcome = ends_while_extracting("application_name like 'unimig %'").wait();

    assert_eq!(outcome.code, Some(3), "{}", outcome.transcript());
    // The socket may be closed before the server's last word is read.
    let last_word = outcome.stderr.contains("terminating connection due to administrator command");
    assert!(last_word || outcome.stderr.contains("the connection was lost"), "{}", outcome.transcript());
    outcome.stderr_has("stg.qvp.numbers failed");
    assert_eq!(test.rows_digest("stg_qvp.numbers"), before);
    assert_eq!(manifests(&test), 1);

    let run = ends_while_extracting(extracting);
    gate.execute("select pg_advisory_unlock(42)");
    run.wait().exit(0).stderr_has("attempt 2");
    assert_eq!(test.result("stg.qvp.numbers").wrote(), (0, 1000, 0));
}

#[test]
fn a_session_that_the_target_ends_leaves_the_table_as_it_was_and_the_step_is_begun_again() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let before = test.rows_digest("app.person");
    test.on_source("svp", "update labors set full_name = 'other', updated_at = now() at time zone 'UTC'");
    test.on_target(
        "create function app.gate() returns text language sql as 'select pg_advisory_xact_lock_shared(42)::text'",
    );
    let model = std::fs::read_to_string(test.path().join("models/bl/person.sql")).expect("the model is there");
    test.write("models/bl/person.sql", &model.replace("    null,\n    null\n", "    app.gate(),\n    null\n"));
    let gate = test.session("target");
    gate.execute("select pg_advisory_lock(42)");
    let run = test.start(&["run", "--select", "bl.person", "stg.svp.labors"]);
    let merging = "application_name like 'unimig % bl.person' and wait_event_type = 'Lock'";
    gate.wait_until(&format!("exists (select from pg_stat_activity where datname = current_database() and {merging})"));

    let ended = gate.rows(&format!("select pid from pg_stat_activity where {merging}"));
    gate.execute(&format!("select pg_terminate_backend({})", ended[0]));

    gate.wait_until(&format!(
        "exists (select from pg_stat_activity where datname = current_database() and {merging} and pid <> {})",
        ended[0]
    ));
    assert_eq!(test.rows_digest("app.person"), before);
    gate.execute("select pg_advisory_unlock(42)");
    run.wait().exit(0).stderr_has("bl.person").stderr_has("attempt 2");
    test.write("models/bl/person.sql", &model);
    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.person").wrote(), (0, 40, 0));
}
