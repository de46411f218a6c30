//! `target/*.json` against the fields that dbt's schemas name, on real runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::harness::Test;

/// dbt's names, as `tests/artifacts/fields.txt` lists them.
pub struct Fields(BTreeMap<&'static str, Vec<(&'static str, Need)>>);

const PERSON_YAML: &str = "
groups:
  - {name: people_team, owner: {name: Ada, email: ada@example.org}}
exposures:
  - name: dashboard
    type: dashboard
    owner: {name: Ada}
    depends_on: [ref('person'), \"source('qvp', 'audit_log')\"]
macros:
  - {name: few, description: How many, arguments: [{name: n, type: integer}]}
models:
  - name: person
    description: \"{{ doc('everybody') }}\"
    config: {group: people_team, meta: {owner: ada}}
    columns:
      - name: id
        data_type: bigint
        config: {tags: [key]}
        constraints: [{type: not_null}]
        data_tests: [unique, not_null, {unique: {name: twice, config: {enabled: false}}}]
";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Required,
    Allowed,
}

impl Fields {
    pub fn read() -> Self {
        let mut fields: BTreeMap<&str, Vec<(&str, Need)>> = BTreeMap::new();
        let mut section = "";
        for line in include_str!("../artifacts/fields.txt").lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name;
            }
            let names = line.split_whitespace().filter(|name| !name.starts_with('['));
            let named = names.map(|name| match name.strip_suffix('!') {
                Some(name) => (name, Need::Required),
                None => (name, Need::Allowed),
            });
            fields.entry(section).or_default().extend(named);
        }
        Self(fields)
    }

    /// Everything that is wrong with an object, so that one failure shows all of it.
    pub fn check(&self, section: &str, at: &str, value: &Value) -> Vec<String> {
        let known = self.0.get(section).expect("the section is in the file");
        let Some(object) = value.as_object() else { return vec![format!("{at} is no object")] };
        let missing = known.iter().filter(|(name, need)| *need == Need::Required && !object.contains_key(*name));
        let missing = missing.map(|(name, _)| format!("{at} lacks {name}"));
        let known: BTreeSet<&str> = known.iter().map(|(name, _)| *name).collect();
        let foreign = object.keys().filter(|key| !known.contains(key.as_str()));
        missing.chain(foreign.map(|key| format!("{at} has {key}, which dbt forbids"))).collect()
    }

    pub fn check_each(&self, section: &str, at: &str, entries: &Value) -> Vec<String> {
        let entries = entries.as_object().expect("entries are a map");
        entries.iter().flat_map(|(id, entry)| self.check(section, &format!("{at} {id}"), entry)).collect()
    }
}

pub fn artifact(test: &Test, name: &str) -> Value {
    let text = std::fs::read(test.path().join("target").join(name)).expect("the artifact is there");
    serde_json::from_slice(&text).expect("artifacts are JSON")
}

#[track_caller]
pub fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn wrong_with_manifest(fields: &Fields, manifest: &Value) -> Vec<String> {
    let mut wrong = fields.check("manifest", "manifest", manifest);
    wrong.extend(fields.check("manifest.metadata", "metadata", &manifest["metadata"]));
    for (id, node) in manifest["nodes"].as_object().expect("nodes are a map") {
        let kind = node["resource_type"].as_str().expect("a node has a type");
        wrong.extend(fields.check(&format!("manifest.{kind}"), id, node));
        wrong.extend(fields.check("manifest.checksum", id, &node["checksum"]));
        wrong.extend(fields.check("manifest.depends_on", id, &node["depends_on"]));
        if &node["unique_id"] != id || !id.starts_with(&format!("{kind}.")) {
            wrong.push(format!("{id} is not its own unique_id"));
        }
        for reference in node["refs"].as_array().into_iter().flatten() {
            wrong.extend(fields.check("manifest.ref", id, reference));
        }
        for column in node["columns"].as_object().expect("columns are a map").values() {
            wrong.extend(fields.check("manifest.column", id, column));
        }
    }
    let sections = [
        ("sources", "manifest.source"),
        ("macros", "manifest.macro"),
        ("docs", "manifest.doc"),
        ("exposures", "manifest.exposure"),
        ("groups", "manifest.group"),
        ("unit_tests", "manifest.unit_test"),
    ];
    for (key, section) in sections {
        wrong.extend(fields.check_each(section, key, &manifest[key]));
    }
    wrong.extend(dangling(manifest));
    wrong
}

/// Edges that lead to nothing in the manifest.
fn dangling(manifest: &Value) -> Vec<String> {
    let known: BTreeSet<&String> = ["nodes", "sources", "exposures", "unit_tests", "macros"]
        .into_iter()
        .filter_map(|section| manifest[section].as_object())
        .flat_map(serde_json::Map::keys)
        .collect();
    let edges = manifest["parent_map"].as_object().expect("a map").iter();
    let edges = edges.chain(manifest["child_map"].as_object().expect("a map"));
    let ends = edges.flat_map(|(id, others)| others.as_array().into_iter().flatten().map(move |other| (id, other)));
    let lost = ends.filter(|(_, other)| !other.as_str().is_some_and(|id| known.contains(&id.to_owned())));
    lost.map(|(id, other)| format!("{id} has an edge to {other}, which is not there")).collect()
}

