//! Packages: fetched by git at the commit of the lock file, read where they are, and macros that come along.

use std::path::Path;
use std::process::Command;

use crate::harness::Test;

fn git(folder: &Path, arguments: &[&str]) -> String {
    let who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"];
    let done = Command::new("git").current_dir(folder).args(who).args(arguments).output().expect("git is installed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

/// A repository with a package in `dbt/`, tagged `v1`, and a later commit; the model gives the number of the commit.
fn repository(test: &Test) -> (String, String) {
    let folder = test.path().join("elsewhere");
    test.write("elsewhere/dbt/dbt_project.yml", "name: money\nmodels: {money: {+materialized: table}}\n");
    test.write("elsewhere/dbt/macros/number.sql", "{% macro number() %}1{% endmacro %}");
    test.write("elsewhere/dbt/models/rate.sql", "select {{ money.number() }} as commit_number");
    git(&folder, &["init", "--quiet"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "-m", "one"]);
    git(&folder, &["tag", "v1"]);
    let first = git(&folder, &["rev-parse", "HEAD"]);
    test.write("elsewhere/dbt/macros/number.sql", "{% macro number() %}2{% endmacro %}");
    git(&folder, &["commit", "--quiet", "-am", "two"]);
    (first, git(&folder, &["rev-parse", "HEAD"]))
}

fn packages(test: &Test, revision: &str) {
    let url = test.path().join("elsewhere").display().to_string();
    let text = format!("packages:\n  - git: \"{url}\"\n    subdirectory: dbt\n    revision: {revision}\n");
    test.write("packages.yml", &text);
}

#[test]
fn a_package_is_fetched_by_git_and_stays_at_the_locked_commit() {
    let test = Test::new()
        .file("models/bl/own.sql", "{{ config(materialized='view') }} select * from {{ ref('money', 'rate') }}");
    let (first, second) = repository(&test);
    packages(&test, "v1");
    test.run(&["run"]).exit(2).stderr_has("is not installed").stderr_has("unimig deps");

    test.succeeds(&["deps"]).stdout_has(&format!("money: fetched, commit {first}"));
    test.succeeds(&["run"]);

    assert_eq!(test.query_target("select * from app.own"), ["1"]);
    test.succeeds(&["deps"]).stdout_has(&format!("money: there already, commit {first}"));

    packages(&test, "main");
    test.run(&["ls"]).exit(2).stderr_has("unimig deps");
    test.succeeds(&["deps"]).stdout_has(&format!("money: fetched, commit {second}"));
    test.write("elsewhere/dbt/macros/number.sql", "{% macro number() %}3{% endmacro %}");
    git(&test.path().join("elsewhere"), &["commit", "--quiet", "-am", "three"]);
    std::fs::remove_dir_all(test.path().join("dbt_packages")).expect("it was fetched");
    test.succeeds(&["deps"]).stdout_has(&second);
    test.succeeds(&["run"]);
    assert_eq!(test.query_target("select * from app.own"), ["2"], "the lock file holds the commit");
    test.succeeds(&["deps", "--upgrade"]);
    test.succeeds(&["run"]);
    assert_eq!(test.query_target("select * from app.own"), ["3"]);

    packages(&test, "no_such_tag");
    test.run(&["deps"]).exit(2).stderr_has("could not fetch package");
    assert!(test.path().join("dbt_packages/money").is_dir(), "what was there stays");
    let left = std::fs::read_dir(test.path().join("dbt_packages")).expect("it is there").count();
    assert_eq!(left, 1, "nothing half-fetched is left");
}

#[test]
fn macros_come_along_and_give_way_to_the_projects() {
    let test = Test::new()
        .file("macros/mine.sql", "{% macro default__safe_divide(numerator, denominator) %}42{% endmacro %}")
        .file("unimig.yml", "name: shop\nversion: '1'\nprofile: shop\ndispatch: [{macro_namespace: dbt_utils, search_order: [shop, dbt_utils]}]\n")
        .file(
            "models/bl/one.sql",
            "{{ config(materialized='table') }}
            select {{ dbt_utils.generate_surrogate_key(['null::text', \"'a'\"]) }} as surrogate_key,
                {{ dbt_utils.safe_divide(1, 0) }} as divided,
                {{ dbt.datediff(\"date '2024-01-31'\", \"date '2024-02-01'\", 'month') }} as months
            from ({{ dbt_utils.date_spine('day', \"date '2024-01-01'\", \"date '2024-01-03'\") }}) as days
            {{ dbt_utils.group_by(1) }}",
        );

    test.succeeds(&["run"]);

    let key = test.value("select md5('_dbt_utils_surrogate_key_null_-a')");
    assert_eq!(test.query_target("select * from app.one"), [format!("{key}|42|1")]);
}
