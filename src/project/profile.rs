//! `profiles.yml`: the output that a run uses, with its target database, connections and stores.
//!
//! Only the output in use is rendered, so an unset secret of prod does not disturb dev.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fields::Reader;
use super::limits::SourceLimits;
use super::output::OutputReader;
use super::template::{TargetNames, TextScope};
use super::{EnvVars, Invocation, Project, Settings, Vars, files, yaml};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::ident::Ident;

const PROFILES_FILE: &str = "profiles.yml";

/// One output of the profile, settled.
#[derive(Debug, Clone)]
pub struct Environment {
    pub profile: String,
    /// The name of the output: `dev`, `prod`.
    pub target_name: String,
    pub target: TargetOutput,
    pub connections: BTreeMap<String, ConnectionOutput>,
    pub stores: BTreeMap<String, StoreOutput>,
    /// For `env_var()` in models.
    pub env: EnvVars,
    /// For `var()` in models: the project's and the command line's.
    pub vars: Vars,
    /// For `invocation_id` and `run_started_at`.
    pub invocation: Invocation,
}

/// Which server stands behind a target or a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// The private PostgreSQL that unimig starts itself.
    Embedded,
    Postgres,
}

/// The target database: dbt's output.
#[derive(Debug, Clone)]
pub struct TargetOutput {
    pub kind: ServerKind,
    /// Every connection setting but `type`, `schema`, `threads`, `connections` and `stores`; `dbname` is among them.
    pub settings: Settings,
    pub dbname: String,
    pub schema: Ident,
    /// Schemas in which names are looked up after `schema`; empty means `public`.
    pub search_path: Vec<Ident>,
    /// At least 1.
    pub threads: usize,
    /// The output's key in `profiles.yml`.
    pub declared_at: Span,
}

/// A source system's database.
#[derive(Debug, Clone)]
pub struct ConnectionOutput {
    pub kind: ServerKind,
    pub settings: Settings,
    pub dbname: String,
    pub limits: SourceLimits,
    pub declared_at: Span,
}

/// A place for objects.
#[derive(Debug, Clone)]
pub struct StoreOutput {
    /// `file://`, `s3://` or `oci://`.
    pub url: String,
    /// Every setting but `url`.
    pub settings: Settings,
    pub declared_at: Span,
}

/// Which profile file and output the command line asks for.
#[derive(Debug, Clone, Default)]
pub struct ProfileOptions {
    /// `--profiles-dir`; without it `DBT_PROFILES_DIR`, the project folder, `~/.unimig`, `~/.dbt`.
    pub profiles_dir: Option<PathBuf>,
    /// `--target`; without it the profile's `target:`.
    pub target: Option<String>,
    pub vars: Vars,
    pub env: EnvVars,
    pub invocation: Invocation,
}

/// Settles the output that the command line or the profile names.
pub fn load_environment(project: &Project, options: &ProfileOptions) -> Result<Environment, Diagnostics> {
    let file = find_file(project, options).map_err(only)?;
    let tree = yaml::parse(&file).map_err(only)?;
    let mut reader = Reader::new(file);
    let vars: Vars = project.vars.clone().into_iter().chain(options.vars.clone()).collect();
    let scope = TextScope::new(&options.env, &vars);
    let mut outputs = OutputReader { reader: &mut reader, scope };
    let environment = outputs.environment(&tree, project, options);
    match environment {
        Some(environment) if !reader.diagnostics.has_errors() => {
            let (env, invocation) = (options.env.clone(), options.invocation.clone());
            Ok(Environment { env, vars, invocation, ..environment })
        }
        Some(_) | None => Err(reader.diagnostics),
    }
}

fn only(diagnostic: Diagnostic) -> Diagnostics {
    Diagnostics(vec![diagnostic])
}

/// `--profiles-dir`, then `DBT_PROFILES_DIR`, then the project's folder, then our folder and dbt's under the home.
fn find_file(project: &Project, options: &ProfileOptions) -> Result<Arc<SourceFile>, Diagnostic> {
    let variable = options.env.get("DBT_PROFILES_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let homes = options.env.get("HOME").map(|home| [".unimig", ".dbt"].map(|folder| Path::new(home).join(folder)));
    let candidates: Vec<PathBuf> = match (&options.profiles_dir, variable) {
        (Some(folder), _) => vec![folder.clone()],
        (None, Some(folder)) => vec![folder],
        (None, None) => std::iter::once(project.root.clone()).chain(homes.into_iter().flatten()).collect(),
    };
    match candidates.iter().find(|folder| folder.join(PROFILES_FILE).is_file()) {
        Some(folder) => files::read_one(folder, Path::new(PROFILES_FILE)),
        None => {
            let tried: Vec<String> = candidates.iter().map(|folder| folder.display().to_string()).collect();
            Err(Diagnostic::error(Code::UnknownProfile, format!("no {PROFILES_FILE} was found"))
                .hint(format!("looked in {}", tried.join(" and "))))
        }
    }
}

impl Environment {
    /// `target` as templates see it.
    pub fn target_names(&self) -> TargetNames {
        let setting = |key: &str| self.target.settings.get(key).unwrap_or_default().to_owned();
        TargetNames {
            name: self.target_name.clone(),
            profile_name: self.profile.clone(),
            kind: "postgres",
            schema: self.target.schema.as_str().to_owned(),
            dbname: self.target.dbname.clone(),
            host: setting("host"),
            user: setting("user"),
            port: setting("port").parse().unwrap_or(5432),
            threads: self.target.threads,
        }
    }
}
