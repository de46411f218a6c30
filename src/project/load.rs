//! `unimig.yml` and the folders that it names become a [`Project`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::config::{ConfigOf, FolderConfig};
use super::declare::Declarations;
use super::fields::{Fields, Reader};
use super::files::{self, Found, ModelFile, SeedFile};
use super::template::TextScope;
use super::yaml::{self, Yaml, YamlValue};
use super::{LoadOptions, PROJECT_FILE, Project, Vars};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile};

const KEYS: &[&str] = &[
    "name",
    "version",
    "config-version",
    "profile",
    "model-paths",
    "source-paths",
    "seed-paths",
    "test-paths",
    "macro-paths",
    "target-path",
    "clean-targets",
    "vars",
    "models",
    "seeds",
    "tests",
    "data_tests",
];

/// The folders of a project, relative to its root.
#[derive(Debug, Default)]
struct Folders {
    models: Vec<PathBuf>,
    sources: Vec<PathBuf>,
    seeds: Vec<PathBuf>,
    tests: Vec<PathBuf>,
    macros: Vec<PathBuf>,
}

impl Folders {
    fn all(&self) -> Vec<PathBuf> {
        [&self.models, &self.sources, &self.seeds, &self.tests].into_iter().flatten().cloned().collect()
    }
}

/// Reads every file of the project; the second half of the pair are warnings.
pub fn load(options: &LoadOptions) -> Result<(Project, Diagnostics), Diagnostics> {
    let file = project_file(&options.root)?;
    let tree = yaml::parse(&file).map_err(|diagnostic| Diagnostics(vec![diagnostic]))?;
    let mut reader = Reader::new(Arc::clone(&file));
    let Some((mut project, folders)) = read_settings(&mut reader, &tree, options) else {
        return Err(reader.diagnostics);
    };
    let mut diagnostics = reader.diagnostics;
    read_folders(&mut project, &folders, &mut diagnostics);
    diagnostics.guard(project)
}

/// Reads the argument of `--vars`: a YAML or JSON map.
pub fn parse_vars(text: &str) -> Result<Vars, Diagnostics> {
    let file = Arc::new(SourceFile { path: PathBuf::from("--vars"), text: text.to_owned() });
    let tree = yaml::parse(&file).map_err(|diagnostic| Diagnostics(vec![diagnostic]))?;
    let mut reader = Reader::new(file);
    let vars = reader.open_fields(&tree, "vars").map(|fields| vars_of(&fields, "")).unwrap_or_default();
    reader.diagnostics.guard(vars).map(|(vars, _)| vars)
}

fn project_file(root: &Path) -> Result<Arc<SourceFile>, Diagnostics> {
    if !root.join(PROJECT_FILE).is_file() {
        let message = format!("no project was found: \"{}\" has no {PROJECT_FILE}", root.display());
        return Err(Diagnostics(vec![
            Diagnostic::error(Code::ProjectNotFound, message).hint("unimig init makes a project"),
        ]));
    }
    files::read_one(root, Path::new(PROJECT_FILE)).map_err(|diagnostic| Diagnostics(vec![diagnostic]))
}

fn read_settings(reader: &mut Reader, tree: &Yaml, options: &LoadOptions) -> Option<(Project, Folders)> {
    let fields = reader.fields(tree, "project file", KEYS)?;
    let scope = TextScope::new(&options.env, &options.vars);
    let name = reader.required(&fields, "name").and_then(|value| rendered(reader, &scope, value));
    check_name(reader, &fields, name.as_deref());
    let profile = fields.get("profile").and_then(|value| rendered(reader, &scope, value));
    let version = fields.get("version").and_then(|value| reader.scalar(value)).unwrap_or_default();
    let mut paths = |key: &str, default: &str| paths(reader, &scope, (fields.get(key), default));
    let folders = Folders {
        models: paths("model-paths", "models"),
        sources: paths("source-paths", "sources"),
        seeds: paths("seed-paths", "seeds"),
        tests: paths("test-paths", "tests"),
        macros: paths("macro-paths", "macros"),
    };
    let target_path = paths("target-path", "target").swap_remove(0);
    let clean_targets = paths("clean-targets", "target");
    let name = name?;
    let mut vars = match fields.get("vars") {
        Some(value) => reader.open_fields(value, "vars").map(|fields| vars_of(&fields, &name)).unwrap_or_default(),
        None => Vars::new(),
    };
    vars.extend(options.vars.clone());
    let project = Project {
        root: options.root.clone(),
        version,
        profile_name: profile.unwrap_or_else(|| name.clone()),
        vars,
        target_path,
        roots: folders.all(),
        clean_targets,
        file: Arc::clone(&reader.file),
        model_config: tree_of(reader, fields.get("models"), (&name, ConfigOf::Model)),
        seed_config: tree_of(reader, fields.get("seeds"), (&name, ConfigOf::Seed)),
        test_config: tree_of(reader, fields.get("data_tests").or(fields.get("tests")), (&name, ConfigOf::Test)),
        declared: Declarations::default(),
        models: Vec::new(),
        seeds: Vec::new(),
        packages: Vec::new(),
        macros: Vec::new(),
        tests: Vec::new(),
        name,
    };
    Some((project, folders))
}

