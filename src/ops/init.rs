//! `init`: a new project that runs as it is, on the private server.

use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use crate::ops::OpError;
use crate::ops::schema;
use crate::project;

/// The example that the book's first guide walks through.
#[derive(RustEmbed)]
#[folder = "examples/quickstart"]
#[exclude = ".unimig/*"]
#[exclude = "target/*"]
#[exclude = "run.sh"]
struct Quickstart;

/// Writes the files of a new project; a folder that holds any of them is left as it is.
pub fn init(folder: &Path) -> Result<Vec<PathBuf>, OpError> {
    let mut written = write_new::<Quickstart>(folder)?;
    written.extend(schema::wire_in(folder)?);
    Ok(written)
}

/// Writes every embedded file, after making sure that none is there yet.
pub(super) fn write_new<Files: RustEmbed>(folder: &Path) -> Result<Vec<PathBuf>, OpError> {
    let paths: Vec<PathBuf> = Files::iter().map(|name| PathBuf::from(name.as_ref())).collect();
    if project::is_project(folder) {
        return Err(OpError::usage(
            format!("{} is a project already", folder.display()),
            "choose another folder: unimig init FOLDER",
        ));
    }
    if let Some(taken) = paths.iter().find(|path| folder.join(path).exists()) {
        return Err(OpError::usage(
            format!("{} exists already", folder.join(taken).display()),
            "choose an empty folder: unimig init FOLDER",
        ));
    }
    for path in &paths {
        let to = folder.join(path);
        let failed = |source| OpError::File { doing: "write", path: to.clone(), source };
        if let Some(parent) = to.parent() {
            fs_err::create_dir_all(parent).map_err(failed)?;
        }
        let name = path.to_string_lossy();
        if let Some(file) = Files::get(&name) {
            fs_err::write(&to, file.data.as_ref()).map_err(failed)?;
        }
    }
    Ok(paths)
}
