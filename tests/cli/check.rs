//! `check`: PostgreSQL's verdict on every model, without data, without a lock on anything real, without a trace.

use serde_json::Value;

use crate::harness::{Outcome, Test};

/// Everything that a catalog counts.
const OBJECTS: &str = "
    select concat_ws(
        ' ',
        (select count(*) from pg_class),
        (select count(*) from pg_namespace where nspname not like 'pg_temp%' and nspname not like 'pg_toast_temp%'),
        (select count(*) from pg_type),
        (select count(*) from pg_depend)
    )";

/// Reads a table of the project by its own name.
const PLAIN: &str = "{{ config(materialized='table') }}
select tidy.id, p.name
from {{ ref('tidy_person') }} as tidy, app.person as p tablesample system (1)
";

const PRICED: &str = "{{ config(materialized='view') }}
select code, now() as at, array[person.id] as ids
from {{ ref('person') }}, app.lookup
";

const PERSON_TESTS: &str = "
version: 2
models:
  - name: person
    columns:
      - name: id
        tests: [unique, not_null]
";

fn found(outcome: &Outcome) -> Vec<String> {
    let document = outcome.json();
    let diagnostics = document["diagnostics"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let one = |found: &Value| {
        let place = format!("{}:{}:{}", text(&found["file"]), found["line"], found["column"]);
        format!("{} {place} {}", text(&found["code"]), text(&found["message"]))
    };
    diagnostics.iter().map(one).collect()
}

fn verdict(outcome: &Outcome, node: &str) -> String {
    let document = outcome.json();
    let nodes = document["nodes"].as_array().expect("a list");
    let found = nodes.iter().find(|found| found["name"] == node).expect("the node was looked at");
    let because = found["because"].as_str().map(|because| format!(": {because}")).unwrap_or_default();
    format!("{}{because}", found["verdict"].as_str().expect("a verdict"))
}

fn columns(outcome: &Outcome, node: &str) -> String {
    let document = outcome.json();
    let nodes = document["nodes"].as_array().expect("a list");
    let found = nodes.iter().find(|found| found["name"] == node).expect("the node was looked at");
    let columns = found["columns"].as_array().expect("a list");
    let one = |column: &Value| {
        format!("{} {}", column["name"].as_str().expect("a name"), column["data_type"].as_str().expect("a type"))
    };
    columns.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_project_that_never_ran_is_checked_against_its_sources_and_leaves_no_trace() {
    let test = Test::sample()
        .target_sql("create domain app.money_amount as numeric(12, 2); create table app.lookup (code app.money_amount)")
        .file("models/bl/plain.sql", PLAIN)
        .file("models/bl/priced.sql", PRICED)
        .file("models/schema.yml", PERSON_TESTS)
        .file("tests/none.sql", "select * from {{ ref('people') }} where id < 0\n");
    let before = test.value(OBJECTS);

    let outcome = test.succeeds(&["check", "--output", "json"]);

    assert_eq!(found(&outcome), Vec::<String>::new());
    assert_eq!(columns(&outcome, "bl.priced"), "code money_amount, at timestamp with time zone, ids bigint[]");
    assert_eq!(columns(&outcome, "bl.person"), "id bigint, name text, email text, amount numeric, note text");
    assert_eq!(columns(&outcome, "bl.plain"), "id bigint, name text");
    assert_eq!(columns(&outcome, "seed.codes"), "code integer, label text");
    assert_eq!(verdict(&outcome, "test.unique_person_id"), "sound");
    assert_eq!(test.value(OBJECTS), before);
    let text = test.succeeds(&["check", "--columns", "--select", "bl.people"]).stdout_has("bl.people  name    text");
    text.stderr_has("checked 1 model and 1 test in ").stderr_has(": no mistakes");
}

/// A table with an enum, an identity and a computed column.
const GROWN: &str = "
create type app.state as enum ('new', 'old');
create table app.grown (
    id bigint generated always as identity primary key,
    name text not null,
    state app.state not null default 'new',
    born date not null,
    twice bigint generated always as (7) stored
)";

/// Models with one mistake each, and what reads them.
const BROKEN: [(&str, &str); 10] = [
    ("no_column", "select\n    'الاسم', a.id,\n    a.naem\nfrom {{ source('qvp', 'applicants') }} as a\n"),
    ("below_it", "select id from {{ ref('no_column') }}\n"),
    ("below_that", "select id from {{ ref('below_it') }}\n"),
    ("twice_named", "select id, name as id from {{ ref('person') }}\n"),
    ("no_function", "select no_such(id) as x\nfrom {{ ref('people') }}\n"),
    ("no_table", "select * from\n  app.persno\n"),
    ("below_absent", "select id from {{ ref('absent') }}\n"),
    ("grown", "select 1 as id, name, 3 as state, 'x' as born\nfrom {{ ref('person') }}\n"),
    ("person", "select id, naem as name from {{ source('qvp', 'applicants') }}\n"),
    ("absent", "select 1 as id\n"),
];

#[test]
fn every_mistake_is_told_at_its_place_and_spoils_no_other_model() {
    let test =
        Test::sample().target_sql(GROWN).file("models/schema.yml", &PERSON_TESTS.replace("name: id", "name: nothing"));
    for (name, sql) in BROKEN {
        let kind = if ["grown", "person", "absent"].contains(&name) { "merge" } else { "table" };
        test.write(&format!("models/bl/{name}.sql"), &format!("{{{{ config(materialized='{kind}') }}}}\n{sql}"));
    }
    test.write("tests/broken.sql", "select * from {{ ref('person') }}\nwhere nmae = 'x'\n");

    let outcome = test.run(&["check", "--output", "json"]).exit(2);

    let mut told = found(&outcome);
    told.sort();
    assert_eq!(
        told,
        [
            "sql-error models/bl/grown.sql:2:28 column \"state\" is of type state but expression is of type integer",
            "sql-error models/bl/no_column.sql:4:5 column a.naem does not exist",
            "sql-error models/bl/no_function.sql:2:8 function no_such(bigint) does not exist",
            "sql-error models/bl/no_table.sql:3:3 relation \"app.persno\" does not exist",
            "sql-error models/bl/person.sql:2:12 column \"naem\" does not exist",
            "sql-error models/bl/twice_named.sql:2:20 column \"id\" specified more than once",
            "sql-error models/schema.yml:7:17 column \"nothing\" does not exist",
            "sql-error models/schema.yml:7:25 column \"nothing\" does not exist",
            "sql-error tests/broken.sql:2:7 column \"nmae\" does not exist",
            "unknown-target-table models/bl/absent.sql:1:4 the target has no table app.absent for model \"absent\" to merge into",
        ]
    );
    assert_eq!(verdict(&outcome, "bl.below_it"), "not checked: bl.no_column has a mistake");
    assert_eq!(verdict(&outcome, "bl.below_that"), "not checked: bl.no_column has a mistake");
    assert_eq!(verdict(&outcome, "bl.below_absent"), "sound");
    assert_eq!(verdict(&outcome, "bl.person_count"), "sound");

    test.write("models/bl/person.sql", "select id, name from {{ source('qvp', 'applicants') }}\n");
    test.write(
        "models/bl/grown.sql",
        "{{ config(unique_key='id') }}\nselect 1 as id, name, 'x' as twice, 1 as nmae\nfrom {{ ref('person') }}\n",
    );
    let outcome = test.run(&["check", "--output", "json", "--select", "bl.grown"]).exit(2);
    assert_eq!(
        found(&outcome),
        [
            "unknown-target-column models/bl/grown.sql:2:30 column \"twice\" of app.grown is generated and can't be written; table app.grown has no column \"nmae\""
        ]
    );
}

#[test]
fn a_column_that_every_new_row_needs_is_a_warning() {
    let test = Test::sample();
    test.write("models/bl/person.sql", "select id, email from {{ source('qvp', 'applicants') }}\n");

    let outcome = test.succeeds(&["check", "--select", "bl.person", "--output", "json"]);

    assert_eq!(
        found(&outcome),
        [
            "missing-required-column models/bl/person.sql:1:1 model \"person\" does not select column \"name\", which app.person needs in every new row"
        ]
    );
}

#[test]
fn columns_of_a_source_that_nobody_can_tell_are_asked_for() {
    let test = Test::sample();
    test.connection("svp", "{type: postgres, host: /nowhere, user: unimig, dbname: gone}");

    let outcome = test.run(&["check", "--output", "json"]).exit(2);

    assert_eq!(
        found(&outcome),
        ["unknown-columns sources/svp.yml:8:15 the columns of source table \"labors\" are not known"]
    );
    assert_eq!(verdict(&outcome, "bl.person"), "not checked: the columns of stg.svp.labors are not known");
    assert_eq!(verdict(&outcome, "bl.audit"), "sound");
    let declared = "        columns:\n          - {name: id, data_type: bigint}\n          - {name: full_name, data_type: svp_own_type}\n";
    let yaml = std::fs::read_to_string(test.path().join("sources/svp.yml")).expect("the file is there");
    test.write("sources/svp.yml", &format!("{}{declared}", yaml.trim_end_matches(' ')));
    let outcome = test.succeeds(&["check", "--output", "json"]);
    assert_eq!(columns(&outcome, "stg.svp.labors"), "id bigint, full_name text");
}

#[test]
fn a_check_waits_for_no_table_of_the_project_and_a_run_waits_for_no_check() {
    let test = Test::sample();
    test.succeeds(&["seed"]);
    test.succeeds(&["run"]);
    let before = test.value(OBJECTS);
    let holder = test.session("target");
    holder.execute(
        "begin;
        lock table app.person, app.audit, app.codes, stg_qvp.applicants, stg_svp.labors in access exclusive mode",
    );
    test.succeeds(&["check"]);
    holder.execute("rollback");

    // A table that is no process of the project is read by its own name, and that is what this check now waits for.
    test.on_target("create table app.others (id bigint)");
    test.write(
        "models/bl/zz_last.sql",
        "{{ config(materialized='view') }}\nselect id from app.others, {{ ref('people') }} as p (id2)\n",
    );
    holder.execute("begin; lock table app.others in access exclusive mode");
    let check = test.start(&["check"]);
    let watcher = test.session("target");
    watcher.wait_until(
        "exists (select from pg_stat_activity where datname = current_database()
            and application_name like 'unimig % check' and wait_event_type = 'Lock')",
    );
    test.on_source("qvp", "update applicants set name = 'changed' where id = 1");
    test.succeeds(&["run", "--select", "stg.*", "bl.person", "bl.person_count", "bl.people"]);
    assert_eq!(test.value("select name from app.person where id = 1"), "changed");

    assert!(check.kill(), "it was waiting");
    holder.execute("rollback");
    watcher.wait_until(
        "not exists (select from pg_stat_activity where datname = current_database()
            and application_name like 'unimig % check')",
    );
    assert_eq!(test.value("select count(*) from pg_namespace where nspname like 'unimig_check%'"), "0");
    test.on_target("drop table app.others");
    assert_eq!(test.value(OBJECTS), before);
}

