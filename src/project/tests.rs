//! Reading files and profiles: what is found, and what is said of what is wrong.

use super::fixture::{Fixture, PROFILES, PROJECT, shown};
use super::{LoadOptions, ProfileOptions, ServerKind, find_root, load, load_environment, parse_vars};
use crate::diagnostic::{Code, Diagnostics};

fn codes(diagnostics: &Diagnostics) -> Vec<Code> {
    diagnostics.0.iter().map(|diagnostic| diagnostic.code).collect()
}

fn load_codes(fixture: &Fixture) -> Vec<Code> {
    codes(&fixture.load().expect_err("the project is broken"))
}

#[test]
fn a_project_is_found_from_a_folder_inside_it() {
    let fixture = Fixture::new().file("models/bl/person.sql", "select 1 as id");
    assert_eq!(find_root(&fixture.root().join("models/bl")).as_deref(), Some(fixture.root()));
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(find_root(elsewhere.path()), None);
}

#[test]
fn files_are_sorted_into_models_seeds_macros_and_tests() {
    let fixture = Fixture::with_source()
        .file("models/bl/people/person.sql", "select 1 as id")
        .file("models/bl/people/person.yml", "models: [{name: person, description: one human}]")
        .file("models/.hidden/x.sql", "select 2")
        .file("seeds/status.csv", "code\n1\n")
        .file("macros/cents.sql", "{% macro cents(x) %}{{ x }}/100{% endmacro %}")
        .file("tests/no_orphans.sql", "select 1");
    let project = fixture.load().expect("a sound project");
    assert_eq!(project.models.len(), 1);
    assert_eq!(project.models[0].folders, ["bl", "people"]);
    assert_eq!((project.seeds.len(), project.macros.len(), project.tests.len()), (1, 1, 1));
    assert_eq!(project.declared.models[0].description, "one human");
    assert_eq!(project.vars["country"], "SA");
}

#[test]
fn a_model_in_python_is_refused() {
    let fixture = Fixture::new().file("models/bl/clever.py", "def model(dbt, session):\n    return dbt.ref('x')\n");
    let mistakes = fixture.load().expect_err("no SQL");
    assert_eq!(codes(&mistakes), [Code::NotOneSelect]);
    assert!(shown(&mistakes).contains("models/bl/clever.py:1:1"), "{}", shown(&mistakes));
}

#[test]
fn a_folder_without_a_project_file_is_no_project() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = LoadOptions { root: folder.path().to_path_buf(), ..LoadOptions::default() };
    assert_eq!(codes(&load(&options).expect_err("no project")), [Code::ProjectNotFound]);
}

