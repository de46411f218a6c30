//! The project file, `unimig.yml` or dbt's `dbt_project.yml`: its keys read and checked, its folders named.
//!
//! Both know the same keys; they differ in what holds where nothing is said. Nothing under the folders is read here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config::FolderConfig;
use super::config_keys::ConfigOf;
use super::declare::{Declarations, Written};
use super::fields::{Fields, Reader};
use super::files;
use super::template::TextScope;
use super::yaml::{self, Yaml, YamlValue};
use super::{
    DBT_PROJECT_FILE, DispatchRule, Flavour, LoadOptions, PROJECT_FILE, Project, Quoting, Vars, without_effect,
};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile};

const KEYS: &[&str] = &[
    "name",
    "version",
    "config-version",
    "require-dbt-version",
    "profile",
    "model-paths",
    "source-paths",
    "seed-paths",
    "test-paths",
    "snapshot-paths",
    "analysis-paths",
    "macro-paths",
    "docs-paths",
    "crosswalk-paths",
    "asset-paths",
    "target-path",
    "log-path",
    "packages-install-path",
    "clean-targets",
    "query-comment",
    "quoting",
    "dispatch",
    "flags",
    "on-run-start",
    "on-run-end",
    "vars",
    "models",
    "seeds",
    "snapshots",
    "sources",
    "exposures",
    "tests",
    "data_tests",
    "unit_tests",
    "pipelines",
];

/// The folders of a project, relative to its root.
#[derive(Debug, Default)]
pub(super) struct Folders {
    pub models: Vec<PathBuf>,
    pub sources: Vec<PathBuf>,
    pub seeds: Vec<PathBuf>,
    pub tests: Vec<PathBuf>,
    pub snapshots: Vec<PathBuf>,
    pub analyses: Vec<PathBuf>,
    pub macros: Vec<PathBuf>,
    /// Where Markdown files with docs blocks lie; empty means every folder above.
    pub docs: Vec<PathBuf>,
    /// YAML files that say how keys become ids of the target.
    pub crosswalks: Vec<PathBuf>,
}

impl Folders {
    /// The same folders elsewhere.
    pub fn map(&self, place: impl Fn(&Path) -> PathBuf) -> Self {
        let all = |folders: &[PathBuf]| folders.iter().map(|folder| place(folder)).collect();
        Self {
            models: all(&self.models),
            sources: all(&self.sources),
            seeds: all(&self.seeds),
            tests: all(&self.tests),
            snapshots: all(&self.snapshots),
            analyses: all(&self.analyses),
            macros: all(&self.macros),
            docs: all(&self.docs),
            crosswalks: all(&self.crosswalks),
        }
    }

    pub fn all(&self) -> Vec<PathBuf> {
        let all = [&self.models, &self.sources, &self.seeds, &self.tests, &self.snapshots, &self.analyses];
        all.into_iter().flatten().cloned().collect()
    }
}

/// The project file of a folder; where both are there, ours is the one.
pub(super) fn read(root: &Path) -> Result<(Arc<SourceFile>, Flavour), Diagnostics> {
    read_below(root, Path::new(""))
}

/// The same for a folder below the root: the file's path is relative to the root.
pub(super) fn read_below(root: &Path, folder: &Path) -> Result<(Arc<SourceFile>, Flavour), Diagnostics> {
    let place = root.join(folder);
    let Some((name, flavour)) = file_name(&place) else {
        let message = format!("no project was found: \"{}\" has no {PROJECT_FILE}", place.display());
        return Err(Diagnostics(vec![
            Diagnostic::error(Code::ProjectNotFound, message)
                .hint(format!("unimig init makes a project; a folder with {DBT_PROJECT_FILE} is one too")),
        ]));
    };
    let file = files::read_one(root, &folder.join(name)).map_err(|diagnostic| Diagnostics(vec![diagnostic]))?;
    Ok((file, flavour))
}

/// The name of the project file in a folder, if there is one.
pub(super) fn file_name(folder: &Path) -> Option<(&'static str, Flavour)> {
    let names = [(PROJECT_FILE, Flavour::Unimig), (DBT_PROJECT_FILE, Flavour::Dbt)];
    names.into_iter().find(|(name, _)| folder.join(name).is_file())
}

