//! The floors of ARCHITECTURE.md: every module of `src/` stands on one, and imports from lower floors only.
//!
//! Imports are found as text (`crate::name`), in code and in `use` lines; comments and test modules count too, since a
//! test that reaches upward would make the floor untestable alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: &[(u8, &[&str])] = &[
    (0, &["ident", "diagnostic"]),
    (1, &["project", "postgres", "store", "sql"]),
    (2, &["manifest", "state"]),
    (3, &["generate", "graph"]),
    (4, &["compile"]),
    (5, &["materialize", "data_test"]),
    (6, &["plan"]),
    (7, &["event"]),
    (8, &["extract", "load", "transform", "verify"]),
    (9, &["execute", "report"]),
    (10, &["ops"]),
    (11, &["cli"]),
];

/// Modules that never touch files, servers or clocks.
const WITHOUT_IO: &[&str] =
    &["ident", "diagnostic", "manifest", "generate", "graph", "compile", "materialize", "data_test", "plan", "event"];

/// What a module without I/O may not name.
const IO: &[&str] = &["std::fs", "fs_err", "tokio::", "std::net", "std::process", "Timestamp::now", "SystemTime"];

fn floors() -> BTreeMap<&'static str, u8> {
    FLOORS.iter().flat_map(|(floor, modules)| modules.iter().map(|module| (*module, *floor))).collect()
}

/// Every Rust file of the library with the top-level module it belongs to.
fn files() -> Vec<(String, PathBuf)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut open = vec![source.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("src can be listed") {
            let path = entry.expect("src can be listed").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&source).expect("the path is below src");
                let first = inside.components().next().expect("a file has a name").as_os_str().to_string_lossy();
                found.push((first.trim_end_matches(".rs").to_owned(), path));
            }
        }
    }
    found.retain(|(module, _)| module != "lib" && module != "main");
    found
}

/// The modules that a text names after `crate::`, braces included.
fn imports(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split('}').next().unwrap_or_default();
            names.extend(list.split(',').map(|name| name.trim().split("::").next().unwrap_or_default().to_owned()));
        } else {
            let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            names.push(rest[..end].to_owned());
        }
    }
    names
}

fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file can be read");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_module_stands_on_a_floor() {
    let floors = floors();
    for (module, path) in files() {
        assert!(floors.contains_key(module.as_str()), "{} belongs to no floor", path.display());
    }
}

#[test]
fn modules_import_from_lower_floors_only() {
    let floors = floors();
    let mut wrong = Vec::new();
    for (module, path) in files() {
        let own = floors[module.as_str()];
        for import in imports(&code_of(&path)) {
            let Some(floor) = floors.get(import.as_str()) else { continue };
            let is_allowed = import == module || *floor < own;
            if !is_allowed {
                wrong.push(format!("{}: {module} (floor {own}) imports {import} (floor {floor})", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that go upward or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn modules_without_io_do_none() {
    let mut wrong = Vec::new();
    for (module, path) in files().into_iter().filter(|(module, _)| WITHOUT_IO.contains(&module.as_str())) {
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests" || stem == "speed" || stem == "broken");
        let code = code_of(&path);
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for io in IO.iter().filter(|io| !is_test && code.contains(**io)) {
            wrong.push(format!("{}: {module} names {io}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "modules that should be pure touch the world:\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_under_five_hundred_lines() {
    for (_, path) in files() {
        let lines = fs::read_to_string(&path).expect("a source file can be read").lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

#[test]
fn every_module_file_says_what_it_is() {
    for (_, path) in files() {
        let text = fs::read_to_string(&path).expect("a source file can be read");
        assert!(text.starts_with("//!"), "{} has no header", path.display());
    }
}
