//! `deps`: fetches the packages that `packages.yml` names, and notes in `package-lock.yml` which commit each is.
//!
//! Local packages are read where they are. A repository is fetched by the `git` command into a folder beside its place,
//! which it takes when it is whole.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::diagnostic::{Code, Diagnostics};
use crate::ops::OpError;
use crate::project::{
    GitSource, LOCK_FILE, LoadOptions, LockedPackage, PackageDecl, PackageSource, locked_packages, no_package,
    packages_path, project_name, wanted_packages,
};

/// What `deps` should do.
#[derive(Debug)]
pub struct DepsOptions {
    pub load: LoadOptions,
    pub locked: Locked,
}

/// What becomes of the commits in the lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// They are installed.
    Keep,
    /// Each branch or tag is asked anew.
    Renew,
}

/// A package that is ready to be read.
#[derive(Debug, PartialEq, Eq)]
pub struct InstalledPackage {
    pub name: String,
    pub how: Installed,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Installed {
    /// Read where it is.
    InPlace(PathBuf),
    /// Fetched by this call.
    Fetched { revision: String },
    /// There already, at the commit of the lock file.
    Kept { revision: String },
    /// Its macros come with unimig.
    BuiltIn,
}

struct Installer<'o> {
    options: &'o DepsOptions,
    /// Relative to the project folder.
    packages: PathBuf,
    locked: Vec<LockedPackage>,
    /// The lock file as it will be.
    kept: Vec<LockedPackage>,
}

/// Makes every package ready, those of packages among them.
pub fn deps(options: &DepsOptions) -> Result<Vec<InstalledPackage>, OpError> {
    let mut diagnostics = Diagnostics::default();
    let locked = locked_packages(&options.load.root, &mut diagnostics);
    let packages = packages_path(&options.load)?;
    let mut installer = Installer { options, packages, locked, kept: Vec::new() };
    let mut waiting: VecDeque<(PackageDecl, PathBuf)> = VecDeque::new();
    let mut asking = PathBuf::new();
    let mut installed: Vec<InstalledPackage> = Vec::new();
    loop {
        let wanted = wanted_packages(&options.load, &asking, &mut diagnostics);
        waiting.extend(wanted.into_iter().map(|wanted| (wanted, asking.clone())));
        diagnostics = diagnostics.guard(()).map(|((), warnings)| warnings)?;
        let Some((wanted, folder)) = waiting.pop_front() else { break };
        let (package, place) = installer.install(&wanted, &folder)?;
        let is_new = installed.iter().all(|known| known.name != package.name);
        asking = place.filter(|_| is_new).unwrap_or_else(|| PathBuf::from(NOWHERE));
        if is_new {
            installed.push(package);
        }
    }
    installer.write_lock()?;
    Ok(installed)
}

/// A folder that asks for nothing.
const NOWHERE: &str = ".no package";

