//! Invariant 7: a source is read, gently, and never written.

use crate::harness::Test;

const SESSION: &str = "
select
    1 as id,
    current_setting('default_transaction_read_only') as default_read_only,
    current_setting('transaction_read_only') as read_only,
    current_setting('transaction_isolation') as isolation,
    current_setting('application_name') as application_name,
    current_setting('statement_timeout') as statement_timeout
from {{ source('qvp', 'applicants') }}
limit 1
";

#[test]
fn an_extraction_that_calls_a_writing_function_is_refused() {
    let test = Test::sample();
    test.on_source(
        "qvp",
        "create table written (n integer);
         create function write_it() returns integer language sql volatile as 'insert into written values (1) returning n'",
    );
    test.write("models/stg/qvp/applicants.sql", "select id, write_it() as n from {{ source('qvp', 'applicants') }}\n");

    test.run(&["run", "--select", "stg.qvp.applicants"]).exit(1).stderr_has("read-only transaction");

    assert_eq!(test.query_source("qvp", "select count(*) from written"), ["0"]);
    assert_eq!(test.tables(), ["app.person"]);
}

#[test]
fn a_source_session_says_what_it_is() {
    let test = Test::sample();
    let place = test.place("qvp").replace('}', ", statement_timeout: 600}");
    test.connection("qvp", &place);
    test.write("models/stg/qvp/applicants.sql", SESSION);

    test.succeeds(&["run", "--select", "stg.qvp.applicants"]);

    let row = "select default_read_only, read_only, isolation, statement_timeout from stg_qvp.applicants";
    assert_eq!(test.query_target(row), ["on|on|repeatable read|10min"]);
    let name = test.value("select application_name from stg_qvp.applicants");
    assert!(name.starts_with("unimig ") && name.ends_with(" stg.qvp.applicants"), "{name}");
}

#[test]
fn a_statement_timeout_ends_a_slow_extraction() {
    let test = Test::sample();
    let place = test.place("qvp").replace('}', ", statement_timeout: 1}");
    test.connection("qvp", &place);
    test.write(
        "models/stg/qvp/applicants.sql",
        "select id, pg_sleep(20)::text as slept from {{ source('qvp', 'applicants') }}\n",
    );

    test.run(&["run", "--select", "stg.qvp.*"]).exit(1).stderr_has("statement timeout");

    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (200, 0, 0));
}

#[test]
fn a_connection_cap_holds_whatever_the_threads() {
    let test = Test::new().source_sql("qvp", "select 1");
    let mut tables = String::new();
    for number in 0..8 {
        test.on_source(
            "qvp",
            &format!("create table t{number} (id integer primary key); insert into t{number} values (1)"),
        );
        tables.push_str(&format!("      - {{name: t{number}, key: [id]}}\n"));
        let select = format!(
            "select 1 as id, (select count(*) from pg_stat_activity where datname = current_database() \
             and starts_with(application_name, 'unimig'))::integer as sessions, pg_sleep(0.02)::text as slept \
             from {{{{ source('qvp', 't{number}') }}}}\n"
        );
        test.write(&format!("models/stg/qvp/t{number}.sql"), &select);
    }
    test.write(
        "sources/qvp.yml",
        &format!("version: 2\nsources:\n  - name: qvp\n    connection: qvp\n    tables:\n{tables}"),
    );
    let place = test.place("qvp").replace('}', ", max_connections: 3}");
    test.connection("qvp", &place);

    test.succeeds(&["run", "--threads", "8"]);

    let counts: Vec<String> = (0..8).map(|number| format!("select sessions from stg_qvp.t{number}")).collect();
    let most = test.value(&format!("select max(sessions) from ({}) as counts", counts.join(" union all ")));
    assert!(["2", "3"].contains(&most.as_str()), "{most} sessions");
}

#[test]
fn one_snapshot_serves_all_tables_of_a_source() {
    let test = Test::sample();
    test.write("models/stg/qvp/applicants.sql", "select id, name, email, amount, extra, pg_current_snapshot()::text as seen from {{ source('qvp', 'applicants') }}\n");
    test.write("models/stg/qvp/audit_log.sql", "select id, entry, created_at, updated_at, pg_current_snapshot()::text as seen from {{ source('qvp', 'audit_log') }}\n");

    test.succeeds(&["run"]);

    let snapshots = "select count(distinct seen) from (select seen from stg_qvp.applicants union all select seen from stg_qvp.audit_log) as all_seen";
    assert_eq!(test.value(snapshots), "1");
}

#[test]
fn a_role_that_could_write_is_told_and_refused_where_that_is_asked() {
    let test = Test::sample();
    let grant = |what: &str| test.on_source("qvp", what);
    let reader = test.place("qvp").replace("user: unimig", "user: reader");
    let asked = reader.replace('}', ", require_read_only: true}");
    grant("grant select on all tables in schema public to reader");
    // A superuser is told once a run and connection, whatever the tables and threads.
    let run = test.succeeds(&["run", "--select", "stg.*"]);
    assert_eq!(run.stderr.matches("role \"unimig\" could write: it is a superuser").count(), 2, "{}", run.transcript());

    test.connection("qvp", &reader);
    test.succeeds(&["run", "--select", "stg.qvp.*"]).stderr_lacks("could write");
    grant("grant update (name), insert on applicants to reader; grant truncate on audit_log to reader");
    grant("grant create on schema public to reader");
    let words = "role \"reader\" could write: create on schema public; insert, update on public.applicants; \
                 truncate on public.audit_log";
    test.succeeds(&["run", "--select", "stg.qvp.*"]).stderr_has(&format!("connection \"qvp\": {words}"));
    // Only what is read counts.
    let one = test.succeeds(&["run", "--select", "stg.qvp.audit_log"]);
    one.stderr_has("truncate on public.audit_log").stderr_lacks("applicants");
    test.succeeds(&["debug"]).stdout_has(words);

    // Refused at the key; the other source is read.
    test.connection("qvp", &asked);
    let refused = test.run(&["run", "--select", "stg.*"]).exit(1).stderr_has(words);
    refused
        .stderr_has("error[writable-source]")
        .stderr_has("profiles.yml:")
        .stderr_has("select on the tables, and nothing else");
    assert_eq!(test.result("stg.svp.labors").status, "unchanged");
    assert_eq!(test.result("stg.qvp.audit_log").status, "failed");
    test.run(&["debug"]).exit(1).stdout_has("require_read_only is set");
    grant("revoke insert, update, truncate on all tables in schema public from reader");
    grant("revoke update (name) on applicants from reader; revoke create on schema public from reader");
    test.succeeds(&["run", "--select", "stg.qvp.*"]).stderr_lacks("could write");
    test.succeeds(&["debug"]).stdout_has("role reader");
    test.connection("qvp", &reader.replace('}', ", require_read_only: perhaps}"));
    test.run(&["run"]).exit(2).stderr_has("neither true nor false");
}
