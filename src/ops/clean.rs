//! `clean`: removes the folders of artifacts that the project names, and nothing else.

use std::path::PathBuf;

use crate::ops::OpError;
use crate::ops::workspace::Workspace;

/// Removes what is there of the `clean-targets`, and tells which.
pub fn clean(workspace: &Workspace) -> Result<Vec<PathBuf>, OpError> {
    let root = fs_err::canonicalize(&workspace.project.root).map_err(|source| OpError::File {
        doing: "find",
        path: workspace.project.root.clone(),
        source,
    })?;
    let mut removed = Vec::new();
    for target in &workspace.project.clean_targets {
        let Ok(folder) = fs_err::canonicalize(root.join(target)) else { continue };
        if folder == root || !folder.starts_with(&root) {
            let message = format!("clean-targets names \"{}\", which is not inside the project", target.display());
            return Err(OpError::usage(message, "unimig removes only folders of its own below the project folder"));
        }
        fs_err::remove_dir_all(&folder).map_err(|source| OpError::File {
            doing: "remove",
            path: folder.clone(),
            source,
        })?;
        removed.push(target.clone());
    }
    Ok(removed)
}
