//! The packages that a project asks for, read as the project itself is: each from its own folder, with its own config and
//! variables below the project's.
//!
//! 1. what the packages files ask for becomes folders, in the order of asking; 2. each folder's project file is read;
//! 3. its files are added to the project's.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::config_keys::ConfigOf;
use super::fields::Reader;
use super::load::read_folders;
use super::package::Package;
use super::package_file::{GitSource, LockedPackage, PackageDecl, PackageSource, locked_packages, wanted_packages};
use super::project_file::{self, Folders};
use super::{LoadOptions, Project, Vars, yaml};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

/// Reads every package that the project or one of its packages asks for.
pub(super) fn load_packages(project: &mut Project, options: &LoadOptions, diagnostics: &mut Diagnostics) {
    let mut waiting: VecDeque<(PackageDecl, PathBuf)> = VecDeque::new();
    ask(&mut waiting, (options, Path::new("")), diagnostics);
    let locked = if waiting.is_empty() { Vec::new() } else { locked_packages(&options.root, diagnostics) };
    while let Some((wanted, asking)) = waiting.pop_front() {
        let folder = match folder_of((&wanted, &asking), (project, &locked)) {
            Ok(Some(folder)) => folder,
            Ok(None) => continue,
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                continue;
            }
        };
        if project.packages.iter().any(|package| package.folder == folder) {
            continue;
        }
        if let Some(package) = load_package(project, options, (&wanted, folder), diagnostics) {
            ask(&mut waiting, (options, &package.folder), diagnostics);
            project.packages.push(package);
        }
    }
    check_trees(project, diagnostics);
}

fn ask(
    waiting: &mut VecDeque<(PackageDecl, PathBuf)>,
    (options, folder): (&LoadOptions, &Path),
    diagnostics: &mut Diagnostics,
) {
    waiting.extend(wanted_packages(options, folder, diagnostics).into_iter().map(|wanted| (wanted, folder.to_owned())));
}

/// A `local:` that names no project.
pub fn no_package(wanted: &PackageDecl, folder: &Path) -> Diagnostic {
    let message = format!("\"{}\" is no package: it has no project file", folder.display());
    Diagnostic::error(Code::UnknownPackage, message)
        .at(wanted.span.clone())
        .hint("local: is a folder with dbt_project.yml or unimig.yml, relative to this file's folder")
}

/// Where the package is, relative to the project folder; nothing for one that comes with unimig.
fn folder_of(
    (wanted, asking): (&PackageDecl, &Path),
    (project, locked): (&Project, &[LockedPackage]),
) -> Result<Option<PathBuf>, Diagnostic> {
    let installed = |name: &str| Some(project.packages_path.join(name)).filter(|folder| is_project(project, folder));
    match &wanted.from {
        PackageSource::BuiltIn(_) => Ok(None),
        PackageSource::Local(path) => {
            let folder = plain(&asking.join(path));
            if is_project(project, &folder) {
                return Ok(Some(folder));
            }
            Err(no_package(wanted, &folder))
        }
        PackageSource::Git(source) => {
            let name = locked.iter().find(|locked| locked.is_of(source)).map(|locked| locked.name.as_str());
            name.and_then(installed).map(Some).ok_or_else(|| not_installed(wanted, source))
        }
        PackageSource::Hub(name) => installed(name).map(Some).ok_or_else(|| {
            let message = format!("package \"{name}\" is not installed");
            let hint = "unimig does not ask dbt's hub: give the package's repository with git:, or run dbt deps";
            Diagnostic::error(Code::UnknownPackage, message).at(wanted.span.clone()).hint(hint)
        }),
    }
}

fn not_installed(wanted: &PackageDecl, source: &GitSource) -> Diagnostic {
    let at = source.revision.as_ref().map(|revision| format!(" at \"{revision}\"")).unwrap_or_default();
    let message = format!("package \"{}\"{at} is not installed", source.written);
    Diagnostic::error(Code::UnknownPackage, message).at(wanted.span.clone()).hint("unimig deps installs it")
}

