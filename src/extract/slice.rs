//! A big table cut into slices, so that several sessions of one snapshot read it at once.
//!
//! A slice is a range of `ctid`, which PostgreSQL 14 and later reads without looking at other pages. The last slice has no
//! end, so that whatever lies behind it, as rows of inheriting tables may, is read too. What has no such pages is cut
//! along its key.

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::extract::STATEMENTS;
use crate::extract::key_range::{self, KeySlice, Uncut};
use crate::ident::{Ident, Relation};
use crate::manifest::StageNode;
use crate::materialize::stage::StagedColumn;
use crate::postgres::PostgresError;

/// Tables with fewer pages are read by one session.
const PAGES_WORTH_CUTTING: i64 = 4_096;
/// What one slice has at least: 16 MiB of pages.
const PAGES_OF_A_SLICE: i64 = 2_048;
/// More slices than sessions, so that all end at about the same time.
const SLICES: i64 = 32;

/// Part of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The table itself, or one of its partitions.
    pub relation: Relation,
    pub part: Part,
}

/// Which rows of a relation a slice has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    All,
    Pages(Pages),
    Keys(KeySlice),
}

/// From a page up to another, or to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    pub lower: i64,
    pub upper: Option<i64>,
}

impl Slice {
    /// A relation that is not cut.
    pub fn whole(relation: &Relation) -> Self {
        Self { relation: relation.clone(), part: Part::All }
    }

    pub(super) fn condition(&self) -> Option<String> {
        match &self.part {
            Part::All => None,
            Part::Pages(Pages { lower, upper }) => Some(STATEMENTS.render("pages", context! { lower, upper })),
            Part::Keys(keys) => Some(keys.condition()),
        }
    }
}

/// The slices of a table, biggest relations first; one slice where cutting is not worth it or not possible. The columns
/// are all that are read of it, with the source's spelling of their types.
pub async fn slices(
    client: &Client,
    node: &StageNode,
    columns: &[(StagedColumn, String)],
) -> Result<Vec<Slice>, PostgresError> {
    let relation = &node.source_relation;
    let measured = measure(client, relation).await?;
    let total: i64 = measured.extents.iter().filter_map(|extent| extent.pages).sum();
    if measured.may_be_read_alone && measured.extents.iter().any(|extent| extent.pages.is_some()) {
        return Ok(match total < PAGES_WORTH_CUTTING {
            true => vec![Slice::whole(relation)],
            false => measured.extents.iter().flat_map(|extent| cut(extent, total)).collect(),
        });
    }
    let Some(key) = node.key.first() else { return Ok(vec![Slice::whole(relation)]) };
    Ok(match key_range::cut(client, Uncut { relation, columns, key }).await? {
        None => vec![Slice::whole(relation)],
        Some(ranges) => {
            let slice = |keys| Slice { relation: relation.clone(), part: Part::Keys(keys) };
            ranges.into_iter().map(slice).collect()
        }
    })
}

/// What a table consists of.
struct Measured {
    extents: Vec<Extent>,
    /// Leaves that the role may not read, and the policies of their parent, are seen through the parent only.
    may_be_read_alone: bool,
}

async fn measure(client: &Client, relation: &Relation) -> Result<Measured, PostgresError> {
    let rows = client
        .query_typed(
            &STATEMENTS.render("extents", context! {}),
            &[(&relation.schema.as_str(), Type::TEXT), (&relation.name.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("measure {relation}"), error))?;
    let extent = |row: &tokio_postgres::Row| Extent {
        relation: Relation::new(
            Ident::from_catalog(row.get::<_, String>(0)),
            Ident::from_catalog(row.get::<_, String>(1)),
        ),
        pages: row.get(2),
    };
    Ok(Measured { extents: rows.iter().map(extent).collect(), may_be_read_alone: rows.iter().all(|row| row.get(3)) })
}

struct Extent {
    relation: Relation,
    /// Unknown where pages cannot be read by range: a foreign table, a server before 14.
    pages: Option<i64>,
}

fn cut(extent: &Extent, total: i64) -> Vec<Slice> {
    let step = (total / SLICES).max(PAGES_OF_A_SLICE);
    let Some(pages) = extent.pages.filter(|pages| *pages > step) else {
        return vec![Slice::whole(&extent.relation)];
    };
    let count = pages / step;
    (0..count)
        .map(|at| Slice {
            relation: extent.relation.clone(),
            part: Part::Pages(Pages { lower: at * step, upper: (at + 1 < count).then(|| (at + 1) * step) }),
        })
        .collect()
}

/// How many bytes the tables of a schema take, by name: for reading the biggest first.
pub async fn sizes(client: &Client, tables: &[Relation]) -> Result<Vec<i64>, PostgresError> {
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        tables.iter().map(|table| (table.schema.as_str(), table.name.as_str())).unzip();
    let rows = client
        .query_typed(
            &STATEMENTS.render("sizes", context! {}),
            &[(&schemas, Type::TEXT_ARRAY), (&names, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(|error| PostgresError::server("measure the tables of a source", error))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation() -> Relation {
        Relation::new(Ident::from_catalog("public"), Ident::from_catalog("labors"))
    }

    #[test]
    fn slices_cover_every_page_once_and_the_last_has_no_end() {
        let slices = cut(&Extent { relation: relation(), pages: Some(10_000) }, 10_000);
        let pages = |lower, upper| Part::Pages(Pages { lower, upper });
        let parts: Vec<&Part> = slices.iter().map(|slice| &slice.part).collect();
        let expected =
            [pages(0, Some(2_048)), pages(2_048, Some(4_096)), pages(4_096, Some(6_144)), pages(6_144, None)];
        assert_eq!(parts, expected.iter().collect::<Vec<_>>());
        assert_eq!(slices[0].condition().as_deref(), Some("ctid >= '(0,0)' and ctid < '(2048,0)'"));
        assert_eq!(slices[3].condition().as_deref(), Some("ctid >= '(6144,0)'"));
    }

    #[test]
    fn a_partition_that_cannot_be_cut_is_one_slice() {
        let slices = cut(&Extent { relation: relation(), pages: None }, 1_000_000);
        assert_eq!(slices, [Slice::whole(&relation())]);
    }
}
