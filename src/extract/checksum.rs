//! What the source itself says of the rows that were copied: their number and digest, by a query of its own in the same
//! snapshot.

use tokio_postgres::Client;

use crate::extract::{ExtractError, Extraction, Slice};
use crate::manifest::Checksum;
use crate::materialize::digest;
use crate::postgres::PostgresError;

/// Order-free, so that sums of slices are sums of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub rows: u64,
    /// None where it is not asked for, or where the source writes values in another way than later servers do.
    pub digest: Option<i128>,
}

impl Sum {
    pub fn plus(self, other: Self) -> Self {
        let digest = self.digest.zip(other.digest).and_then(|(left, right)| left.checked_add(right));
        Self { rows: self.rows + other.rows, digest }
    }
}

/// Asks the source for a slice of which so many rows were copied; another number is a broken copy.
pub(super) async fn of_slice(
    client: &Client,
    extraction: Extraction<'_>,
    (slice, copied): (&Slice, u64),
) -> Result<Sum, ExtractError> {
    let node = extraction.node;
    if node.checksum == Checksum::Rows {
        return Ok(Sum { rows: copied, digest: None });
    }
    let names = extraction.columns.iter().map(|(column, _)| &column.name);
    let condition = extraction.condition(slice);
    let statement = match extraction.select {
        None => digest::sum(&slice.relation, names, condition.as_deref()),
        Some(select) => digest::sum(&format!("(\n{}\n) as extraction", select.text), names, condition.as_deref()),
    };
    let row = client
        .query_one(&statement, &[])
        .await
        .map_err(|error| PostgresError::server(format!("sum up the rows of {}", node.name), error))?;
    let rows = u64::try_from(row.get::<_, i64>(0)).unwrap_or(0);
    if rows != copied {
        return Err(ExtractError::Broken { node: node.name.clone(), counted: rows, copied });
    }
    Ok(Sum { rows, digest: row.get::<_, Option<String>>(1).and_then(|digest| digest.parse().ok()) })
}
