//! `run-operation`: shows what the macro says; what it prints goes to stdout.

use clap::Args;
use serde_json::Map;

use crate::cli::{Door, INTERRUPTED, stop_signal};
use crate::manifest::jinja::{Loudness, Said};
use crate::ops::OpError;
use crate::ops::operation::{self, Operation};
use crate::project;
use crate::report::log::LogLevel;

#[derive(Debug, Args)]
pub(super) struct OperationArguments {
    /// The macro's name, with its package before a dot or without
    #[arg(value_name = "MACRO")]
    pub macro_name: String,
    /// Its arguments by name, as YAML: '{role: reporter, dry_run: true}'
    #[arg(long, value_name = "YAML", default_value = "{}")]
    pub args: String,
}

pub(super) async fn run_operation(door: &Door, arguments: &OperationArguments) -> Result<u8, OpError> {
    let given = project::parse_map("--args", &arguments.args)?;
    let workspace = door.workspace()?;
    let operation =
        Operation { macro_name: arguments.macro_name.clone(), arguments: given.into_iter().collect::<Map<_, _>>() };
    let stop = stop_signal(door.terminal);
    match operation::run_operation(&workspace, &operation, stop.clone()).await {
        Ok(spoken) => {
            spoken.said.iter().for_each(|said| tell(door, said));
            door.terminal.say(&format!("{} returned; what it did is committed", operation.macro_name));
            Ok(0)
        }
        Err(_) if stop.is_cancelled() => Ok(INTERRUPTED),
        Err(OpError::Project(mistakes)) => {
            mistakes.0.iter().for_each(|mistake| door.terminal.show(mistake));
            door.terminal.complain(&format!("{} failed; what it did is rolled back", operation.macro_name));
            Ok(1)
        }
        Err(error) => Err(error),
    }
}

fn tell(door: &Door, said: &Said) {
    match said.loudness {
        Loudness::Print => door.terminal.print(&said.text),
        Loudness::Info => door.terminal.say(&said.text),
        Loudness::Warning => door.terminal.complain(&format!("warning: {}", said.text)),
        Loudness::Debug if door.terminal.level == LogLevel::Debug => door.terminal.say(&said.text),
        Loudness::Debug => {}
    }
}
