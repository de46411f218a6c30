//! A database of its own for every test, on one private server below `target/` (one a major version) that the tests
//! share.
//!
//! Each test borrows the server as a command would, so the last test to end stops it.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;

use crate::postgres::server::{Binaries, Borrowed, PrivateServer};
use crate::postgres::{Endpoint, Pool, Role, Session, SessionOptions, connect};

static NEXT: AtomicU32 = AtomicU32::new(0);
static SWEPT: OnceCell<()> = OnceCell::const_new();

/// Drop it last: the server may stop then.
pub struct TestDatabase {
    pub endpoint: Endpoint,
    borrowed: Option<Borrowed>,
}

/// This machine's PostgreSQL; a test that needs one fails without.
pub fn binaries() -> Binaries {
    Binaries::find(&|name| std::env::var(name).ok()).expect("these tests need PostgreSQL 15 or later on this machine")
}

impl TestDatabase {
    pub async fn new() -> Self {
        let binaries = binaries();
        let folder = format!("target/test-server-{}", binaries.major);
        let server = PrivateServer::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), binaries);
        let borrowed = server.borrow().await.expect("the tests' server starts");
        SWEPT.get_or_init(|| sweep(&server)).await;
        let dbname = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        server.ensure_database(&dbname).await.expect("a database can be created");
        Self { endpoint: server.endpoint(&dbname), borrowed: Some(borrowed) }
    }

    pub async fn session(&self) -> Session {
        connect("test", &self.endpoint, Role::Target, &SessionOptions::default()).await.expect("a session opens")
    }

    pub fn pool(&self, max_connections: usize) -> Pool {
        Pool::new("test", self.endpoint.clone(), Role::Target, max_connections)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(borrowed) = self.borrowed.take() {
            let _ = borrowed.give_back_blocking();
        }
    }
}

/// Drops what earlier test runs left.
async fn sweep(server: &PrivateServer) {
    let session = connect("test", &server.endpoint("postgres"), Role::Target, &SessionOptions::default())
        .await
        .expect("a session opens");
    let left = session
        .query("select datname::text from pg_database where datname ~ '^test_[0-9]+_[0-9]+$'", &[])
        .await
        .expect("databases can be listed");
    for row in left {
        let dbname: String = row.get(0);
        let owner = dbname.split('_').nth(1).unwrap_or_default().to_owned();
        if !Path::new("/proc").join(owner).exists() {
            // Another run may be sweeping too.
            let _ = session.batch_execute(&format!("drop database if exists {dbname}")).await;
        }
    }
}
