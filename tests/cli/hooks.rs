//! Hooks: statements around a build, in its transaction or outside of it, and around a whole run.

use crate::harness::Test;

const LOG: &str = "create table app.log (step int generated always as identity, word text, transaction xid8)";

fn log(test: &Test) -> Vec<String> {
    test.query_target("select word from app.log order by step")
}

#[test]
fn hooks_run_around_the_build_in_its_transaction_or_outside_of_it() {
    let test = Test::new().target_sql(LOG).file(
        "unimig.yml",
        "name: shop\nversion: \"1.0\"\nprofile: shop\nmodels:\n  shop:\n    +pre-hook: \"insert into app.log (word) values ('folder of {{ this.name }}')\"\nseeds:\n  +post-hook: \"insert into app.log (word) select 'seed ' || count(*) from {{ this }}\"\n",
    );
    test.write("seeds/code.csv", "id\n1\n2\n");
    test.write(
        "models/bl/fact.yml",
        "version: 2\nmodels:\n  - name: fact\n    config:\n      pre_hook: {sql: \"insert into app.log (word, transaction) values ('outside', pg_current_xact_id())\", transaction: false}\n",
    );
    test.write(
        "models/bl/fact.sql",
        "{{ config(materialized='table', post_hook=[
            \"insert into app.log (word, transaction) select 'built ' || count(*), pg_current_xact_id() from {{ this }}\",
            \"{{ note('codes', ref('code')) }}\",
            '{% if false %}nothing{% endif %}',
        ], pre_hook=\"insert into app.log (word, transaction) values ('inside', pg_current_xact_id())\") }}
select 1 as id
",
    );
    test.write(
        "macros/note.sql",
        "{% macro note(word, relation) %}insert into app.log (word) select '{{ word }} ' || count(*) from {{ relation }}; select 1{% endmacro %}\n",
    );
    test.succeeds(&["build"]);
    assert_eq!(log(&test), ["seed 2", "outside", "folder of fact", "inside", "built 1", "codes 2"]);
    let of = |word: &str| test.value(&format!("select transaction from app.log where word like '{word}%'"));
    assert_eq!(of("inside"), of("built"));
    assert_ne!(of("inside"), of("outside"));

    // A hook may ask the database, in the transaction of the build: it sees what the build has written.
    test.write(
        "models/bl/fact.sql",
        "{{ config(materialized='table', post_hook=[\"insert into app.log (word) values ('asked {{ run_query('select count(*), txid_current_if_assigned() is not null from ' ~ this).rows[0] | join(' ') }}')\"]) }}\nselect 1 as id union all select 2\n",
    );
    test.succeeds(&["run"]);
    assert!(log(&test).contains(&"asked 2 True".to_owned()), "{:?}", log(&test));
    test.write(
        "models/bl/fact.sql",
        "{{ config(materialized='table', post_hook=\"{{ run_query('select 1/0') }}\") }}\nselect 3 as id\n",
    );
    test.run(&["run"]).exit(1).stderr_has("division by zero").stderr_has("models/bl/fact.sql:1:");
    assert_eq!(test.value("select count(*) from app.fact"), "2");
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect 1 as id\n");
    test.succeeds(&["run"]);

    // A hook that fails takes the build with it, and is shown where it stands.
    test.write(
        "models/bl/fact.sql",
        "{{ config(materialized='table', post_hook='insert into nowhere values (1)') }}\nselect 2 as id\n",
    );
    test.run(&["run"]).exit(1).stderr_has("relation \"nowhere\" does not exist").stderr_has("models/bl/fact.sql:1:33");
    assert_eq!(test.query_target("select id from app.fact"), ["1"]);
    test.write("models/bl/fact.sql", "{{ config(post_hook=7) }}\nselect 2 as id\n");
    test.run(&["run"]).exit(2).stderr_has("\"post_hook\" must be SQL");
    test.write("models/bl/fact.sql", "{{ config(post_hook='select * from {{ ref(\"fect\") }}') }}\nselect 2 as id\n");
    test.run(&["run"]).exit(2).stderr_has("\"fect\" does not exist");
}

#[test]
fn a_hook_that_ends_the_transaction_of_its_build_fails_it() {
    let test = Test::new().target_sql(LOG);
    let hooked = |hook: &str, id: u32| {
        let model = format!("{{{{ config(materialized='table', {hook}) }}}}\nselect {id} as id\n");
        test.write("models/bl/fact.sql", &model);
    };
    hooked("pre_hook=['select 1', \"insert into app.log (word) values ('lasts'); commit\"]", 1);
    test.run(&["run"]).exit(1).stderr_has("this hook ended the transaction").stderr_has("models/bl/fact.sql:1:33");
    assert_eq!(test.value("select to_regclass('app.fact') is null"), "t");
    assert_eq!(log(&test), ["lasts"]);
    hooked("pre_hook='rollback; begin'", 1);
    test.run(&["run"]).exit(1).stderr_has("this hook ended the transaction");
    hooked("post_hook=\"{% do run_query('commit') %}select 1\"", 1);
    test.run(&["run"]).exit(1).stderr_has("this hook ended the transaction").stderr_has("transaction: false");
    assert_eq!(test.result("bl.fact").status, "failed");
    // A part of the transaction may be undone.
    hooked("post_hook='savepoint mine; insert into app.log (word) select 1; rollback to savepoint mine'", 1);
    test.succeeds(&["run"]);
    assert_eq!(log(&test), ["lasts"]);
}

