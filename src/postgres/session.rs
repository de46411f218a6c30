//! One session: what is pinned in it, how it is named, and the task that drives it.
//!
//! The pins make text output the same on every server, so that two copies of a value are equal bytes.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::AbortHandle;
use tokio_postgres::Client;

use crate::ident::{Ident, Literal};

/// The longest application name that a server keeps.
const APPLICATION_NAME_BYTES: usize = 63;
/// A source's session must not stand in the application's way for longer.
/// Long enough for the biggest table, short enough that a forgotten session does not hold back vacuum for ever.
const SOURCE_STATEMENT_TIMEOUT: &str = "2h";
const SOURCE_LOCK_TIMEOUT: &str = "30s";

/// Which side of the migration a session is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Read-only, and impatient about locks.
    Source,
    Target,
}

/// What a session is given beyond the pins of its role.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// Empty leaves the server's own.
    pub search_path: Vec<Ident>,
    /// Empty leaves `unimig`.
    pub application_name: String,
}

/// A session outside of any pool; it ends when this is dropped.
#[derive(Debug)]
pub struct Session {
    client: Client,
    driver: AbortHandle,
}

impl Session {
    pub(super) fn new(client: Client, driver: AbortHandle) -> Self {
        Self { client, driver }
    }
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// `unimig 20261122T021407Z stg.svp.labors`: the start comes first, so that cutting a long name leaves it.
pub fn application_name(process: &str, since: Timestamp) -> String {
    let name = format!("unimig {} {process}", since.strftime("%Y%m%dT%H%M%SZ"));
    let mut end = name.len().min(APPLICATION_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

/// Everything that decides which settings a session gets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pins<'a> {
    pub role: Role,
    /// The server's major version.
    pub version: u32,
    pub statement_timeout: Option<Duration>,
    pub search_path: &'a [Ident],
    /// Whose privileges the session has, where not the user's own.
    pub set_role: Option<&'a str>,
}

/// Settings that some servers refuse; a session is usable without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extras {
    Set,
    Omit,
}

/// One statement that pins them all: one round trip, and all or nothing.
pub(super) fn pin_statement(pins: &Pins<'_>, extras: Extras) -> String {
    let mut settings: Vec<(&str, String)> = [
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, YMD"),
        ("IntervalStyle", "postgres"),
        ("TimeZone", "UTC"),
        ("extra_float_digits", if pins.version < 12 { "3" } else { "1" }),
        ("bytea_output", "hex"),
        ("xmloption", "content"),
        ("standard_conforming_strings", "on"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    let statement_timeout = match (pins.statement_timeout, pins.role) {
        (Some(timeout), Role::Source | Role::Target) => format!("{}ms", timeout.as_millis()),
        (None, Role::Source) => SOURCE_STATEMENT_TIMEOUT.to_owned(),
        // A merge takes as long as it takes.
        (None, Role::Target) => "0".to_owned(),
    };
    settings.push(("statement_timeout", statement_timeout));
    // The session that holds a snapshot is idle for as long as others read in it.
    settings.push(("idle_in_transaction_session_timeout", "0".to_owned()));
    if pins.version >= 14 {
        settings.push(("idle_session_timeout", "0".to_owned()));
    }
    if pins.version >= 17 {
        settings.push(("transaction_timeout", "0".to_owned()));
    }
    // A policy that hides rows would make them look deleted: the server refuses such a read instead.
    settings.push(("row_security", "off".to_owned()));
    if pins.role == Role::Source {
        settings.push(("default_transaction_read_only", "on".to_owned()));
        settings.push(("lock_timeout", SOURCE_LOCK_TIMEOUT.to_owned()));
    }
    if let Some(role) = pins.set_role {
        settings.push(("role", role.to_owned()));
    }
    if !pins.search_path.is_empty() {
        let schemas: Vec<String> = pins.search_path.iter().map(ToString::to_string).collect();
        settings.push(("search_path", schemas.join(", ")));
    }
    if extras == Extras::Set {
        settings.push(("lc_monetary", "C".to_owned()));
        if pins.version >= 14 {
            settings.push(("client_connection_check_interval", "1s".to_owned()));
        }
    }
    let calls: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("pg_catalog.set_config({}, {}, false)", Literal(name), Literal(value)))
        .collect();
    format!("select {}", calls.join(", "))
}

/// Names a session anew, so that others can see who holds a lock and since when.
pub(super) fn name_statement(application_name: &str) -> String {
    format!("set application_name = {}", Literal(application_name))
}

/// The major version in `server_version`, as in `15.18 (Debian 15.18-0+deb12u1)` or `18beta1`.
pub(super) fn major_version(server_version: &str) -> u32 {
    let digits: String = server_version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests;
