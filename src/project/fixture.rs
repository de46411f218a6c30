//! Small projects in temporary folders, for the tests of this floor and those above.

use std::path::Path;

use super::{EnvVars, Environment, LoadOptions, ProfileOptions, Project, Vars, load, load_environment};
use crate::diagnostic::{Diagnostics, Style, render};

/// A project being written; it starts with a project file and a profile of two connections.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
    env: EnvVars,
}

pub(crate) const PROJECT: &str = "name: shop\nversion: \"1.0\"\nprofile: shop\nvars: {country: SA}\n";
pub(crate) const PROFILES: &str = "shop:
  target: dev
  outputs:
    dev:
      type: embedded
      dbname: shop
      schema: app
      connections:
        svp: {type: embedded, dbname: svp}
      stores:
        layer: {url: \"file://.unimig/layer\"}
";
pub(crate) const SOURCE: &str = "version: 2
sources:
  - name: svp
    tables:
      - {name: labors, key: [id]}
      - {name: occupations, key: [id]}
";

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let fixture = Self { folder, env: EnvVars::default() };
        fixture.file("unimig.yml", PROJECT).file("profiles.yml", PROFILES)
    }

    /// With the source `svp` of two tables.
    pub fn with_source() -> Self {
        Self::new().file("sources/svp.yml", SOURCE)
    }

    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.root().join(path);
        fs_err::create_dir_all(path.parent().expect("a file has a folder")).expect("a new folder");
        fs_err::write(path, text).expect("a new file");
        self
    }

    pub fn without(self, path: &str) -> Self {
        fs_err::remove_file(self.root().join(path)).expect("the file was there");
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env = [(name.to_owned(), value.to_owned())].into_iter().collect();
        self
    }

    pub fn env_vars(&self) -> EnvVars {
        self.env.clone()
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn load(&self) -> Result<Project, Diagnostics> {
        let options = LoadOptions { root: self.root().to_path_buf(), vars: Vars::new(), env: self.env.clone() };
        load(&options).map(|(project, _)| project)
    }

    pub fn environment(&self, project: &Project) -> Result<Environment, Diagnostics> {
        load_environment(project, &ProfileOptions { env: self.env.clone(), ..ProfileOptions::default() })
    }
}

/// Diagnostics as text, one empty line between them.
pub(crate) fn shown(diagnostics: &Diagnostics) -> String {
    let texts: Vec<String> = diagnostics.0.iter().map(|diagnostic| render(diagnostic, Style::Plain)).collect();
    texts.join("\n\n")
}
