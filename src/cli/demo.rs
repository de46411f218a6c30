//! `demo`: what happens, in four acts, and what to type next.

use std::path::{Path, PathBuf};

use crate::cli::arguments::DemoArguments;
use crate::cli::runs::{exit_code, listeners};
use crate::cli::{Door, stop_signal};
use crate::ops::OpError;
use crate::ops::demo::{self, DemoOptions};
use crate::ops::run::Verb;
use crate::ops::workspace::{Workspace, WorkspaceOptions};
use crate::report::{summary, words};

pub(super) async fn demo(door: &Door, arguments: &DemoArguments) -> Result<u8, OpError> {
    let terminal = door.terminal;
    if !(arguments.scale.is_finite() && arguments.scale > 0.0 && arguments.scale <= 1_000.0) {
        let message = format!("the scale is {}, and must be above 0 and at most 1000", arguments.scale);
        return Err(OpError::usage(message, "--scale 1 is about 200,000 rows"));
    }
    let folder = arguments.folder.clone().or_else(|| door.globals.project_dir.clone());
    let folder = &folder.unwrap_or_else(|| PathBuf::from("unimig-demo"));
    let written = demo::write_project(folder)?;
    if !written.is_empty() {
        terminal.say(&format!("wrote the demo's project to {}", folder.display()));
    }
    let mut workspace = Workspace::load(&WorkspaceOptions {
        project_dir: Some(folder.clone()),
        profiles_dir: door.globals.profiles_dir.clone(),
        target_path: door.globals.target_path.clone(),
        target: door.globals.target.clone(),
        vars: crate::project::Vars::default(),
        invocation: door.invocation.clone(),
        inline: None,
    })?;
    terminal.say("starting the private PostgreSQL, and filling the databases that are not there yet");
    let options = DemoOptions { scale: arguments.scale, change: arguments.change };
    let prepared = demo::prepare(&workspace, options).await?;
    for database in &prepared.filled {
        terminal.say(&format!("  filled {} in {}", database.name, words::elapsed(database.elapsed)));
    }
    for database in &prepared.changed {
        terminal.say(&format!("  changed a few rows of {database}"));
    }
    let stop = stop_signal(terminal);
    let summaries = demo::migrate(&mut workspace, |_: Verb| listeners(terminal), &stop).await?;
    for summary in summaries.iter().filter(|summary| summary.command != "test") {
        terminal.say("");
        terminal.say(&summary::table(&terminal, summary));
    }
    terminal.say("");
    for summary in &summaries {
        terminal.say(&format!("{:<5} {}", summary.command, summary::line(summary)));
    }
    let code = summaries.iter().map(exit_code).max().unwrap_or(0);
    if code == 0 {
        say_what_is_next(door, folder);
    }
    Ok(code)
}

fn say_what_is_next(door: &Door, folder: &Path) {
    let folder = folder.display();
    let program = std::env::args().next().unwrap_or_else(|| "unimig".to_owned());
    let here = format!("{program} --project-dir {folder}");
    let steps = [
        (format!("{program} demo {folder}"), "again: nothing is written"),
        (format!("{program} demo --change {folder}"), "change a few rows first: only those move"),
        (format!("{here} ls"), "every process, model, seed and test"),
        (format!("{here} run --select bl.person+"), "one model, and what reads it"),
        (format!("{here} psql"), "look around in the target"),
    ];
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    door.terminal.say("");
    door.terminal.say("what to type next:");
    for (command, what) in steps {
        door.terminal.say(&format!("  {command:<width$}  {what}"));
    }
}
