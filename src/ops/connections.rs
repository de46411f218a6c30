//! The profile's connections and stores, opened; the private server is started where one of them needs it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::Ident;
use crate::ops::OpError;
use crate::ops::workspace::Workspace;
use crate::postgres::server::{Binaries, Borrowed, PrivateServer};
use crate::postgres::{ConnectionSettings, Endpoint, Pool, PostgresError, Role, resolve};
use crate::project::{ConnectionOutput, EnvVars, ServerKind, Settings, TargetOutput};
use crate::store::{Store, StoreSettings};

/// Sessions per source unless the profile says otherwise; one of them holds the snapshot.
const SOURCE_CONNECTIONS: usize = 4;

/// The store that holds the OCI layer.
const LAYER: &str = "layer";

/// The target's name in messages.
pub const TARGET: &str = "target";

/// Pools that open their sessions when they are first used.
pub struct Connections {
    pub target: Pool,
    pub sources: BTreeMap<String, Pool>,
    /// One session more for each source whose load is watched while it is read.
    pub watchers: BTreeMap<String, Pool>,
    borrowed: Option<Borrowed>,
}

impl Connections {
    /// Resolves every connection; starts the private server if the target or a source is on it.
    pub async fn open(workspace: &Workspace, threads: usize) -> Result<Self, OpError> {
        let environment = &workspace.environment;
        let embedded = |kind| kind == ServerKind::Embedded;
        let needs_server =
            embedded(environment.target.kind) || environment.connections.values().any(|source| embedded(source.kind));
        let borrowed = match needs_server {
            true => Some(private_server(workspace)?.borrow().await?),
            false => None,
        };
        match Self::resolve(workspace, borrowed.as_ref(), threads).await {
            Ok(Pools { target, sources, watchers }) => Ok(Self { target, sources, watchers, borrowed }),
            Err(error) => {
                if let Some(borrowed) = borrowed {
                    borrowed.give_back().await?;
                }
                Err(error)
            }
        }
    }

    async fn resolve(workspace: &Workspace, borrowed: Option<&Borrowed>, threads: usize) -> Result<Pools, OpError> {
        let environment = &workspace.environment;
        let target = &environment.target;
        let place = Place {
            name: TARGET,
            kind: target.kind,
            dbname: &target.dbname,
            settings: &target.settings,
            declared_at: &target.declared_at,
        };
        if let (ServerKind::Embedded, Some(borrowed)) = (target.kind, borrowed) {
            borrowed.server().ensure_database(&target.dbname).await?;
        }
        let target_endpoint = endpoint(place, borrowed, &environment.env)?;
        let search_path = search_path(target);
        let target = Pool::new(TARGET, target_endpoint, Role::Target, threads + 2).with_search_path(search_path);
        let mut pools = Pools { target, sources: BTreeMap::new(), watchers: BTreeMap::new() };
        for (name, source) in &environment.connections {
            if let (ServerKind::Embedded, Some(borrowed)) = (source.kind, borrowed) {
                borrowed.server().ensure_database(&source.dbname).await?;
            }
            let place = Place {
                name,
                kind: source.kind,
                dbname: &source.dbname,
                settings: &source.settings,
                declared_at: &source.declared_at,
            };
            let cap = connection_cap(source)?;
            let source_endpoint = endpoint(place, borrowed, &environment.env)?;
            let watching = usize::from(source.limits.watches());
            if watching > 0 {
                let watcher = Pool::new(name, source_endpoint.clone(), Role::Source, watching);
                pools.watchers.insert(name.clone(), watcher);
            }
            pools.sources.insert(name.clone(), Pool::new(name, source_endpoint, Role::Source, cap - watching));
        }
        Ok(pools)
    }

    /// Closes every session, and stops the private server if this command had started it.
    pub async fn close(self) -> Result<(), OpError> {
        self.target.close();
        for source in self.sources.values().chain(self.watchers.values()) {
            source.close();
        }
        if let Some(borrowed) = self.borrowed {
            borrowed.give_back().await?;
        }
        Ok(())
    }
}

struct Pools {
    target: Pool,
    sources: BTreeMap<String, Pool>,
    watchers: BTreeMap<String, Pool>,
}

/// The target's schema first, so that a bare name means what plain SQL models mean by it.
fn search_path(target: &TargetOutput) -> Vec<Ident> {
    let mut path = vec![target.schema.clone()];
    match target.search_path.is_empty() {
        true => path.push(Ident::from_catalog("public")),
        false => path.extend(target.search_path.iter().filter(|schema| **schema != target.schema).cloned()),
    }
    path
}

