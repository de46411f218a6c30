//! Commands about folders and servers: `init`, `clean`, `server`, `psql`.

use std::path::Path;

use crate::cli::Door;
use crate::cli::arguments::{DepsArguments, InitArguments, PsqlArguments, ServerAction};
use crate::ops::deps::{DepsOptions, Installed, Locked};
use crate::ops::{OpError, clean, deps, init, psql, server, workspace};
use crate::postgres::server::ServerStatus;
use crate::project::{EnvVars, LoadOptions};

pub(super) fn init(door: &Door, arguments: &InitArguments) -> Result<u8, OpError> {
    let folder = &arguments.folder;
    let written = init::init(folder)?;
    door.terminal.say(&format!("wrote {} files to {}:", written.len(), folder.display()));
    for path in &written {
        door.terminal.say(&format!("  {}", path.display()));
    }
    say_what_is_next(door, folder);
    Ok(0)
}

pub(super) fn deps(door: &Door, arguments: &DepsArguments) -> Result<u8, OpError> {
    let root = workspace::find_root(door.globals.project_dir.as_deref())?;
    let locked = if arguments.upgrade { Locked::Renew } else { Locked::Keep };
    let load = LoadOptions { root, vars: door.vars()?, env: EnvVars::of_process() };
    for package in deps::deps(&DepsOptions { load, locked })? {
        let how = match &package.how {
            Installed::InPlace(folder) => format!("read from {}", folder.display()),
            Installed::Fetched { revision } => format!("fetched, commit {revision}"),
            Installed::Kept { revision } => format!("there already, commit {revision}"),
            Installed::BuiltIn => "its macros come with unimig".to_owned(),
        };
        if door.is_json() {
            door.terminal.print(&serde_json::json!({ "name": package.name, "how": how }).to_string());
        } else {
            door.terminal.print(&format!("{}: {how}", package.name));
        }
    }
    Ok(0)
}

/// The commands of the example's README, in its order.
fn say_what_is_next(door: &Door, folder: &Path) {
    let steps = [
        ("unimig psql shop -- -qf demo/shop.sql", "make the source: a small web shop"),
        ("unimig psql -- -qf demo/app.sql", "make the target: the tables of the new application"),
        ("unimig seed", "load seeds/ into tables"),
        ("unimig run", "copy the source to staging, and merge the models into the target"),
        ("unimig test", "look for rows that should not be"),
    ];
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    door.terminal.say("");
    door.terminal.say("what to type next:");
    if folder != Path::new(".") {
        door.terminal.say(&format!("  cd {}", folder.display()));
    }
    for (command, what) in steps {
        door.terminal.say(&format!("  {command:<width$}  {what}"));
    }
}

pub(super) fn clean(door: &Door) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    let removed = clean::clean(&workspace)?;
    if removed.is_empty() {
        door.terminal.say("nothing to remove");
    }
    for folder in removed {
        door.terminal.say(&format!("removed {}", folder.display()));
    }
    Ok(0)
}

pub(super) async fn server(door: &Door, action: ServerAction) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    match action {
        ServerAction::Start => {
            let status = server::start(&workspace).await?;
            door.terminal.print(&status_line(&status));
            Ok(0)
        }
        ServerAction::Stop => {
            let was_running = server::stop(&workspace).await?;
            door.terminal.print(if was_running { "stopped" } else { "was not running" });
            Ok(0)
        }
        ServerAction::Status => {
            let status = server::status(&workspace)?;
            door.terminal.print(&status_line(&status));
            Ok(match status {
                ServerStatus::Running { .. } => 0,
                ServerStatus::Absent | ServerStatus::Stopped => 1,
            })
        }
    }
}

fn status_line(status: &ServerStatus) -> String {
    match status {
        ServerStatus::Absent => "not made yet: unimig server start makes it".to_owned(),
        ServerStatus::Stopped => "stopped".to_owned(),
        ServerStatus::Running { pid, socket_dir, version } => {
            format!("running: PostgreSQL {version}, process {pid}, socket in {}", socket_dir.display())
        }
    }
}

pub(super) async fn psql(door: &Door, arguments: &PsqlArguments) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    let status = psql::psql(&workspace, arguments.connection.as_deref(), &arguments.arguments).await?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
