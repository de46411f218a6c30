//! Puts the environment's relations in the place of plain names; every piece keeps its place in the user's file.

use std::ops::Range;

use super::{CompiledSql, Origin, SqlBuilder};

/// The text with each range (ascending, none within another) replaced. What replaces a name comes from where the name came
/// from.
pub(super) fn replaced(sql: &CompiledSql, replacements: &[(Range<usize>, String)]) -> CompiledSql {
    let mut builder = SqlBuilder::new();
    let mut at = 0;
    for (range, text) in replacements {
        let written = SqlBuilder::new().slice(sql, range.clone()).finish();
        let origins = written.origins.first().map(|origin| Origin {
            output: 0..text.len(),
            source: origin.source.clone(),
            verbatim: false,
        });
        let piece = CompiledSql { text: text.clone(), origins: origins.into_iter().collect() };
        builder = builder.slice(sql, at..range.start).sql(&piece);
        at = range.end;
    }
    builder.slice(sql, at..sql.text.len()).finish()
}
