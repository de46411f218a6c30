//! Mistakes in files: each `tests/projects/broken_*` is told clearly, and nothing at all is changed by it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Outcome, files_below};

/// The folder of the broken projects.
pub fn projects_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects")
}

/// The names of the broken projects.
pub fn broken_projects() -> Vec<String> {
    let entries = std::fs::read_dir(projects_folder()).expect("the projects are there");
    let names = entries.map(|entry| entry.expect("the folder can be read").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("broken_")).collect();
    names.sort();
    names
}

/// A copy of a project that the tool may write into.
struct Copied {
    folder: tempfile::TempDir,
    files: Vec<PathBuf>,
}

impl Copied {
    fn of(project: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let from = projects_folder().join(project);
        for path in files_below(&from) {
            let to = folder.path().join(path.strip_prefix(&from).expect("it is below the folder"));
            std::fs::create_dir_all(to.parent().expect("a file has a folder")).expect("folders can be made");
            std::fs::copy(&path, to).expect("files can be copied");
        }
        let files = files_below(folder.path());
        Self { folder, files }
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unimig"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("NO_COLOR", "1");
        command.env("HOME", self.folder.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Outcome::of(arguments, &command.output().expect("the binary starts"))
    }

    fn is_untouched(&self) -> bool {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder is there");
        let has_state = entries.filter_map(Result::ok).any(|entry| entry.file_name() == ".unimig");
        !has_state && files_below(self.folder.path()) == self.files
    }

    /// What the user would type to meet the mistake; most are met by every command.
    fn command(&self) -> Vec<String> {
        let path = self.folder.path().join("command");
        let text = std::fs::read_to_string(path).unwrap_or_else(|_| "parse".to_owned());
        text.split_whitespace().map(str::to_owned).collect()
    }
}

#[test]
fn each_broken_project_is_told_with_its_place_and_a_hint() {
    for project in broken_projects() {
        let copied = Copied::of(&project);
        let command = copied.command();
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();

        let outcome = copied.run(&arguments).exit(2);

        let folder = copied.folder.path().display().to_string();
        let stderr = outcome.stderr.replace(&folder, "[project]");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(project.as_str(), stderr);
        });
        assert!(copied.is_untouched(), "{project} was changed");
        assert_eq!(outcome.stdout, "", "{project}: stdout carries data alone");
    }
}

#[test]
fn a_run_of_a_broken_project_touches_neither_folder_nor_server() {
    for project in broken_projects().iter().filter(|project| !projects_folder().join(project).join("command").exists())
    {
        let copied = Copied::of(project);

        for verb in ["run", "test", "seed", "compile", "ls"] {
            copied.run(&[verb]).exit(2);
            assert!(copied.is_untouched(), "unimig {verb} changed {project}");
        }
    }
}

#[test]
fn a_wrong_selection_touches_neither_folder_nor_server() {
    let copied = Copied::of("broken_unknown_selector");

    for verb in ["run", "test", "seed", "compile", "ls"] {
        copied.run(&[verb, "--select", "bl.persn"]).exit(2).stderr_has("bl.persn");
        assert!(copied.is_untouched(), "unimig {verb} changed the project");
    }
}

#[test]
fn mistakes_are_json_on_demand() {
    let outcome = Copied::of("broken_unknown_ref").run(&["parse", "--output", "json"]).exit(2);

    let diagnostic = &outcome.json()["diagnostics"][0];
    assert_eq!(diagnostic["code"], "unknown-ref");
    assert!(diagnostic["line"].is_u64() && diagnostic["file"].is_string(), "{diagnostic}");
}

#[test]
fn wrong_arguments_are_a_usage_error() {
    let copied = Copied::of("broken_unknown_ref");

    for arguments in
        [&["rnu"][..], &["run", "--threads", "0"], &["run", "--lock-wait", "soon"], &["run", "--on-error", "panic"]]
    {
        copied.run(arguments).exit(2);
    }
    assert!(copied.is_untouched());
}

#[test]
fn every_snapshot_belongs_to_a_project() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/snapshots");
    let projects = broken_projects();
    let is_kept = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "snap");
    for path in files_below(&folder).into_iter().filter(is_kept) {
        let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let of_tests = [crate::server_mistakes::SNAPSHOTS, crate::generate::SNAPSHOTS].concat();
        let is_known = projects.contains(&stem) || of_tests.contains(&stem.as_str());
        assert!(is_known, "{} is an orphan", path.display());
    }
}

#[test]
fn odd_files_are_read_or_refused_and_never_end_the_tool() {
    let copied = Copied::of("jaffle_shop");
    let write = |name: &str, bytes: &[u8]| {
        let path = copied.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders can be made");
        std::fs::write(path, bytes).expect("files can be written");
    };
    write("selectors.yml", b"");
    write("packages.yml", b"");
    write("models/empty.yml", b"");
    copied.run(&["parse"]).exit(0);

    let long = |expression: String| format!("select {{{{ {expression} }}}} as id");
    let elifs = format!("{{% if 0 %}}{}{{% endif %}} select 1", "{% elif 0 %}".repeat(20_000));
    for (model, text) in [
        ("models/plus.sql", long("1 + ".repeat(20_000) + "1")),
        ("models/tildes.sql", long("'a' ~ ".repeat(20_000) + "'a'")),
        ("models/elifs.sql", elifs),
        ("models/dict.sql", long("{1: ".repeat(20_000) + "1" + &"}".repeat(20_000))),
    ] {
        write(model, text.as_bytes());
        copied.run(&["parse"]).exit(2).stderr_has("error[template-limit]: the template nests too deep here");
        std::fs::remove_file(copied.folder.path().join(model)).expect("the file can go");
    }
    let width = "select '{{ 'x'.ljust(3000000000) }}{{ '%3000000000s' % 'x' }}' as id";
    write("models/width.sql", width.as_bytes());
    copied.run(&["parse"]).exit(2).stderr_has("a text is padded to 1000000 characters at most");
    std::fs::remove_file(copied.folder.path().join("models/width.sql")).expect("the file can go");

    let block = "{% snapshot kept %}{{ config(unique_key='id', strategy='check', check_cols='all') }}\n\
                 select {{ nothing.at_all }}{% endsnapshot %}\n";
    write("snapshots/kept.sql", block.as_bytes());
    copied.run(&["parse"]).exit(2).stderr_has("\n2 | select {{ nothing.at_all }}{% endsnapshot %}\n");
    std::fs::remove_file(copied.folder.path().join("snapshots/kept.sql")).expect("the file can go");

    write("state/manifest.json", b"\xff\xfe\x00");
    copied.run(&["ls", "--select", "state:new", "--state", "state"]).exit(2).stderr_has("missing-state");
    copied.run(&["apply", "no.plan"]).exit(2).stderr_has("no.plan cannot be read");

    write("macros/again.sql", b"{% macro again() %}{{ again() }}{% endmacro %}");
    write("models/again.sql", b"select 1 as id {{ again() }}");
    let outcome = copied.run(&["parse"]).exit(2);
    assert!(outcome.stderr.contains("models/again.sql:1:19"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("has to stop at some point"), "{}", outcome.stderr);

    write("models/zero.sql", b"select 1 as id\0");
    write("packages.yml", b"packages:\n  - local: ../../etc\n");
    copied.run(&["parse"]).exit(2).stderr_has("the byte at offset 14 is zero");
    copied.run(&["deps"]).exit(2).stderr_has("packages.yml:2:12");
}
