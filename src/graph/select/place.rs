//! `path:`: globs as Python's `Path.glob` reads them, over the files that hold nodes and the folders above these.
//!
//! dbt knows a file of a package by its path inside the package, and takes it when the project has a folder of that name
//! too: `path:models` is the models of all packages. Here it is also known by where it is.

use std::collections::HashSet;
use std::path::{Component, Path};

use super::evaluate::Selectable;
use super::matching::Test;
use super::wildcard::Wildcard;

/// One part of a path pattern.
enum Part {
    /// `**`: any number of folders.
    Folders,
    One(Wildcard),
}

/// A node is meant when its file, a folder above it, or the property file that speaks of it fits.
pub(super) fn path<'t>(all: &'t Selectable<'_>, pattern: &str) -> Test<'t> {
    let parts: Vec<Part> = Path::new(pattern)
        .components()
        .filter(|part| !matches!(part, Component::CurDir | Component::RootDir))
        .map(|part| match part.as_os_str().to_string_lossy().as_ref() {
            "**" => Part::Folders,
            part => Part::One(Wildcard::new(part)),
        })
        .collect();
    let folders = &all.manifest.package_folders;
    let own = all.facts.iter().filter(|node| !folders.iter().any(|folder| node.path.starts_with(folder)));
    let own: HashSet<&Path> = match folders.is_empty() {
        true => HashSet::new(),
        false => own.flat_map(|node| node.path.ancestors()).collect(),
    };
    Box::new(move |_, node| {
        let patched = node.patch_path.is_some_and(|path| fits(&parts, &names(path)));
        let above = |path: &Path, is_there: &dyn Fn(&Path) -> bool| {
            path.ancestors().any(|place| is_there(place) && fits(&parts, &names(place)))
        };
        let inside = folders.iter().find_map(|folder| node.path.strip_prefix(folder).ok());
        patched || above(node.path, &|_| true) || inside.is_some_and(|path| above(path, &|place| own.contains(place)))
    })
}

fn names(path: &Path) -> Vec<String> {
    path.iter().map(|part| part.to_string_lossy().into_owned()).collect()
}

fn fits(parts: &[Part], names: &[String]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (None, Some(_)) | (Some((Part::One(_), _)), None) => false,
        (Some((Part::Folders, rest)), _) => (0..=names.len()).any(|folders| fits(rest, &names[folders..])),
        (Some((Part::One(wanted), rest)), Some((name, names))) => wanted.matches(name) && fits(rest, names),
    }
}
