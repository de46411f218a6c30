//! Finds PostgreSQL's server programs on this machine; downloads nothing.
//!
//! `UNIMIG_PG_BIN` is taken at its word. Else `pg_config`, PATH, and the folders where packages put them, of which the
//! newest version wins.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postgres::server::error::ServerControlError;
use crate::postgres::session::major_version;

/// MERGE came with 15.
pub const OLDEST_MAJOR: u32 = 15;

/// Folders of packages: what stands before the version, and after it.
const USUAL_FOLDERS: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// One installation's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    pub directory: PathBuf,
    pub major: u32,
    /// As the server says it: `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
}

impl Binaries {
    /// The first that is new enough; `env` stands for the process's environment.
    pub fn find(env: &dyn Fn(&str) -> Option<String>) -> Result<Binaries, ServerControlError> {
        if let Some(directory) = env("UNIMIG_PG_BIN").filter(|directory| !directory.is_empty()) {
            let looked = format!(" in UNIMIG_PG_BIN (\"{directory}\")");
            let binaries = Binaries::in_directory(Path::new(&directory));
            return binaries.ok_or(ServerControlError::NoBinaries { looked })?.new_enough();
        }
        let mut too_old = None;
        for directory in candidates(env) {
            match Binaries::in_directory(&directory).map(Binaries::new_enough) {
                Some(Ok(binaries)) => return Ok(binaries),
                Some(Err(error)) => too_old = too_old.or(Some(error)),
                None => {}
            }
        }
        Err(too_old.unwrap_or(ServerControlError::NoBinaries { looked: String::new() }))
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn in_directory(directory: &Path) -> Option<Binaries> {
        let complete = ["postgres", "initdb", "pg_ctl"].iter().all(|name| directory.join(name).is_file());
        let output = complete.then(|| Command::new(directory.join("postgres")).arg("--version").output())?.ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.trim().strip_prefix("postgres (PostgreSQL) ")?.to_owned();
        Some(Binaries { directory: directory.to_owned(), major: major_version(&version), version })
    }

    fn new_enough(self) -> Result<Binaries, ServerControlError> {
        if self.major < OLDEST_MAJOR {
            return Err(ServerControlError::OldBinaries { directory: self.directory, version: self.version });
        }
        Ok(self)
    }
}

fn candidates(env: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let path = env("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    let mut usual: Vec<(u32, PathBuf)> = USUAL_FOLDERS.into_iter().flat_map(versions).collect();
    usual.sort_unstable_by(|left, right| right.cmp(left));
    let configured = on_path.iter().map(|folder| folder.join("pg_config")).find(|program| program.is_file());
    configured
        .and_then(|program| bindir(&program))
        .into_iter()
        .chain(on_path)
        .chain(usual.into_iter().map(|(_, folder)| folder))
        .collect()
}

fn bindir(pg_config: &Path) -> Option<PathBuf> {
    let output = Command::new(pg_config).arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim())).filter(|folder| folder.is_absolute())
}

fn versions((parent, prefix, suffix): (&str, &str, &str)) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = major_version(name.to_str()?.strip_prefix(prefix)?);
            (version > 0).then(|| (version, entry.path().join(suffix)))
        })
        .collect()
}
