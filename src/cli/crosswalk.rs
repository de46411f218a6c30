//! `crosswalk export` and `crosswalk import`: ids as CSV, out and in.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::Door;
use crate::ops::{OpError, crosswalk};
use crate::transform::Sharing;

#[derive(Debug, Args)]
pub(super) struct CrosswalkArguments {
    #[command(subcommand)]
    pub action: CrosswalkVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum CrosswalkVerb {
    /// Print every key of a crosswalk with its id, as CSV with the columns member, source_key and target_id
    Export(ExportArguments),
    /// Take ids from such a file: all of them, or none where one contradicts what is recorded
    Import(ImportArguments),
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The crosswalk, such as person
    #[arg(value_name = "ENTITY")]
    pub entity: String,
    /// Write to a file instead of printing
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    /// The crosswalk, such as person
    #[arg(value_name = "ENTITY")]
    pub entity: String,
    /// The CSV file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Let several keys of one member have one id: their rows are one thing
    #[arg(long)]
    pub merged: bool,
}

pub(super) async fn crosswalk(door: &Door, arguments: &CrosswalkArguments) -> Result<u8, OpError> {
    match &arguments.action {
        CrosswalkVerb::Export(arguments) => export(door, arguments).await,
        CrosswalkVerb::Import(arguments) => import(door, arguments).await,
    }
}

async fn export(door: &Door, arguments: &ExportArguments) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    match &arguments.to {
        None => {
            let print = |lines: &str| {
                door.terminal.print(lines.strip_suffix('\n').unwrap_or(lines));
                Ok(())
            };
            crosswalk::export(&workspace, &arguments.entity, print).await?;
        }
        Some(path) => {
            let failed = |source| OpError::File { doing: "write", path: path.clone(), source };
            let mut file = fs_err::File::create(path).map_err(failed)?;
            let write = |lines: &str| file.write_all(lines.as_bytes()).map_err(failed);
            crosswalk::export(&workspace, &arguments.entity, write).await?;
            door.terminal.say(&format!("wrote {}", path.display()));
        }
    }
    Ok(0)
}

async fn import(door: &Door, arguments: &ImportArguments) -> Result<u8, OpError> {
    let sharing = if arguments.merged { Sharing::Allowed } else { Sharing::Refused };
    let place = (arguments.entity.as_str(), arguments.file.as_path());
    let (inserted, lines) = crosswalk::import(&door.workspace()?, place, sharing).await?;
    if door.is_json() {
        door.terminal.print(&serde_json::json!({ "lines": lines, "inserted": inserted }).to_string());
    } else {
        door.terminal.print(&format!("{inserted} of {lines} keys are new"));
    }
    Ok(0)
}
