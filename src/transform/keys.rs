//! Keys that a model may give once and gives more often.

use tokio_postgres::Row;

use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::ModelNode;
use crate::transform::TransformError;

/// How many bad keys a message lists.
const KEYS_SHOWN: usize = 10;

/// Refuses a model for the keys found: each row is a key's values as text, and how often it occurs.
pub(super) fn duplicate_keys(rows: &[Row], node: &ModelNode) -> Result<(), TransformError> {
    if rows.is_empty() {
        return Ok(());
    }
    let keys: Vec<(Vec<Option<String>>, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let shown: Vec<String> = keys.iter().take(KEYS_SHOWN).map(|(key, count)| shown_key(key, *count)).collect();
    let more = if keys.len() > KEYS_SHOWN { " and more" } else { "" };
    // The keys stand beside the caret, for the person at the terminal: history and artifacts keep the message alone.
    let message = format!("model \"{}\" gives keys that are not unique", node.model);
    let mistake = Diagnostic::error(Code::DuplicateKey, message)
        .at(node.configured_at.clone())
        .label(format!("{}{more}", shown.join(", ")))
        .hint("each key may occur once and may not be NULL; select distinct on (…), or name another unique_key");
    Err(TransformError::Project(Box::new(mistake)))
}

fn shown_key(key: &[Option<String>], count: i64) -> String {
    let values: Vec<&str> = key.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
    format!("({}) {count} times", values.join(", "))
}
