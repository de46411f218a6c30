//! `cdc:` of a source or a table: how its changes are found, as written.

use super::declare::Written;
use super::fields::Reader;
use super::yaml::Yaml;
use crate::ident::Ident;

/// What a strategy needs is checked when the table's is settled.
#[derive(Debug, Clone)]
pub struct CdcDecl {
    pub strategy: Written<String>,
    pub columns: Vec<Ident>,
    pub window: Option<Written<String>>,
    pub overlap: Option<Written<String>>,
}

impl Reader {
    pub(super) fn cdc(&mut self, yaml: &Yaml) -> Option<CdcDecl> {
        let fields = self.fields(yaml, "cdc", &["strategy", "columns", "window", "overlap"])?;
        let strategy = self.required(&fields, "strategy").and_then(|value| self.written_text(value));
        let columns = fields.get("columns").map(|value| self.idents(value)).unwrap_or_default();
        let window = fields.get("window").and_then(|value| self.written_text(value));
        let overlap = fields.get("overlap").and_then(|value| self.written_text(value));
        Some(CdcDecl { strategy: strategy?, columns, window, overlap })
    }
}
