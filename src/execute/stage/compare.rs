//! A table held against its copy by digests of key ranges, both sides at once.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::{Column, Reading};
use crate::execute::failure::StepError;
use crate::extract::{self, Ranges};
use crate::materialize::digest::{self, Digest, RangeKey, Side};
use crate::postgres::PostgresError;
use crate::store::KeyRange;

/// How much of the table is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Share {
    All,
    /// Every so many ranges, beginning with the one whose turn it is; of fewer ranges one.
    Every {
        stride: usize,
        turn: usize,
    },
}

/// The ranges that differ. The source's session has joined the snapshot, and the copy is locked.
pub(super) async fn differing(
    reading: Reading<'_>,
    source: &Client,
    (columns, rows_per_range, share): (&[Column], u64, Share),
) -> Result<Ranges, StepError> {
    let node = &reading.action.node;
    let first = node.key.first().expect("a table that is compared by ranges has a key");
    let (staged, source_type) = columns
        .iter()
        .find(|(column, _)| column.name == *first)
        .expect("the key is among the columns that were described");
    let key = RangeKey::new(staged, source_type);
    if !encodings_are_alike(reading, source).await? {
        // Their hashes differ for equal rows: the rows themselves are compared.
        return Ok(Ranges { key, list: vec![KeyRange { lower: None, upper: None }] });
    }
    let bounds = bounds(reading, &key, rows_per_range).await?;
    let compared = match share {
        Share::All => None,
        Share::Every { stride, turn } => {
            let stride = stride.min(bounds.len() + 1);
            let places = (0..=bounds.len()).filter(|place| place % stride == turn % stride);
            Some(places.map(|place| digest::range_at(&bounds, place)).collect::<Vec<KeyRange>>())
        }
    };
    let condition = compared.map(|ranges| digest::within(&key, &ranges));
    let kind = extract::row_hash(source).await?;
    let row_hash = |side: Side| digest::row_hash((kind, side), columns.iter().map(extract::hashed));
    let mark = node.removals.column.as_ref();
    let mark = mark.and_then(|mark| columns.iter().find(|(column, _)| column.name == *mark));
    let at_source = match mark {
        Some((mark, _)) => Some(digest::live_at_source(mark, condition.as_deref())),
        None => condition.clone(),
    };
    let select = reading.action.extraction.as_ref();
    let statement = extract::digests(node, select, &key, (&row_hash(Side::Source), at_source.as_deref()));
    let in_copy = digest::live_in_copy(condition.as_deref());
    let copy_statement = digest::digests(&node.stg_relation, &key, &row_hash(Side::Copy), Some(&in_copy));
    let (at_source, in_copy) = tokio::join!(
        digests(source, &statement, (&bounds, "source")),
        digests(reading.target, &copy_statement, (&bounds, "copy"))
    );
    let list = digest::differing(&bounds, (&at_source?, &in_copy?));
    Ok(Ranges { key, list })
}

/// Whether equal texts are equal bytes on both sides, so that they have equal hashes.
async fn encodings_are_alike(reading: Reading<'_>, source: &Client) -> Result<bool, PostgresError> {
    let encoding = async |client: &Client| -> Result<String, PostgresError> {
        let row = client
            .query_one("select current_setting('server_encoding')", &[])
            .await
            .map_err(|error| PostgresError::server("read the encoding of a database", error))?;
        Ok(row.get(0))
    };
    Ok(encoding(source).await? == encoding(reading.target).await?)
}

async fn bounds(reading: Reading<'_>, key: &RangeKey, rows_per_range: u64) -> Result<Vec<String>, PostgresError> {
    let staging = &reading.action.node.stg_relation;
    let rows = reading
        .target
        .query(&digest::bounds(staging, key, rows_per_range), &[])
        .await
        .map_err(|error| PostgresError::server(format!("cut {staging} into ranges"), error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn digests(
    client: &Client,
    statement: &str,
    (bounds, side): (&[String], &str),
) -> Result<BTreeMap<usize, Digest>, PostgresError> {
    let rows = client
        .query_typed(statement, &[(&bounds, Type::TEXT_ARRAY)])
        .await
        .map_err(|error| PostgresError::server(format!("hash the ranges of the {side}"), error))?;
    let digests = rows.iter().map(|row| {
        let place = usize::try_from(row.get::<_, i32>(0)).unwrap_or(0);
        (place, (row.get(1), row.get(2)))
    });
    Ok(digests.collect())
}
