//! What the source itself says of the rows that were copied: their number and digest, by a query of its own in the same
//! snapshot.

use minijinja::context;
use tokio_postgres::Client;

use crate::extract::{ExtractError, Extraction, STATEMENTS, Slice};
use crate::manifest::Checksum;
use crate::materialize::digest::{self, HashedColumn, Side};
use crate::materialize::stage::StagedColumn;
use crate::postgres::PostgresError;
use crate::store::RowHash;

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

/// What the source's server can hash.
pub async fn row_hash(client: &Client) -> Result<RowHash, PostgresError> {
    let row = client
        .query_one(&STATEMENTS.render("server_version", context! {}), &[])
        .await
        .map_err(|error| PostgresError::server("ask for the version", error))?;
    Ok(RowHash::of_server(row.get(0)))
}

/// A column of an extraction, as its rows are hashed.
pub fn hashed((staged, source_type): &(StagedColumn, String)) -> HashedColumn<'_> {
    HashedColumn { name: &staged.name, source_type, staged_type: &staged.data_type }
}

/// Asks the source for a slice of which so many rows were copied; another number is a broken copy.
pub(super) async fn of_slice(
    client: &Client,
    extraction: Extraction<'_>,
    (slice, copied, row_hash): (&Slice, u64, RowHash),
) -> Result<Sum, ExtractError> {
    let node = extraction.node;
    if node.checksum == Checksum::Rows {
        return Ok(Sum { rows: copied, digest: None });
    }
    let row_hash = digest::row_hash((row_hash, Side::Source), extraction.columns.iter().map(hashed));
    let condition = extraction.condition(slice);
    let statement = match extraction.select {
        None => digest::sum(&slice.relation, &row_hash, condition.as_deref()),
        Some(select) => digest::sum(&format!("(\n{}\n) as extraction", select.text), &row_hash, condition.as_deref()),
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
