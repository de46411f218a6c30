//! Makes, starts and stops the cluster with PostgreSQL's own tools; blocking, and under the caller's locks.
//!
//! A cluster is made beside its place and renamed, so that a half-made one is never taken for whole. What a crash left
//! behind (a pid file of a process that is gone or is somebody else's by now) is cleared away before a start.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};

use crate::postgres::server::account::Account;
use crate::postgres::server::binaries::Binaries;
use crate::postgres::server::error::ServerControlError;
use crate::postgres::server::layout::Layout;
use crate::postgres::server::{SUPERUSER, ServerStatus, config};

const WAIT: Duration = Duration::from_secs(60);
/// In this order: sorts by code point and knows every script's letters, or, on systems without it, ASCII's only.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];
const LOG_TAIL_LINES: usize = 20;

pub struct Cluster {
    state_dir: PathBuf,
    binaries: Binaries,
    account: Option<Account>,
    layout: Layout,
}

impl Cluster {
    pub fn new(state_dir: &Path, binaries: Binaries) -> Result<Self, ServerControlError> {
        let account = Account::for_server();
        if account.is_none() && rustix::process::geteuid().is_root() {
            return Err(ServerControlError::NoAccount);
        }
        let layout = Layout::find(state_dir, account.as_ref());
        Ok(Self { state_dir: state_dir.to_owned(), binaries, account, layout })
    }

    pub fn status(&self) -> Result<ServerStatus, ServerControlError> {
        if !self.layout.data().join("PG_VERSION").is_file() {
            return Ok(ServerStatus::Absent);
        }
        match self.live_pid()? {
            Some(pid) if self.accepts_connections() => Ok(ServerStatus::Running {
                pid,
                socket_dir: self.layout.socket_dir.clone(),
                version: self.binaries.version.clone(),
            }),
            Some(_) | None => Ok(ServerStatus::Stopped),
        }
    }

    pub fn is_running(&self) -> Result<bool, ServerControlError> {
        match self.status()? {
            ServerStatus::Running { .. } => Ok(true),
            ServerStatus::Absent | ServerStatus::Stopped => Ok(false),
        }
    }

    pub fn start_if_stopped(&self) -> Result<(), ServerControlError> {
        if self.is_running()? {
            return Ok(());
        }
        self.layout.make(&self.state_dir, self.account.as_ref())?;
        self.make_if_absent()?;
        self.write_config(&self.layout.data())?;
        if self.live_pid()?.is_some() {
            // A killed command began this start.
            return self.wait_until_it_accepts();
        }
        if !self.accepts_connections() {
            self.clear_stale_files()?;
        }
        let data = self.layout.data();
        let log = self.layout.log();
        let mut command = self.command("pg_ctl");
        command
            .arg("start")
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(&log)
            .args(["-w", "-s", "-t"])
            .arg(WAIT.as_secs().to_string());
        if self.run(command)?.status.success() {
            return Ok(());
        }
        Err(ServerControlError::Start { tail: tail(&log), log })
    }

