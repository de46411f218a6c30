//! Locks between commands, kept by the kernel: a killed command holds none.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::postgres::server::error::ServerControlError;

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    Shared,
    Exclusive,
}

/// A lock on a file, until this is dropped.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Waits for as long as it takes.
    pub fn wait(path: &Path, hold: Hold) -> Result<FileLock, ServerControlError> {
        let file = open(path)?;
        let operation = match hold {
            Hold::Shared => FlockOperation::LockShared,
            Hold::Exclusive => FlockOperation::LockExclusive,
        };
        loop {
            match flock(&file, operation) {
                Ok(()) => return Ok(FileLock { _file: file }),
                Err(Errno::INTR) => {}
                Err(error) => return Err(ServerControlError::io("lock", path, error.into())),
            }
        }
    }

    /// None while anybody else holds it in any way.
    pub fn try_exclusive(path: &Path) -> Result<Option<FileLock>, ServerControlError> {
        let file = open(path)?;
        // A program that this process is just starting holds all of its locks until it is that program.
        for pause in std::iter::repeat_n(Some(Duration::from_millis(20)), 25).chain([None]) {
            match (flock(&file, FlockOperation::NonBlockingLockExclusive), pause) {
                (Ok(()), _) => return Ok(Some(FileLock { _file: file })),
                (Err(Errno::WOULDBLOCK), Some(pause)) => std::thread::sleep(pause),
                (Err(Errno::WOULDBLOCK), None) => break,
                (Err(error), _) => return Err(ServerControlError::io("lock", path, error.into())),
            }
        }
        Ok(None)
    }
}

fn open(path: &Path) -> Result<File, ServerControlError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| ServerControlError::io("create", folder, source))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    options.open(path).map_err(|source| ServerControlError::io("open", path, source))
}
