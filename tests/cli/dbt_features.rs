//! Unchanged dbt projects.

use std::path::Path;

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

#[test]
fn the_jaffle_shop_is_built_and_its_second_build_writes_nothing() {
    let test = project("jaffle_shop");

    run(&test, "JAFFLE", &["build"]);
    let before = test.query_target("select xmin, t::text from by_unimig.customers t order by 2");
    run(&test, "JAFFLE", &["build"]);

    assert_eq!(before.len(), 40);
    assert_eq!(test.query_target("select xmin, t::text from by_unimig.customers t order by 2"), before);
}
