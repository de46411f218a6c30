//! One call of the tool: the identity that templates, artifacts, log lines and the run's history share.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

/// Taken once at the door and passed on as a value, so that everything below stays without clock and chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// A random UUID, as text.
    pub id: String,
    pub started_at: Timestamp,
    /// What was asked for, as templates see it in `flags.WHICH`.
    pub command: String,
    /// `--full-refresh`.
    pub full_refresh: bool,
    /// `--store-failures`.
    pub store_failures: bool,
    /// The other options that dbt shows to templates, by its names: `FAIL_FAST`, `INDIRECT_SELECTION`. What is not in
    /// here is undefined to them.
    pub flags: BTreeMap<&'static str, serde_json::Value>,
    /// dbt's identities of what the command is about, once that is known.
    pub selected: Arc<OnceLock<Vec<String>>>,
    /// Set once a template has asked for them.
    pub selected_is_asked: Arc<OnceLock<()>>,
}

impl Invocation {
    /// A new identity, now.
    pub fn begin() -> Self {
        Self { id: uuid::Uuid::new_v4().to_string(), started_at: Timestamp::now(), ..Self::default() }
    }
}

/// The same one always, for tests.
impl Default for Invocation {
    fn default() -> Self {
        Self {
            id: uuid::Uuid::nil().to_string(),
            started_at: Timestamp::UNIX_EPOCH,
            command: String::new(),
            full_refresh: false,
            store_failures: false,
            flags: BTreeMap::new(),
            selected: Arc::default(),
            selected_is_asked: Arc::default(),
        }
    }
}