fn wrong_with_results(fields: &Fields, results: &Value) -> Vec<String> {
    let mut wrong = fields.check("run_results", "results", results);
    wrong.extend(fields.check("run_results.metadata", "metadata", &results["metadata"]));
    for result in results["results"].as_array().expect("results are a list") {
        let id = result["unique_id"].as_str().unwrap_or("a result without identity");
        wrong.extend(fields.check("run_results.result", id, result));
        for timing in result["timing"].as_array().expect("timing is a list") {
            wrong.extend(fields.check("run_results.timing", id, timing));
        }
    }
    wrong
}

fn wrong_with_catalog(fields: &Fields, catalog: &Value) -> Vec<String> {
    let mut wrong = fields.check("catalog", "catalog", catalog);
    for section in ["nodes", "sources"] {
        wrong.extend(fields.check_each("catalog.table", section, &catalog[section]));
        for table in catalog[section].as_object().expect("tables are a map").values() {
            wrong.extend(fields.check("catalog.metadata", "metadata", &table["metadata"]));
            wrong.extend(fields.check_each("catalog.column", "column", &table["columns"]));
            wrong.extend(fields.check_each("catalog.stat", "stat", &table["stats"]));
        }
    }
    wrong
}

fn with_every_kind_of_node() -> Test {
    Test::sample()
        .file("tests/somebody.sql", "select * from {{ ref('person') }} where id <= {{ few() }}\n")
        .file(
            "macros/few.sql",
            "{% macro few() %}{{ return(three()) }}{% endmacro %}\n{% macro three() %}3{% endmacro %}\n",
        )
        .file("models/bl/person.yml", PERSON_YAML)
        .file("models/docs.md", "{% docs everybody %}Everybody there is{% enddocs %}\n")
        .file("analyses/look.sql", "select count(*) from {{ ref('person') }}\n")
        .file("models/bl/old.sql", "{{ config(enabled=false) }}\nselect 1 as one\n")
        .file("models/bl/old.yml", "models: [{name: old, columns: [{name: one, data_tests: [not_null]}]}]\n")
        .file("analyses/unused.sql", "{{ config(enabled=false) }}\nselect 1\n")
        .file("models/bl/off.yml", SWITCHED_OFF)
        .file("sources/off.yml", "sources: [{name: old_svp, connection: svp, tables: [{name: gone, key: [id], config: {enabled: false}}]}]\n")
        .file("selectors.yml", "selectors: [{name: bl, definition: {method: fqn, value: bl}}]\n")
        .file(
            "snapshots/kept.sql",
            "{% snapshot kept %}{{ config(unique_key='id', strategy='check', check_cols='all') }}\n\
             select id, name from {{ ref('person') }}\n{% endsnapshot %}\n",
        )
}

const SWITCHED_OFF: &str =
    "exposures: [{name: off_board, type: dashboard, owner: {name: ada}, config: {enabled: false}}]
unit_tests: [{name: resting, model: person, config: {enabled: false}, given: [], expect: {rows: []}}]
";

fn tells_of_everything(test: &Test, manifest: &Value) {
    let person = &manifest["nodes"]["model.shop.person"];
    assert_eq!(person["path"], "bl/person.sql");
    assert_eq!(person["relation_name"], format!("\"{}\".\"app\".\"person\"", test.database("target")));
    assert_eq!(person["sources"], serde_json::json!([["qvp", "applicants"], ["svp", "labors"]]));
    assert_eq!(person["config"]["unimig"]["name"], "bl.person");
    assert_eq!(person["patch_path"], "shop://models/bl/person.yml");
    assert_eq!((&person["description"], &person["group"]), (&"Everybody there is".into(), &"people_team".into()));
    assert_eq!(person["columns"]["id"]["constraints"][0]["type"], "not_null");
    assert_eq!(person["config"]["meta"]["owner"], "ada");
    let old = &manifest["disabled"]["model.shop.old"][0];
    assert_eq!((&old["path"], &old["config"]["enabled"]), (&"bl/old.sql".into(), &false.into()));
    for id in
        ["analysis.shop.unused", "exposure.shop.off_board", "unit_test.shop.person.resting", "source.shop.old_svp.gone"]
    {
        let node = &manifest["disabled"][id][0];
        assert_eq!((&node["unique_id"], &node["config"]["enabled"]), (&id.into(), &false.into()), "{node}");
    }
    let disabled = manifest["disabled"].as_object().expect("a map").keys();
    let tests: Vec<&str> = disabled.filter_map(|id| id.strip_prefix("test.shop.")?.split('.').next()).collect();
    assert_eq!(tests, ["not_null_old_one", "twice"]);
    let test = &manifest["nodes"]["test.shop.not_null_person_id.627bde72bb"]["test_metadata"]["kwargs"];
    assert_eq!(test["model"], "{{ get_where_subquery(ref('person')) }}");
    let ctes = &manifest["nodes"]["model.shop.person_count"]["extra_ctes"];
    assert_eq!(ctes[0]["id"], "model.shop.tidy_person");
    let cte = ctes[0]["sql"].as_str().expect("it is compiled");
    assert!(cte.starts_with(" __dbt__cte__tidy_person as (\n"), "{cte}");
    let dashboard = &manifest["exposures"]["exposure.shop.dashboard"];
    assert_eq!(dashboard["sources"], serde_json::json!([["qvp", "audit_log"]]));
    assert_eq!(manifest["parent_map"]["exposure.shop.dashboard"], dashboard["depends_on"]["nodes"]);
    assert_eq!(manifest["group_map"]["people_team"], serde_json::json!(["model.shop.person"]));
    assert_eq!(manifest["docs"]["doc.shop.everybody"]["block_contents"], "Everybody there is");
    assert_eq!(manifest["nodes"]["snapshot.shop.kept"]["config"]["check_cols"], "all");
    assert_eq!(manifest["nodes"]["analysis.shop.look"]["refs"][0]["name"], "person");
    assert_eq!(manifest["selectors"]["bl"]["definition"]["value"], "bl");
    let macros = &manifest["macros"];
    assert_eq!(macros["macro.shop.few"]["arguments"][0]["type"], "integer");
    assert_eq!(manifest["nodes"]["test.shop.somebody"]["depends_on"]["macros"], serde_json::json!(["macro.shop.few"]));
    assert_eq!(macros["macro.shop.few"]["depends_on"]["macros"], serde_json::json!(["macro.shop.three"]));
    assert_eq!(macros["macro.shop.three"]["macro_sql"], "{% macro three() %}3{% endmacro %}");
    assert!(macros["macro.dbt_utils.star"].is_object(), "those that come along are there too");
}

