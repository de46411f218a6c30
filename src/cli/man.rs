//! `man`: the texts of `--help` as manual pages, one file a command.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::cli::Door;
use crate::cli::arguments::Arguments;
use crate::ops::OpError;

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// Where to write them, such as ~/.local/share/man/man1
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

pub(super) fn man(door: &Door, arguments: &ManArguments) -> Result<u8, OpError> {
    let folder = &arguments.folder;
    let written = fs_err::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    written.map_err(|source| OpError::File { doing: "write", path: folder.clone(), source })?;
    door.terminal.say(&format!("wrote manual pages to {}: read one with man {0}/unimig.1", folder.display()));
    Ok(0)
}
