//! Selections mean what they mean in dbt: its recorded answers to some hundred selections of one project, and the
//! examples of the book. `tests/dbt/compare_selection.py --record` asks dbt anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use unimig::compile::CompileFacts;
use unimig::graph::Indirect;
use unimig::manifest::ResourceType;
use unimig::ops::OpError;
use unimig::ops::workspace::{CompiledProject, Selection, Workspace, WorkspaceOptions};

const ANSWERS: &str = include_str!("../dbt/selection/answers.json");
const PAGE: &str = include_str!("../../book/src/reference/selection.md");

fn project() -> (Workspace, CompiledProject) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dbt/selection/project");
    let options =
        WorkspaceOptions { project_dir: Some(root.clone()), profiles_dir: Some(root), ..WorkspaceOptions::default() };
    let workspace = Workspace::load(&options).expect("the project is sound");
    let compiled = workspace.compile(&CompileFacts::default()).expect("the project compiles");
    (workspace, compiled)
}

fn selected(
    (workspace, compiled): (&Workspace, &CompiledProject),
    selection: &Selection,
) -> Result<BTreeSet<String>, OpError> {
    let chosen = selection.choose(&workspace.manifest, &compiled.graph, &compiled.places)?;
    Ok(chosen.nodes.iter().map(|name| workspace.manifest.unique_id(name)).collect())
}

fn texts(row: &Value, key: &str) -> Vec<String> {
    let items = row[key].as_array().into_iter().flatten();
    items.map(|item| item.as_str().expect("a text").to_owned()).collect()
}

fn asked(row: &Value) -> Selection {
    let kinds = |key: &str| texts(row, key).iter().map(|kind| ResourceType::of(kind).expect("a kind")).collect();
    Selection {
        select: texts(row, "select"),
        exclude: texts(row, "exclude"),
        selector: row["selector"].as_str().map(str::to_owned),
        indirect: row["indirect"].as_str().map(|word| Indirect::of(word).expect("a word")).unwrap_or_default(),
        resource_types: kinds("resource_types"),
        exclude_resource_types: kinds("exclude_resource_types"),
        ..Selection::default()
    }
}

#[test]
fn dbt_gives_the_same_answers() {
    let (workspace, compiled) = project();
    let recorded: Value = serde_json::from_str(ANSWERS).expect("the answers are JSON");
    let nodes = texts(&recorded, "nodes");
    let rows = recorded["selections"].as_array().expect("a list");
    assert!(rows.len() > 500, "{} selections", rows.len());
    let mut different = Vec::new();
    for row in rows {
        let places = row["selected"].as_array().expect("a list").iter();
        let expected: BTreeSet<String> = places
            .map(|at| nodes[at.as_u64().and_then(|at| usize::try_from(at).ok()).expect("a place")].clone())
            .collect();
        // Where dbt warns that nothing is selected, unimig says so as a mistake.
        let found = selected((&workspace, &compiled), &asked(row)).unwrap_or_default();
        if found != expected {
            let only_dbt: Vec<&String> = expected.difference(&found).collect();
            let only_here: Vec<&String> = found.difference(&expected).collect();
            different.push(format!("{row}\n  only dbt: {only_dbt:?}\n  only here: {only_here:?}"));
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
}

/// The terms in the first two columns of the page's tables.
fn examples() -> Vec<String> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    let terms = rows.flat_map(|row| row.split('|').skip(1).take(2).map(str::trim).collect::<Vec<_>>());
    let quoted = terms.filter_map(|cell| cell.strip_prefix('`')?.strip_suffix('`').map(str::to_owned));
    quoted.filter(|term| term.contains([':', '+', '@', ',', '*', ' ']) || term == "orders").collect()
}

#[test]
fn the_examples_of_the_book_select_something() {
    let (workspace, compiled) = project();
    let examples = examples();
    assert!(examples.len() > 30, "{examples:?}");
    // What needs an earlier run, a pipeline, or layers that a dbt project does not have.
    let needs_more = ["state:", "result:", "source_status:", "stale:", "pipeline:", "unit_test:"];
    for term in examples.into_iter().filter(|term| !needs_more.iter().any(|method| term.contains(method))) {
        let selection = Selection { select: vec![term.clone()], ..Selection::default() };
        match selected((&workspace, &compiled), &selection) {
            Ok(found) => assert!(!found.is_empty(), "{term} selects nothing"),
            Err(OpError::Project(mistakes)) => panic!("{term}: {}", mistakes.0[0].message),
            Err(error) => panic!("{term}: {error}"),
        }
    }
}

#[test]
fn a_thousand_models_are_selected_in_no_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        std::fs::write(path, text).expect("a new file");
    };
    write(folder.path().join("dbt_project.yml"), "name: big\nversion: '1'\nprofile: big\n");
    let profile =
        "big: {target: dev, outputs: {dev: {type: postgres, host: h, user: u, password: p, dbname: d, schema: s}}}\n";
    write(folder.path().join("profiles.yml"), profile);
    for at in 0..1_000 {
        let read =
            if at < 10 { "select 1 as id".to_owned() } else { format!("select id from {{{{ ref('m{}') }}}}", at - 10) };
        write(folder.path().join(format!("models/f{}/m{at}.sql", at % 20)), &read);
    }
    let options = WorkspaceOptions {
        project_dir: Some(folder.path().to_path_buf()),
        profiles_dir: Some(folder.path().to_path_buf()),
        ..WorkspaceOptions::default()
    };
    let workspace = Workspace::load(&options).expect("the project is sound");
    let compiled = workspace.compile(&CompileFacts::default()).expect("the project compiles");
    let terms = ["+m*9+", "f1?.*,tag:none f2.*", "path:models/f*/m9*.sql+"];
    let select = terms.iter().map(|term| (*term).to_owned()).collect();
    let began = std::time::Instant::now();
    let found = selected((&workspace, &compiled), &Selection { select, ..Selection::default() }).expect("it is sound");
    let elapsed = began.elapsed();
    assert!(found.len() > 100);
    assert!(elapsed.as_secs() < 2, "{elapsed:?} for a thousand models, unoptimized");
}
