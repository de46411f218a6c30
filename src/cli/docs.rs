//! `docs generate`: says what was written.

use clap::{Args, Subcommand};

use crate::cli::Door;
use crate::ops::{OpError, docs};
use crate::report::words;

#[derive(Debug, Args)]
pub(super) struct DocsArguments {
    #[command(subcommand)]
    pub action: DocsAction,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum DocsAction {
    /// Write target/manifest.json and target/catalog.json: the columns, types and sizes that the target knows
    Generate,
}

pub(super) async fn docs(door: &Door, arguments: &DocsArguments) -> Result<u8, OpError> {
    match arguments.action {
        DocsAction::Generate => {
            let workspace = door.workspace()?;
            let generated = docs::generate(&workspace).await?;
            let path = workspace.target_dir().join("catalog.json");
            let found = words::count(generated.found as u64);
            let relations = words::counted(generated.relations, "relation");
            door.terminal.say(&format!("wrote {found} of {relations} to {}", path.display()));
            Ok(0)
        }
    }
}
