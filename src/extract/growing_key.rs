//! What the growing keys of a source have reached, read before the clock by which open transactions are told.
//!
//! Whoever took a number up to such a key began before the clock was read: its transaction was told as open, or had ended
//! and is seen by the snapshot that follows. So no row below the key is missed, even without an overlap; only a session that
//! holds numbers in stock (a sequence's `CACHE`) may begin later with a lower one, and for that there is the overlap.

use std::collections::BTreeMap;

use minijinja::context;
use tokio_postgres::Client;

use crate::compile::CompiledSql;
use crate::extract::STATEMENTS;
use crate::ident::NodeName;
use crate::manifest::{StageNode, Strategy};
use crate::sql::quoted;

/// How the greatest key of a table is read that goes by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrowingKey {
    node: NodeName,
    statement: String,
}

impl GrowingKey {
    /// Of a table whose strategy goes by a growing key, or of the SELECT that replaces it.
    pub fn of(node: &StageNode, select: Option<&CompiledSql>) -> Option<Self> {
        let column = match &node.strategy {
            Strategy::Append { column, .. } => column,
            Strategy::Full | Strategy::Window { .. } | Strategy::Compare { .. } => return None,
        };
        let context = context! { column => quoted(column), relation => quoted(&node.source_relation) };
        let statement = match select {
            None => STATEMENTS.render("greatest_key", context),
            Some(select) => {
                let head = STATEMENTS.render("greatest_key_of_select_head", context.clone());
                let tail = STATEMENTS.render("rows_of_select_tail", context);
                format!("{head}\n{}\n{tail}", select.text)
            }
        };
        Some(Self { node: node.name.clone(), statement })
    }
}

/// As the source writes them, without those of tables that are empty, locked or not there: what is wrong with one is told
/// by the step that reads it, and its next run reads the whole table.
pub(super) async fn read(
    client: &Client,
    keys: &[GrowingKey],
) -> Result<BTreeMap<NodeName, String>, tokio_postgres::Error> {
    let mut known = BTreeMap::new();
    for key in keys {
        client.batch_execute(&STATEMENTS.render("look_at_key", context! {})).await?;
        match client.query_one(&key.statement, &[]).await {
            Ok(row) => known.extend(row.get::<_, Option<String>>(0).map(|greatest| (key.node.clone(), greatest))),
            Err(error) if error.code().is_some() && !client.is_closed() => {
                tracing::info!(step = %key.node, %error, "the greatest key could not be read");
            }
            Err(error) => return Err(error),
        }
        client.batch_execute("rollback").await?;
    }
    Ok(known)
}