#[test]
fn offline_a_saved_catalog_stands_for_the_target() {
    let test = Test::sample().target_sql(
        "create type app.state as enum ('new', 'old');
        create domain app.code as text check (value <> '');
        create function app.label(code app.code, loud boolean default false) returns text
        language sql as 'select $1::text';
        create table app.lookup (code app.code primary key, state app.state)",
    );
    test.write(
        "models/bl/labelled.sql",
        "{{ config(materialized='table') }}\nselect code, app.label(code) as label, state from app.lookup group by code\n",
    );
    test.write("models/bl/wrong.sql", "{{ config(materialized='table') }}\nselect stat from app.lookup\n");
    test.run(&["check", "--offline"]).exit(2).stderr_has("the project holds no target_catalog.json");
    test.succeeds(&["run", "--select", "stg.*"]);
    test.run(&["check", "--save-catalog"]).exit(2).stderr_has("wrote the target's catalog to ");
    let written = std::fs::read_to_string(test.path().join("target_catalog.json")).expect("it was written");
    test.run(&["check", "--save-catalog", "--select", "bl.people"]).exit(0);
    let again = std::fs::read_to_string(test.path().join("target_catalog.json")).expect("it was written");
    assert_eq!(written, again);
    for source in ["qvp", "svp"] {
        test.connection(source, "{type: postgres, host: /nowhere, user: unimig, dbname: gone}");
    }
    test.on_target("drop schema app cascade");

    let outcome = test.run(&["check", "--offline", "--output", "json"]).exit(2);

    assert_eq!(found(&outcome), ["sql-error models/bl/wrong.sql:2:8 column \"stat\" does not exist"]);
    assert_eq!(columns(&outcome, "bl.labelled"), "code code, label text, state state");
    assert_eq!(columns(&outcome, "bl.person"), "id bigint, name text, email text, amount numeric, note text");
    assert_eq!(outcome.json()["not_made"].as_array().map(Vec::len), Some(0));
}