#[test]
fn artifacts_have_the_fields_that_dbts_schemas_require_and_no_others() {
    let fields = Fields::read();
    let test = with_every_kind_of_node();

    test.succeeds(&["seed"]);
    let run = test.succeeds(&["run", "--threads", "2", "--output", "json"]);

    let manifest = artifact(&test, "manifest.json");
    none(&wrong_with_manifest(&fields, &manifest));
    let results = artifact(&test, "run_results.json");
    none(&wrong_with_results(&fields, &results));
    none(&wrong_with_results(&fields, &run.json()));
    assert_eq!(results["args"]["which"], "run");
    assert_eq!(results["metadata"]["invocation_id"], test.value("select run_id from unimig.run where command = 'run'"));
    assert_eq!(results["metadata"]["invocation_id"], manifest["metadata"]["invocation_id"]);
    tells_of_everything(&test, &manifest);
    let threads: BTreeSet<&str> = results["results"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|result| result["thread_id"].as_str())
        .collect();
    assert!(threads.contains("Thread-1") && threads.len() <= 2, "{threads:?}");

    test.succeeds(&["docs", "generate"]);
    none(&wrong_with_catalog(&fields, &artifact(&test, "catalog.json")));
    let catalog = artifact(&test, "catalog.json");
    let person = &catalog["nodes"]["model.shop.person"];
    assert_eq!((&person["metadata"]["type"], &person["columns"]["amount"]["index"]), (&"BASE TABLE".into(), &4.into()));
    assert_eq!(person["columns"]["id"]["type"], "bigint");
    assert_eq!(catalog["nodes"]["model.shop.people"]["metadata"]["type"], "VIEW");
    assert_eq!(catalog["sources"]["source.shop.qvp.applicants"]["metadata"]["name"], "applicants_live");
    assert!(catalog["nodes"].get("model.shop.tidy_person").is_none(), "an ephemeral model is nowhere");

    test.run(&["test"]).exit(1);
    let results = artifact(&test, "run_results.json");
    none(&wrong_with_results(&fields, &results));
    assert_eq!(results["results"].as_array().map(Vec::len), Some(3));
}

#[test]
fn artifacts_are_written_when_a_run_fails_and_the_manifest_before_it_connects() {
    let fields = Fields::read();
    let test = Test::sample()
        .file("models/bl/broken.sql", "{{ config(materialized='table') }}\nselect nonsense from {{ ref('person') }}\n");

    test.run(&["run"]).exit(1);

    let results = artifact(&test, "run_results.json");
    none(&wrong_with_results(&fields, &results));
    let mut listed = results["results"].as_array().expect("a list").iter();
    let broken = listed.find(|result| result["unique_id"] == "model.shop.broken").expect("it ran");
    assert_eq!(broken["status"], "error");
    assert!(broken["adapter_response"]["failure"]["diagnostic"].is_object(), "{broken}");

    let nowhere = Test::sample().own_profile();
    let profile = "shop: {target: dev, outputs: {dev: {type: postgres, host: /nowhere, dbname: d, connections: \
                   {qvp: {type: postgres, host: /nowhere, dbname: q}, svp: {type: postgres, host: /nowhere, dbname: s}}}}}\n";
    nowhere.write("profiles.yml", profile);
    nowhere.run(&["run"]).exit(3);
    none(&wrong_with_manifest(&fields, &artifact(&nowhere, "manifest.json")));
}
