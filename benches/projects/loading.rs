//! From files to SQL: each stage as a library call, and the commands that do them as processes.

use std::path::Path;
use std::time::Instant;

use unimig::compile::{CompileFacts, Compiler, dependencies};
use unimig::graph::Graph;
use unimig::manifest::resolve;
use unimig::ops::OpError;
use unimig::project::{EnvVars, LoadOptions, ProfileOptions, Vars, load, load_environment};

use crate::command::unimig;
use crate::generated;
use crate::samples::{Samples, timed};

pub const ROUNDS: usize = 7;

/// What one size of project takes; the library's times count from the start.
#[derive(Debug, Clone, Default)]
pub struct Loading {
    pub models: usize,
    pub loaded: Samples,
    pub resolved: Samples,
    pub compiled: Samples,
    pub ordered: Samples,
    pub parse_command: Samples,
    /// With `target/compiled` written anew.
    pub first_compile_command: Samples,
    /// With every file as it is to be.
    pub compile_command: Samples,
}

/// Generates a project of this many models and times it.
pub fn measure(models: usize) -> anyhow::Result<Loading> {
    let project = generated::project(models)?;
    let mut loading = Loading { models, ..Loading::default() };
    for _ in 0..ROUNDS {
        let nodes = call(project.path(), &mut loading)?;
        anyhow::ensure!(nodes >= models, "the graph has {nodes} nodes for {models} models");
    }
    let target = project.path().join("target");
    for round in 0..ROUNDS {
        loading.parse_command.push(timed(|| unimig(project.path(), &["parse"], &[]))?);
        if target.exists() {
            // Not removed: ext4 creates files several times slower for seconds after many were deleted.
            fs_err::rename(&target, project.path().join(format!("target-of-{round}")))?;
        }
        loading.first_compile_command.push(timed(|| unimig(project.path(), &["compile"], &[]))?);
        loading.compile_command.push(timed(|| unimig(project.path(), &["compile"], &[]))?);
    }
    Ok(loading)
}

/// The number of nodes in the graph.
fn call(root: &Path, loading: &mut Loading) -> Result<usize, OpError> {
    let env = EnvVars::of_process();
    let start = Instant::now();
    let options = LoadOptions { root: root.to_path_buf(), vars: Vars::new(), env: env.clone() };
    let (project, _) = load(&options)?;
    loading.loaded.push(start.elapsed());
    let environment = load_environment(&project, &ProfileOptions { env, ..ProfileOptions::default() })?;
    let (manifest, _) = resolve(&project, &environment)?;
    loading.resolved.push(start.elapsed());
    let facts = CompileFacts::default();
    let compiled = Compiler::new(&project, &manifest, &environment, &facts).compile_all()?;
    loading.compiled.push(start.elapsed());
    let graph = Graph::build(&manifest, &dependencies(&compiled))?;
    let nodes = graph.topological_order().len();
    loading.ordered.push(start.elapsed());
    Ok(nodes)
}
