//! Digests of key ranges: the same statements for a table at its source and for its copy, so that equal ranges need not
//! be read.
//!
//! A range lies between two values of the key's first column. A digest is the number of rows and the sum of their
//! hashes: independent of order, and equal on every major version that computes the same [`RowHash`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::ident::{Ident, Literal};
use crate::materialize::image::Image;
use crate::materialize::stage::StagedColumn;
use crate::sql::{StatementFile, quoted, quoted_list};
use crate::store::{KeyRange, RowHash};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("digest.sql")));

/// Whose rows are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Of values as COPY will write them.
    Source,
    /// Of values as COPY has brought them.
    Copy,
}

/// The hash of one row: equal for a row of the source and for the same row in the copy.
pub fn row_hash<'a>((kind, side): (RowHash, Side), columns: impl Iterator<Item = HashedColumn<'a>>) -> String {
    match kind {
        RowHash::Text => STATEMENTS
            .render("hash_of_text", context! { written => quoted_list(columns.map(|column| column.written(side))) }),
        RowHash::Columns => {
            let (written, imaged): (Vec<HashedColumn<'_>>, Vec<HashedColumn<'_>>) =
                columns.partition(|column| column.image() == Image::Written);
            let images: Vec<Value> = imaged.into_iter().map(HashedColumn::hashed).collect();
            let written = quoted_list(written.into_iter().map(|column| column.written(side)));
            STATEMENTS.render("hash_of_columns", context! { images, written })
        }
    }
}

/// A column with its type on both sides.
#[derive(Debug, Clone, Copy)]
pub struct HashedColumn<'a> {
    pub name: &'a Ident,
    pub source_type: &'a str,
    pub staged_type: &'a str,
}

impl HashedColumn<'_> {
    /// A type that staging has as another one is looked at as COPY writes it: casts of the source's own may differ.
    fn image(self) -> Image {
        if self.source_type == self.staged_type { Image::of(self.staged_type) } else { Image::Written }
    }

    /// The value whose output is what COPY writes. Output of `xml` drops a declaration, and then a blank line at the
    /// beginning of what is left each time: what has been copied is looked at as it lies there.
    fn written(self, side: Side) -> String {
        match (side, self.staged_type) {
            (Side::Copy, "xml") => format!("{}::text", self.name),
            (Side::Copy, "xml[]") => format!("{}::text[]", self.name),
            _ => self.name.to_string(),
        }
    }

    fn hashed(self) -> Value {
        let image = self.image();
        let sent = if let Image::Sent(function) = image { Some(quoted(function)) } else { None };
        context! {
            name => quoted(self.name),
            sent,
            is_bytes => image == Image::Bytes,
            is_text => image == Image::Text,
        }
    }
}

/// The column that ranges are cut along, and how it is compared the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeKey {
    pub column: Ident,
    pub order: KeyOrder,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrder {
    /// Both sides have the type, and order it alike.
    Native { data_type: String },
    /// Byte by byte: collations differ from server to server.
    Bytes,
}

impl RangeKey {
    /// `source_type` is the source's spelling of the type, which the copy may have as text.
    pub fn new(staged: &StagedColumn, source_type: &str) -> Self {
        let textual = ["text", "character", "name", "\"char\"", "citext"];
        let order =
            match textual.iter().any(|kind| staged.data_type.starts_with(kind)) || staged.data_type != source_type {
                true => KeyOrder::Bytes,
                false => KeyOrder::Native { data_type: staged.data_type.clone() },
            };
        Self { column: staged.name.clone(), order }
    }

    fn expression(&self) -> String {
        match &self.order {
            KeyOrder::Native { .. } => self.column.to_string(),
            KeyOrder::Bytes => format!("{}::text collate \"C\"", self.column),
        }
    }

    fn data_type(&self) -> &str {
        match &self.order {
            KeyOrder::Native { data_type } => data_type,
            KeyOrder::Bytes => "text",
        }
    }
}