fn is_project(project: &Project, folder: &Path) -> bool {
    project_file::file_name(&project.root.join(folder)).is_some()
}

/// `a/./b/../c` as `a/c`, so that one folder has one path.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            std::path::Component::ParentDir
            | std::path::Component::Normal(_)
            | std::path::Component::RootDir
            | std::path::Component::Prefix(_) => plain.push(part),
        }
    }
    plain
}

/// Reads the package's files into the project.
fn load_package(
    project: &mut Project,
    options: &LoadOptions,
    (wanted, folder): (&PackageDecl, PathBuf),
    diagnostics: &mut Diagnostics,
) -> Option<Package> {
    let (file, flavour) =
        project_file::read_below(&options.root, &folder).map_err(|mistakes| diagnostics.append(mistakes)).ok()?;
    let tree = yaml::parse(&file).map_err(|diagnostic| diagnostics.push(diagnostic)).ok()?;
    let mut reader = Reader::within(flavour, file);
    let settings = project_file::settings(&mut reader, (&tree, flavour), options);
    diagnostics.append(reader.diagnostics);
    let (mut inner, folders) = settings?;
    let name = inner.name.clone();
    if name == project.name || project.packages.iter().any(|package| package.name == name) {
        let message = format!("two packages are named \"{name}\"");
        diagnostics.push(Diagnostic::error(Code::DuplicateName, message).at(wanted.span.clone()));
        return None;
    }
    let folders = below(&folder, &folders);
    project.roots.extend(folders.all());
    read_folders(&mut inner, &folders, diagnostics);
    let vars = vars_of(project, options, &inner);
    add(project, inner);
    Some(Package { name, folder, vars, flavour })
}

/// Config of folders that belong to no package here.
fn check_trees(project: &Project, diagnostics: &mut Diagnostics) {
    let trees = [
        (&project.model_config, ConfigOf::Model),
        (&project.seed_config, ConfigOf::Seed),
        (&project.snapshot_config, ConfigOf::Snapshot),
        (&project.test_config, ConfigOf::Test),
        (&project.unit_test_config, ConfigOf::UnitTest),
        (&project.source_config, ConfigOf::Source),
        (&project.exposure_config, ConfigOf::Exposure),
    ];
    for (tree, of) in trees {
        diagnostics.0.extend(tree.check_packages(project, of));
    }
}

fn below(folder: &Path, folders: &Folders) -> Folders {
    folders.map(|path| plain(&folder.join(path)))
}

/// dbt's order: the command line, what the project says for the package, what it says for all, the package's own.
fn vars_of(project: &Project, options: &LoadOptions, inner: &Project) -> Vars {
    let mut vars = inner.vars.clone();
    vars.extend(project.vars.clone());
    if let Some(serde_json::Value::Object(own)) = project.vars.get(&inner.name) {
        vars.extend(own.clone());
    }
    vars.extend(options.vars.clone());
    vars
}

/// The package's files and hooks, with the project's; its config lies below the project's.
fn add(project: &mut Project, inner: Project) {
    let name = inner.name;
    let trees = [
        (&mut project.model_config, inner.model_config),
        (&mut project.seed_config, inner.seed_config),
        (&mut project.snapshot_config, inner.snapshot_config),
        (&mut project.test_config, inner.test_config),
        (&mut project.unit_test_config, inner.unit_test_config),
        (&mut project.source_config, inner.source_config),
        (&mut project.exposure_config, inner.exposure_config),
    ];
    for (tree, own) in trees {
        tree.packages.insert(name.clone(), own);
    }
    project.models.extend(inner.models);
    project.seeds.extend(inner.seeds);
    project.snapshots.extend(inner.snapshots);
    project.macros.extend(inner.macros);
    project.tests.extend(inner.tests);
    project.docs.extend(inner.docs);
    project.declared.extend(inner.declared);
    project.on_run_start.splice(0..0, inner.on_run_start);
    project.on_run_end.splice(0..0, inner.on_run_end);
}
