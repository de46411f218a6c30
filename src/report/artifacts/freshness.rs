//! `sources.json`, dbt's version 3: how old the newest row of each source table is.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::source;
use super::write::{self, Unwritten};
use super::{Described, identity};
use crate::ident::NodeName;
use crate::manifest::{Freshness, FreshnessStatus};

/// What was found of one source table.
#[derive(Debug, Clone)]
pub struct Measured {
    pub node: NodeName,
    pub criteria: Freshness,
    pub started_at: Timestamp,
    pub elapsed: Duration,
    /// The age, or why it could not be found.
    pub age: Result<Age, String>,
}

#[derive(Debug, Clone, Copy)]
pub struct Age {
    /// The server's clock at the time.
    pub snapshotted_at: Timestamp,
    /// An empty table was loaded in the year 1, as in dbt.
    pub max_loaded_at: Timestamp,
    /// The last batch of a staged table: what it holds is the source's of this time.
    pub last_batch_at: Option<Timestamp>,
    pub status: FreshnessStatus,
}

impl Age {
    pub fn length(&self) -> Duration {
        Duration::try_from(self.snapshotted_at.duration_since(self.max_loaded_at)).unwrap_or_default()
    }
}

pub fn write_sources(
    folder: &Path,
    described: Described<'_>,
    (measured, elapsed): (&[Measured], Duration),
) -> Result<(), Unwritten> {
    write::write(folder, "sources.json", &sources(described, (measured, elapsed)))
}

/// The whole document, as the file and `--output json` show it.
pub fn sources(described: Described<'_>, (measured, elapsed): (&[Measured], Duration)) -> Value {
    json!({
        "metadata": write::metadata("sources/v3", &described.environment.invocation),
        "results": measured.iter().map(|measured| result(described, measured)).collect::<Vec<_>>(),
        "elapsed_time": elapsed.as_secs_f64(),
    })
}

fn result(described: Described<'_>, measured: &Measured) -> Value {
    let id = identity::unique_id(described.manifest, &measured.node);
    let age = match &measured.age {
        Ok(age) => age,
        Err(error) => return json!({ "unique_id": id, "error": error, "status": "runtime error" }),
    };
    let started = measured.started_at.to_string();
    let elapsed = SignedDuration::try_from(measured.elapsed).unwrap_or(SignedDuration::MAX);
    let completed = measured.started_at.saturating_add(elapsed).unwrap_or(Timestamp::MAX).to_string();
    json!({
        "unique_id": id,
        "max_loaded_at": age.max_loaded_at.to_string(),
        "snapshotted_at": age.snapshotted_at.to_string(),
        "max_loaded_at_time_ago_in_s": age.length().as_secs_f64(),
        "status": age.status.as_str(),
        "criteria": source::freshness(&measured.criteria),
        "adapter_response": {
            "node": measured.node,
            "last_batch_at": age.last_batch_at.map(|time| time.to_string()),
        },
        "timing": [
            { "name": "compile", "started_at": started, "completed_at": started },
            { "name": "execute", "started_at": started, "completed_at": completed },
        ],
        "thread_id": "Thread-1",
        "execution_time": measured.elapsed.as_secs_f64(),
    })
}
