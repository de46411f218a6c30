//! What a command takes from an earlier run: what failed, what is as it was, and where things stood.

use std::path::Path;

use serde_json::Value;

use crate::harness::Test;

fn names(test: &Test, arguments: &[&str]) -> Vec<String> {
    let outcome = test.succeeds(&[&["ls"], arguments].concat());
    let mut names: Vec<String> = outcome.stdout.lines().map(str::to_owned).collect();
    names.sort();
    names
}

fn keep(test: &Test, folder: &str) {
    std::fs::create_dir_all(test.path().join(folder)).expect("a new folder");
    for file in ["manifest.json", "run_results.json"] {
        std::fs::copy(test.path().join("target").join(file), test.path().join(folder).join(file)).expect("an artifact");
    }
}

fn edit(path: &Path, edit: impl FnOnce(&mut Value)) {
    let text = std::fs::read_to_string(path).expect("the artifact is there");
    let mut document: Value = serde_json::from_str(&text).expect("it is JSON");
    edit(&mut document);
    std::fs::write(path, document.to_string()).expect("it can be written");
}

#[test]
fn a_retry_runs_what_failed_and_what_was_skipped_for_it() {
    let audit = "{{ config(materialized='table') }}\nselect id, {{ tidy('entry') }} as entry from {{ source('qvp', 'audit_log') }}\n";
    let test = Test::sample()
        .file("macros/tidy.sql", "{% macro tidy(x) %}lower({{ trimmed(x) }}){% endmacro %}\n")
        .file("macros/trimmed.sql", "{% macro trimmed(x) %}{{ x }}{% endmacro %}\n")
        .file("models/bl/audit.sql", audit);
    let person = std::fs::read_to_string(test.path().join("models/bl/person.sql")).expect("the model");
    test.write("models/bl/person.sql", &format!("select * from ({person}) as p where 1 / (id - id) = 1\n"));
    test.run(&["run"]).exit(1);
    keep(&test, "kept");

    let failed = names(&test, &["-s", "result:error", "--state", "target"]);
    let skipped = names(&test, &["-s", "result:skipped", "--state", "kept"]);
    assert_eq!(
        (failed, skipped),
        (vec!["bl.person".to_owned()], vec!["bl.people".to_owned(), "bl.person_count".to_owned()])
    );
    assert!(names(&test, &["-s", "state:modified", "--state", "kept"]).is_empty(), "nothing is an ordinary answer");

    test.write("models/bl/person.sql", &person);
    test.write("models/bl/later.sql", "{{ config(materialized='view', alias='later_on') }}\nselect 1 as id\n");
    test.write("seeds/codes.csv", "code,label\n1,one\n3,three\n");
    assert_eq!(names(&test, &["-s", "state:modified", "--state", "kept"]), ["bl.later", "bl.person", "seed.codes"]);
    assert_eq!(names(&test, &["-s", "state:new", "--state", "kept"]), ["bl.later"]);
    assert_eq!(names(&test, &["-s", "state:modified.body,state:old", "--state", "kept"]), ["bl.person", "seed.codes"]);
    assert_eq!(names(&test, &["-s", "state:modified+,layer:bl", "--state", "kept"]).len(), 5);
    assert!(names(&test, &["-s", "state:unmodified", "--state", "kept"]).contains(&"bl.audit".to_owned()));

    test.write("macros/trimmed.sql", "{% macro trimmed(x) %}trim({{ x }}){% endmacro %}\n");
    assert_eq!(names(&test, &["-s", "state:modified.macros", "--state", "kept"]), ["bl.audit"]);

    test.succeeds(&["retry"]);
    let mut retried: Vec<String> = test.results().into_iter().map(|result| result.node).collect();
    retried.sort();
    assert_eq!(retried, ["bl.people", "bl.person", "bl.person_count"]);
    test.succeeds(&["retry"]).stderr_has("nothing to retry");
    test.run(&["retry", "--state", "nowhere"]).exit(2).stderr_has("no such folder");

    let stale = names(&test, &["-s", "stale:1d"]);
    assert!(stale.contains(&"bl.later".to_owned()) && !stale.contains(&"bl.person".to_owned()), "{stale:?}");
    assert!(names(&test, &["-s", "stale:0s"]).contains(&"bl.person".to_owned()));

    // A parent's newer rows count too, however lately the model ran.
    assert!(!stale.contains(&"bl.audit".to_owned()), "{stale:?}");
    test.on_source("qvp", "insert into audit_log values (9001, 'late', now(), null)");
    test.succeeds(&["run", "--select", "stg.qvp.audit_log"]);
    let stale = names(&test, &["-s", "stale:1d"]);
    assert!(stale.contains(&"bl.audit".to_owned()) && !stale.contains(&"bl.person".to_owned()), "{stale:?}");
}

#[test]
fn what_is_not_built_is_read_where_the_state_has_it() {
    let test = Test::sample()
        .target_sql("create schema prod; create table prod.audited as select 1 as id, 'deferred'::text as entry")
        .file("models/bl/copy.sql", "{{ config(materialized='table') }}\nselect id, entry from {{ ref('audit') }}\n")
        .file("models/bl/copy.yml", "models: [{name: copy, columns: [{name: id, data_tests: [{relationships: {to: ref('audit'), field: id}}]}]}]\n");
    test.run(&["run", "--select", "bl.copy", "--defer"]).exit(2).stderr_has("--state");
    test.succeeds(&["run", "--select", "+bl.audit"]);
    keep(&test, "kept");
    edit(&test.path().join("kept/manifest.json"), |document| {
        let audit = &mut document["nodes"]["model.shop.audit"];
        audit["schema"] = "prod".into();
        audit["alias"] = "audited".into();
    });
    let entries = || test.query_target("select entry from app.copy where id = 1");

    test.succeeds(&["run", "--select", "bl.copy", "--defer", "--state", "kept"]);
    assert_ne!(entries(), ["deferred"], "the target has the table");
    test.succeeds(&["run", "--select", "bl.copy", "--defer", "--favor-state", "--state", "kept"]);
    assert_eq!(entries(), ["deferred"]);
    test.on_target("drop table app.audit; truncate app.copy");
    test.succeeds(&["build", "--select", "bl.copy", "--defer", "--defer-state", "kept"]);
    assert_eq!(entries(), ["deferred"]);

    let planned = ["plan", "--command", "run", "--select", "bl.copy", "--defer", "--state", "kept", "--save", "a.json"];
    test.succeeds(&planned);
    test.on_target("truncate app.copy");
    test.succeeds(&["apply", "a.json"]);
    assert_eq!(entries(), ["deferred"]);
    test.succeeds(&["show", "--select", "bl.copy", "--defer", "--state", "kept"]).stdout_has("deferred");
    test.succeeds(&["show", "--inline", "select entry from {{ ref('audit') }}", "--defer", "--state", "kept"])
        .stdout_has("deferred");
    test.succeeds(&["compile", "--select", "bl.copy", "--defer", "--state", "kept"]).stdout_has("from prod.audited");
    test.run(&["run", "--select", "bl.copy", "--defer", "--state", "seeds"])
        .exit(2)
        .stderr_has("needs a manifest.json");
}
