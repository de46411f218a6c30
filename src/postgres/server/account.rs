//! The user that the server runs as: ourselves, or, as PostgreSQL refuses root, another one.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Another user that root runs the server as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

/// In this order: the one that PostgreSQL's packages make, then the one with no rights at all.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

impl Account {
    /// None when the server can run as the user that we are.
    pub fn for_server() -> Option<Account> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        CANDIDATES.into_iter().find_map(|name| find(&users, name))
    }

    /// Whether this user can get to a folder; parts of the path that do not exist yet are not in the way.
    pub fn reaches(&self, path: &Path) -> bool {
        path.ancestors().filter_map(|folder| std::fs::metadata(folder).ok()).all(|folder| {
            let mode = folder.permissions().mode();
            mode & 0o001 != 0
                || (folder.gid() == self.gid && mode & 0o010 != 0)
                || (folder.uid() == self.uid && mode & 0o100 != 0)
        })
    }
}

/// The line of a user in `/etc/passwd`: name, password, uid, gid, …
fn find(users: &str, name: &str) -> Option<Account> {
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { uid, gid })
}
