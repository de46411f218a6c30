//! What a relation of ours carries besides its rows, as dbt has it: indexes, grants, comments, whether it is logged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::config::Settled;
use super::materialization::sql_name;
use crate::ident::Ident;

/// What is brought up to date on a relation after each build, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upkeep {
    pub indexes: Vec<IndexConfig>,
    /// Roles by privilege, in lower case. Absent: nobody's grants are touched.
    pub grants: Option<BTreeMap<String, BTreeSet<Ident>>>,
    pub logging: Logging,
    pub docs: PersistDocs,
}

/// `unlogged`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Logging {
    #[default]
    Logged,
    Unlogged,
}

/// `persist_docs`: which descriptions become comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PersistDocs {
    pub relation: bool,
    pub columns: bool,
}

/// One entry of `indexes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexConfig {
    /// Columns or expressions, as SQL. Never empty.
    pub columns: Vec<String>,
    pub uniqueness: Uniqueness,
    /// `btree`, `hash`, `gin` …; the server's default without one.
    pub method: Option<Ident>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    Unique,
    Any,
}

impl Settled {
    pub(super) fn upkeep(&mut self) -> Upkeep {
        let logging = if self.switch("unlogged") == Some(true) { Logging::Unlogged } else { Logging::Logged };
        Upkeep { indexes: self.indexes(), grants: self.grants(), logging, docs: self.persist_docs() }
    }

    fn indexes(&mut self) -> Vec<IndexConfig> {
        let Some(setting) = self.get("indexes").cloned() else { return Vec::new() };
        let Value::Array(entries) = &setting.value else {
            self.bad(&setting, "\"indexes\" must be a list of maps".to_owned());
            return Vec::new();
        };
        let mut indexes = Vec::new();
        for entry in entries {
            match index(entry) {
                Ok(index) => indexes.push(index),
                Err(message) => {
                    self.bad(&setting, message).hint =
                        Some("an index is {columns: [a, b], unique: true, type: btree}".to_owned());
                }
            }
        }
        indexes
    }

    fn grants(&mut self) -> Option<BTreeMap<String, BTreeSet<Ident>>> {
        let setting = self.get("grants")?.clone();
        let Value::Object(entries) = &setting.value else {
            self.bad(&setting, "\"grants\" must be a map from privilege to roles".to_owned());
            return None;
        };
        let mut grants: BTreeMap<String, BTreeSet<Ident>> = BTreeMap::new();
        for (privilege, roles) in entries {
            let privilege = privilege.trim_start_matches('+').to_lowercase();
            if !PRIVILEGES.contains(&privilege.as_str()) {
                self.bad(&setting, format!("a relation has no privilege \"{privilege}\"")).hint =
                    Some(format!("it has {}", PRIVILEGES.join(", ")));
                continue;
            }
            let names = match roles {
                Value::String(role) => vec![role.as_str()],
                Value::Array(roles) if roles.iter().all(Value::is_string) => {
                    roles.iter().filter_map(Value::as_str).collect()
                }
                Value::Null => Vec::new(),
                Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                    self.bad(&setting, format!("the roles of \"{privilege}\" must be text or a list of texts"));
                    continue;
                }
            };
            for name in names {
                match Ident::new(sql_name(name)) {
                    Ok(role) => {
                        grants.entry(privilege.clone()).or_default().insert(role);
                    }
                    Err(error) => {
                        self.bad(&setting, error.to_string());
                    }
                }
            }
        }
        // As in dbt, a map without entries says nothing.
        (!entries.is_empty()).then_some(grants)
    }

    fn persist_docs(&mut self) -> PersistDocs {
        let Some(setting) = self.get("persist_docs").cloned() else { return PersistDocs::default() };
        let stated = |key: &str| setting.value.get(key).and_then(Value::as_bool).unwrap_or_default();
        let is_known = setting.value.as_object().is_some_and(|map| {
            map.iter().all(|(key, value)| ["relation", "columns"].contains(&key.as_str()) && value.is_boolean())
        });
        if !is_known {
            self.bad(
                &setting,
                "\"persist_docs\" must be a map with \"relation\" and \"columns\", true or false".to_owned(),
            );
        }
        PersistDocs { relation: stated("relation"), columns: stated("columns") }
    }
}

/// What may be granted on a table or view.
const PRIVILEGES: &[&str] = &["select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain"];

fn index(entry: &Value) -> Result<IndexConfig, String> {
    let Value::Object(entry) = entry else { return Err("an index must be a map".to_owned()) };
    if let Some(key) = entry.keys().find(|key| !["columns", "unique", "type"].contains(&key.as_str())) {
        return Err(format!("an index has no key \"{key}\""));
    }
    let columns: Vec<String> = match entry.get("columns") {
        Some(Value::String(column)) => vec![column.clone()],
        Some(Value::Array(columns)) => columns.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    };
    if columns.is_empty() {
        return Err("an index needs \"columns\"".to_owned());
    }
    let uniqueness = match entry.get("unique") {
        None | Some(Value::Null | Value::Bool(false)) => Uniqueness::Any,
        Some(Value::Bool(true)) => Uniqueness::Unique,
        Some(_) => return Err("\"unique\" must be true or false".to_owned()),
    };
    let method = match entry.get("type") {
        None | Some(Value::Null) => None,
        Some(Value::String(method)) => Some(Ident::new(method.to_lowercase()).map_err(|error| error.to_string())?),
        Some(_) => return Err("\"type\" must be text".to_owned()),
    };
    Ok(IndexConfig { columns, uniqueness, method })
}
