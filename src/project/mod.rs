//! The files of a project, read and checked for their form: YAML into typed raw declarations, SQL kept as text.
//!
//! Nothing is looked up here: a source may name a connection that does not exist, a test a model that does not.
//! [`crate::manifest::resolve`] does that. Every mistake of form is collected, with its place.

mod blackout;
mod builtin;
mod config;
mod config_keys;
mod declare;
mod declare_capture;
mod declare_crosswalk;
mod declare_properties;
mod declare_snapshot;
mod declare_source;
mod declare_unit_test;
mod docs;
mod fields;
mod files;
#[cfg(test)]
pub(crate) mod fixture;
mod inline;
mod invocation;
mod limits;
mod load;
mod load_packages;
mod native;
mod output;
mod package;
mod package_file;
mod profile;
mod project_file;
pub mod schema;
mod selectors;
mod settings;
mod template;
#[cfg(test)]
mod tests;
mod without_effect;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::SourceFile;
use crate::ident::{Ident, Relation};

pub use blackout::Blackout;
pub use builtin::{BUILT_IN_PACKAGES, BuiltInMacros, built_in_macros};
pub use config::{ConfigPatch, FolderConfig, Setting};
pub use config_keys::{ConfigOf, canonical, unknown_setting};
pub use declare::{ColumnDecl, Declarations, PropertyDecl, TestDecl, Written};
pub use declare_capture::{CdcDecl, DeletesDecl, DriftDecl, QuarantineDecl};
pub use declare_crosswalk::{CrosswalkDecl, CrosswalkTargetDecl, MatchOn, MatchRuleDecl, MemberDecl};
pub use declare_properties::{ConstraintDecl, ConstraintKind, ExposureDecl, GroupDecl, MacroDecl, OwnerDecl};
pub use declare_snapshot::SnapshotDecl;
pub use declare_source::{SourceDecl, SourcePropertiesDecl, TableDecl};
pub use declare_unit_test::{FixtureDecl, FixtureFormat, GivenDecl, OverridesDecl, RowDecl, RowsDecl, UnitTestDecl};
pub use docs::DocBlock;
pub use fields::{Reader, unknown_key};
pub use files::{ModelFile, SeedFile};
pub use inline::INLINE_QUERY;
pub use invocation::Invocation;
pub use limits::SourceLimits;
pub use load::{load, parse_map, parse_vars};
pub use load_packages::no_package;
pub use native::has_template;
pub use package::Package;
pub use package_file::{
    GitSource, LOCK_FILE, LockedPackage, PackageDecl, PackageSource, locked_packages, wanted_packages,
};
pub use project_file::{packages_path, project_name};
pub use selectors::{PipelineDecl, SELECTORS_FILE, SelectorDecl};
pub use template::{TargetNames, TextScope};
pub use without_effect::DBT_VERSION;
pub use yaml::{Yaml, YamlValue, parse as parse_yaml, yaml_value};

pub use profile::{
    ConnectionOutput, Environment, ProfileOptions, ServerKind, StoreOutput, TargetOutput, load_environment,
};
pub use settings::Settings;

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "unimig.yml";

/// dbt's, which makes a folder a project too.
pub const DBT_PROJECT_FILE: &str = "dbt_project.yml";

/// What `var()` gives: any value that YAML or JSON can say.
pub type Vars = BTreeMap<String, serde_json::Value>;