#[test]
fn a_run_has_hooks_at_its_start_and_at_its_end() {
    let project = |end: &str| {
        format!(
            "name: shop\nversion: \"1.0\"\nprofile: shop\non-run-start:\n  - \"insert into {{{{ target.schema }}}}.log (word) values ('start')\"\non-run-end:\n  - \"{end}\"\n"
        )
    };
    let end = "{% for result in results %}insert into app.log (word) values ('{{ result.node.name }} {{ result.status }} {{ schemas | join }} {{ database_schemas[0][1] }} {{ selected_resources | join }} {{ flags.FAIL_FAST }}'); {% endfor %}";
    let test = Test::new().target_sql(LOG).file("unimig.yml", &project(end));
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect 1 as id\n");
    test.succeeds(&["run"]);
    assert_eq!(log(&test), ["start", "fact success app app model.shop.fact False"]);
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect 1/0 as id\n");
    test.run(&["run", "--fail-fast"]).exit(1);
    assert_eq!(log(&test)[2..], ["start", "fact error app app model.shop.fact True"]);
    test.write("models/bl/fact.sql", "{% do exceptions.warn('careful') %}select 1 as id\n");
    test.run(&["run", "--warn-error"]).exit(2).stderr_has("careful");
    let parse = |options: &str| test.run(&["parse", "--warn-error-options", options]);
    parse("{error: [JinjaLogWarning]}").exit(2).stderr_has("careful");
    parse("{include: all, exclude: [template]}").exit(0).stderr_has("careful");
    let silenced = parse("{error: all, silence: [template]}").exit(0);
    assert!(!silenced.stderr.contains("careful"), "{}", silenced.stderr);
    parse("{error: [no-such-code]}").exit(2).stderr_has("there is no warning \"no-such-code\"");
    parse("{silence: [LogTestResult]}").exit(2).stderr_has("cannot be silenced");
    parse("[all]").exit(2).stderr_has("no map in YAML");
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect 1 as id\n");
    test.run(&["run", "--select", "fact", "no_such", "--warn-error"]).exit(2).stderr_has("no_such");
    let list = |options: &str| test.run(&["ls", "--select", "fact", "no_such", "--warn-error-options", options]);
    list("{error: [unknown-selector]}").exit(2).stderr_has("no_such");
    list("{error: all, warn: [NoNodesForSelectionCriteria]}").exit(0).stderr_has("no_such");
    let silenced = list("{silence: [NoNodesForSelectionCriteria]}").exit(0);
    assert!(!silenced.stderr.contains("no_such"), "{}", silenced.stderr);

    test.write("unimig.yml", &project("insert into nowhere values (1)"));
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect 1 as id\n");
    let outcome =
        test.run(&["run"]).exit(1).stderr_has("relation \"nowhere\" does not exist").stderr_has("unimig.yml:7");
    // The run itself is told and kept all the same.
    outcome.stderr_has("1 process: 1 unchanged");
    assert_eq!(test.result("bl.fact").status, "unchanged");
}

#[test]
fn what_a_hook_sets_in_its_session_is_not_the_next_models() {
    let sets = "set search_path = nowhere";
    let project = format!("name: shop\nversion: \"1.0\"\nprofile: shop\non-run-start: \"{sets}\"\n");
    let test = Test::new().file("unimig.yml", &project);
    let set = format!("pre_hook={{'sql': \"{sets}\", 'transaction': false}}, post_hook=\"{sets}\"");
    let asks = format!("{{% do run_query(\"{sets}\") %}}");
    for (name, config, ask) in
        [("a_sets", set.as_str(), ""), ("b_asks", "tags=[]", asks.as_str()), ("c_reads", "tags=[]", "")]
    {
        let body = "select 1 as id, current_setting('search_path') as path";
        test.write(
            &format!("models/bl/{name}.sql"),
            &format!("{{{{ config(materialized='table', {config}) }}}}\n{ask}{body}\n"),
        );
    }
    test.write("models/bl/d_reads.sql", "{{ config(materialized='table') }}\nselect path from {{ ref('c_reads') }} union all select current_setting('search_path')\n");

    test.succeeds(&["run", "--threads", "1"]);

    assert_eq!(test.query_target("select distinct path = 'nowhere' from app.d_reads"), ["f"]);
}

#[test]
fn an_interrupt_ends_a_hook_at_the_start_of_a_run() {
    let project =
        "name: shop\nversion: \"1.0\"\nprofile: shop\non-run-start: \"select pg_sleep(600) /* at the start */\"\n";
    let test = Test::new().file("unimig.yml", project);
    test.write("models/bl/fact.sql", "{{ config(materialized='table') }}\nselect 1 as id\n");
    let sleeping = "select from pg_stat_activity where query like 'select pg_sleep(600) /* at the start%' and datname = current_database() and state = 'active'";
    let started = test.start(&["run"]);
    let session = test.session("target");
    session.wait_until(&format!("exists ({sleeping})"));

    started.interrupt();
    started.wait().exit(130).stderr_has("cancelled");

    session.wait_until(&format!("not exists ({sleeping})"));
    assert_eq!(test.value("select to_regclass('app.fact') is null"), "t");
}
