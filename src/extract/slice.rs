//! A big table cut along its pages, so that several sessions of one snapshot read it at once.
//!
//! A slice is a range of `ctid`, which PostgreSQL 14 and later reads without looking at other pages. The last slice has no
//! end, so that whatever lies behind it, as rows of inheriting tables may, is read too.

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::extract::STATEMENTS;
use crate::ident::{Ident, Relation};
use crate::manifest::StageNode;
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
    pub pages: Option<Pages>,
}

/// From a page up to another, or to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    pub lower: i64,
    pub upper: Option<i64>,
}

impl Slice {
    pub(super) fn condition(&self) -> Option<String> {
        let Pages { lower, upper } = self.pages?;
        Some(STATEMENTS.render("pages", context! { lower, upper }))
    }
}

/// The slices of a table, biggest relations first; one slice where cutting is not worth it or not possible.
pub async fn slices(client: &Client, node: &StageNode) -> Result<Vec<Slice>, PostgresError> {
    let relation = &node.source_relation;
    let rows = client
        .query_typed(
            &STATEMENTS.render("extents", context! {}),
            &[(&relation.schema.as_str(), Type::TEXT), (&relation.name.as_str(), Type::TEXT)],
        )
        .await
        .map_err(|error| PostgresError::server(format!("measure {relation}"), error))?;
    let extents: Vec<Extent> = rows
        .iter()
        .map(|row| Extent {
            relation: Relation::new(
                Ident::from_catalog(row.get::<_, String>(0)),
                Ident::from_catalog(row.get::<_, String>(1)),
            ),
            pages: row.get(2),
        })
        .collect();
    // Leaves that the role may not read, and the policies of their parent, are seen through the parent only.
    let may_be_cut = rows.iter().all(|row| row.get(3));
    let whole = || vec![Slice { relation: relation.clone(), pages: None }];
    let total: i64 = extents.iter().filter_map(|extent| extent.pages).sum();
    if total < PAGES_WORTH_CUTTING || !may_be_cut {
        return Ok(whole());
    }
    Ok(extents.into_iter().flat_map(|extent| cut(extent, total)).collect())
}

struct Extent {
    relation: Relation,
    /// Unknown where pages cannot be read by range: a foreign table, a server before 14.
    pages: Option<i64>,
}

fn cut(extent: Extent, total: i64) -> Vec<Slice> {
    let step = (total / SLICES).max(PAGES_OF_A_SLICE);
    let Some(pages) = extent.pages.filter(|pages| *pages > step) else {
        return vec![Slice { relation: extent.relation, pages: None }];
    };
    let count = pages / step;
    (0..count)
        .map(|at| Slice {
            relation: extent.relation.clone(),
            pages: Some(Pages { lower: at * step, upper: (at + 1 < count).then(|| (at + 1) * step) }),
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
        let slices = cut(Extent { relation: relation(), pages: Some(10_000) }, 10_000);
        let pages: Vec<(i64, Option<i64>)> =
            slices.iter().filter_map(|slice| slice.pages).map(|pages| (pages.lower, pages.upper)).collect();
        assert_eq!(pages, [(0, Some(2_048)), (2_048, Some(4_096)), (4_096, Some(6_144)), (6_144, None)]);
        assert_eq!(slices[0].condition().as_deref(), Some("ctid >= '(0,0)' and ctid < '(2048,0)'"));
        assert_eq!(slices[3].condition().as_deref(), Some("ctid >= '(6144,0)'"));
    }

    #[test]
    fn a_partition_that_cannot_be_cut_is_one_slice() {
        let slices = cut(Extent { relation: relation(), pages: None }, 1_000_000);
        assert_eq!(slices, [Slice { relation: relation(), pages: None }]);
    }
}