impl Installer<'_> {
    fn root(&self) -> &Path {
        &self.options.load.root
    }

    /// The package, and its folder relative to the project's.
    fn install(&mut self, wanted: &PackageDecl, asking: &Path) -> Result<(InstalledPackage, Option<PathBuf>), OpError> {
        match &wanted.from {
            PackageSource::BuiltIn(name) => {
                Ok((InstalledPackage { name: name.clone(), how: Installed::BuiltIn }, None))
            }
            PackageSource::Local(path) => {
                let folder = asking.join(path);
                let name = project_name(&self.root().join(&folder)).map_err(|mistakes| {
                    let is_missing = mistakes.0.iter().any(|mistake| mistake.code == Code::ProjectNotFound);
                    if is_missing { Diagnostics(vec![no_package(wanted, &folder)]) } else { mistakes }
                })?;
                Ok((InstalledPackage { name, how: Installed::InPlace(folder.clone()) }, Some(folder)))
            }
            PackageSource::Hub(name) => {
                let message = format!("package \"{name}\" is one of dbt's hub, which unimig does not ask");
                Err(OpError::usage(message, "give the address of its repository: git: https://… with revision: a tag"))
            }
            PackageSource::Git(source) => self.install_git(source),
        }
    }

    fn install_git(&mut self, source: &GitSource) -> Result<(InstalledPackage, Option<PathBuf>), OpError> {
        let locked = match self.options.locked {
            Locked::Keep => self.locked.iter().find(|locked| locked.is_of(source)).cloned(),
            Locked::Renew => None,
        };
        if let Some(locked) = locked.as_ref().filter(|locked| self.is_there(locked)) {
            let how = Installed::Kept { revision: locked.revision.clone() };
            let package = InstalledPackage { name: locked.name.clone(), how };
            self.kept.push(locked.clone());
            return Ok((package, Some(self.packages.join(&locked.name))));
        }
        let revision = locked.map(|locked| locked.revision).or_else(|| source.revision.clone());
        let fetched = self.fetch(source, revision.as_deref())?;
        let place = self.packages.join(&fetched.name);
        let how = Installed::Fetched { revision: fetched.revision.clone() };
        let package = InstalledPackage { name: fetched.name.clone(), how };
        self.kept.push(fetched);
        Ok((package, Some(place)))
    }

    /// Whether the commit of the lock file is what is installed.
    fn is_there(&self, locked: &LockedPackage) -> bool {
        let note = self.root().join(&self.packages).join(&locked.name).join(COMMIT_FILE);
        fs_err::read_to_string(note).is_ok_and(|commit| commit.trim() == locked.revision)
    }

    fn fetch(&self, source: &GitSource, revision: Option<&str>) -> Result<LockedPackage, OpError> {
        let packages = self.root().join(&self.packages);
        fs_err::create_dir_all(&packages).map_err(failed("write", &packages))?;
        let parent = fs_err::canonicalize(&packages).map_err(failed("find", &packages))?;
        let clone = Clone(parent.join(format!(".fetching-{}", std::process::id())));
        let into = clone.0.join("repository");
        git(source, [OsStr::new("clone"), "--quiet".as_ref(), "--".as_ref(), source.url.as_ref(), into.as_ref()])?;
        let at = [OsStr::new("-C"), into.as_ref()];
        if let Some(revision) = revision {
            let checkout = ["checkout", "--quiet", "--detach"].map(OsStr::new);
            // A branch is known by the name of its remote; a tag or a commit by its own.
            let remote = format!("origin/{revision}");
            git(source, at.into_iter().chain(checkout).chain([OsStr::new(&remote)]))
                .or_else(|_| git(source, at.into_iter().chain(checkout).chain([OsStr::new(revision)])))?;
        }
        let commit = git(source, at.into_iter().chain(["rev-parse", "HEAD"].map(OsStr::new)))?.trim().to_owned();
        let package = source.subdirectory.as_ref().map_or_else(|| into.clone(), |below| into.join(below));
        let name = project_name(&package)?;
        fs_err::write(package.join(COMMIT_FILE), &commit).map_err(failed("write", &package))?;
        let place = parent.join(&name);
        if place.exists() {
            fs_err::remove_dir_all(&place).map_err(failed("remove", &place))?;
        }
        fs_err::rename(&package, &place).map_err(failed("write", &place))?;
        Ok(LockedPackage {
            git: source.written.clone(),
            subdirectory: source.subdirectory.clone(),
            asked: source.revision.clone(),
            name,
            revision: commit,
        })
    }

    /// Writes what was fetched; a project without such packages has no lock file of ours.
    fn write_lock(&self) -> Result<(), OpError> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let entry = |locked: &LockedPackage| {
            let mut entry = serde_json::Map::new();
            entry.insert("git".to_owned(), locked.git.as_str().into());
            entry.insert("name".to_owned(), locked.name.as_str().into());
            entry.insert("revision".to_owned(), locked.revision.as_str().into());
            if let Some(asked) = &locked.asked {
                entry.insert("asked".to_owned(), asked.as_str().into());
            }
            if let Some(subdirectory) = &locked.subdirectory {
                entry.insert("subdirectory".to_owned(), subdirectory.display().to_string().into());
            }
            // JSON is YAML, and quotes whatever needs it.
            format!("  - {}\n", serde_json::Value::Object(entry))
        };
        let text = format!("packages:\n{}", self.kept.iter().map(entry).collect::<String>());
        let path = self.root().join(LOCK_FILE);
        fs_err::write(&path, text).map_err(failed("write", &path))
    }
}

/// A folder that is gone again when its package has moved out, or when that failed.
struct Clone(PathBuf);

impl Drop for Clone {
    fn drop(&mut self) {
        // What stays is in the way of nothing: a folder with a dot is no package.
        let _ = fs_err::remove_dir_all(&self.0);
    }
}

/// In a fetched package: the commit that it is.
const COMMIT_FILE: &str = ".unimig-commit";

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OpError {
    let path = path.to_owned();
    move |source| OpError::File { doing, path, source }
}

/// What git prints; it never asks for a password.
fn git<'a>(source: &GitSource, arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<String, OpError> {
    let mut command = Command::new("git");
    command.args(arguments).env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
    let done = command.output().map_err(|error| {
        OpError::usage(format!("could not start git: {error}"), "install git, or put it on the PATH")
    })?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    // The address may hold a secret, and git repeats it.
    let said = String::from_utf8_lossy(&done.stderr).trim().replace(&source.url, &source.written);
    Err(OpError::usage(
        format!("could not fetch package \"{}\": {said}", source.written),
        "see git: and revision: of packages.yml",
    ))
}