fn check_name(reader: &mut Reader, fields: &Fields<'_>, name: Option<&str>) {
    let (Some(name), Some(yaml)) = (name, fields.get("name")) else { return };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || !name.bytes().all(plain) {
        let span = reader.span(&yaml.range);
        let message = format!("\"{name}\" is no name for a project");
        reader.report(Diagnostic::error(Code::BadValue, message).at(span).hint("use letters, digits and underscores"));
    }
}

fn tree_of(reader: &mut Reader, yaml: Option<&Yaml>, (project, of): (&str, ConfigOf)) -> FolderConfig {
    yaml.map(|yaml| reader.folder_config(yaml, project, of)).unwrap_or_default()
}

fn rendered(reader: &mut Reader, scope: &TextScope, yaml: &Yaml) -> Option<String> {
    let text = reader.scalar(yaml)?;
    match scope.render(&text, &reader.span(&yaml.range)) {
        Ok(text) => Some(text),
        Err(diagnostic) => {
            reader.report(diagnostic);
            None
        }
    }
}

/// One path or a list; never empty.
fn paths(reader: &mut Reader, scope: &TextScope, (yaml, default): (Option<&Yaml>, &str)) -> Vec<PathBuf> {
    let items: &[Yaml] = match yaml {
        Some(Yaml { value: YamlValue::List(items), .. }) => items,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let mut found: Vec<PathBuf> =
        items.iter().filter_map(|item| rendered(reader, scope, item)).map(PathBuf::from).collect();
    if found.is_empty() {
        found.push(PathBuf::from(default));
    }
    found
}

/// dbt lets variables stand under the project's name too.
fn vars_of(fields: &Fields<'_>, project: &str) -> Vars {
    let mut vars = Vars::new();
    for (key, value) in fields.entries() {
        match &value.value {
            YamlValue::Map(inner) if key.name == project => {
                vars.extend(inner.iter().map(|(key, value)| (key.name.clone(), value.to_json())));
            }
            YamlValue::Null
            | YamlValue::Bool(_)
            | YamlValue::Number(_)
            | YamlValue::Text(_)
            | YamlValue::List(_)
            | YamlValue::Map(_) => {
                vars.insert(key.name.clone(), value.to_json());
            }
        }
    }
    vars
}

fn read_folders(project: &mut Project, folders: &Folders, diagnostics: &mut Diagnostics) {
    let root = project.root.clone();
    let in_models = files::find(&root, &folders.models, diagnostics);
    let (sql, other): (Vec<_>, Vec<_>) = in_models.into_iter().partition(|found| found.extension == "sql");
    project.models = files::read(&root, sql, diagnostics)
        .into_iter()
        .map(|(found, file)| ModelFile { folders: found.folders, stem: found.stem, file })
        .collect();
    let in_seeds = files::find(&root, &folders.seeds, diagnostics);
    let (csv, beside): (Vec<_>, Vec<_>) = in_seeds.into_iter().partition(|found| found.extension == "csv");
    project.seeds =
        csv.into_iter().map(|found| SeedFile { folders: found.folders, stem: found.stem, path: found.path }).collect();
    let mut yaml_files = only(files::find(&root, &folders.sources, diagnostics), &["yml", "yaml"]);
    yaml_files.extend(only(other, &["yml", "yaml"]));
    yaml_files.extend(only(beside, &["yml", "yaml"]));
    project.declared = declarations(files::read(&root, yaml_files, diagnostics), diagnostics);
    let mut sql_of = |folders: &[PathBuf]| {
        let found = only(files::find(&root, folders, diagnostics), &["sql"]);
        files::read(&root, found, diagnostics).into_iter().map(|(_, file)| file).collect()
    };
    project.macros = sql_of(&folders.macros);
    project.tests = sql_of(&folders.tests);
}

fn only(found: Vec<Found>, extensions: &[&str]) -> Vec<Found> {
    found.into_iter().filter(|found| extensions.contains(&found.extension.as_str())).collect()
}

fn declarations(files: Vec<(Found, Arc<SourceFile>)>, diagnostics: &mut Diagnostics) -> Declarations {
    let read: Vec<_> = files.into_par_iter().map(|(_, file)| declarations_of(file)).collect();
    let mut all = Declarations::default();
    for (declared, mistakes) in read {
        all.sources.extend(declared.sources);
        all.models.extend(declared.models);
        all.seeds.extend(declared.seeds);
        diagnostics.append(mistakes);
    }
    all
}

fn declarations_of(file: Arc<SourceFile>) -> (Declarations, Diagnostics) {
    match yaml::parse(&file) {
        Ok(tree) => {
            let mut reader = Reader::new(file);
            (reader.declarations(&tree), reader.diagnostics)
        }
        Err(diagnostic) => (Declarations::default(), Diagnostics(vec![diagnostic])),
    }
}