/// Number of rows and sum of hashes.
pub type Digest = (i64, String);

/// The first key of every so many live rows of a copy, as text.
pub fn bounds(staging: &impl std::fmt::Display, key: &RangeKey, rows_per_range: u64) -> String {
    let context = context! { relation => quoted(staging), key => quoted(key.expression()), rows_per_range };
    let bounds = STATEMENTS.render("bounds", context);
    STATEMENTS.render("bounds_as_text", context! { bounds => quoted(bounds) })
}

/// The digest of each range between the bounds that are the statement's one parameter; ranges without rows have none.
/// The rows' hash is a [`row_hash`].
pub fn digests(relation: &impl std::fmt::Display, key: &RangeKey, row_hash: &str, condition: Option<&str>) -> String {
    let context = context! {
        relation => quoted(relation),
        key => quoted(key.expression()),
        data_type => quoted(key.data_type()),
        row_hash => quoted(row_hash),
        condition => condition.map(quoted),
    };
    STATEMENTS.render("digests", context)
}

/// The number of rows and the sum of their hashes, as text. The rows' hash is a [`row_hash`].
pub fn sum(relation: &impl std::fmt::Display, row_hash: &str, condition: Option<&str>) -> String {
    let context = context! {
        relation => quoted(relation),
        row_hash => quoted(row_hash),
        condition => condition.map(quoted),
    };
    STATEMENTS.render("sum", context)
}

/// The condition with the source's own mark of deletion: marked rows are no live rows on either side.
pub fn live_at_source(mark: &StagedColumn, condition: Option<&str>) -> String {
    let context = context! {
        mark => quoted(&mark.name),
        is_boolean => mark.data_type == "boolean",
        condition => condition.map(quoted),
    };
    STATEMENTS.render("live_at_source", context)
}

/// The condition for the live rows of a copy.
pub fn live_in_copy(condition: Option<&str>) -> String {
    STATEMENTS.render("live_in_copy", context! { condition => condition.map(quoted) })
}

/// A condition that is true for keys in one of the ranges.
pub fn within(key: &RangeKey, ranges: &[KeyRange]) -> String {
    if ranges.len() > RANGES_TESTED_ONE_BY_ONE {
        return within_many(key, ranges);
    }
    let bound = |bound: &Option<String>| bound.as_deref().map(|bound| quoted(Literal(bound)));
    let ranges: Vec<Value> =
        ranges.iter().map(|range| context! { lower => bound(&range.lower), upper => bound(&range.upper) }).collect();
    STATEMENTS.render("within", context! { key => quoted(key.expression()), ranges })
}

/// An index can answer few ranges; many are looked up in a sorted list, for each row.
const RANGES_TESTED_ONE_BY_ONE: usize = 16;

/// The ranges are in order, and no two touch or overlap in more than a bound.
fn within_many(key: &RangeKey, ranges: &[KeyRange]) -> String {
    let mut bounds: Vec<&str> = Vec::new();
    let mut places = Vec::new();
    for range in ranges {
        if let Some(lower) = range.lower.as_deref().filter(|lower| bounds.last() != Some(lower)) {
            bounds.push(lower);
        }
        places.push(bounds.len());
        bounds.extend(range.upper.as_deref());
    }
    let context = context! {
        key => quoted(key.expression()),
        data_type => quoted(key.data_type()),
        bounds => quoted_list(bounds.into_iter().map(Literal)),
        places,
    };
    STATEMENTS.render("within_many", context)
}

/// The ranges whose digests differ, neighbours joined. Place 0 lies below the first bound, place n at or above the nth.
pub fn differing(
    bounds: &[String],
    (source, copy): (&BTreeMap<usize, Digest>, &BTreeMap<usize, Digest>),
) -> Vec<KeyRange> {
    let mut ranges: Vec<KeyRange> = Vec::new();
    let mut last = None;
    for place in 0..=bounds.len() {
        if source.get(&place) == copy.get(&place) {
            continue;
        }
        let range = range_at(bounds, place);
        match ranges.last_mut().filter(|_| last.is_some_and(|last: usize| last + 1 == place)) {
            Some(neighbour) => neighbour.upper = range.upper,
            None => ranges.push(range),
        }
        last = Some(place);
    }
    ranges
}

