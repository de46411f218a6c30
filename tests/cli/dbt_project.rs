//! An unchanged dbt project: read from its `dbt_project.yml`, built into the target that its `profiles.yml` names.

use std::path::Path;

use crate::harness::{Outcome, Test, files_below, socket_folder};

const SOURCE: &str = "version: 2
sources:
  - name: shop_raw
    database: \"{{ target.dbname }}\"
    tables:
      - name: visits
        identifier: Visits
        columns: [{name: id, data_tests: [unique, not_null]}]
";

/// The jaffle shop beside an empty database.
fn jaffle_shop() -> Test {
    let test = Test::new().own_profile();
    test.remove("unimig.yml");
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/jaffle_shop");
    for path in files_below(&project) {
        let name = path.strip_prefix(&project).expect("it is below the folder").display().to_string();
        if !name.starts_with("target") {
            test.write(&name, &std::fs::read_to_string(&path).expect("the project's files are text"));
        }
    }
    test
}

fn run(test: &Test, arguments: &[&str]) -> Outcome {
    let mut command = test.command(arguments);
    command.env("JAFFLE_HOST", socket_folder()).env("JAFFLE_USER", "unimig");
    command.env("JAFFLE_DATABASE", test.database("target"));
    Outcome::of(arguments, &command.output().expect("the binary starts"))
}

#[test]
fn an_unchanged_dbt_project_is_built() {
    let test = jaffle_shop();

    run(&test, &["build"]).exit(0);

    let kinds = "select table_name, table_type from information_schema.tables where table_schema = 'jaffle_shop' and \
                 table_name !~ 'raw' order by 1";
    let expected =
        ["customers|BASE TABLE", "orders|BASE TABLE", "stg_customers|VIEW", "stg_orders|VIEW", "stg_payments|VIEW"];
    assert_eq!(test.query_target(kinds), expected);
    let count = |relation: &str| test.value(&format!("select count(*) from jaffle_shop.{relation}"));
    assert_eq!(count("orders"), count("raw_orders"));
    assert_eq!(count("customers"), count("raw_customers"));

    run(&test, &["build"]).exit(0);
    test.wrote_nothing();
}

#[test]
fn a_profile_names_the_role_and_the_schemas_of_its_sessions() {
    let role = format!("builder_{}", std::process::id());
    let test = jaffle_shop()
        .target_sql(&format!("create role {role}"))
        .target_sql("create schema extra; create function extra.one() returns integer language sql return 1")
        .target_sql(&format!("grant usage on schema extra to {role}"))
        .file("models/one.sql", "select one() as a, current_user as by_whom");
    test.on_target(&format!("grant create on database {} to {role}", test.database("target")));
    let profile = std::fs::read_to_string(test.path().join("profiles.yml")).expect("the project has one");
    test.write(
        "profiles.yml",
        &format!("{profile}      role: {role}\n      search_path: extra, public\n      retries: 1\n"),
    );

    run(&test, &["run", "--select", "one"]).exit(0).stderr_has("\"retries\" has no effect here");
    let project = std::fs::read_to_string(test.path().join("dbt_project.yml")).expect("the project has one");
    test.write("dbt_project.yml", &format!("{project}\nquery-comment: mine\nflags: {{fail_fast: true}}\n"));
    let listed = run(&test, &["ls"]).exit(0);
    listed.stderr_has("\"query-comment\" has no effect here").stderr_has("\"fail_fast\" has no effect here");
    test.write("dbt_project.yml", &project.replace("<3.0.0", "<1.0.0"));
    run(&test, &["ls"]).exit(2).stderr_has("the project asks for dbt <1.0.0");

    assert_eq!(test.query_target("select a from jaffle_shop.one"), ["1"]);
    test.write("dbt_project.yml", &project);
    let owner = "select relowner::regrole from pg_class where oid = 'jaffle_shop.one'::regclass";
    assert_eq!(test.value(owner), role);
    run(&test, &["clean"]).exit(0);
    test.on_target(&format!("drop owned by {role} cascade; drop role {role}"));
}

#[test]
fn sources_of_a_dbt_project_are_read_where_they_are_and_tested_and_never_written() {
    let test = jaffle_shop()
        .file("models/sources.yml", SOURCE)
        .file("models/visits.sql", "select id, at_page from {{ source('shop_raw', 'visits') }}")
        .target_sql("create schema shop_raw; create table shop_raw.\"Visits\" as select 1 as id, '/' as at_page");

    run(&test, &["build", "--select", "source:shop_raw+"]).exit(0);
    assert_eq!(test.query_target("select id, at_page from jaffle_shop.visits"), ["1|/"]);

    test.on_target("insert into shop_raw.\"Visits\" values (1, '/again')");
    run(&test, &["test", "--select", "source:shop_raw"]).exit(1).stderr_has("source_unique_shop_raw_visits_id");
    assert_eq!(test.value("select count(*) from shop_raw.\"Visits\""), "2");
}
