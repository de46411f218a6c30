//! A query of the command line as one more file of the project, so that it is read like any model.

use std::path::PathBuf;
use std::sync::Arc;

use super::{ModelFile, Project};
use crate::diagnostic::SourceFile;

/// The stem of a query of the command line; a file cannot clash with it that `ref` can name.
pub const INLINE_QUERY: &str = "inline query";

impl Project {
    /// Adds the query; it is built by nothing.
    pub fn add_inline(&mut self, text: &str) {
        let file = SourceFile { path: PathBuf::from("--inline"), text: text.to_owned(), written: None };
        let stem = INLINE_QUERY.to_owned();
        self.models.push(ModelFile { folders: Vec::new(), stem, file: Arc::new(file) });
    }
}
