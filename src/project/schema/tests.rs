//! The table of keys against what the readers take: every key is in both, and every sound file of the repository is as
//! its schema says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use walkdir::WalkDir;

use super::vocabulary::{Key, vocabulary};
use super::{FileKind, recorded, schema};
use crate::diagnostic::SourceFile;
use crate::project::{ConfigOf, EnvVars, LoadOptions, ProfileOptions, Reader, load, load_environment, yaml};

/// Projects of the repository that are sound.
const PROJECTS: &[&str] =
    &["project", "examples/quickstart", "tests/projects/dbt_features", "tests/projects/jaffle_shop"];

/// A key that is taken out before the others are looked at.
const READ_BY_ITSELF: (&str, &str) = ("snapshot", "relation");

const CONFIGS: &[ConfigOf] = &[
    ConfigOf::Model,
    ConfigOf::Seed,
    ConfigOf::Snapshot,
    ConfigOf::Test,
    ConfigOf::UnitTest,
    ConfigOf::Source,
    ConfigOf::Exposure,
];

/// Every mistake with its place, as an editor would show it.
fn mistakes(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::draft202012::new(schema).expect("our schemas are schemas");
    validator.iter_errors(document).map(|mistake| format!("{}: {mistake}", mistake.instance_path())).collect()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Loads projects in this thread, so that what their readers ask for is noted here.
fn load_all_here() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    let pool = pool.expect("a pool of this thread can be made");
    pool.install(|| PROJECTS.iter().for_each(|project| load_here(&repository(project))));
}

fn load_here(root: &Path) {
    let env = EnvVars::of_process();
    let options = LoadOptions { root: root.to_path_buf(), env: env.clone(), ..LoadOptions::default() };
    let Ok((project, _)) = load(&options) else { return };
    for target in [None, Some("prod"), Some("dev")] {
        let options =
            ProfileOptions { target: target.map(str::to_owned), env: env.clone(), ..ProfileOptions::default() };
        // What an output lacks here is no matter: its readers were asked.
        let _ = load_environment(&project, &options);
    }
}

fn listed(keys: &[Key]) -> BTreeSet<String> {
    keys.iter().filter(|key| key.name != "*").map(|key| key.name.to_owned()).collect()
}

#[test]
fn every_key_that_a_reader_takes_is_in_the_schemas_and_no_other() {
    let vocabulary = vocabulary();
    recorded::take();
    load_all_here();
    let mut wrong = Vec::new();
    let configs = CONFIGS.iter().map(|of| {
        let keys: BTreeSet<String> = of.keys().iter().map(|key| (*key).to_owned()).collect();
        (of.what().to_owned(), keys)
    });
    for (section, keys) in recorded::take().into_iter().chain(configs) {
        match vocabulary.get(section.as_str()).map(|known| listed(known)) {
            None => wrong.push(format!("src/project/schema/keys.txt has no section [{section}] with {keys:?}")),
            Some(known) => {
                let lacking: Vec<&String> = keys.difference(&known).collect();
                let is_foreign = |key: &&String| (section.as_str(), key.as_str()) != READ_BY_ITSELF;
                let foreign: Vec<&String> = known.difference(&keys).filter(is_foreign).collect();
                if !lacking.is_empty() || !foreign.is_empty() {
                    let file = "src/project/schema/keys.txt";
                    wrong.push(format!("[{section}] of {file} lacks {lacking:?}, and no reader knows {foreign:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_section_that_a_type_names_is_there_and_every_key_has_a_sentence() {
    let vocabulary = vocabulary();
    for kind in FileKind::ALL {
        let schema = schema(*kind);
        let definitions = schema["$defs"].as_object().expect("definitions are a map");
        for (name, definition) in definitions {
            let is_empty = definition["properties"].as_object().is_some_and(serde_json::Map::is_empty);
            assert!(!is_empty, "keys.txt has no section for {name}");
        }
    }
    for (section, keys) in &vocabulary {
        for key in keys {
            assert!(key.description.len() > 5, "[{section}] {} has no sentence", key.name);
        }
    }
}

fn kind_of(root: &Path, path: &Path) -> Option<FileKind> {
    let inside = path.strip_prefix(root).ok()?.to_string_lossy().into_owned();
    let folder = |glob: &str| glob.split_once("/**").map(|(folder, _)| format!("{folder}/"));
    FileKind::ALL.iter().copied().find(|kind| {
        kind.globs()
            .iter()
            .any(|glob| inside == *glob || folder(glob).is_some_and(|folder| inside.starts_with(&folder)))
    })
}

/// The file as the readers see it, and whether they take it.
fn read(kind: FileKind, file: SourceFile) -> (Value, bool) {
    let file = Arc::new(file);
    let tree = yaml::parse(&file).expect("the file is YAML");
    let is_taken = match kind {
        FileKind::Properties => {
            let mut reader = Reader::new(file);
            reader.declarations(&tree);
            !reader.diagnostics.has_errors()
        }
        FileKind::Crosswalks => {
            let mut reader = Reader::new(file);
            reader.crosswalks(&tree);
            !reader.diagnostics.has_errors()
        }
        FileKind::Project | FileKind::Profiles | FileKind::Packages | FileKind::Selectors => true,
    };
    (tree.to_json(), is_taken)
}

#[test]
fn a_file_that_the_readers_take_is_what_its_schema_says() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for project in PROJECTS {
        let root = repository(project);
        for entry in WalkDir::new(&root).into_iter().filter_map(Result::ok) {
            let is_yaml = entry.path().extension().is_some_and(|extension| extension == "yml");
            let Some(kind) = kind_of(&root, entry.path()).filter(|_| is_yaml) else { continue };
            let text = std::fs::read_to_string(entry.path()).expect("the file can be read");
            let (document, is_taken) = read(kind, SourceFile { path: entry.path().to_path_buf(), text, written: None });
            if is_taken {
                seen += 1;
                let mistakes = mistakes(&schema(kind), &document);
                wrong.extend(mistakes.iter().map(|mistake| format!("{}{mistake}", entry.path().display())));
            }
        }
    }
    assert!(seen > 15, "only {seen} files were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_misspelt_key_is_a_mistake_for_an_editor_too() {
    let is_valid = |kind: FileKind, text: &str| {
        let (document, _) =
            read(kind, SourceFile { path: PathBuf::from("a.yml"), text: text.to_owned(), written: None });
        mistakes(&schema(kind), &document).is_empty()
    };
    assert!(is_valid(FileKind::Properties, "models: [{name: a, data_tests: [unique, {not_null: {where: x}}]}]"));
    assert!(!is_valid(FileKind::Properties, "models: [{nme: a}]"));
    assert!(!is_valid(FileKind::Properties, "sources: [{name: a, tables: [{name: t, cdc: {strategy: fill}}]}]"));
    assert!(is_valid(FileKind::Project, "name: a\nmodels: {a: {bl: {+materialized: merge, deeper: {+pre-hook: x}}}}"));
    assert!(!is_valid(FileKind::Project, "name: a\nmodels: {a: {materialised: table}}"));
    assert!(!is_valid(FileKind::Profiles, "a: {outputs: {dev: {type: mysql}}}"));
}
