//! `generate`: drafts of sources and models from the catalogs of live servers, which are only read.

mod catalog;
pub mod models;
pub mod sources;

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::generate;
use crate::ops::OpError;

/// Whether files are written, or only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    Write,
    Show,
}

/// A file of the project, whole or as it was: it may be one that people edit.
fn write(root: &Path, path: &Path, text: &str) -> Result<(), OpError> {
    let to = root.join(path);
    let failed = |source| OpError::File { doing: "write", path: to.clone(), source };
    let folder = to.parent().unwrap_or(root);
    fs_err::create_dir_all(folder).map_err(failed)?;
    // Through a link to where the file is, with the rights that it has, or that any new file gets.
    let real = fs_err::canonicalize(&to).unwrap_or_else(|_| to.clone());
    let new = Permissions::from_mode(0o666);
    let beside = tempfile::Builder::new().permissions(new).tempfile_in(real.parent().unwrap_or(folder));
    let mut beside = beside.map_err(failed)?;
    beside.write_all(text.as_bytes()).map_err(failed)?;
    if let Ok(there) = fs_err::metadata(&real) {
        beside.as_file().set_permissions(there.permissions()).map_err(failed)?;
    }
    beside.as_file().sync_all().map_err(failed)?;
    beside.persist(&real).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Refuses a pattern of `--table` that none of the tables matches.
fn check_patterns<'a>(
    patterns: &[String],
    (known, where_): (impl Iterator<Item = &'a str> + Clone, &str),
    code: Code,
) -> Result<(), OpError> {
    let unmatched = patterns.iter().filter(|pattern| {
        let pattern = std::slice::from_ref(*pattern);
        !known.clone().any(|name| generate::matches(pattern, name))
    });
    let mistakes: Vec<Diagnostic> = unmatched
        .map(|pattern| {
            let mistake = Diagnostic::error(code, format!("{where_} has no table \"{pattern}\""));
            let mistake = mistake.did_you_mean(pattern, known.clone());
            match mistake.hint {
                Some(_) => mistake,
                None => mistake.hint("--table takes names as the catalog has them; * stands for anything, in quotes"),
            }
        })
        .collect();
    if mistakes.is_empty() { Ok(()) } else { Err(OpError::Project(Diagnostics(mistakes))) }
}
