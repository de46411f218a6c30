//! `packages.yml`, `dependencies.yml` and `package-lock.yml`: which packages a folder asks for, and which commit of each
//! was installed. Nothing is fetched here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LoadOptions;
use super::builtin::BUILT_IN_PACKAGES;
use super::fields::{Fields, Reader};
use super::files;
use super::template::TextScope;
use super::yaml::{self, Yaml};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};

/// Where the installed commits are written down, beside the project file.
pub const LOCK_FILE: &str = "package-lock.yml";

const FILES: &[&str] = &["packages.yml", "dependencies.yml"];

/// A package that a folder asks for.
#[derive(Debug, Clone)]
pub struct PackageDecl {
    pub from: PackageSource,
    pub span: Span,
}

/// Where a package comes from.
#[derive(Debug, Clone)]
pub enum PackageSource {
    /// A folder, relative to the one that asks.
    Local(PathBuf),
    Git(GitSource),
    /// A package of dbt's hub whose macros come with unimig.
    BuiltIn(String),
    /// Any other package of dbt's hub, by its name without the organisation.
    Hub(String),
}

/// What is fetched by the `git` command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSource {
    /// As the file writes it: a template may hold a secret, and its text does not.
    pub written: String,
    pub url: String,
    /// A branch, tag or commit; nothing is the repository's own branch.
    pub revision: Option<String>,
    /// Where in the repository the package is.
    pub subdirectory: Option<PathBuf>,
}

/// An entry of the lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    pub git: String,
    pub subdirectory: Option<PathBuf>,
    /// What the packages file asked for.
    pub asked: Option<String>,
    pub name: String,
    /// The commit that was installed.
    pub revision: String,
}

impl LockedPackage {
    /// Whether this is what `source` became when it was installed.
    pub fn is_of(&self, source: &GitSource) -> bool {
        self.git == source.written && self.subdirectory == source.subdirectory && self.asked == source.revision
    }
}

/// The packages that the folder (relative to the project's) asks for; a folder without such a file asks for none.
pub fn wanted_packages(options: &LoadOptions, folder: &Path, diagnostics: &mut Diagnostics) -> Vec<PackageDecl> {
    let scope = TextScope::new(&options.env, &options.vars);
    let mut wanted = Vec::new();
    for name in FILES {
        let Some((mut reader, tree)) = tree(&options.root, &folder.join(name), diagnostics) else { continue };
        let fields = reader.fields(&tree, "packages file", &["packages", "projects"]);
        if let Some(projects) = fields.as_ref().and_then(|fields| fields.get("projects")) {
            let span = reader.span(&projects.range);
            let message = "projects of dbt's platform cannot be depended on";
            reader.report(Diagnostic::error(Code::BadValue, message).at(span).hint("use a package: local: or git:"));
        }
        if let Some(list) = fields.and_then(|fields| fields.get("packages")) {
            let items = reader.list(list);
            wanted.extend(items.iter().filter_map(|item| package(&mut reader, &scope, item)));
        }
        diagnostics.append(reader.diagnostics);
    }
    wanted
}

/// The entries of the lock file that name a commit.
pub fn locked_packages(root: &Path, diagnostics: &mut Diagnostics) -> Vec<LockedPackage> {
    let Some((mut reader, tree)) = tree(root, Path::new(LOCK_FILE), diagnostics) else { return Vec::new() };
    let fields = reader.open_fields(&tree, "lock file");
    let items = fields.and_then(|fields| fields.get("packages")).map(|list| reader.list(list)).unwrap_or_default();
    let mut locked = Vec::new();
    for item in items {
        let Some(fields) = reader.open_fields(item, "locked package") else { continue };
        let mut text = |key: &str| fields.get(key).and_then(|value| reader.scalar(value));
        // A lock of dbt's has entries of other kinds, and none of them has to be fetched again.
        if let (Some(git), Some(name), Some(revision)) = (text("git"), text("name"), text("revision")) {
            let subdirectory = text("subdirectory").map(PathBuf::from);
            locked.push(LockedPackage { git, subdirectory, asked: text("asked"), name, revision });
        }
    }
    diagnostics.append(reader.diagnostics);
    locked
}

fn tree(root: &Path, path: &Path, diagnostics: &mut Diagnostics) -> Option<(Reader, Yaml)> {
    if !root.join(path).is_file() {
        return None;
    }
    let read = |file: Arc<SourceFile>| yaml::parse(&file).map(|tree| (Reader::new(file), tree));
    match files::read_one(root, path).and_then(read) {
        Ok(found) => Some(found),
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            None
        }
    }
}

fn package(reader: &mut Reader, scope: &TextScope, yaml: &Yaml) -> Option<PackageDecl> {
    const KEYS: &[&str] = &[
        "local",
        "git",
        "revision",
        "subdirectory",
        "warn-unpinned",
        "package",
        "version",
        "install-prerelease",
        "tarball",
        "name",
    ];
    let fields = reader.fields(yaml, "package", KEYS)?;
    let mut text = |key: &str| fields.get(key).and_then(|value| rendered(reader, scope, value));
    if let Some(local) = text("local") {
        return Some(PackageDecl {
            from: PackageSource::Local(PathBuf::from(local)),
            span: at(reader, &fields, "local"),
        });
    }
    if let Some(url) = text("git") {
        let revision = text("revision");
        let subdirectory = text("subdirectory").map(PathBuf::from);
        let written = fields.get("git").and_then(|value| reader.scalar(value)).unwrap_or_default();
        let git = GitSource { written, url, revision, subdirectory };
        return Some(PackageDecl { from: PackageSource::Git(git), span: at(reader, &fields, "git") });
    }
    if let Some(name) = text("package") {
        let name = name.rsplit('/').next().unwrap_or(&name).to_owned();
        let from = match BUILT_IN_PACKAGES.contains(&name.as_str()) {
            true => PackageSource::BuiltIn(name),
            false => PackageSource::Hub(name),
        };
        return Some(PackageDecl { from, span: at(reader, &fields, "package") });
    }
    let diagnostic = reader.missing_key(&fields, "local").hint("a package is local: a folder, or git: an address");
    reader.report(diagnostic);
    None
}

fn at(reader: &Reader, fields: &Fields<'_>, key: &str) -> Span {
    fields.get(key).map_or_else(|| Span::whole(&reader.file), |value| reader.span(&value.range))
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
