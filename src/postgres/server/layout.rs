//! Where the private server's files lie: in the project's `.unimig`, or, where its user cannot get there, in `/var/tmp`.
//!
//! `.unimig/server.json` says where. A socket's path is limited by the system, so that deep projects get a short folder.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::postgres::server::account::Account;
use crate::postgres::server::error::ServerControlError;

/// `sun_path` on Linux, less its NUL; macOS has 103.
const SOCKET_PATH_BYTES: usize = if cfg!(target_os = "macos") { 103 } else { 107 };
const SOCKET_NAME: &str = ".s.PGSQL.5432";
const PRIVATE_MODE: u32 = 0o700;

/// The folders of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub home: PathBuf,
    pub socket_dir: PathBuf,
}

/// What `server.json` holds, for people and for the next command.
#[derive(Serialize, Deserialize)]
struct Record {
    home: PathBuf,
    socket_dir: PathBuf,
}

impl Layout {
    /// Where the cluster is, or where it would be made.
    pub fn find(state_dir: &Path, account: Option<&Account>) -> Layout {
        let in_place = state_dir.join("postgres");
        let elsewhere = PathBuf::from("/var/tmp").join(short_name(state_dir));
        let home = if in_place.join("data").is_dir() {
            in_place
        } else if let Some(home) = recorded(state_dir).filter(|home| *home == elsewhere && home.is_dir()) {
            home
        } else if account.is_some_and(|account| !account.reaches(state_dir)) {
            elsewhere
        } else {
            in_place
        };
        let socket_bytes = home.as_os_str().as_bytes().len() + 1 + SOCKET_NAME.len();
        let socket_dir = if socket_bytes <= SOCKET_PATH_BYTES {
            home.clone()
        } else {
            PathBuf::from("/tmp").join(short_name(state_dir))
        };
        Layout { home, socket_dir }
    }

    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub fn log(&self) -> PathBuf {
        self.home.join("server.log")
    }

    pub fn socket(&self) -> PathBuf {
        self.socket_dir.join(SOCKET_NAME)
    }

    /// Makes the folders, for their user alone, and says in `server.json` where they are.
    pub fn make(&self, state_dir: &Path, account: Option<&Account>) -> Result<(), ServerControlError> {
        private_folder(&self.home, account)?;
        private_folder(&self.socket_dir, account)?;
        let record = Record { home: self.home.clone(), socket_dir: self.socket_dir.clone() };
        let path = state_dir.join("server.json");
        let text = serde_json::to_string_pretty(&record).unwrap_or_default();
        std::fs::write(&path, text + "\n").map_err(|source| ServerControlError::io("write", &path, source))
    }
}

fn recorded(state_dir: &Path) -> Option<PathBuf> {
    let text = std::fs::read(state_dir.join("server.json")).ok()?;
    serde_json::from_slice::<Record>(&text).ok().map(|record| record.home)
}

/// The same for every way to write the same folder.
fn short_name(state_dir: &Path) -> String {
    let path = state_dir.canonicalize().unwrap_or_else(|_| state_dir.to_owned());
    let hash = Sha256::digest(path.as_os_str().as_bytes());
    let hex: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("unimig-{hex}")
}

/// A folder that is there already is taken only if it is its user's own, so that nobody can lay one out for us in /tmp.
fn private_folder(folder: &Path, account: Option<&Account>) -> Result<(), ServerControlError> {
    let owner = account.map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.uid);
    let failed = |source| ServerControlError::io("create", folder, source);
    match DirBuilder::new().mode(PRIVATE_MODE).create(folder) {
        Ok(()) => {
            if let Some(account) = account {
                chown(folder, Some(account.uid), Some(account.gid)).map_err(failed)?;
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let found = std::fs::symlink_metadata(folder).map_err(failed)?;
            if !found.is_dir() || found.uid() != owner {
                return Err(ServerControlError::Foreign(folder.to_owned()));
            }
        }
        Err(error) => return Err(failed(error)),
    }
    std::fs::set_permissions(folder, Permissions::from_mode(PRIVATE_MODE)).map_err(failed)
}
