//! What a user wrote about a connection becomes an endpoint, by libpq's rules.
//!
//! An explicit setting wins over the service file, which wins over `PG*` variables, which win over defaults. The
//! environment is a function, so that nothing here reads the process's own.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::postgres::passfile::{self, Wanted};
use crate::postgres::service_file;
use crate::postgres::tls::{self, ClientCertificate, TlsMode};

/// One connection as it was written, every key optional.
#[derive(Default, Clone)]
pub struct ConnectionSettings {
    /// A host name, an address, or a directory with a socket.
    pub host: Option<String>,
    pub port: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub dbname: Option<String>,
    /// `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`.
    pub sslmode: Option<String>,
    /// A PEM file, or `system`.
    pub sslrootcert: Option<String>,
    /// PEM files of the client's own certificate and key.
    pub sslcert: Option<String>,
    pub sslkey: Option<String>,
    /// The role that sessions take on after login.
    pub role: Option<String>,
    pub keepalives_idle: Option<Duration>,
    /// A section of the service file.
    pub service: Option<String>,
    pub passfile: Option<String>,
    pub connect_timeout: Option<Duration>,
    pub statement_timeout: Option<Duration>,
    pub max_connections: Option<usize>,
}

impl fmt::Debug for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("dbname", &self.dbname)
            .field("sslmode", &self.sslmode)
            .field("sslrootcert", &self.sslrootcert)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// A text that neither `Debug` nor `Display` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// One database on one server, with everything that is needed to reach it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// A path is the directory of a unix socket.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<Secret>,
    pub dbname: String,
    pub tls: TlsMode,
    pub client_certificate: Option<ClientCertificate>,
    pub role: Option<String>,
    pub keepalives_idle: Option<Duration>,
    pub connect_timeout: Option<Duration>,
    pub statement_timeout: Option<Duration>,
}

impl Endpoint {
    /// `user@host:port/dbname`, for people.
    pub fn describe(&self) -> String {
        format!("{}@{}:{}/{}", self.user, self.host, self.port, self.dbname)
    }

    /// Whether the server is reached through a socket in a directory.
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }

    /// The same server and user, another database.
    #[must_use]
    pub fn with_dbname(&self, dbname: &str) -> Self {
        Self { dbname: dbname.to_owned(), ..self.clone() }
    }
}

/// Why settings do not make an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("invalid port \"{0}\"")]
    Port(String),
    #[error("invalid sslmode \"{0}\"\nhint: one of disable, allow, prefer, require, verify-ca, verify-full")]
    SslMode(String),
    #[error("sslmode \"{sslmode}\" is too weak for sslrootcert \"system\"\nhint: set sslmode to verify-full")]
    WeakSystemRoots { sslmode: String },
    #[error(
        "sslmode \"{sslmode}\" needs a root certificate, and \"{path}\" does not exist\nhint: set sslrootcert to a PEM file or to \"system\""
    )]
    NoRootCertificate { sslmode: String, path: PathBuf },
    #[error("definition of service \"{0}\" not found\nhint: looked in {1}")]
    UnknownService(String, String),
    #[error("service file \"{path}\", line {line}: {problem}")]
    ServiceFile { path: PathBuf, line: usize, problem: String },
    #[error("{given} is set and {missing} is not\nhint: a client certificate needs both files")]
    HalfCertificate { given: &'static str, missing: &'static str },
    #[error("could not read \"{path}\"")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("invalid {key} \"{value}\"")]
    Number { key: &'static str, value: String },
}

/// Where a value is looked for, in libpq's order.
struct Lookup<'a> {
    service: service_file::Service,
    env: &'a dyn Fn(&str) -> Option<String>,
}

impl Lookup<'_> {
    fn find(&self, written: Option<&String>, key: &str, variable: &str) -> Option<String> {
        non_empty(written.cloned())
            .or_else(|| non_empty(self.service.get(key).map(str::to_owned)))
            .or_else(|| non_empty((self.env)(variable)))
    }
}

fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Settles every key of a connection; reads the service file and the password file when they are called for.
pub fn resolve(settings: &ConnectionSettings, env: &dyn Fn(&str) -> Option<String>) -> Result<Endpoint, SettingsError> {
    let lookup = Lookup { service: service_file::load(settings.service.as_deref(), env)?, env };
    let host = lookup.find(settings.host.as_ref(), "host", "PGHOST").unwrap_or_else(default_host);
    let port = port(&lookup.find(settings.port.as_ref(), "port", "PGPORT").unwrap_or_else(|| "5432".into()))?;
    let user = lookup
        .find(settings.user.as_ref(), "user", "PGUSER")
        .or_else(|| non_empty(env("USER")))
        .or_else(|| non_empty(env("LOGNAME")))
        .unwrap_or_else(|| "postgres".to_owned());
    let dbname = lookup.find(settings.dbname.as_ref(), "dbname", "PGDATABASE").unwrap_or_else(|| user.clone());
    let sslmode = lookup.find(settings.sslmode.as_ref(), "sslmode", "PGSSLMODE");
    let roots = lookup.find(settings.sslrootcert.as_ref(), "sslrootcert", "PGSSLROOTCERT");
    let tls = if host.starts_with('/') { TlsMode::Disable } else { tls::mode(sslmode, roots, env)? };
    let mut endpoint = Endpoint {
        host,
        port,
        user,
        password: lookup.find(settings.password.as_ref(), "password", "PGPASSWORD").map(Secret),
        dbname,
        tls,
        client_certificate: client_certificate(settings, &lookup)?,
        role: settings.role.clone(),
        keepalives_idle: settings.keepalives_idle,
        connect_timeout: connect_timeout(settings, &lookup)?,
        statement_timeout: settings.statement_timeout,
    };
    if endpoint.password.is_none() {
        let path = lookup.find(settings.passfile.as_ref(), "passfile", "PGPASSFILE");
        endpoint.password = password_from_file(&endpoint, path, env);
    }
    Ok(endpoint)
}

/// Both files, or neither.
fn client_certificate(
    settings: &ConnectionSettings,
    lookup: &Lookup<'_>,
) -> Result<Option<ClientCertificate>, SettingsError> {
    let certificate = lookup.find(settings.sslcert.as_ref(), "sslcert", "PGSSLCERT");
    let key = lookup.find(settings.sslkey.as_ref(), "sslkey", "PGSSLKEY");
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Ok(Some(ClientCertificate { certificate: certificate.into(), key: key.into() }))
        }
        (Some(_), None) => Err(SettingsError::HalfCertificate { given: "sslcert", missing: "sslkey" }),
        (None, Some(_)) => Err(SettingsError::HalfCertificate { given: "sslkey", missing: "sslcert" }),
        (None, None) => Ok(None),
    }
}

/// libpq's: the first usual socket directory that exists, or the loopback name.
fn default_host() -> String {
    ["/var/run/postgresql", "/tmp"]
        .into_iter()
        .find(|directory| std::path::Path::new(directory).join(".s.PGSQL.5432").exists())
        .unwrap_or("localhost")
        .to_owned()
}

fn port(text: &str) -> Result<u16, SettingsError> {
    text.trim().parse().ok().filter(|port| *port > 0).ok_or_else(|| SettingsError::Port(text.to_owned()))
}

/// libpq counts whole seconds, and takes 0 or less as "wait for ever".
fn connect_timeout(settings: &ConnectionSettings, lookup: &Lookup<'_>) -> Result<Option<Duration>, SettingsError> {
    if settings.connect_timeout.is_some() {
        return Ok(settings.connect_timeout);
    }
    let Some(text) = lookup.find(None, "connect_timeout", "PGCONNECT_TIMEOUT") else {
        return Ok(None);
    };
    let seconds: i64 =
        text.trim().parse().map_err(|_| SettingsError::Number { key: "connect_timeout", value: text.clone() })?;
    Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs))
}

fn password_from_file(
    endpoint: &Endpoint,
    path: Option<String>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Option<Secret> {
    let path = path.map(PathBuf::from).or_else(|| env("HOME").map(|home| PathBuf::from(home).join(".pgpass")))?;
    let port = endpoint.port.to_string();
    let host = if endpoint.is_socket() { "localhost" } else { &endpoint.host };
    let wanted = Wanted { host, port: &port, dbname: &endpoint.dbname, user: &endpoint.user };
    passfile::find(&path, &wanted).map(Secret)
}

#[cfg(test)]
mod tests;
