//! Where measured tables stand in the book.

use std::path::Path;

use anyhow::Context;

const PATH: &str = "book/src/reference/performance.md";

/// The part of the page between two comments, which a measurement writes anew.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub begin: &'static str,
    pub end: &'static str,
}

impl Part {
    /// Writes tables between the page's markers.
    pub fn keep(self, text: &str) -> anyhow::Result<()> {
        let Self { begin, end } = self;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
        let page = fs_err::read_to_string(&path)?;
        let (before, rest) = page.split_once(begin).with_context(|| format!("{PATH} lacks {begin}"))?;
        let (_, after) = rest.split_once(end).with_context(|| format!("{PATH} lacks {end}"))?;
        Ok(fs_err::write(path, format!("{before}{begin}\n\n{text}\n{end}{after}"))?)
    }
}
