//! `plan` and `apply`: what is said beforehand is what then happens, and saying it changes nothing.

use serde_json::Value;

use crate::harness::{Outcome, Test};

const OBJECTS: &str = "
    select concat_ws(
        ' ',
        (select count(*) from pg_class),
        (select count(*) from pg_namespace where nspname not like 'pg_temp%' and nspname not like 'pg_toast_temp%')
    )";

/// Rows that the model inserted and that are gone are deleted again.
const PERSON: &str = "{{ config(deletes='hard') }}
select a.id, a.name, a.email, a.amount
from {{ source('qvp', 'applicants') }} as a
union all
select 1000000 + l.id, l.full_name, null, null
from {{ source('svp', 'labors') }} as l
";

const TESTS: &str = "
version: 2
models:
  - name: person
    columns:
      - name: name
        tests: [not_null]
  - name: person_count
    columns:
      - name: people
        tests:
          - accepted_values: {values: [90], quote: false}
";

/// The step's action, outlook and reason.
fn told(outcome: &Outcome, node: &str) -> String {
    let step = step(outcome, node);
    let text = |key: &str| step[key].as_str().expect("a text").to_owned();
    format!("{} ({}): {}", text("action"), text("outlook"), text("reason"))
}

fn step(outcome: &Outcome, node: &str) -> Value {
    let document = outcome.json();
    let steps = document["steps"].as_array().expect("a list").clone();
    steps.into_iter().find(|step| step["name"] == node).expect("it is a step of the plan")
}

