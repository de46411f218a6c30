//! One table's rows: COPY at the source, gzipped parts in the layer, the manifest last.

use futures_util::StreamExt;
use jiff::Timestamp;
use minijinja::context;
use tokio_postgres::Client;

use crate::compile::CompiledSql;
use crate::extract::{ExtractError, STATEMENTS, Snapshot};
use crate::ident::{Ident, Literal};
use crate::manifest::StageNode;
use crate::materialize::stage::StagedColumn;
use crate::postgres::copy_out_csv;
use crate::sql::{quoted, quoted_list};
use crate::store::{
    self, BatchKind, BatchManifest, BatchSnapshot, BatchWindow, ManifestColumn, PartOptions, PartWriter, Store,
};

/// What one extraction reads.
#[derive(Clone, Copy)]
pub struct Extraction<'a> {
    pub node: &'a StageNode,
    /// The SELECT that replaces the generated one.
    pub select: Option<&'a CompiledSql>,
    /// In the order of the CSV; the types are those of staging.
    pub columns: &'a [(StagedColumn, String)],
    /// Without one, the whole table.
    pub window: Option<&'a Window>,
    pub batch_id: i64,
    pub snapshot: &'a Snapshot,
    pub store: &'a Store,
}

/// The part of a table that may have changed: rows at or above the bound in any column, and rows without any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub columns: Vec<Ident>,
    pub lower: Timestamp,
}

/// Copies the rows and writes the manifest; `progress` hears of rows as they leave the source. The session has joined
/// the snapshot.
pub async fn extract(
    client: &Client,
    extraction: Extraction<'_>,
    mut progress: impl FnMut(u64),
) -> Result<BatchManifest, ExtractError> {
    let node = extraction.node;
    let mut rows = copy_out_csv(client, &rows_statement(extraction)).await?;
    let prefix = store::batch_prefix(&node.source, &node.table, extraction.batch_id);
    let mut writer = PartWriter::new(extraction.store, &prefix, PartOptions::new(rows.header.clone()));
    while let Some(block) = rows.blocks.next().await {
        let block = block?;
        progress(block.rows);
        writer.write(block.bytes, block.rows).await?;
    }
    let parts = writer.finish().await?;
    let manifest = BatchManifest {
        format_version: BatchManifest::FORMAT_VERSION,
        source: node.source.clone(),
        table: node.table.clone(),
        batch_id: extraction.batch_id,
        extracted_at: Timestamp::now(),
        snapshot: BatchSnapshot {
            id: extraction.snapshot.id.clone(),
            source_clock: extraction.snapshot.source_clock,
            oldest_transaction_at: extraction.snapshot.oldest_transaction_at,
        },
        kind: if extraction.window.is_some() { BatchKind::Window } else { BatchKind::Full },
        window: extraction.window.map(|window| BatchWindow {
            lower: Some(window.lower),
            upper: None,
            columns: window.columns.iter().map(|column| column.as_str().to_owned()).collect(),
        }),
        columns: extraction.columns.iter().map(manifest_column).collect(),
        key: node.key.iter().map(|key| key.as_str().to_owned()).collect(),
        rows: parts.iter().map(|part| part.rows).sum(),
        parts,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    store::write(extraction.store, &manifest).await?;
    Ok(manifest)
}

fn manifest_column((staged, source_type): &(StagedColumn, String)) -> ManifestColumn {
    ManifestColumn {
        name: staged.name.as_str().to_owned(),
        data_type: source_type.clone(),
        stg_type: staged.data_type.clone(),
    }
}

fn rows_statement(extraction: Extraction<'_>) -> String {
    let window = extraction.window.map(window_condition);
    let names = quoted_list(extraction.columns.iter().map(|(column, _)| &column.name));
    let context = context! {
        names,
        relation => quoted(&extraction.node.source_relation),
        window => window.as_ref().map(quoted),
    };
    match extraction.select {
        None => STATEMENTS.render("rows_of_table", context),
        Some(select) => {
            let head = STATEMENTS.render("rows_of_select_head", context.clone());
            let tail = STATEMENTS.render("rows_of_select_tail", context);
            format!("{head}\n{}\n{tail}", select.text)
        }
    }
}

/// The bound is an untyped literal in UTC, so that it takes each column's own type: for a `date` its day.
fn window_condition(window: &Window) -> String {
    let lower = window.lower.strftime("%Y-%m-%d %H:%M:%S%.6f+00").to_string();
    let context = context! {
        columns => quoted_list(&window.columns),
        lower => quoted(Literal(&lower)),
    };
    STATEMENTS.render("window", context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_rows_that_are_null_in_every_column() {
        let window = Window {
            columns: vec![Ident::from_catalog("created_at"), Ident::from_catalog("updated_at")],
            lower: "2026-10-25T02:30:00.5Z".parse().expect("a timestamp"),
        };
        let expected = "(\n    created_at >= '2026-10-25 02:30:00.500000+00' or\n    \
                        updated_at >= '2026-10-25 02:30:00.500000+00' or\n    \
                        num_nonnulls(created_at, updated_at) = 0\n)";
        assert_eq!(window_condition(&window), expected);
    }
}
