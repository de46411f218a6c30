//! What all artifacts have in common: the head that names schema and call, and how a file gets into its place.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::project::Invocation;

/// The version of dbt whose artifacts ours are like; readers choose their parser by it.
const DBT_VERSION: &str = "1.11.0";

/// Manifests are large.
const BUFFER_BYTES: usize = 1 << 18;

/// An artifact that could not be written, and why.
pub type Unwritten = (PathBuf, io::Error);

/// `metadata`, as every artifact begins. dbt keeps its users' own variables under `env`; the tool's version stands there.
pub(super) fn metadata(schema: &str, invocation: &Invocation) -> Map<String, Value> {
    let head = json!({
        "dbt_schema_version": format!("https://schemas.getdbt.com/dbt/{schema}.json"),
        "dbt_version": DBT_VERSION,
        "generated_at": Timestamp::now().to_string(),
        "invocation_id": invocation.id,
        "invocation_started_at": invocation.started_at.to_string(),
        "env": { "UNIMIG_VERSION": env!("CARGO_PKG_VERSION") },
    });
    object(head)
}

/// The map inside a `json!({…})`.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

/// Writes a document as it is.
pub(super) fn write(folder: &Path, name: &str, document: &Value) -> Result<(), Unwritten> {
    write_with(folder, name, |out| Ok(serde_json::to_writer(out, document)?))
}

/// Under a temporary name first: a reader never sees half a file.
pub(super) fn write_with(
    folder: &Path,
    name: &str,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Unwritten> {
    let path = folder.join(name);
    let written = || -> io::Result<()> {
        fs_err::create_dir_all(folder)?;
        let temporary = folder.join(format!(".{name}.{}", std::process::id()));
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, fs_err::File::create(&temporary)?);
        text(&mut file)?;
        file.flush()?;
        fs_err::rename(&temporary, &path)
    };
    written().map_err(|error| (path.clone(), error))
}
