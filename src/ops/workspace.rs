//! A project with everything in it looked up: where every verb begins.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compile::{CompileFacts, Compiled, Compiler, RenderedHooks, Templates, dependencies};
use crate::data_test;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile};
use crate::graph::Graph;
use crate::ident::NodeName;
use crate::manifest::{self, Hooks, Manifest};
use crate::ops::OpError;
use crate::ops::selection::Places;
use crate::project::{
    self, DBT_PROJECT_FILE, EnvVars, Environment, Flavour, Invocation, LoadOptions, PROJECT_FILE, ProfileOptions,
    Project, Vars,
};

/// Which project, and what the command line changes in it.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceOptions {
    /// Without one, the nearest folder upward that holds a project file.
    pub project_dir: Option<PathBuf>,
    pub profiles_dir: Option<PathBuf>,
    pub target: Option<String>,
    /// Where artifacts go, instead of where the project says.
    pub target_path: Option<PathBuf>,
    pub vars: Vars,
    pub invocation: Invocation,
    /// A query of the command line, which becomes one more model.
    pub inline: Option<String>,
}

pub use crate::ops::selection::Selection;

pub struct Workspace {
    pub project: Project,
    pub environment: Environment,
    pub manifest: Manifest,
    pub warnings: Diagnostics,
    /// `--vars`, without what the project file says.
    pub given_vars: Vars,
}

/// Every template as SQL, and the order of all nodes.
pub struct CompiledProject {
    pub compiled: BTreeMap<NodeName, Compiled>,
    /// What runs around the builds of nodes.
    pub hooks: BTreeMap<NodeName, RenderedHooks>,
    pub graph: Graph,
    pub places: Places,
}

impl Workspace {
    /// Reads, checks and resolves; touches no server.
    pub fn load(options: &WorkspaceOptions) -> Result<Self, OpError> {
        let read = Self::load_unresolved(options)?;
        let (manifest, more) = manifest::resolve(&read.project, &read.environment)?;
        let mut warnings = read.warnings;
        warnings.append(more);
        Ok(Self { manifest, warnings, ..read })
    }

    /// Reads what the files say; its manifest is empty.
    pub fn load_unresolved(options: &WorkspaceOptions) -> Result<Self, OpError> {
        let root = find_root(options.project_dir.as_deref())?;
        let env = EnvVars::of_process();
        let load = LoadOptions { root, vars: options.vars.clone(), env: env.clone() };
        let (mut project, mut warnings) = project::load(&load)?;
        if let Some(path) = &options.target_path {
            project.target_path.clone_from(path);
        }
        if let Some(query) = &options.inline {
            project.add_inline(query);
        }
        let profile = ProfileOptions {
            profiles_dir: options.profiles_dir.clone(),
            target: options.target.clone(),
            vars: project.vars.clone(),
            env,
            invocation: options.invocation.clone(),
        };
        let environment = project::load_environment(&project, &profile)?;
        warnings.0.extend(retries_warning(&project, &environment));
        Ok(Self { project, environment, manifest: Manifest::default(), warnings, given_vars: options.vars.clone() })
    }

    pub fn compile(&self, facts: &CompileFacts) -> Result<CompiledProject, OpError> {
        let compiler = Compiler::new(&self.project, &self.manifest, &self.environment, facts);
        let mut compiled = compiler.compile_all()?;
        let hooks = self.hooks(facts)?;
        for (name, hooks) in &hooks {
            if let Some(node) = compiled.get_mut(name) {
                node.depends_on.extend(hooks.reads.iter().cloned());
                node.depends_on.sort();
                node.depends_on.dedup();
            }
        }
        let graph = Graph::build(&self.manifest, &dependencies(&compiled))?;
        let generic = data_test::compile_generic(&self.manifest, &compiled);
        compiled.extend(generic);
        let package = |file: &Arc<SourceFile>| self.project.package_of(&file.path).to_owned();
        let files = self.project.macros.iter().chain(&self.project.tests);
        let macros = files.map(|file| (package(file), Arc::clone(file))).collect();
        let places = Places { root: self.project.root.clone(), target_dir: self.target_dir(), macros };
        Ok(CompiledProject { compiled, hooks, graph, places })
    }

