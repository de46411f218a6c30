//! Finds the files of a project's folders and reads them, in parallel.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use walkdir::WalkDir;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile};

/// A SQL file of a model folder.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// Between the model folder and the file.
    pub folders: Vec<String>,
    pub stem: String,
    pub file: Arc<SourceFile>,
}

/// A CSV file of a seed folder; its rows are read when it is loaded, not here.
#[derive(Debug, Clone)]
pub struct SeedFile {
    /// Between the seed folder and the file.
    pub folders: Vec<String>,
    pub stem: String,
    /// Relative to the project folder.
    pub path: PathBuf,
}

/// A file that was found, not read yet.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Relative to the project folder.
    pub path: PathBuf,
    pub folders: Vec<String>,
    pub stem: String,
    /// Lower case, without the dot.
    pub extension: String,
}

/// Every file under the given folders (relative to the root) in the order of paths; a folder that is not there is
/// empty, hidden files are passed over.
pub(super) fn find(root: &Path, folders: &[PathBuf], diagnostics: &mut Diagnostics) -> Vec<Found> {
    let mut found = Vec::new();
    for folder in folders {
        let base = root.join(folder);
        if !base.exists() {
            continue;
        }
        let walk = WalkDir::new(&base).follow_links(true).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.file_name())) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => found.extend(found_file(root, &base, entry.path())),
                Ok(_) => {}
                Err(error) => diagnostics.push(unreadable(folder, &error)),
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    found
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

fn found_file(root: &Path, base: &Path, path: &Path) -> Option<Found> {
    let folders = path.parent()?.strip_prefix(base).ok()?.iter();
    Some(Found {
        path: path.strip_prefix(root).unwrap_or(path).to_path_buf(),
        folders: folders.map(|folder| folder.to_string_lossy().into_owned()).collect(),
        stem: path.file_stem()?.to_string_lossy().into_owned(),
        extension: path.extension().unwrap_or_default().to_string_lossy().to_lowercase(),
    })
}

/// The files' texts, in the order of `paths`; those that cannot be read are reported and left out.
pub(super) fn read(root: &Path, found: Vec<Found>, diagnostics: &mut Diagnostics) -> Vec<(Found, Arc<SourceFile>)> {
    let results: Vec<_> =
        found.into_par_iter().map(|found| read_one(root, &found.path).map(|file| (found, file))).collect();
    let mut files = Vec::with_capacity(results.len());
    for result in results {
        match result {
            Ok(file) => files.push(file),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    files
}

/// One file's text; `path` is relative to `root`.
pub(super) fn read_one(root: &Path, path: &Path) -> Result<Arc<SourceFile>, Diagnostic> {
    let bytes = fs_err::read(root.join(path)).map_err(|error| unreadable(path, &error))?;
    let text =
        String::from_utf8(bytes).map_err(|error| unreadable(path, &NotUtf8(error.utf8_error().valid_up_to())))?;
    // A byte order mark is no part of SQL or YAML.
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    // No server takes one in a statement.
    if let Some(at) = text.find('\0') {
        return Err(unreadable(path, &HasNul(at)));
    }
    Ok(Arc::new(SourceFile { path: path.to_path_buf(), text, written: None }))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error(Code::UnreadableFile, format!("file \"{}\" cannot be read", path.display()))
        .hint(error.to_string())
}

#[derive(Debug, thiserror::Error)]
#[error("it is not UTF-8: the byte at offset {0} begins no character")]
struct NotUtf8(usize);

#[derive(Debug, thiserror::Error)]
#[error("it is not text: the byte at offset {0} is zero")]
struct HasNul(usize);
