//! `show`: rows on stdout, read and never kept.

use serde_json::json;

use crate::harness::Test;

#[test]
fn rows_are_shown_as_a_table_or_as_json_and_nothing_is_written() {
    let test = Test::sample().file("tests/few.sql", "select id from {{ ref('person') }} where id < 3 order by id\n");
    test.succeeds(&["run"]);
    let before = test.value("select count(*) from pg_class");

    let shown = test.succeeds(&["show", "-s", "bl.person", "stg.svp.labors", "--limit", "1"]);
    assert!(shown.stdout.contains("stg.svp.labors:\n| id | full_name | created_at "), "{}", shown.stdout);
    assert!(shown.stdout.contains("| id | name        | email          | amount |"), "{}", shown.stdout);

    let rows = test.succeeds(&["show", "-s", "test.few", "--output", "json"]).json();
    assert_eq!(rows, json!({ "node": "test.few", "show": [{ "id": 1 }, { "id": 2 }] }));

    // An ephemeral model, an order of its own, a value of each kind.
    let query = "select id, id * 0.5 as half, null::text as nothing, true as yes, '{\"a\": 1}'::jsonb as made
                 from {{ ref('tidy_person') }} order by id desc";
    let rows = test.succeeds(&["show", "--inline", query, "--limit", "1", "--output", "json"]).json();
    let row = json!({ "id": 1_000_040, "half": 500_020.0, "nothing": null, "yes": true, "made": { "a": 1 } });
    assert_eq!(rows, json!({ "node": null, "show": [row] }));

    let all = test.succeeds(&["show", "--inline", "select id from {{ ref('person') }}", "--limit", "-1"]);
    assert_eq!(all.stdout.lines().count(), 92);
    assert_eq!(test.value("select count(*) from pg_class"), before);
}

#[test]
fn a_query_that_the_server_refuses_is_shown_with_its_place() {
    let test = Test::sample();
    test.succeeds(&["run"]);

    let wrong = test.run(&["show", "--inline", "select id,\n  nothing_such from {{ ref('person') }}"]).exit(2);
    wrong.stderr_has("error[sql-error]: column \"nothing_such\" does not exist").stderr_has("--inline:2:3");

    test.run(&["show", "--inline", "delete from app.person"]).exit(2).stderr_has("not-one-select");
    test.on_target("create function app.sly() returns int language sql as 'delete from app.person; select 1'");
    test.run(&["show", "--inline", "select app.sly()"]).exit(1).stderr_has("read-only transaction");
    assert_eq!(test.value("select count(*) from app.person"), "90");
    test.run(&["show"]).exit(2).stderr_has("nothing is named to be shown");
}
