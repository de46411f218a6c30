//! Sweeps and alarms that are cut off: the changes are in, nothing else is, and the next run looks again.

use crate::harness::{Outcome, Session, Test};

/// Two tables that are read by a window and looked at again when a day has passed; looking at row 150 waits at a gate.
fn looked_at() -> Test {
    Test::new()
        .source_sql(
            "qvp",
            "create table base (id bigint primary key, entry text, updated_at timestamptz not null default now());
            insert into base select n, 'entry ' || n, now() - interval '10 days' from generate_series(1, 200) as n;
            create function gate(id bigint) returns bigint language plpgsql as $$
            begin
                if id = 150 then perform pg_advisory_xact_lock_shared(42); end if;
                return id;
            end $$;
            create view swept as select gate(id) as id, entry, updated_at from base;
            create view alarmed as select gate(id) as id, entry, updated_at from base",
        )
        .file(
            "sources/qvp.yml",
            "sources:
  - name: qvp
    tables:
      - name: swept
        key: [id]
        cdc: {strategy: window, columns: [updated_at], window: 1 minute}
        deletes: {detect: sweep, every: 1 day}
      - name: alarmed
        key: [id]
        cdc: {strategy: window, columns: [updated_at], window: 1 minute, alarm: {every: 1 day, percent: 100}}
",
        )
}

/// A run whose two second looks wait at the gate when the sessions that `ended` names are ended.
fn cut_off(test: &Test, gate: &Session, ended: &str) -> Outcome {
    gate.execute("select pg_advisory_lock(42)");
    let run = test.start(&["run"]);
    let here = "database = (select oid from pg_database where datname = current_database())";
    gate.wait_until(&format!(
        "2 = (select count(*) from pg_locks where locktype = 'advisory' and {here} and not granted)"
    ));
    let count = gate.rows(&format!("select pg_terminate_backend(pid) from pg_stat_activity where {ended}")).len();
    assert!(count >= 2, "{count} sessions were ended");
    gate.execute("select pg_advisory_unlock(42)");
    run.wait()
}

#[test]
fn a_sweep_and_an_alarm_that_are_cut_off_leave_the_changes_in_and_are_made_up_for() {
    let test = looked_at();
    test.succeeds(&["run"]);
    test.on_target("update unimig.batch set loaded_at = loaded_at - interval '1 day'");
    test.on_source("qvp", "delete from base where id in (3, 4); update base set entry = 'silent' where id = 5");
    let gate = test.session("qvp");
    let (source, target) = (test.database("qvp"), test.database("target"));
    let copies = |condition: &str| {
        ["swept", "alarmed"].map(|copy| test.value(&format!("select count(*) from stg_qvp.{copy} where {condition}")))
    };

    // With the source's snapshot gone no attempt can see the same moment.
    test.on_source("qvp", "update base set entry = 'told', updated_at = now() where id = 7");
    let outcome = cut_off(&test, &gate, &format!("datname = '{source}' and application_name like 'unimig %'"));
    assert_eq!(outcome.code, Some(3), "{}", outcome.transcript());
    outcome.stderr_has("stg.qvp.swept failed").stderr_has("stg.qvp.alarmed failed");
    assert_eq!(copies("entry = 'told'"), ["1", "1"], "the changes are in");
    assert_eq!(copies("_deleted_at is not null or entry = 'silent'"), ["0", "0"], "and nothing else is");
    assert_eq!(test.value("select count(*) from unimig.batch where kind in ('keys', 'sample')"), "0");

    // A look at the same moment is begun again when it is the target that was lost.
    test.on_source("qvp", "update base set entry = 'told again', updated_at = now() where id = 7");
    cut_off(&test, &gate, &format!("datname = '{target}' and application_name like 'unimig %'"))
        .exit(0)
        .stderr_has("attempt 2")
        .stderr_has("1 rows in a sample of 100 percent changed without telling");
    assert_eq!(copies("entry = 'told again'"), ["1", "1"]);
    assert_eq!(copies("_deleted_at is not null"), ["2", "2"]);
    assert_eq!(test.value("select count(*) from stg_qvp.alarmed where entry = 'silent'"), "1");
    test.succeeds(&["run"]);
    test.succeeds(&["run"]);
    test.wrote_nothing();
}
