//! `pre_hook` and `post_hook`: statements around the build of a relation, as templates.

use serde_json::Value;

use super::config::Settled;
use crate::diagnostic::Span;

/// The hooks of one node, in the order in which they run.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    pub before: Vec<Hook>,
    pub after: Vec<Hook>,
}

impl Hooks {
    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }
}

#[derive(Debug, Clone)]
pub struct Hook {
    /// A template.
    pub sql: String,
    pub moment: Moment,
    pub declared_at: Span,
}

/// Whether a hook is part of the transaction that builds the relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Inside,
    /// Before it begins, or after it has committed.
    Outside,
}

impl Settled {
    pub(super) fn hooks(&mut self) -> Hooks {
        Hooks { before: self.hooks_of("pre_hook"), after: self.hooks_of("post_hook") }
    }

    fn hooks_of(&mut self, key: &str) -> Vec<Hook> {
        let Some(setting) = self.get(key).cloned() else { return Vec::new() };
        let items = match &setting.value {
            Value::Array(items) => items.as_slice(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                std::slice::from_ref(&setting.value)
            }
        };
        let mut hooks = Vec::new();
        for item in items {
            match written(item) {
                Some((sql, moment)) => hooks.push(Hook { sql, moment, declared_at: setting.span.clone() }),
                None => {
                    self.bad(&setting, format!("\"{key}\" must be SQL, or a list of it")).hint =
                        Some("a hook outside of the transaction is {sql: \"…\", transaction: false}".to_owned());
                }
            }
        }
        hooks.retain(|hook| !hook.sql.trim().is_empty());
        hooks
    }
}

/// SQL, or a map; dbt's macros `before_begin` and `after_commit` write the map as JSON.
fn written(item: &Value) -> Option<(String, Moment)> {
    match item {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => of_map(&map),
            Ok(_) | Err(_) => Some((text.clone(), Moment::Inside)),
        },
        Value::Object(map) => of_map(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

fn of_map(map: &serde_json::Map<String, Value>) -> Option<(String, Moment)> {
    if map.keys().any(|key| !["sql", "transaction", "index"].contains(&key.as_str())) {
        return None;
    }
    let sql = map.get("sql")?.as_str()?.to_owned();
    match map.get("transaction") {
        None | Some(Value::Null | Value::Bool(true)) => Some((sql, Moment::Inside)),
        Some(Value::Bool(false)) => Some((sql, Moment::Outside)),
        Some(Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => None,
    }
}
