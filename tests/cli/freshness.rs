//! `source freshness`: the age of source tables, staged and plain, against the limits in their YAML.

use serde_json::Value;

use crate::artifacts::{Fields, artifact, none};
use crate::harness::Test;

const SITE: &str = "
sources:
  - name: site
    schema: app
    config:
      freshness: {warn_after: {count: 12, period: hour}, error_after: {count: 2, period: day}}
      loaded_at_field: loaded_at
    tables:
      - name: fresh
      - name: late
      - name: filtered
        config: {freshness: {filter: id < 2}}
      - name: asked
        config: {loaded_at_query: \"select max(loaded_at) + interval '1 day' from {{ source('site', 'late') }} where '{{ this.identifier }}' = 'asked'\"}
      - name: unlimited
        config: {freshness: null}
";

const GONE: &str = "
sources:
  - name: gone
    schema: app
    tables:
      - {name: empty, config: {freshness: {error_after: {count: 1, period: minute}}, loaded_at_field: loaded_at}}
      - {name: missing, config: {freshness: {error_after: {count: 1, period: minute}}, loaded_at_field: loaded_at}}
      - {name: fresh, config: {freshness: {error_after: {count: 1, period: minute}}}}
";

/// `site` loaded a moment, 13 hours and 3 days ago; the clock of the rows is without time zone.
const TABLES: &str = "
create table app.fresh as select 1 as id, (now() at time zone 'UTC') as loaded_at;
create table app.late as select 1 as id, now() - interval '36 hours' as loaded_at;
create table app.filtered as
select 1 as id, now() - interval '3 days' as loaded_at union all select 2, now();
create table app.empty (loaded_at timestamptz);
";

fn states(test: &Test) -> Vec<(String, String)> {
    let document = artifact(test, "sources.json");
    let results = document["results"].as_array().expect("results are a list").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    results.map(|result| (text(&result["unique_id"]), text(&result["status"]))).collect()
}

fn owned(states: &[(&str, &str)]) -> Vec<(String, String)> {
    states.iter().map(|(id, status)| ((*id).to_owned(), (*status).to_owned())).collect()
}

#[test]
fn the_age_of_source_tables_is_held_against_their_limits() {
    let test = Test::sample().target_sql(TABLES).file("models/site.yml", SITE);
    let qvp = std::fs::read_to_string(test.path().join("sources/qvp.yml")).expect("the harness wrote it");
    let limits = "key: [id]\n        freshness: {error_after: {count: 1, period: hour}}\n";
    test.write("sources/qvp.yml", &qvp.replacen("key: [id]\n", limits, 1));
    test.succeeds(&["run"]);

    let shown = test.run(&["source", "freshness"]).exit(1);

    let expected = [
        ("source.shop.site.asked", "warn"),
        ("source.shop.site.filtered", "error"),
        ("source.shop.site.fresh", "pass"),
        ("source.shop.site.late", "warn"),
        ("source.shop.qvp.applicants", "pass"),
    ];
    assert_eq!(states(&test), owned(&expected), "{}", shown.stdout);
    let document = artifact(&test, "sources.json");
    let fields = Fields::read();
    let mut wrong = fields.check("sources", "sources", &document);
    for result in document["results"].as_array().expect("a list") {
        wrong.extend(fields.check("sources.result", "result", result));
        wrong.extend(fields.check("sources.criteria", "criteria", &result["criteria"]));
    }
    none(&wrong);
    let manifest = artifact(&test, "manifest.json");
    none(&fields.check_each("manifest.source", "sources", &manifest["sources"]));
    assert_eq!(manifest["sources"]["source.shop.site.late"]["freshness"]["warn_after"]["count"], 12);

    test.run(&["source", "freshness", "--select", "source:site.late", "source:site.fresh"]).exit(0).stdout_has("warn");
    let json = test.run(&["source", "freshness", "-s", "stg.qvp.applicants", "-o", "json"]).exit(0).json();
    assert!(json["results"][0]["max_loaded_at_time_ago_in_s"].as_f64().is_some_and(|age| age < 600.0), "{json}");
}

#[test]
fn a_source_table_whose_age_is_not_to_be_found_is_an_error_with_its_reason() {
    let test = Test::new().target_sql(TABLES).file("models/gone.yml", GONE);

    let outcome = test.run(&["source", "freshness"]).exit(1);

    let outcome =
        outcome.stderr_has("relation \"app.missing\" does not exist").stderr_has("neither loaded_at_field nor");
    assert!(outcome.stdout.contains("0001-01-01T00:00:00Z"), "an empty table is infinitely old: {}", outcome.stdout);
    let expected = [
        ("source.shop.gone.empty", "error"),
        ("source.shop.gone.fresh", "runtime error"),
        ("source.shop.gone.missing", "runtime error"),
    ];
    assert_eq!(states(&test), owned(&expected));
}