#[test]
fn bad_yaml_is_shown_at_its_place() {
    let fixture = Fixture::new().file("sources/svp.yml", "sources:\n  - name: svp\n    tables: [a, b\n  x: 1\n");
    insta::assert_snapshot!(shown(&fixture.load().expect_err("broken")), @r##"
    error[bad-yaml]: file is not valid YAML: illegal placement of ':' indicator
     --> sources/svp.yml:4:4
      |
    4 |   x: 1
      |    ^
    "##);
}

#[test]
fn a_key_that_stands_twice_is_an_error() {
    let fixture = Fixture::new().file("unimig.yml", "name: shop\nname: store\n");
    insta::assert_snapshot!(shown(&fixture.load().expect_err("broken")), @r##"
    error[bad-yaml]: file is not valid YAML: duplicate mapping key: name
     --> unimig.yml:2:1
      |
    2 | name: store
      | ^^^^
      |
      = hint: a key may stand once in a map: keep one of the two
    "##);
}

#[test]
fn mistakes_of_form_are_collected_over_files() {
    let fixture = Fixture::new()
        .file("sources/svp.yml", "sources:\n  - nmae: svp\n    tables:\n      - name: labors\n")
        .file("models/a.yml", "models:\n  - name: [a]\n    columns: 7\n");
    insta::assert_snapshot!(shown(&fixture.load().expect_err("broken")), @r##"
    error[unknown-key]: source has no key "nmae"
     --> sources/svp.yml:2:5
      |
    2 |   - nmae: svp
      |     ^^^^
      |
      = hint: did you mean "name"?

    error[missing-key]: source needs the key "name"
     --> sources/svp.yml:2:5
      |
    2 |   - nmae: svp
      |     ^

    error[wrong-type]: expected text, found a list
     --> models/a.yml:2:11
      |
    2 |   - name: [a]
      |           ^

    error[wrong-type]: expected a list, found a number
     --> models/a.yml:3:14
      |
    3 |     columns: 7
      |              ^
    "##);
}

#[test]
fn keys_of_dbt_that_are_not_supported_are_named_as_such() {
    let fixture = Fixture::new().file("unimig.yml", &format!("{PROJECT}metrics: []\nmodel-path: [m]\n"));
    insta::assert_snapshot!(shown(&fixture.load().expect_err("broken")), @r##"
    error[unknown-key]: project file has no key "metrics"
     --> unimig.yml:5:1
      |
    5 | metrics: []
      | ^^^^^^^
      |
      = hint: dbt's "metrics" is not supported yet

    error[unknown-key]: project file has no key "model-path"
     --> unimig.yml:6:1
      |
    6 | model-path: [m]
      | ^^^^^^^^^^
      |
      = hint: did you mean "model-paths"?
    "##);
}

#[test]
fn a_file_that_is_not_utf8_cannot_be_read() {
    let fixture = Fixture::new().file("models/bl/a.sql", "");
    fs_err::write(fixture.root().join("models/bl/a.sql"), b"select '\xff'").expect("a new file");
    assert_eq!(load_codes(&fixture), [Code::UnreadableFile]);
}

#[test]
fn a_project_name_must_be_plain() {
    assert_eq!(load_codes(&Fixture::new().file("unimig.yml", "name: my shop\n")), [Code::BadValue]);
    assert_eq!(load_codes(&Fixture::new().file("unimig.yml", "version: 1\n")), [Code::MissingKey]);
}

#[test]
fn a_big_file_is_read() {
    let numbers = "12345, ".repeat(300_000);
    let text = PROJECT.replace("country: SA", &format!("numbers: [{numbers}]"));
    assert!(text.len() > 2_000_000);
    let project = Fixture::new().file("unimig.yml", &text).load().expect("a sound project");
    assert_eq!(project.vars["numbers"].as_array().map(Vec::len), Some(300_000));
}

#[test]
fn the_output_in_use_is_settled() {
    let fixture = Fixture::new();
    let project = fixture.load().expect("a sound project");
    let environment = fixture.environment(&project).expect("a sound profile");
    assert_eq!(environment.target_name, "dev");
    assert_eq!(environment.target.kind, ServerKind::Embedded);
    assert_eq!(environment.target.schema.as_str(), "app");
    assert_eq!(environment.target.threads, 4);
    assert_eq!(environment.connections["svp"].dbname, "svp");
    assert_eq!(environment.stores["layer"].url, "file://.unimig/layer");
}

const PROD: &str = "    prod:
      type: postgres
      host: \"{{ env_var('SHOP_HOST', 'localhost') }}\"
      user: unimig
      password: \"{{ env_var('SHOP_PASSWORD') }}\"
      dbname: shop
      schema: app
";

fn environment_of(fixture: &Fixture, target: &str) -> Result<super::Environment, Diagnostics> {
    let project = fixture.load().expect("a sound project");
    let options =
        ProfileOptions { target: Some(target.to_owned()), env: fixture.env_vars(), ..ProfileOptions::default() };
    load_environment(&project, &options)
}

#[test]
fn an_unset_secret_disturbs_only_the_output_that_needs_it() {
    let fixture = Fixture::new().file("profiles.yml", &format!("{PROFILES}{PROD}"));
    assert!(environment_of(&fixture, "dev").is_ok());
    insta::assert_snapshot!(shown(&environment_of(&fixture, "prod").expect_err("no password")), @r##"
    error[missing-env-var]: environment variable "SHOP_PASSWORD" is not set
      --> profiles.yml:16:17
       |
    16 |       password: "{{ env_var('SHOP_PASSWORD') }}"
       |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = hint: set it, or give a default: env_var('SHOP_PASSWORD', 'default')
    "##);
    let fixture = fixture.env("SHOP_PASSWORD", "hush");
    let environment = environment_of(&fixture, "prod").expect("a sound profile");
    assert_eq!(environment.target.settings.get("host"), Some("localhost"));
    assert_eq!(environment.target.settings.get("password"), Some("hush"));
    assert!(!format!("{environment:?}").contains("hush"));
}

#[test]
fn names_of_profiles_and_outputs_are_looked_up() {
    let fixture = Fixture::new();
    insta::assert_snapshot!(shown(&environment_of(&fixture, "dve").expect_err("no such output")), @r##"
    error[unknown-target]: the profile has no output "dve"
     --> profiles.yml:1:1
      |
    1 | shop:
      | ^^^^^
      |
      = hint: did you mean "dev"?
    "##);
    let fixture = Fixture::new().file("unimig.yml", "name: shop\nprofile: shpo\n");
    let project = fixture.load().expect("a sound project");
    insta::assert_snapshot!(shown(&fixture.environment(&project).expect_err("no such profile")), @r##"
    error[unknown-profile]: profile "shpo" is not in the profiles file
     --> profiles.yml:1:1
      |
    1 | shop:
      | ^^^^^
      |
      = hint: did you mean "shop"?
    "##);
}

#[test]
fn mistakes_in_an_output_are_collected() {
    let profiles = PROFILES
        .replace("type: embedded\n      dbname: shop", "type: embedded\n      dbnmae: shop\n      threads: 0")
        .replace("file://", "ftp://");
    let fixture = Fixture::new().file("profiles.yml", &profiles);
    let project = fixture.load().expect("a sound project");
    let mistakes = fixture.environment(&project).expect_err("broken");
    assert_eq!(codes(&mistakes), [Code::UnknownKey, Code::BadValue, Code::MissingKey, Code::BadValue]);
}

#[test]
fn vars_of_the_command_line_are_yaml_or_json() {
    let vars = parse_vars("{since: 2024-01-01, limit: 5}").expect("a map");
    assert_eq!(vars["since"], "2024-01-01");
    assert_eq!(vars["limit"], 5);
    assert_eq!(codes(&parse_vars("[1]").expect_err("no map")), [Code::WrongType]);
}

#[test]
fn scalars_keep_the_spelling_of_the_file() {
    let fixture =
        Fixture::new().file("unimig.yml", "name: shop\nversion: 1.10\nvars: {zip: 00123, yes_text: yes, n: 1_000}\n");
    let project = fixture.load().expect("a sound project");
    assert_eq!(project.version, "1.10");
    assert_eq!(project.vars["zip"], "00123");
    assert_eq!(project.vars["yes_text"], "yes");
    assert_eq!(project.vars["n"], "1_000");
}
