//! Makes one connection: TLS by mode, login, and the pins, before anybody else sees the session.
//!
//! `allow` and `prefer` try a second way when the first is refused, as libpq does; no other mode falls back.

use std::error::Error as _;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::ident::Ident;
use crate::postgres::error::{Attempt, PostgresError};
use crate::postgres::session::{
    Extras, Pins, Role, Session, SessionOptions, application_name, major_version, name_statement, pin_statement,
};
use crate::postgres::settings::Endpoint;
use crate::postgres::tls::{self, TlsMode};

const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 6;
/// Without a limit of the user's own, an address that swallows packets must not hold a command for minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens one session outside of any pool; `name` is what the user calls the connection.
pub async fn connect(
    name: &str,
    endpoint: &Endpoint,
    role: Role,
    options: &SessionOptions,
) -> Result<Session, PostgresError> {
    let described = endpoint.describe();
    let attempt = Attempt { name, endpoint: &described, dbname: &endpoint.dbname };
    let connector = Connector::new(endpoint, role, options.search_path.clone())
        .map_err(|error| PostgresError::tls(attempt, error))?;
    let (client, driver) = connector.open().await.map_err(|error| PostgresError::connecting(attempt, error))?;
    let session = Session::new(client, driver.abort_handle());
    if !options.application_name.is_empty() {
        let application_name = application_name(&options.application_name, Timestamp::now());
        session
            .batch_execute(&name_statement(&application_name))
            .await
            .map_err(|error| PostgresError::server("name the session", error))?;
    }
    Ok(session)
}

/// Opens sessions that are all alike; shared by a pool and its cancellers.
#[derive(Clone)]
pub(super) struct Connector {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    role: Role,
    search_path: Vec<Ident>,
    tls: MakeRustlsConnect,
}

impl Connector {
    pub(super) fn new(endpoint: &Endpoint, role: Role, search_path: Vec<Ident>) -> Result<Self, tls::TlsError> {
        let tls = tls::connector(&endpoint.tls, endpoint.client_certificate.as_ref())?;
        Ok(Self { shared: Arc::new(Shared { endpoint: endpoint.clone(), role, search_path, tls }) })
    }

    pub(super) fn tls(&self) -> MakeRustlsConnect {
        self.shared.tls.clone()
    }

    /// A client and the task that drives it; the task ends with the client.
    pub(super) async fn open(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let (first, second) = ssl_modes(&self.shared.endpoint.tls);
        let (client, connection) = match (self.login(first).await, second) {
            (Err(error), Some(second)) if invites_another_way(&error) => self.login(second).await?,
            (other, _) => other?,
        };
        let version = major_version(connection.parameter("server_version").unwrap_or_default());
        let driver = tokio::spawn(drive(connection));
        match self.pin(&client, version).await {
            Ok(()) => Ok((client, driver)),
            Err(error) => {
                driver.abort();
                Err(error)
            }
        }
    }

    async fn login(&self, mode: SslMode) -> Result<RawConnection, Error> {
        let endpoint = &self.shared.endpoint;
        let mut config = Config::new();
        config
            .host(&endpoint.host)
            .port(endpoint.port)
            .user(&endpoint.user)
            .dbname(&endpoint.dbname)
            .application_name("unimig")
            .ssl_mode(mode)
            .connect_timeout(endpoint.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
            .keepalives(KEEPALIVES)
            .keepalives_idle(endpoint.keepalives_idle.unwrap_or(KEEPALIVE_IDLE))
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(KEEPALIVE_RETRIES);
        if let Some(password) = &endpoint.password {
            config.password(password.reveal());
        }
        config.connect(self.tls()).await
    }

    async fn pin(&self, client: &Client, version: u32) -> Result<(), Error> {
        let pins = Pins {
            role: self.shared.role,
            version,
            statement_timeout: self.shared.endpoint.statement_timeout,
            search_path: &self.shared.search_path,
            set_role: self.shared.endpoint.role.as_deref(),
        };
        match client.simple_query(&pin_statement(&pins, Extras::Set)).await {
            Ok(_) => Ok(()),
            Err(error) if error.as_db_error().is_some() => {
                client.simple_query(&pin_statement(&pins, Extras::Omit)).await.map(drop)
            }
            Err(error) => Err(error),
        }
    }
}

type RawConnection = (Client, Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>);

const KEEPALIVES: bool = true;

/// The way to try first, and the one after it.
fn ssl_modes(mode: &TlsMode) -> (SslMode, Option<SslMode>) {
    match mode {
        TlsMode::Disable => (SslMode::Disable, None),
        TlsMode::Allow => (SslMode::Disable, Some(SslMode::Require)),
        TlsMode::Prefer => (SslMode::Prefer, Some(SslMode::Disable)),
        TlsMode::Require | TlsMode::VerifyCa(_) | TlsMode::VerifyFull(_) => (SslMode::Require, None),
    }
}

/// The server turned this kind of connection down (pg_hba.conf), or the TLS handshake failed.
fn invites_another_way(error: &Error) -> bool {
    match error.as_db_error() {
        Some(db) => db.code().code() == "28000",
        None => error.to_string().contains("TLS") && error.source().is_some(),
    }
}

/// Notices are dropped here on purpose: a trigger may put row values into them.
async fn drive(mut connection: RawDriver) {
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        if let Err(error) = message {
            tracing::debug!(%error, "a session ended");
            break;
        }
    }
}

type RawDriver = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

impl deadpool_postgres::Connect for Connector {
    fn connect(&self, _config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        Box::pin(self.open())
    }
}
