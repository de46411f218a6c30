//! `schema`: writes JSON Schemas of the project's YAML files, and tells editors of them.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::ops::OpError;
use crate::project::schema::{FileKind, schema};

/// Where `init` puts the schemas, relative to the project folder; the folder is meant to be kept with the project.
const EDITOR_FOLDER: &str = ".vscode";

/// Writes `<kind>.schema.json` of each kind.
pub fn write(kinds: &[FileKind], folder: &Path) -> Result<Vec<(FileKind, PathBuf)>, OpError> {
    let mut written = Vec::new();
    for kind in kinds {
        let path = folder.join(file_name(*kind));
        write_json(&path, &schema(*kind))?;
        written.push((*kind, path));
    }
    Ok(written)
}

/// Writes all schemas into a new project, and the setting by which VS Code's YAML extension finds them. Gives the paths
/// relative to the project folder.
pub(super) fn wire_in(project: &Path) -> Result<Vec<PathBuf>, OpError> {
    let folder = Path::new(EDITOR_FOLDER);
    let mut paths = Vec::new();
    for (_, path) in write(FileKind::ALL, &project.join(folder))? {
        paths.push(folder.join(path.file_name().unwrap_or_default()));
    }
    let settings = folder.join("settings.json");
    if project.join(&settings).exists() {
        // Somebody's own settings stay as they are.
        return Ok(paths);
    }
    let schemas = FileKind::ALL.iter().map(|kind| {
        let file = format!("./{EDITOR_FOLDER}/{}", file_name(*kind));
        (file, json!(kind.globs()))
    });
    let schemas: Map<String, Value> = schemas.collect();
    write_json(&project.join(&settings), &json!({ "yaml.schemas": schemas }))?;
    paths.push(settings);
    Ok(paths)
}

fn file_name(kind: FileKind) -> String {
    format!("{}.schema.json", kind.as_str())
}

fn write_json(path: &Path, value: &Value) -> Result<(), OpError> {
    let failed = |source| OpError::File { doing: "write", path: path.to_path_buf(), source };
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder).map_err(failed)?;
    }
    fs_err::write(path, format!("{value:#}\n")).map_err(failed)
}
