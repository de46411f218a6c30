//! A session of the test's own: what an application or another person would do at the same time.

use std::path::Path;

use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::harness::server::socket_folder;

/// How often a condition on the server is looked at before a test gives up; each look waits 10 ms on the server.
const LOOKS: usize = 2_000;

/// Statements are sent at once and waited for; dropping it ends the session.
pub struct Session {
    runtime: Runtime,
    client: Client,
}

impl Session {
    pub fn open(dbname: &str) -> Self {
        Self::at(Path::new(&socket_folder()), dbname)
    }

    pub fn at(socket_dir: &Path, dbname: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let mut config = Config::new();
        config.host_path(socket_dir).user("unimig").dbname(dbname).application_name("test");
        let client = runtime.block_on(async {
            let (client, connection) = config.connect(NoTls).await.expect("a session opens");
            tokio::spawn(connection);
            client
        });
        Self { runtime, client }
    }

    pub fn execute(&self, sql: &str) {
        if let Err(error) = self.try_execute(sql) {
            panic!("{error}\n{sql}");
        }
    }

    pub fn try_execute(&self, sql: &str) -> Result<(), String> {
        let done = self.runtime.block_on(self.client.batch_execute(sql));
        done.map_err(|error| error.as_db_error().map_or_else(|| error.to_string(), |server| server.to_string()))
    }

    /// Rows as text, columns parted by `|`, NULL as `∅`.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        let messages = match self.runtime.block_on(self.client.simple_query(sql)) {
            Ok(messages) => messages,
            Err(error) => panic!("{error:?}\n{sql}"),
        };
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or("∅")).collect::<Vec<_>>().join("|")).collect()
    }

    /// Waits until a query gives `true`.
    pub fn wait_until(&self, condition: &str) {
        for _ in 0..LOOKS {
            if self.rows(&format!("select ({condition})::text")) == ["true"] {
                return;
            }
            self.execute("select pg_sleep(0.01)");
        }
        panic!("waited in vain for {condition}");
    }
}
