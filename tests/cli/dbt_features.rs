//! An unchanged dbt project that uses what dbt has: unimig makes the relations that dbt made of it.
//!
//! `tests/dbt/compare_features.py` builds it by both; what dbt made is recorded in `tests/dbt/features.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Test, files_below, socket_folder};

const BASE: &str = "by_unimig";

/// The project's files in the test's folder, with the test's database in the place that its profile asks for.
fn project(name: &str) -> Test {
    let test = Test::new().own_profile();
    test.remove("unimig.yml");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects").join(name);
    for path in files_below(&from) {
        let name = path.strip_prefix(&from).expect("it is below the folder");
        let inside = |folder: &str| name.starts_with(folder);
        if !["target", "logs", "dbt_packages"].into_iter().any(inside) {
            test.write(&name.display().to_string(), &std::fs::read_to_string(&path).expect("the files are text"));
        }
    }
    test
}

/// Runs the tool with the variables that the profiles of these projects ask for.
fn run(test: &Test, prefix: &str, arguments: &[&str]) {
    let mut command = test.command(arguments);
    let variables = [
        ("HOST", socket_folder()),
        ("USER", "unimig".to_owned()),
        ("DATABASE", test.database("target")),
        ("SCHEMA", BASE.to_owned()),
    ];
    for (name, value) in variables {
        command.env(format!("{prefix}_{name}"), value);
    }
    let done = command.output().expect("the binary starts");
    let said = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{arguments:?}\n{said}");
}

fn recorded() -> BTreeMap<String, BTreeMap<String, Value>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dbt/features.json");
    let text = std::fs::read_to_string(path).expect("what dbt made is recorded");
    serde_json::from_str(&text).expect("the record is JSON")
}

/// Everything in the schemas that begin with the base, by the rest of the schema and the name.
fn relations(test: &Test, recorded: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let listed = test.query_target(&format!(
        "select n.nspname, c.relname, c.relkind, c.relpersistence from pg_class c
         join pg_namespace n on n.oid = c.relnamespace where n.nspname like '{BASE}%' and c.relkind in ('r', 'v', 'm')"
    ));
    let mut found = BTreeMap::new();
    for line in listed {
        let parts: Vec<&str> = line.split('|').collect();
        let [schema, name, kind, persistence] = parts.as_slice() else { panic!("{line} has four columns") };
        let short = format!("{}.{name}", schema.trim_start_matches(BASE));
        let times = recorded.get(&short).map_or_else(|| json!([]), |relation| relation["times"].clone());
        let mut relation = relation(test, &format!("{schema}.{name}"), &times);
        relation["kind"] = json!(match *kind {
            "r" => "table",
            "v" => "view",
            _ => "materialized view",
        });
        relation["unlogged"] = json!(*persistence == "u");
        found.insert(short, relation);
    }
    found
}

fn relation(test: &Test, name: &str, times: &Value) -> Value {
    let columns = test.query_target(&format!(
        "select attname, format_type(atttypid, atttypmod), coalesce(col_description(attrelid, attnum), '')
         from pg_attribute where attrelid = '{name}'::regclass and attnum > 0 and not attisdropped order by attnum"
    ));
    let columns: Vec<Vec<&str>> = columns.iter().map(|line| line.split('|').collect()).collect();
    let is_time = |column: &str| times.as_array().is_some_and(|times| times.contains(&json!(column)));
    let text = |column: &Vec<&str>| match is_time(column[0]) {
        true => format!("(\"{}\" is null)::text", column[0]),
        false => format!("\"{}\"::text", column[0]),
    };
    let texts: Vec<String> = columns.iter().map(text).collect();
    let mut rows = test.query_target(&format!("select array[{}]::text from {name}", texts.join(", ")));
    rows.sort();
    let indexes = test.query_target(&format!(
        "select indisunique || ' ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') from pg_index
         where indrelid = '{name}'::regclass order by 1"
    ));
    let constraints = test.query_target(&format!(
        "select pg_get_constraintdef(oid) from pg_constraint where conrelid = '{name}'::regclass order by 1"
    ));
    let commented = columns.iter().filter(|column| !column[2].is_empty());
    let comments: BTreeMap<&str, &str> = commented.map(|column| (column[0], column[2])).collect();
    let columns: Vec<[&str; 2]> = columns.iter().map(|column| [column[0], column[1]]).collect();
    json!({
        "columns": columns, "comments": comments, "indexes": indexes, "constraints": constraints, "rows": rows,
        "times": times,
    })
}

#[test]
fn every_relation_of_a_dbt_project_is_as_dbt_made_it() {
    let test = project("dbt_features");
    run(&test, "FEATURES", &["deps"]);
    for (round, made_by_dbt) in recorded() {
        run(&test, "FEATURES", &["build", "--vars", &format!("round: {round}")]);

        let made = relations(&test, &made_by_dbt);

        assert_eq!(made.keys().collect::<Vec<_>>(), made_by_dbt.keys().collect::<Vec<_>>(), "round {round}");
        for (name, expected) in &made_by_dbt {
            assert_eq!(&made[name], expected, "round {round}, {name}");
        }
    }
}

#[test]
fn the_jaffle_shop_is_built_and_its_second_build_writes_nothing() {
    let test = project("jaffle_shop");

    run(&test, "JAFFLE", &["build"]);
    let before = test.query_target("select xmin, t::text from by_unimig.customers t order by 2");
    run(&test, "JAFFLE", &["build"]);

    assert_eq!(before.len(), 40);
    assert_eq!(test.query_target("select xmin, t::text from by_unimig.customers t order by 2"), before);
}