/// Rows inserted, updated and deleted.
fn counts(outcome: &Outcome, node: &str) -> (u64, u64, u64) {
    let diff = &step(outcome, node)["diff"];
    let count = |key: &str| diff[key].as_u64().unwrap_or_else(|| panic!("{node} has no {key}: {diff}"));
    (count("rows_inserted"), count("rows_updated"), count("rows_deleted"))
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(|word| word.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn each_step_is_explained_from_what_is_remembered() {
    let test = Test::sample();
    let before = test.value(OBJECTS);
    let first = test.succeeds(&["plan", "--output", "json"]);
    assert_eq!(test.value(OBJECTS), before);
    assert_eq!(told(&first, "stg.svp.labors"), "extract all (work): it was never copied");
    assert_eq!(told(&first, "bl.person"), "merge (work): it never ran");
    assert_eq!(told(&first, "bl.audit"), "create table (work): it never ran");
    assert_eq!(first.json()["steps_without_estimate"], first.json()["steps"].as_array().map(Vec::len).unwrap_or(0));
    test.succeeds(&["build"]);

    let again = test.succeeds(&["plan", "--output", "json", "--exclude", "stg.*"]);
    assert_eq!(told(&again, "seed.codes"), "load seed (same): the file is compared with the table");
    assert_eq!(told(&again, "bl.people"), "replace view (same): its definition is compared");
    for model in ["bl.person", "bl.person_count", "bl.audit"] {
        assert!(told(&again, model).ends_with(" (same): nothing that it reads has changed: it is compared"));
    }
    assert_eq!(again.json()["steps_without_estimate"], 0);
    let all = test.succeeds(&["plan", "--output", "json"]);
    assert_eq!(
        told(&all, "stg.qvp.applicants"),
        "extract all (work): its strategy is full: every run reads the whole table"
    );
    let window = told(&all, "stg.svp.labors");
    assert!(window.starts_with("extract window (work): what changed since ") && window.ends_with(" UTC"), "{window}");
    assert_eq!(told(&all, "bl.person"), "merge (work): stg.qvp.applicants, which it reads, runs before it");

    test.on_source("svp", "insert into labors (id, full_name) values (99, 'new')");
    test.succeeds(&["run", "--select", "stg.*"]);
    test.write(
        "models/bl/audit.sql",
        "{{ config(materialized='table') }}\nselect id from {{ source('qvp', 'audit_log') }}\n",
    );
    test.on_target("drop view app.people");
    let moved = test.succeeds(&["plan", "--output", "json", "--command", "run", "--exclude", "stg.*"]);
    assert_eq!(told(&moved, "bl.person"), "merge (work): 1 row of stg.svp.labors has changed since");
    assert_eq!(told(&moved, "bl.person_count"), "replace rows (work): bl.person, which it reads, runs before it");
    assert_eq!(told(&moved, "bl.audit"), "replace rows (work): its SQL or its config changed");
    assert_eq!(told(&moved, "bl.people"), "create view (work): it is gone");
    test.succeeds(&["plan", "--select", "bl.audit"])
        .stdout_has("bl.audit  replace rows  its SQL or its config changed")
        .stdout_has("1 step of build: 1 with work to do · usually ");
}

#[test]
fn a_diff_tells_what_the_run_then_writes_and_leaves_everything_as_it_was() {
    let test = Test::sample().file("models/bl/person.sql", PERSON).file("models/schema.yml", TESTS);
    let first = test.run(&["plan", "--diff", "--output", "json", "--exclude", "stg.*"]).exit(1);
    assert_eq!(step(&first, "bl.person")["diff"]["outcome"], "refused");
    assert_eq!(step(&first, "bl.person_count")["diff"]["why"], "bl.person would not succeed");
    test.run(&["build"]);
    test.on_source(
        "qvp",
        "update applicants set name = 'other', email = null where id = 1; delete from applicants where id in (2, 3)",
    );
    test.on_source("svp", "insert into labors (id, full_name) values (99, 'new')");
    test.succeeds(&["run", "--select", "stg.*"]);
    test.write(
        "models/bl/audit.sql",
        "{{ config(materialized='table') }}\nselect id from {{ source('qvp', 'audit_log') }}\n",
    );
    test.write("seeds/codes.csv", "code,label\n1,one\n3,three\n");
    let before = (test.value(OBJECTS), test.rows_digest("app.person"), test.rows_digest("app.codes"));

    let diff = test.run(&["plan", "--diff", "--samples", "5", "--output", "json"]).exit(1);

    assert_eq!((test.value(OBJECTS), test.rows_digest("app.person"), test.rows_digest("app.codes")), before);
    let person = &step(&diff, "bl.person")["diff"];
    assert_eq!(person["changed_columns"].to_string(), r#"[{"name":"name","rows":1},{"name":"email","rows":1}]"#);
    assert_eq!(words(&person["takes_away"]), ["deletes 2 rows of app.person"]);
    let samples: Vec<String> = person["samples"].as_array().expect("a list").iter().map(Value::to_string).collect();
    assert_eq!(
        samples,
        [
            r#"{"change":"insert","key":{"id":"1000099"},"values":[{"column":"name","old":null,"new":"new"},{"column":"email","old":null,"new":null},{"column":"amount","old":null,"new":null}]}"#,
            r#"{"change":"update","key":{"id":"1"},"values":[{"column":"name","old":"applicant 1","new":"other"},{"column":"email","old":"a1@example.org","new":null}]}"#,
            r#"{"change":"delete","key":{"id":"2"},"values":[]}"#,
            r#"{"change":"delete","key":{"id":"3"},"values":[]}"#,
        ]
    );
    // It is counted on the persons as the plan leaves them.
    assert_eq!(counts(&diff, "bl.person_count"), (1, 0, 1));
    assert_eq!(step(&diff, "test.accepted_values_person_count_people__False__90")["diff"]["failing_rows"], 1);
    let audit = words(&step(&diff, "bl.audit")["diff"]["takes_away"]);
    assert_eq!(audit, ["drops app.audit and makes it anew: without entry text"]);
    assert_eq!(counts(&diff, "seed.codes"), (1, 0, 1));
    assert_eq!(step(&diff, "stg.qvp.applicants")["diff"]["outcome"], "not compared");
    let hidden = test.run(&["plan", "--diff"]).exit(1);
    assert!(!hidden.stdout.contains("other") && !hidden.stdout.contains("example.org"), "{}", hidden.transcript());
    hidden
        .stdout_has("  bl.audit drops app.audit and makes it anew: without entry text")
        .stdout_has("bl.person\n  changes name in 1 row, email in 1 row")
        .stdout_has("would fail: 1 failing");

    let told = counts(&diff, "bl.person");
    test.run(&["run", "--select", "bl.person"]).exit(0);
    assert_eq!(test.result("bl.person").wrote(), told);
}

#[test]
fn a_saved_plan_is_carried_out_only_while_nothing_moves() {
    let test = Test::sample();
    test.succeeds(&["build"]);
    let plan = |test: &Test| {
        test.succeeds(&["plan", "--select", "bl.person", "bl.audit", "--command", "run", "--save", "plan.json"])
    };
    plan(&test).stderr_has("carry it out with: unimig apply plan.json");
    test.on_target("delete from app.person where id = 1");
    test.succeeds(&["apply", "plan.json"]).stderr_has("nothing has moved since");
    let mut nodes: Vec<String> = test.results().into_iter().map(|result| result.node).collect();
    nodes.sort();
    assert_eq!(nodes, ["bl.audit", "bl.person"]);
    assert_eq!(test.result("bl.person").wrote(), (1, 0, 0));

    test.succeeds(&["run", "--select", "stg.svp.labors"]);
    test.on_target("alter table app.person alter column amount type numeric(20, 4)");
    test.write(
        "models/bl/audit.sql",
        "{{ config(materialized='table') }}\nselect id from {{ source('qvp', 'audit_log') }}\n",
    );
    test.run(&["apply", "plan.json"])
        .exit(2)
        .stderr_has("error[stale-plan]: file \"models/bl/audit.sql\" has changed since the plan was made")
        .stderr_has("the SQL or config of bl.audit has changed since the plan was made")
        .stderr_has("stg.svp.labors was copied again since the plan was made")
        .stderr_has("app.person has other columns or keys than when the plan was made");
    assert_eq!(test.value("select count(*) from information_schema.columns where table_name = 'audit'"), "2");
    plan(&test);
    test.succeeds(&["apply", "plan.json"]);
    test.write(
        "models/bl/unit.yml",
        "unit_tests: [{name: counted, model: audit, given: [{input: \"source('qvp', 'audit_log')\", rows: []}], expect: {rows: []}}]\n",
    );
    test.succeeds(&["plan", "--select", "test_type:unit", "--save", "plan.json"]);
    test.succeeds(&["apply", "plan.json"]);
    assert_eq!(test.results().len(), 1);
    test.write("plan.json", "{}");
    test.run(&["apply", "plan.json"]).exit(2).stderr_has("plan.json is no saved plan");
}

#[test]
fn a_template_that_asks_the_database_is_answered_with_what_the_plan_leaves_and_may_not_end_it() {
    let test = Test::sample();
    test.succeeds(&["build"]);
    test.write(
        "models/bl/asks.sql",
        "{{ config(materialized='table') }}\n{% set found = run_query('select count(*) from ' ~ ref('person')) %}\n\
         select {{ found.rows[0][0] }} as people\n",
    );
    test.write(
        "models/bl/ends.sql",
        "{{ config(materialized='table') }}\n{% do run_query('/* now */ commit') %}\nselect 1 as id from {{ ref('person') }}\n",
    );
    test.on_target("delete from app.person where id <= 3");
    let before = test.rows_digest("app.person");

    let diff = test.run(&["plan", "--diff", "--samples", "1", "--output", "json", "--exclude", "stg.*"]).exit(1);

    let asks = &step(&diff, "bl.asks")["diff"];
    assert_eq!(asks["samples"][0]["values"][0]["new"], "(90)");
    let ends = step(&diff, "bl.ends")["diff"]["message"].as_str().expect("it is refused").to_owned();
    assert!(ends.contains("begins or ends a transaction"), "{ends}");
    assert_eq!(test.rows_digest("app.person"), before);
}

#[test]
fn a_saved_plan_keeps_the_options_that_it_was_made_with() {
    let test = Test::sample().file(
        "models/bl/opted.sql",
        "{{ config(materialized='table') }}\n\
         select distinct '{{ var('word') }} {{ flags.WHICH }} {{ flags.FULL_REFRESH }} {{ flags.EMPTY }}' as options\n\
         from {{ ref('person') }}\n",
    );
    let vars = ["--vars", "{word: kept}"];
    test.succeeds(&[["build"].as_slice(), &vars].concat());
    let plan = |options: &[&str]| {
        let command = ["plan", "--command", "run", "--select", "opted", "--save", "plan.json", "--target", "dev"];
        test.succeeds(&[command.as_slice(), &vars, options].concat());
        test.succeeds(&["apply", "plan.json"]).stderr_has("nothing has moved since");
    };

    plan(&["--full-refresh"]);
    assert_eq!(test.query_target("select options from app.opted"), ["kept run True False"]);
    plan(&["--empty"]);
    assert_eq!(test.query_target("select options from app.opted"), [""; 0]);
    test.run(&["apply", "plan.json", "--vars", "{word: other}"]).exit(2).stderr_has("the SQL or config of bl.opted");

    let holder = test.session("target");
    holder.execute("select pg_advisory_lock(hashtextextended('unimig:' || 'unimig.apply', 0))");
    test.run(&["apply", "plan.json"]).exit(2).stderr_has("another plan is being carried out on this target by");
}

#[test]
fn a_plan_leaves_out_what_others_lock_and_is_cancelled_on_the_server() {
    let test = Test::sample();
    test.succeeds(&["build"]);
    test.on_target("delete from app.person where id <= 3");
    let holder = test.session("target");
    holder.execute("begin; lock table app.person in share mode");

    let diff = test.run(&["plan", "--diff", "--output", "json", "--select", "bl.person"]).exit(0);

    let why = step(&diff, "bl.person")["diff"]["why"].as_str().expect("it is left out").to_owned();
    assert!(why.contains("another session holds a lock"), "{why}");
    holder.execute("rollback");

    test.write(
        "models/bl/slow.sql",
        "{{ config(materialized='table') }}\nselect pg_sleep(600)::text as x from {{ ref('person') }}\n",
    );
    let started = test.start(&["plan", "--diff", "--select", "bl.slow"]);
    let sleeping = "(select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database())";
    holder.wait_until(&format!("exists {sleeping}"));
    started.interrupt();
    started.wait().exit(130).stderr_has("interrupted");
    holder.wait_until(&format!("not exists {sleeping}"));
}
