//! A capped set of sessions on one endpoint, opened when they are first wanted.
//!
//! A lease is named after its process. A session is given back clean or not at all: whoever leaves a transaction or a
//! session lock open calls [`Lease::discard`].

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Timeouts};
use jiff::Timestamp;
use tokio_postgres::{CancelToken, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::ident::Ident;
use crate::postgres::connect::Connector;
use crate::postgres::error::{Attempt, PostgresError};
use crate::postgres::session::{Role, application_name, name_statement};
use crate::postgres::settings::Endpoint;

/// Sessions of one connection; clones share them.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    endpoint: Endpoint,
    described: String,
    role: Role,
    max_connections: usize,
    search_path: Vec<Ident>,
    opened: OnceLock<Opened>,
}

struct Opened {
    pool: deadpool_postgres::Pool,
    tls: MakeRustlsConnect,
}

impl Pool {
    /// Opens nothing yet; `name` is what the user calls the connection.
    pub fn new(name: &str, endpoint: Endpoint, role: Role, max_connections: usize) -> Pool {
        let described = endpoint.describe();
        let shared = Shared {
            name: name.to_owned(),
            endpoint,
            described,
            role,
            max_connections: max_connections.max(1),
            search_path: Vec::new(),
            opened: OnceLock::new(),
        };
        Pool { shared: Arc::new(shared) }
    }

    /// A pool of its own, whose sessions look names up in these schemas.
    #[must_use]
    pub fn with_search_path(self, schemas: Vec<Ident>) -> Pool {
        let shared = &self.shared;
        let shared = Shared {
            name: shared.name.clone(),
            endpoint: shared.endpoint.clone(),
            described: shared.described.clone(),
            role: shared.role,
            max_connections: shared.max_connections,
            search_path: schemas,
            opened: OnceLock::new(),
        };
        Pool { shared: Arc::new(shared) }
    }

    pub fn name(&self) -> &str {
        &self.shared.name
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    pub fn role(&self) -> Role {
        self.shared.role
    }

    pub fn max_connections(&self) -> usize {
        self.shared.max_connections
    }

    /// Waits for a free session or opens one, and names it after the process: `stg.svp.labors`.
    pub async fn lease(&self, process: &str) -> Result<Lease, PostgresError> {
        let opened = self.open()?;
        let statement = name_statement(&application_name(process, Timestamp::now()));
        // Every idle session may have died with the server; one more attempt gets a new one.
        for _ in 0..self.shared.max_connections {
            let object = opened.pool.get().await.map_err(|error| self.pool_error(error))?;
            match object.batch_execute(&statement).await {
                Ok(()) => {
                    return Ok(Lease { object, tls: opened.tls.clone() });
                }
                Err(_) => drop(Object::take(object)),
            }
        }
        let object = opened.pool.get().await.map_err(|error| self.pool_error(error))?;
        match object.batch_execute(&statement).await {
            Ok(()) => Ok(Lease { object, tls: opened.tls.clone() }),
            Err(error) => {
                drop(Object::take(object));
                Err(PostgresError::server(format!("name a session of \"{}\"", self.shared.name), error))
            }
        }
    }

    /// A session, if one may be had without waiting.
    pub async fn lease_if_free(&self, process: &str) -> Result<Option<Lease>, PostgresError> {
        let opened = self.open()?;
        let at_once = Timeouts { wait: Some(Duration::ZERO), create: None, recycle: None };
        let object = match opened.pool.timeout_get(&at_once).await {
            Ok(object) => object,
            Err(PoolError::Timeout(_)) => return Ok(None),
            Err(error) => return Err(self.pool_error(error)),
        };
        let statement = name_statement(&application_name(process, Timestamp::now()));
        match object.batch_execute(&statement).await {
            Ok(()) => Ok(Some(Lease { object, tls: opened.tls.clone() })),
            Err(_) => {
                drop(Object::take(object));
                Ok(None)
            }
        }
    }

    /// Closes every idle session; those on lease close when they come back.
    pub fn close(&self) {
        if let Some(opened) = self.shared.opened.get() {
            opened.pool.close();
        }
    }

    fn open(&self) -> Result<&Opened, PostgresError> {
        if let Some(opened) = self.shared.opened.get() {
            return Ok(opened);
        }
        let connector = Connector::new(&self.shared.endpoint, self.shared.role, self.shared.search_path.clone())
            .map_err(|error| PostgresError::tls(self.attempt(), error))?;
        let tls = connector.tls();
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(Config::new(), connector, recycling);
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(self.shared.max_connections)
            .build()
            .expect("a pool without time limits needs no runtime");
        Ok(self.shared.opened.get_or_init(|| Opened { pool, tls }))
    }

    fn attempt(&self) -> Attempt<'_> {
        Attempt { name: &self.shared.name, endpoint: &self.shared.described, dbname: &self.shared.endpoint.dbname }
    }

    fn pool_error(&self, error: PoolError) -> PostgresError {
        match error {
            PoolError::Backend(error) => PostgresError::connecting(self.attempt(), error),
            PoolError::Closed
            | PoolError::Timeout(_)
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_) => PostgresError::ConnectionLost {
                doing: format!("lease a session of \"{}\"", self.shared.name),
                source: None,
                error: None,
            },
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.shared.name)
            .field("endpoint", &self.shared.described)
            .field("role", &self.shared.role)
            .finish_non_exhaustive()
    }
}

/// A session of a pool, for as long as this lives.
pub struct Lease {
    object: Object,
    tls: MakeRustlsConnect,
}

impl Lease {
    /// Closes the session instead of giving it back: it has a transaction or a session lock open.
    pub fn discard(self) {
        drop(Object::take(self.object));
    }

    pub fn canceller(&self) -> Canceller {
        Canceller { token: self.object.cancel_token(), tls: self.tls.clone() }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

impl Deref for Lease {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.object
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.object
    }
}

/// Stops what a session is running, from anywhere.
#[derive(Clone)]
pub struct Canceller {
    token: CancelToken,
    tls: MakeRustlsConnect,
}

impl Canceller {
    /// Asks the server to stop the running statement, encrypted if the session is; whether it did is seen in the
    /// session.
    pub async fn cancel(&self) -> Result<(), PostgresError> {
        self.token
            .cancel_query(self.tls.clone())
            .await
            .map_err(|error| PostgresError::server("cancel a statement", error))
    }
}

#[cfg(test)]
mod tests;
