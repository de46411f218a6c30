//! The private server's settings, written anew at every start.
//!
//! Durable (`fsync` stays on) but not replicated, reached through the socket alone, and silent about statements that
//! fail: PostgreSQL quotes row values in what it logs about them.

use std::path::Path;

/// The file beside `postgresql.conf`, which includes it.
pub const FILE_NAME: &str = "unimig.conf";

const SETTINGS: &str = "\
listen_addresses = ''
unix_socket_permissions = 0700
port = 5432
max_connections = 100
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_level = minimal
max_wal_senders = 0
synchronous_commit = off
fsync = on
jit = off
max_locks_per_transaction = 256
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
";

/// The whole file.
pub fn text(socket_dir: &Path) -> String {
    let folder = socket_dir.display().to_string().replace('\'', "''");
    format!("# Written by unimig at every start.\n{SETTINGS}unix_socket_directories = '{folder}'\n")
}
