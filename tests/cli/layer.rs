//! The layer in order: listed, proven part by part, pruned, and free of what killed uploads leave.

use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Test, files_below};

fn batches(test: &Test, node: &str) -> Vec<Value> {
    let listed = test.succeeds(&["layer", "ls", "--output", "json", "--select", node]).json();
    listed["batches"].as_array().expect("a list").clone()
}

fn fields(batches: &[Value], name: &str) -> Vec<String> {
    batches.iter().map(|batch| batch[name].to_string().trim_matches('"').to_owned()).collect()
}

/// Everything of a table, without the folder of the layer.
fn files(test: &Test, table: &str) -> Vec<String> {
    let folder = test.path().join(".unimig/layer").join(table);
    let name = |path: PathBuf| path.strip_prefix(&folder).expect("it is below").display().to_string();
    files_below(&folder).into_iter().map(name).collect()
}

#[test]
fn batches_are_listed_and_pruned_down_to_what_a_copy_is_built_from() {
    let test = Test::sample();
    test.succeeds(&["layer", "ls"]).stderr_has("the layer holds no batch");
    for number in 0..3 {
        test.on_source("qvp", &format!("insert into audit_log values (1000 + {number}, 'later')"));
        test.succeeds(&["run", "--select", "stg.*"]);
    }
    test.write(".unimig/layer/qvp/audit_log/17/part-00000.csv.gz", "the half of a part");

    let listed = batches(&test, "stg.qvp.audit_log");
    assert_eq!(fields(&listed, "state"), ["incomplete", "loaded", "loaded", "loaded"]);
    assert_eq!(fields(&listed, "kind"), ["null", "full", "window", "window"]);
    assert_eq!(fields(&listed, "rows")[1], "201");
    assert_eq!(listed[0]["bytes"], 18);
    test.succeeds(&["layer", "ls"]).stdout_has("stg.qvp.applicants").stdout_has("incomplete");
    let ids = fields(&listed, "batch_id");

    // Said, and not done.
    let before = (files(&test, "qvp"), files(&test, "svp"));
    let said = test.succeeds(&["layer", "prune", "--keep-batches", "1", "--dry-run"]);
    said.stdout_has("stg.qvp.applicants: would remove 2 batches").stdout_has("stg.qvp.audit_log: would remove 1 batch");
    assert_eq!((files(&test, "qvp"), files(&test, "svp")), before);

    // Somebody works on the table.
    let worker = test.session("target");
    worker.execute("select pg_advisory_lock(hashtextextended('unimig:stg_qvp.applicants', 0))");
    let locked = test.run(&["layer", "prune", "--keep-batches", "1", "--output", "json"]).exit(1).json();
    worker.execute("select pg_advisory_unlock_all()");
    let of = |node: &str| {
        let tables = locked["tables"].as_array().expect("a list");
        tables.iter().find(|table| table["node"] == node).expect("the table").clone()
    };
    assert!(of("stg.qvp.applicants")["locked_by"].is_string());
    assert_eq!(of("stg.qvp.audit_log")["removed"], serde_json::json!([17]));
    assert_eq!(fields(&batches(&test, "stg.qvp.audit_log"), "batch_id"), ids[1..]);
    assert_eq!(batches(&test, "stg.qvp.applicants").len(), 3);

    // What live rows came with stays if one asks; the last whole table and all after it in any case.
    test.succeeds(&["layer", "prune", "--keep-batches", "0", "--keep-live"]);
    assert_eq!(batches(&test, "stg.qvp.applicants").len(), 2);
    test.succeeds(&["layer", "prune", "--keep", "30d"]);
    assert_eq!(batches(&test, "stg.qvp.applicants").len(), 2);
    test.succeeds(&["layer", "prune", "--keep", "0d"]);
    assert_eq!(batches(&test, "stg.qvp.applicants").len(), 1);
    assert_eq!(fields(&batches(&test, "stg.qvp.audit_log"), "batch_id"), ids[1..]);
    let copy = test.rows_digest("stg_qvp.audit_log");
    test.on_target("drop table stg_qvp.audit_log cascade");
    for id in &ids[1..] {
        test.succeeds(&["run", "--select", "stg.qvp.audit_log", "--reload", id]);
    }
    assert_eq!(test.rows_digest("stg_qvp.audit_log"), copy);

    // A table that was read whole again builds on that.
    test.succeeds(&["run", "--select", "stg.qvp.audit_log", "--full"]);
    test.succeeds(&["layer", "prune", "--keep-batches", "1"]);
    assert_eq!(fields(&batches(&test, "stg.qvp.audit_log"), "kind"), ["full"]);

    // Without memory of a loaded whole table nothing is known to be dispensable.
    test.succeeds(&["run", "--select", "stg.qvp.applicants"]);
    test.on_target("delete from unimig.batch");
    test.succeeds(&["layer", "prune", "--keep-batches", "0"]);
    assert_eq!(fields(&batches(&test, "stg.qvp.applicants"), "state"), ["not loaded", "not loaded"]);
    test.run(&["layer", "prune"]).exit(2).stderr_has("--keep");
}