/// Where the project keeps the packages that are fetched, relative to its folder.
pub fn packages_path(options: &LoadOptions) -> Result<PathBuf, Diagnostics> {
    let (file, flavour) = read(&options.root)?;
    let tree = yaml::parse(&file).map_err(|diagnostic| Diagnostics(vec![diagnostic]))?;
    let mut reader = Reader::new(file);
    let settings = settings(&mut reader, (&tree, flavour), options);
    settings.map(|(project, _)| project.packages_path).ok_or(reader.diagnostics)
}

/// The `name:` of the project in a folder.
pub fn project_name(folder: &Path) -> Result<String, Diagnostics> {
    let (file, _) = read(folder)?;
    let tree = yaml::parse(&file).map_err(|diagnostic| Diagnostics(vec![diagnostic]))?;
    let mut reader = Reader::new(file);
    let fields = reader.open_fields(&tree, "project file");
    let name = fields.and_then(|fields| reader.required(&fields, "name")).and_then(|name| reader.scalar(name));
    name.ok_or(reader.diagnostics)
}

/// Everything that the file itself says; its folders are still to be read.
pub(super) fn settings(
    reader: &mut Reader,
    (tree, flavour): (&Yaml, Flavour),
    options: &LoadOptions,
) -> Option<(Project, Folders)> {
    let fields = reader.fields(tree, "project file", KEYS)?;
    let scope = TextScope::new(&options.env, &options.vars);
    let name = reader.required(&fields, "name").and_then(|value| rendered(reader, &scope, value));
    check_name(reader, &fields, name.as_deref());
    let profile = fields.get("profile").and_then(|value| rendered(reader, &scope, value));
    let version = fields.get("version").and_then(|value| reader.scalar(value)).unwrap_or_default();
    let folders = folders(reader, &scope, (&fields, flavour));
    let name = name?;
    let mut vars = match fields.get("vars") {
        Some(value) => reader.open_fields(value, "vars").map(|fields| vars_of(&fields, &name)).unwrap_or_default(),
        None => Vars::new(),
    };
    vars.extend(options.vars.clone());
    let trees = trees(reader, &fields);
    let [model_config, seed_config, snapshot_config, test_config, unit_test_config, source_config, exposure_config] =
        trees;
    let project = Project {
        root: options.root.clone(),
        flavour,
        version,
        profile_name: profile.unwrap_or_else(|| name.clone()),
        vars,
        roots: folders.all(),
        target_path: one_path(reader, &scope, (&fields, "target-path", "target")),
        packages_path: one_path(reader, &scope, (&fields, "packages-install-path", "dbt_packages")),
        clean_targets: paths(reader, &scope, (fields.get("clean-targets"), &["target"])),
        file: Arc::clone(&reader.file),
        model_config,
        seed_config,
        snapshot_config,
        test_config,
        unit_test_config,
        source_config,
        exposure_config,
        on_run_start: hooks(reader, fields.get("on-run-start")),
        on_run_end: hooks(reader, fields.get("on-run-end")),
        dispatch: dispatch(reader, fields.get("dispatch")),
        quoting: fields.get("quoting").map(|value| reader.quoting(value)).unwrap_or_default(),
        flags: flags(reader, (&fields, flavour)),
        selectors: Vec::new(),
        pipelines: fields.get("pipelines").map(|value| reader.pipelines(value)).unwrap_or_default(),
        declared: Declarations::default(),
        models: Vec::new(),
        seeds: Vec::new(),
        snapshots: Vec::new(),
        analyses: Vec::new(),
        packages: Vec::new(),
        macros: Vec::new(),
        tests: Vec::new(),
        fixtures: Vec::new(),
        docs: Vec::new(),
        doc_blocks: Vec::new(),
        name,
    };
    Some((project, folders))
}

fn trees(reader: &mut Reader, fields: &Fields<'_>) -> [FolderConfig; 7] {
    let keys: [(&[&str], ConfigOf); 7] = [
        (&["models"], ConfigOf::Model),
        (&["seeds"], ConfigOf::Seed),
        (&["snapshots"], ConfigOf::Snapshot),
        (&["data_tests", "tests"], ConfigOf::Test),
        (&["unit_tests"], ConfigOf::UnitTest),
        (&["sources"], ConfigOf::Source),
        (&["exposures"], ConfigOf::Exposure),
    ];
    keys.map(|(keys, of)| {
        let found = keys.iter().find_map(|key| fields.get(key));
        found.map(|yaml| reader.folder_config(yaml, of)).unwrap_or_default()
    })
}

