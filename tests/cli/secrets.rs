//! Invariant 9: no value and no secret in a log, an error or an artifact.

use crate::harness::{Test, files_below};

const VALUE: &str = "VALUEMARKER7f3a";
const SECRET: &str = "SECRETMARKER91cd";

/// Everything the tool said or left, besides the layer, which holds the data and is meant to.
fn leaks(test: &Test, said: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let is_leak = |text: &str| text.contains(VALUE) || text.contains(SECRET);
    found.extend(said.iter().filter(|text| is_leak(text)).cloned());
    for path in files_below(&test.path().join("target")) {
        let text = std::fs::read(&path).expect("artifacts can be read");
        if is_leak(&String::from_utf8_lossy(&text)) {
            found.push(path.display().to_string());
        }
    }
    let memory = test.query_target(
        "select row(step.*)::text from unimig.step union all select row(run.*)::text from unimig.run
         union all select row(batch.*)::text from unimig.batch",
    );
    found.extend(memory.into_iter().filter(|row| is_leak(row)));
    found
}

fn run_all(test: &Test, commands: &[&[&str]]) -> Vec<String> {
    let mut said = Vec::new();
    for arguments in commands {
        let outcome = test.run(arguments);
        said.extend([outcome.stdout, outcome.stderr]);
    }
    said
}

/// A model that fails with a value in the server's words.
fn failing(test: &Test, name: &str, select: &str) {
    test.write(&format!("models/bl/{name}.sql"), select);
}

#[test]
fn no_value_is_shown_by_errors_of_any_kind() {
    let test = Test::sample();
    test.on_source(
        "qvp",
        &format!("update applicants set name = '{VALUE}', email = '{VALUE}@example.org' where id < 10"),
    );
    test.on_target("create table app.strict_person (id bigint primary key, name text, email varchar(20) unique)");
    test.on_target("create table app.unique_person (id bigint primary key, email text unique)");
    test.on_target(
        "create table app.parent (code text primary key);
         create table app.child (id bigint primary key, parent text references app.parent)",
    );
    let from = "from {{ source('qvp', 'applicants') }}";
    failing(
        &test,
        "to_integer",
        &format!("{{{{ config(materialized='table') }}}}\nselect name::integer as n {from}\n"),
    );
    failing(&test, "to_date", &format!("{{{{ config(materialized='table') }}}}\nselect name::date as n {from}\n"));
    failing(&test, "to_json", &format!("{{{{ config(materialized='table') }}}}\nselect name::json as n {from}\n"));
    failing(&test, "to_uuid", &format!("{{{{ config(materialized='table') }}}}\nselect email::uuid as n {from}\n"));
    failing(&test, "too_long", &format!("{{{{ config(alias='strict_person') }}}}\nselect id, email {from}\n"));
    failing(&test, "child", &format!("select id, name as parent {from}\n"));
    failing(&test, "unique_person", &format!("select id, name as email {from}\n"));
    failing(
        &test,
        "raised",
        &format!("{{{{ config(materialized='table') }}}}\nselect app.complain(name) as n {from}\n"),
    );
    test.on_target(
        "create function app.complain(text) returns text language plpgsql as $$
         begin raise exception 'bad name %', $1 using detail = $1, hint = $1; end $$",
    );
    test.write("tests/no_marker.sql", &format!("select * {from} where length(name) > 14\n"));

    let said = run_all(
        &test,
        &[&["run"], &["run", "--verbose", "--output", "json"], &["test"], &["test", "--output", "json"]],
    );

    let failed = test.query_target("select distinct node from unimig.step where status = 'failed' order by 1");
    assert!(failed.len() >= 7, "the errors were provoked: {failed:?}");
    assert_eq!(leaks(&test, &said), Vec::<String>::new());
}

#[test]
fn no_value_is_shown_by_a_failing_source() {
    let test = Test::sample();
    test.on_source("qvp", &format!("update applicants set name = '{VALUE}' where id = 40"));
    test.write(
        "models/stg/qvp/applicants.sql",
        "select id, name::integer as n from {{ source('qvp', 'applicants') }} where id > 30\n",
    );
    test.write(
        "models/stg/qvp/audit_log.sql",
        "select name as id, id as n, now() as created_at, now() as updated_at from {{ source('qvp', 'applicants') }}\n",
    );
    test.on_source("qvp", &format!("update applicants set name = '{VALUE}' where id in (41, 42)"));

    let said = run_all(&test, &[&["run"], &["run", "--full-refresh", "--verbose"]]);

    assert_eq!(test.result("stg.qvp.applicants").status, "failed");
    assert_eq!(test.result("stg.qvp.audit_log").status, "failed");
    assert_eq!(leaks(&test, &said), Vec::<String>::new());
}

#[test]
fn keys_that_are_not_unique_are_shown_once_and_kept_nowhere() {
    let test = Test::sample();
    test.on_target("create table app.named (name text primary key)");
    test.on_source("qvp", &format!("update applicants set name = '{VALUE}' where id < 10"));
    failing(&test, "named", "select name from {{ source('qvp', 'applicants') }}\n");

    test.run(&["run"]).exit(1).stderr_has(&format!("({VALUE}) 9 times"));

    assert_eq!(leaks(&test, &[]), Vec::<String>::new());
}

#[test]
fn no_password_is_shown_or_kept() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    let good = test.place("qvp");
    let wrong = good.replace("user: unimig", &format!("user: guarded, password: \"{SECRET}\""));
    test.connection("qvp", &wrong);

    let said = run_all(
        &test,
        &[
            &["debug"],
            &["run"],
            &["run", "--verbose", "--output", "json"],
            &["ls", "--output", "json"],
            &["compile"],
            &["psql", "qvp", "--", "-c", "select 1"],
        ],
    );
    assert!(said.iter().any(|text| text.contains("password authentication failed")), "{said:?}");
    assert_eq!(leaks(&test, &said), Vec::<String>::new());
}