    fn wait_until_it_accepts(&self) -> Result<(), ServerControlError> {
        let deadline = Instant::now() + WAIT;
        while Instant::now() < deadline && self.live_pid()?.is_some() {
            if self.accepts_connections() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = self.layout.log();
        Err(ServerControlError::Start { tail: tail(&log), log })
    }

    /// Whether it was running.
    pub fn stop_if_running(&self) -> Result<bool, ServerControlError> {
        if self.live_pid()?.is_none() {
            return Ok(false);
        }
        let mut command = self.command("pg_ctl");
        command.arg("stop").arg("-D").arg(self.layout.data());
        command.args(["-m", "fast", "-w", "-s", "-t"]).arg(WAIT.as_secs().to_string());
        let output = self.run(command)?;
        if output.status.success() || self.live_pid()?.is_none() {
            return Ok(true);
        }
        Err(ServerControlError::Stop { output: said(&output) })
    }

    fn make_if_absent(&self) -> Result<(), ServerControlError> {
        let data = self.layout.data();
        if let Ok(version) = std::fs::read_to_string(data.join("PG_VERSION")) {
            let cluster = version.trim().to_owned();
            if cluster != self.binaries.major.to_string() {
                return Err(ServerControlError::OtherMajor { cluster, binaries: self.binaries.major });
            }
            return Ok(());
        }
        let unfinished = self.layout.home.join("data.unfinished");
        self.initdb(&unfinished)?;
        self.include_config(&unfinished)?;
        std::fs::rename(&unfinished, &data).map_err(|source| ServerControlError::io("rename", &unfinished, source))
    }

    fn initdb(&self, data: &Path) -> Result<(), ServerControlError> {
        let mut output = String::new();
        for locale in LOCALES {
            remove_folder(data)?;
            let mut command = self.command("initdb");
            command.arg("-D").arg(data).arg(format!("--username={SUPERUSER}"));
            command.args(["--auth=trust", "--encoding=UTF8", "--data-checksums", "--no-instructions"]);
            command.arg(format!("--locale={locale}"));
            let run = self.run(command)?;
            if run.status.success() {
                return Ok(());
            }
            output = said(&run);
        }
        Err(ServerControlError::Initdb { output })
    }

    fn include_config(&self, data: &Path) -> Result<(), ServerControlError> {
        let path = data.join("postgresql.conf");
        OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| writeln!(file, "\ninclude '{}'", config::FILE_NAME))
            .map_err(|source| ServerControlError::io("write", &path, source))?;
        self.write_config(data)
    }

    fn write_config(&self, data: &Path) -> Result<(), ServerControlError> {
        let path = data.join(config::FILE_NAME);
        let failed = |source| ServerControlError::io("write", &path, source);
        std::fs::write(&path, config::text(&self.layout.socket_dir)).map_err(failed)?;
        match &self.account {
            Some(account) => chown(&path, Some(account.uid), Some(account.gid)).map_err(failed),
            None => Ok(()),
        }
    }

    /// The postmaster's process, if it lives.
    fn live_pid(&self) -> Result<Option<u32>, ServerControlError> {
        let path = self.layout.data().join("postmaster.pid");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ServerControlError::io("read", &path, source)),
        };
        let pid = text.lines().next().and_then(|line| line.trim().parse::<i32>().ok());
        Ok(pid
            .and_then(Pid::from_raw)
            .filter(|pid| is_postgres(*pid))
            .map(|pid| pid.as_raw_nonzero().get().unsigned_abs()))
    }

    fn accepts_connections(&self) -> bool {
        UnixStream::connect(self.layout.socket()).is_ok()
    }

    /// The server itself does not clear a pid file whose number another process has by now.
    fn clear_stale_files(&self) -> Result<(), ServerControlError> {
        let socket = self.layout.socket();
        let mut socket_lock = socket.clone().into_os_string();
        socket_lock.push(".lock");
        for path in [self.layout.data().join("postmaster.pid"), socket, PathBuf::from(socket_lock)] {
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ServerControlError::io("remove", &path, source));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// One of PostgreSQL's programs, as the server's user and without whatever `PG*` variables we were given.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.program(program));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        if let Some(account) = &self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }

    fn run(&self, mut command: Command) -> Result<Output, ServerControlError> {
        command
            .output()
            .map_err(|source| ServerControlError::Run { program: PathBuf::from(command.get_program()), source })
    }
}

/// Whether the process lives, and (where the system tells) is a PostgreSQL server and not the next owner of its number.
fn is_postgres(pid: Pid) -> bool {
    if matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)) {
        return false;
    }
    match std::fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())) {
        Ok(name) => name.trim() == "postgres",
        Err(_) => !Path::new("/proc/self/comm").exists(),
    }
}

fn remove_folder(folder: &Path) -> Result<(), ServerControlError> {
    match std::fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(ServerControlError::io("remove", folder, source))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&text).trim().to_owned()
}

fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}