#[test]
fn parts_that_are_not_what_their_manifests_say_are_named() {
    let test = Test::sample();
    test.on_source("qvp", "update applicants set name = E'say \"x\"\\nand,\\r\\n\"\"' where id % 2 = 0");
    test.succeeds(&["run", "--select", "stg.*"]);
    let whole = test.succeeds(&["layer", "verify"]);
    whole.stderr_has("3 parts in 3 batches, 290 rows").stderr_has("everything is as its manifest says");

    let layer = test.path().join(".unimig/layer");
    let all = files_below(&layer);
    let of = |table: &str, name: &str| {
        let is_it = |path: &&PathBuf| path.to_string_lossy().contains(table) && path.ends_with(name);
        all.iter().find(is_it).expect("it is there").clone()
    };
    let part = of("applicants", "part-00000.csv.gz");
    let kept = std::fs::read(&part).expect("a part");
    std::fs::write(&part, &kept[..kept.len() - 9]).expect("it can be written");
    std::fs::remove_file(of("audit_log", "part-00000.csv.gz")).expect("it can be removed");
    let manifest = of("labors", "manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    std::fs::write(&manifest, text.replace("\"rows\": 40", "\"rows\": 41")).expect("it can be written");

    let broken = test.run(&["layer", "verify", "--output", "json"]).exit(1).json();
    let problem = |table: &str| {
        let flaws = broken["flaws"].as_array().expect("a list");
        let flaw = flaws.iter().find(|flaw| flaw["object"].as_str().is_some_and(|object| object.contains(table)));
        flaw.expect("it is told")["problem"].as_str().expect("words").to_owned()
    };
    assert_eq!(broken["flaws"].as_array().map(Vec::len), Some(3));
    assert!(problem("applicants").contains("its manifest says"), "{}", problem("applicants"));
    assert!(problem("audit_log").contains("does not exist"));
    assert_eq!(problem("labors"), "it has 40 rows, its manifest says 41");
    test.run(&["layer", "verify", "--select", "stg.qvp.applicants"]).exit(1).stdout_has("qvp/applicants/");
    std::fs::write(&part, kept).expect("it can be written");
    test.succeeds(&["layer", "verify", "--select", "stg.qvp.applicants"]);
}

/// Rows that gzip makes little smaller, and one in the middle that waits for a lock.
const WAITING: &str = "
select
    id,
    filler,
    case when id = 1500 then pg_advisory_lock_shared(17)::text end as waited
from {{ source('qvp', 'big') }}
";

#[test]
fn a_killed_upload_leaves_no_batch_and_the_next_run_removes_what_is_left() {
    let test = Test::new()
        .source_sql(
            "qvp",
            "create table big (id bigint primary key, filler text);
            insert into big
            select n, (select string_agg(md5(n || '-' || m), '') from generate_series(1, 200) as m)
            from generate_series(1, 2000) as n",
        )
        .file("sources/qvp.yml", "sources: [{name: qvp, tables: [{name: big, key: [id]}]}]\n")
        .file("models/stg/qvp/big.sql", WAITING);
    let holder = test.session("qvp");
    holder.execute("select pg_advisory_lock(17)");
    let run = test.start(&["run"]);
    holder.wait_until("exists (select from pg_locks where locktype = 'advisory' and objid = 17 and not granted)");
    while files(&test, "qvp").is_empty() {
        holder.execute("select pg_sleep(0.01)");
    }
    assert!(run.kill());
    holder.execute("select pg_advisory_unlock(17)");
    assert_eq!(fields(&batches(&test, "stg.qvp.big"), "state"), ["incomplete"]);
    // What a later part of the same upload would have been.
    let half = files(&test, "qvp")[0].rsplit_once('/').expect("it lies in a folder").0.to_owned();
    test.write(&format!(".unimig/layer/qvp/{half}/part-00001.csv.gz"), "whole, and nobody's");

    test.succeeds(&["run"]);

    let left = batches(&test, "stg.qvp.big");
    assert_eq!((fields(&left, "state"), fields(&left, "rows")), (vec!["loaded".to_owned()], vec!["2000".to_owned()]));
    let id = &fields(&left, "batch_id")[0];
    assert_eq!(files(&test, "qvp"), [format!("big/{id}/manifest.json"), format!("big/{id}/part-00000.csv.gz")]);
    test.succeeds(&["layer", "verify"]).stderr_has("2,000 rows");
}