/// The private server of a project.
pub fn private_server(workspace: &Workspace) -> Result<PrivateServer, OpError> {
    let env = &workspace.environment.env;
    let binaries = Binaries::find(&|name| env.get(name).map(str::to_owned))?;
    Ok(PrivateServer::at(&workspace.state_dir(), binaries))
}

/// Opens a store of the profile; nothing is sent yet.
pub fn open_store(workspace: &Workspace, name: &str) -> Result<Store, OpError> {
    let Some(output) = workspace.environment.stores.get(name) else {
        let message = format!("output \"{}\" has no store \"{name}\"", workspace.environment.target_name);
        let mistake = Diagnostic::error(Code::MissingKey, message)
            .at(workspace.environment.target.declared_at.clone())
            .hint("add it to profiles.yml: stores: {layer: {url: \"file://.unimig/layer\"}}");
        return Err(OpError::Project(Diagnostics(vec![mistake])));
    };
    let setting = |key| output.settings.get(key).map(str::to_owned);
    let settings = StoreSettings {
        url: output.url.clone(),
        region: setting("region"),
        endpoint: setting("endpoint"),
        access_key_id: setting("access_key_id"),
        secret_access_key: setting("secret_access_key"),
        session_token: setting("session_token"),
    };
    Ok(Store::open(name, &settings, &workspace.project.root)?)
}

/// The store of the OCI layer.
pub fn open_layer(workspace: &Workspace) -> Result<Store, OpError> {
    open_store(workspace, LAYER)
}

/// One connection of the profile, whatever it is called there.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    kind: ServerKind,
    dbname: &'a str,
    settings: &'a Settings,
    declared_at: &'a Span,
}

impl Place<'_> {
    /// Whole seconds; 0 sets no limit, as for libpq.
    fn seconds(self, key: &str) -> Result<Option<Duration>, OpError> {
        let Some(written) = self.settings.get(key) else { return Ok(None) };
        match written.trim().parse::<u64>() {
            Ok(seconds) => Ok((seconds > 0).then(|| Duration::from_secs(seconds))),
            Err(_) => {
                let mistake = Diagnostic::error(Code::BadValue, format!("{key} is \"{written}\""))
                    .at(self.declared_at.clone())
                    .hint("write a whole number of seconds");
                Err(OpError::Project(Diagnostics(vec![mistake])))
            }
        }
    }
}

fn endpoint(place: Place<'_>, borrowed: Option<&Borrowed>, env: &EnvVars) -> Result<Endpoint, OpError> {
    match (place.kind, borrowed) {
        (ServerKind::Embedded, Some(borrowed)) => {
            let statement_timeout = place.seconds("statement_timeout")?;
            Ok(Endpoint { statement_timeout, ..borrowed.server().endpoint(place.dbname) })
        }
        (ServerKind::Embedded | ServerKind::Postgres, _) => {
            let settings = connection_settings(place)?;
            resolve(&settings, &|name| env.get(name).map(str::to_owned))
                .map_err(|source| OpError::Postgres(PostgresError::Settings { name: place.name.to_owned(), source }))
        }
    }
}

fn connection_settings(place: Place<'_>) -> Result<ConnectionSettings, OpError> {
    let text = |key| place.settings.get(key).map(str::to_owned);
    Ok(ConnectionSettings {
        host: text("host"),
        port: text("port"),
        user: text("user"),
        password: text("password"),
        dbname: text("dbname"),
        sslmode: text("sslmode"),
        sslrootcert: text("sslrootcert"),
        sslcert: text("sslcert"),
        sslkey: text("sslkey"),
        role: text("role"),
        keepalives_idle: place.seconds("keepalives_idle")?,
        service: text("service"),
        passfile: text("passfile"),
        connect_timeout: place.seconds("connect_timeout")?,
        statement_timeout: place.seconds("statement_timeout")?,
        max_connections: None,
    })
}

/// The most sessions of a source, the one that watches its load among them.
fn connection_cap(source: &ConnectionOutput) -> Result<usize, OpError> {
    let Some(written) = source.settings.get("max_connections") else { return Ok(SOURCE_CONNECTIONS) };
    let (least, why) = match source.limits.watches() {
        true => (3, "one session holds the snapshot, one watches the source's load, and others read"),
        false => (2, "one session holds the snapshot while others read"),
    };
    match written.parse::<usize>() {
        Ok(cap) if cap >= least => Ok(cap),
        Ok(_) | Err(_) => {
            let mistake = Diagnostic::error(Code::BadValue, format!("max_connections is \"{written}\""))
                .at(source.declared_at.clone())
                .hint(format!("this source needs at least {least}: {why}"));
            Err(OpError::Project(Diagnostics(vec![mistake])))
        }
    }
}