/// The range of a place.
pub fn range_at(bounds: &[String], place: usize) -> KeyRange {
    KeyRange { lower: place.checked_sub(1).and_then(|at| bounds.get(at)).cloned(), upper: bounds.get(place).cloned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: i64) -> Digest {
        (rows, rows.to_string())
    }

    #[test]
    fn neighbours_that_differ_are_one_range_and_missing_ones_differ() {
        let bounds: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let source = BTreeMap::from([(1, digest(1)), (2, digest(2)), (4, digest(5))]);
        let copy = BTreeMap::from([(0, digest(7)), (1, digest(3)), (2, digest(2)), (3, digest(4)), (4, digest(4))]);
        let range = |lower: Option<&str>, upper: Option<&str>| KeyRange {
            lower: lower.map(str::to_owned),
            upper: upper.map(str::to_owned),
        };
        assert_eq!(differing(&bounds, (&source, &copy)), [range(None, Some("b")), range(Some("c"), None)]);
        assert_eq!(differing(&bounds, (&source, &source)), []);
        assert_eq!(differing(&[], (&copy, &BTreeMap::new())), [range(None, None)]);
    }

    #[test]
    fn each_type_is_hashed_by_what_tells_every_difference() {
        let types = [
            ("id", "bigint", "bigint"),
            ("name", "text", "text"),
            ("price", "numeric(12,2)", "numeric(12,2)"),
            ("free", "numeric", "numeric"),
            ("mood", "mood", "text"),
            ("tags", "integer[]", "integer[]"),
            ("at", "timestamp(3) with time zone", "timestamp(3) with time zone"),
            ("code", "character(2)", "character(2)"),
            ("short", "character varying(9)", "character varying(9)"),
        ];
        let names: Vec<Ident> = types.iter().map(|(name, ..)| Ident::from_catalog(*name)).collect();
        let columns = || {
            types.iter().zip(&names).map(|((_, source_type, staged_type), name)| HashedColumn {
                name,
                source_type,
                staged_type,
            })
        };
        assert_eq!(
            row_hash((RowHash::Columns, Side::Source), columns()),
            "hashint4extended(0, hash_record_extended(row(int8send(id), name collate \"C\", numeric_send(price), \
             numeric_send(free), tags::text collate \"C\", timestamptz_send(at), code collate \"C\", short collate \"C\", \
             row(mood)::text collate \"C\"), 0))"
        );
        assert_eq!(
            row_hash((RowHash::Columns, Side::Source), columns().skip(4).take(1)),
            "hashint4extended(0, hash_record_extended(row(row(mood)::text collate \"C\"), 0))"
        );
        assert_eq!(
            row_hash((RowHash::Text, Side::Source), columns().take(2)),
            "hashtextextended(row(id, name)::text, 0)"
        );
    }

    #[test]
    fn keys_of_text_are_compared_byte_by_byte() {
        let staged =
            |data_type: &str| StagedColumn { name: Ident::from_catalog("id"), data_type: data_type.to_owned() };
        let number = RangeKey::new(&staged("bigint"), "bigint");
        let text = RangeKey::new(&staged("text"), "mood");
        let ranges = [
            KeyRange { lower: None, upper: Some("4".to_owned()) },
            KeyRange { lower: Some("9".to_owned()), upper: None },
        ];
        assert_eq!(within(&number, &ranges), "(\n    (true and id < '4') or\n    (id >= '9' and true)\n)");
        assert_eq!(within(&text, &ranges[1..]), "(\n    (id::text collate \"C\" >= '9' and true)\n)");
        assert_eq!(within(&number, &[]), "(\n    false\n)");
    }
}