fn folders(reader: &mut Reader, scope: &TextScope, (fields, flavour): (&Fields<'_>, Flavour)) -> Folders {
    // dbt has no folder of sources, which stand beside the models, and no crosswalks.
    let (sources, crosswalks): (&[&str], &[&str]) = match flavour {
        Flavour::Unimig => (&["sources"], &["crosswalks"]),
        Flavour::Dbt => (&[], &[]),
    };
    let mut paths = |key: &str, default: &[&str]| paths(reader, scope, (fields.get(key), default));
    Folders {
        models: paths("model-paths", &["models"]),
        sources: paths("source-paths", sources),
        seeds: paths("seed-paths", &["seeds"]),
        tests: paths("test-paths", &["tests"]),
        snapshots: paths("snapshot-paths", &["snapshots"]),
        analyses: paths("analysis-paths", &["analyses"]),
        macros: paths("macro-paths", &["macros"]),
        docs: paths("docs-paths", &[]),
        crosswalks: paths("crosswalk-paths", crosswalks),
    }
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

/// One path or a list.
fn paths(reader: &mut Reader, scope: &TextScope, (yaml, default): (Option<&Yaml>, &[&str])) -> Vec<PathBuf> {
    match yaml {
        Some(Yaml { value: YamlValue::List(items), .. }) => {
            items.iter().filter_map(|item| rendered(reader, scope, item)).map(PathBuf::from).collect()
        }
        Some(one) => rendered(reader, scope, one).map(PathBuf::from).into_iter().collect(),
        None => default.iter().map(PathBuf::from).collect(),
    }
}

fn one_path(reader: &mut Reader, scope: &TextScope, (fields, key, default): (&Fields<'_>, &str, &str)) -> PathBuf {
    let written = fields.get(key).and_then(|value| rendered(reader, scope, value));
    written.map_or_else(|| PathBuf::from(default), PathBuf::from)
}

/// dbt lets variables stand under the project's name too.
pub(super) fn vars_of(fields: &Fields<'_>, project: &str) -> Vars {
    let mut vars = Vars::new();
    let mut own = Vars::new();
    for (key, value) in fields.entries() {
        match &value.value {
            YamlValue::Map(inner) if key.name == project => {
                own.extend(inner.iter().map(|(key, value)| (key.name.clone(), value.to_json())));
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
    vars.extend(own);
    vars
}

/// One statement or a list of them; their templates are rendered when they run.
fn hooks(reader: &mut Reader, yaml: Option<&Yaml>) -> Vec<Written<String>> {
    let items = match yaml {
        Some(Yaml { value: YamlValue::List(items), .. }) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items.iter().filter_map(|item| reader.written_text(item)).filter(|hook| !hook.value.trim().is_empty()).collect()
}

fn dispatch(reader: &mut Reader, yaml: Option<&Yaml>) -> Vec<DispatchRule> {
    let Some(yaml) = yaml else { return Vec::new() };
    let items = reader.list(yaml);
    let rule = |item: &Yaml| {
        let fields = reader.fields(item, "dispatch rule", &["macro_namespace", "search_order"])?;
        let namespace = reader.required(&fields, "macro_namespace").and_then(|value| reader.scalar(value));
        let order = reader.required(&fields, "search_order").map(|value| reader.texts(value));
        Some(DispatchRule { macro_namespace: namespace?, search_order: order? })
    };
    items.iter().filter_map(rule).collect()
}

/// dbt's `flags:`; those without an effect are told.
fn flags(reader: &mut Reader, (file, flavour): (&Fields<'_>, Flavour)) -> BTreeMap<String, serde_json::Value> {
    match flavour {
        Flavour::Dbt => without_effect::tell(reader, file),
        Flavour::Unimig => {}
    }
    let fields = file.get("flags").and_then(|yaml| reader.open_fields(yaml, "flags"));
    let entries = fields.as_ref().map(Fields::entries).unwrap_or_default();
    entries.iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect()
}

impl Reader {
    /// `quoting:` of the project or of a source.
    pub(super) fn quoting(&mut self, yaml: &Yaml) -> Quoting {
        const KEYS: &[&str] = &["database", "schema", "identifier", "snowflake_ignore_case"];
        let Some(fields) = self.fields(yaml, "quoting", KEYS) else { return Quoting::default() };
        let mut quotes = |key: &str| fields.get(key).and_then(|value| self.boolean(value));
        Quoting { schema: quotes("schema"), identifier: quotes("identifier") }
    }
}
