//! `generate`: drafts of sources and models from the catalogs of live servers, which are only read.

mod catalog;
pub mod models;
pub mod sources;

use std::path::{Path, PathBuf};

use crate::ops::OpError;

/// Whether files are written, or only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    Write,
    Show,
}

fn write(root: &Path, path: &Path, text: &str) -> Result<(), OpError> {
    let to: PathBuf = root.join(path);
    let failed = |source| OpError::File { doing: "write", path: to.clone(), source };
    if let Some(folder) = to.parent() {
        fs_err::create_dir_all(folder).map_err(failed)?;
    }
    fs_err::write(&to, text).map_err(failed)
}
