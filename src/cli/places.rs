//! Commands about folders and servers: `init`, `clean`, `server`, `psql`.

use crate::cli::Door;
use crate::cli::arguments::{InitArguments, PsqlArguments, ServerAction};
use crate::ops::{OpError, clean, init, psql, server};
use crate::postgres::server::ServerStatus;

pub(super) fn init(door: &Door, arguments: &InitArguments) -> Result<u8, OpError> {
    let folder = &arguments.folder;
    let written = init::init(folder)?;
    door.terminal.say(&format!("wrote {} files to {}:", written.len(), folder.display()));
    for path in &written {
        door.terminal.say(&format!("  {}", path.display()));
    }
    door.terminal.say("");
    door.terminal.say("what to type next:");
    if folder != std::path::Path::new(".") {
        door.terminal.say(&format!("  cd {}", folder.display()));
    }
    door.terminal.say("  unimig seed && unimig run && unimig test");
    Ok(0)
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
