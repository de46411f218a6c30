//! Puts SQL together from the tool's text and compiled pieces, while every piece keeps its place in the user's files.

use super::{CompiledSql, Origin};

/// Grows a [`CompiledSql`] at its end.
#[derive(Debug, Default)]
pub struct SqlBuilder {
    sql: CompiledSql,
}

impl SqlBuilder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends text that the tool wrote.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.sql.text.push_str(text);
        self
    }

    /// Appends a compiled piece.
    #[must_use]
    pub fn sql(mut self, piece: &CompiledSql) -> Self {
        let shift = self.sql.text.len();
        self.sql.text.push_str(&piece.text);
        self.sql.origins.extend(piece.origins.iter().map(|origin| Origin {
            output: origin.output.start + shift..origin.output.end + shift,
            source: origin.source.clone(),
            verbatim: origin.verbatim,
        }));
        self
    }

    /// Appends the part of a compiled piece that lies in `range` (bytes, on character boundaries).
    #[must_use]
    pub fn slice(mut self, piece: &CompiledSql, range: std::ops::Range<usize>) -> Self {
        let at = self.sql.text.len();
        self.sql.text.push_str(&piece.text[range.clone()]);
        for origin in &piece.origins {
            let start = origin.output.start.max(range.start);
            let end = origin.output.end.min(range.end);
            if start >= end {
                continue;
            }
            let mut source = origin.source.clone();
            if origin.verbatim {
                let first = source.range.start + (start - origin.output.start);
                source.range = first..first + (end - start);
            }
            self.sql.origins.push(Origin {
                output: start - range.start + at..end - range.start + at,
                source,
                verbatim: origin.verbatim,
            });
        }
        self
    }

    pub fn finish(self) -> CompiledSql {
        self.sql
    }
}