    /// Compiles and selects. Where a template asks for `selected_resources`, which are not known before that, all are
    /// compiled once more: as in dbt, what refers to what does not depend on them.
    pub fn compile_selected(
        &self,
        facts: &CompileFacts,
        select: impl Fn(&CompiledProject) -> Result<BTreeSet<NodeName>, OpError>,
    ) -> Result<(CompiledProject, BTreeSet<NodeName>), OpError> {
        let compiled = self.compile(facts)?;
        let selected = select(&compiled)?;
        self.tell_selected(&selected);
        let is_asked = self.environment.invocation.selected_is_asked.get().is_some();
        let compiled = if is_asked { self.compile(facts)? } else { compiled };
        Ok((compiled, selected))
    }

    /// Most projects have no hooks, and read no macros for them.
    fn hooks(&self, facts: &CompileFacts) -> Result<BTreeMap<NodeName, RenderedHooks>, OpError> {
        let models = self.manifest.models.values().map(|model| &model.hooks);
        let mut all = models.chain(self.manifest.seeds.values().map(|seed| &seed.hooks));
        if all.all(Hooks::is_empty) {
            return Ok(BTreeMap::new());
        }
        let templates = Templates::owned(&self.project, &self.manifest, &self.environment)?;
        Ok(templates.hooks(&self.manifest, facts)?)
    }

    /// Lets hooks and templates know `selected_resources`.
    fn tell_selected(&self, selected: &BTreeSet<NodeName>) {
        let ids = selected.iter().map(|name| self.manifest.unique_id(name)).collect();
        // A second selection of one command is a part of the first.
        self.environment.invocation.selected.set(ids).unwrap_or_default();
    }

    /// The project's folder for what unimig keeps on this machine.
    pub fn state_dir(&self) -> PathBuf {
        self.project.root.join(".unimig")
    }

    /// The project's folder for artifacts.
    pub fn target_dir(&self) -> PathBuf {
        self.project.root.join(&self.project.target_path)
    }
}

impl CompiledProject {
    /// The selected nodes of the kinds that a verb is about.
    pub fn select(
        &self,
        manifest: &Manifest,
        selection: &Selection,
        is_wanted: impl Fn(&NodeName) -> bool,
    ) -> Result<BTreeSet<NodeName>, OpError> {
        let chosen = selection.choose(manifest, &self.graph, &self.places)?;
        let wanted: BTreeSet<NodeName> = chosen.nodes.into_iter().filter(|name| is_wanted(name)).collect();
        if wanted.is_empty() && !selection.select.is_empty() && !chosen.may_be_empty {
            let message =
                format!("the selection {} names nothing that this command is about", quoted(&selection.select));
            let mistake = Diagnostic::error(Code::NothingSelected, message)
                .hint("unimig ls shows every name; models and staging run with unimig run, tests with unimig test, seeds with unimig seed");
            return Err(OpError::Project(Diagnostics(vec![mistake])));
        }
        Ok(wanted)
    }
}

/// dbt's profiles may say how often a lost connection is tried again.
fn retries_warning(project: &Project, environment: &Environment) -> Option<Diagnostic> {
    let (Flavour::Dbt, Some(_)) = (project.flavour, environment.target.settings.get("retries")) else { return None };
    let warning = Diagnostic::warning(Code::UnknownKey, "\"retries\" has no effect here");
    let hint = "a step that loses its session is begun again, up to four times";
    Some(warning.at(environment.target.declared_at.clone()).hint(hint))
}

fn quoted(terms: &[String]) -> String {
    terms.iter().map(|term| format!("\"{term}\"")).collect::<Vec<_>>().join(" ")
}

/// The folder that is meant, or the nearest project upward from here.
pub fn find_root(given: Option<&Path>) -> Result<PathBuf, OpError> {
    let start = given.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let start = std::path::absolute(&start).unwrap_or(start);
    let found = match given {
        Some(_) => project::is_project(&start).then(|| start.clone()),
        None => project::find_root(&start),
    };
    found.ok_or_else(|| {
        let message = format!("{} holds no {PROJECT_FILE} and no {DBT_PROJECT_FILE}", start.display());
        let mistake = Diagnostic::error(Code::ProjectNotFound, message)
            .hint("unimig init makes a project here; --project-dir names one elsewhere");
        OpError::Project(Diagnostics(vec![mistake]))
    })
}