#[test]
fn both_faces_of_an_incremental_model_and_the_columns_of_a_snapshot_are_checked() {
    let test = Test::sample();
    let people = "from {{ ref('people') }}";
    test.write(
        "models/bl/grows.sql",
        &format!(
            "{{{{ config(materialized='incremental', unique_key='id') }}}}\nselect id, name {people}\n\
             {{% if is_incremental() %}}\nwhere id > (select max(idd) from {{{{ this }}}})\n{{% endif %}}\n"
        ),
    );
    test.write(
        "models/bl/keyless.sql",
        &format!("{{{{ config(materialized='incremental', unique_key='code') }}}}\nselect id, name {people}\n"),
    );
    test.write(
        "snapshots/kept.sql",
        &format!(
            "{{% snapshot kept %}}\n{{{{ config(unique_key='id', strategy='check', check_cols=['name']) }}}}\n\
             select id, name {people}\n{{% endsnapshot %}}\n"
        ),
    );

    let outcome = test.run(&["check", "--output", "json"]).exit(2);

    assert_eq!(
        found(&outcome),
        [
            "sql-error models/bl/grows.sql:4:24 column \"idd\" does not exist",
            "sql-error models/bl/keyless.sql:1:4 column dbt_internal_source.code does not exist",
        ]
    );
    let kept = columns(&outcome, "snapshot.kept");
    assert!(kept.starts_with("id bigint, name text, dbt_scd_id text, dbt_updated_at timestamp"), "{kept}");
}

#[test]
fn a_template_that_asks_for_what_is_not_built_yet_stops_no_other_model() {
    let test = Test::sample();
    test.write(
        "models/bl/asks.sql",
        "{{ config(materialized='table') }}\n{% set found = run_query('select count(*) from ' ~ ref('audit')) %}\n\
         select {{ found.rows[0][0] }} as entries\n",
    );
    test.write("models/bl/below.sql", "{{ config(materialized='view') }}\nselect entries from {{ ref('asks') }}\n");

    let outcome = test.run(&["check", "--output", "json"]).exit(2);

    assert_eq!(verdict(&outcome, "bl.asks"), "broken");
    assert_eq!(verdict(&outcome, "bl.below"), "not checked: bl.asks has a mistake");
    assert_eq!(verdict(&outcome, "bl.person"), "sound");
    test.succeeds(&["build"]);
    test.succeeds(&["check"]);
}
