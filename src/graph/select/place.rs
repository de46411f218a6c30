//! `path:`: globs as Python's `Path.glob` reads them, over the files that hold nodes and the folders above these.

use std::path::{Component, Path};

use super::matching::Test;
use super::wildcard::Wildcard;

/// One part of a path pattern.
enum Part {
    /// `**`: any number of folders.
    Folders,
    One(Wildcard),
}

/// A node is meant when its file, a folder above it, or the property file that speaks of it fits.
pub(super) fn path<'t>(pattern: &str) -> Test<'t> {
    let parts: Vec<Part> = Path::new(pattern)
        .components()
        .filter(|part| !matches!(part, Component::CurDir | Component::RootDir))
        .map(|part| match part.as_os_str().to_string_lossy().as_ref() {
            "**" => Part::Folders,
            part => Part::One(Wildcard::new(part)),
        })
        .collect();
    Box::new(move |_, node| {
        let patched = node.patch_path.is_some_and(|path| fits(&parts, &names(path)));
        let own = names(node.path);
        patched || (0..=own.len()).any(|folders| fits(&parts, &own[..folders]))
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