/// Everything that the files say, before any name is looked up.
#[derive(Debug)]
pub struct Project {
    pub root: PathBuf,
    pub flavour: Flavour,
    pub name: String,
    pub version: String,
    pub profile_name: String,
    /// `vars:` of the project file with the command line's over them.
    pub vars: Vars,
    /// Relative to the project folder.
    pub target_path: PathBuf,
    /// The folders that are searched for files, relative to the project folder.
    pub roots: Vec<PathBuf>,
    /// Folders that `clean` removes, relative to the project folder.
    pub clean_targets: Vec<PathBuf>,
    /// Where packages are installed, relative to the project folder.
    pub packages_path: PathBuf,
    /// The project file itself.
    pub file: Arc<SourceFile>,
    pub model_config: FolderConfig,
    pub seed_config: FolderConfig,
    pub snapshot_config: FolderConfig,
    pub test_config: FolderConfig,
    pub unit_test_config: FolderConfig,
    pub source_config: FolderConfig,
    pub exposure_config: FolderConfig,
    /// Statements before the first and after the last step of a run, as templates.
    pub on_run_start: Vec<Written<String>>,
    pub on_run_end: Vec<Written<String>>,
    /// Where `adapter.dispatch` looks for the macros of a package.
    pub dispatch: Vec<DispatchRule>,
    pub quoting: Quoting,
    /// dbt's `flags:`, as written.
    pub flags: BTreeMap<String, serde_json::Value>,
    /// Everything that YAML files declare.
    pub declared: Declarations,
    /// The SQL files of the model folders, extraction overrides among them.
    pub models: Vec<ModelFile>,
    pub seeds: Vec<SeedFile>,
    /// SQL files of the snapshot folders.
    pub snapshots: Vec<ModelFile>,
    /// SQL files that are compiled and never run.
    pub analyses: Vec<ModelFile>,
    /// Installed packages, whose files are among those here.
    pub packages: Vec<Package>,
    pub macros: Vec<Arc<SourceFile>>,
    /// Singular tests.
    pub tests: Vec<Arc<SourceFile>>,
    /// Rows of unit tests: CSV and SQL files of `tests/fixtures/`.
    pub fixtures: Vec<Arc<SourceFile>>,
    /// Markdown files, for their docs blocks.
    pub docs: Vec<Arc<SourceFile>>,
    /// Selections with names, of `selectors.yml`.
    pub selectors: Vec<SelectorDecl>,
    pub pipelines: Vec<PipelineDecl>,
    /// The named texts in them, those of packages too.
    pub doc_blocks: Vec<DocBlock>,
}

/// Whose defaults hold where a project says nothing: ours or dbt's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// The project file is `unimig.yml`.
    Unimig,
    /// The project file is `dbt_project.yml`.
    Dbt,
}

/// An item of `dispatch:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchRule {
    pub macro_namespace: String,
    /// Packages, the first asked first.
    pub search_order: Vec<String>,
}

/// `quoting:`; a name that is not quoted is folded to lower case, as PostgreSQL does with bare names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quoting {
    pub schema: Option<bool>,
    pub identifier: Option<bool>,
}

impl Quoting {
    /// With what a narrower place says over it.
    #[must_use]
    pub fn under(self, inner: Quoting) -> Quoting {
        Quoting { schema: inner.schema.or(self.schema), identifier: inner.identifier.or(self.identifier) }
    }

    /// The relation that the names mean.
    pub fn apply(self, relation: Relation) -> Relation {
        let folded = |quoted: Option<bool>, name: Ident| match quoted {
            Some(false) => Ident::from_catalog(name.as_str().to_ascii_lowercase()),
            Some(true) | None => name,
        };
        Relation::new(folded(self.schema, relation.schema), folded(self.identifier, relation.name))
    }
}

impl Project {
    /// The folders between the one that is searched and a file of the project.
    pub fn folders_of(&self, path: &Path) -> Vec<String> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let inside = self.roots.iter().filter_map(|root| folder.strip_prefix(root).ok());
        let shortest = inside.min_by_key(|inside| inside.as_os_str().len()).unwrap_or(folder);
        shortest.iter().map(|part| part.to_string_lossy().into_owned()).collect()
    }
}

/// Where a project is and what the command line says about it.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    pub root: PathBuf,
    /// `--vars`, which win over the project file's.
    pub vars: Vars,
    pub env: EnvVars,
}

/// The environment variables of the process, taken once; its `Debug` form shows no values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EnvVars(BTreeMap<String, String>);

impl EnvVars {
    /// The variables of this process; those that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let pairs =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(pairs.collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for EnvVars {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl fmt::Debug for EnvVars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The nearest folder, upward from `start`, that holds a project file.
pub fn find_root(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| is_project(folder)).map(Path::to_path_buf)
}

/// Whether a folder holds a project file.
pub fn is_project(folder: &Path) -> bool {
    [PROJECT_FILE, DBT_PROJECT_FILE].iter().any(|name| folder.join(name).is_file())
}
