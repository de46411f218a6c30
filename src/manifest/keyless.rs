//! Source tables without a key: only whole rows can be compared, so that only some settings make sense.

use super::capture::Strategy;
use super::removals::Removals;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::project::{SourceDecl, TableDecl};

/// What a table without a key asks for and cannot have.
pub(super) fn mistake(
    (table, source): (&TableDecl, &SourceDecl),
    strategy: &Strategy,
    removals: &Removals,
) -> Option<Diagnostic> {
    if !table.key.is_empty() {
        return None;
    }
    let name = table.name.value.as_str();
    let needs = |what: &str, place: &Span| {
        Diagnostic::error(Code::MissingKey, format!("source table \"{name}\" needs the key \"key\" for {what}"))
            .at(place.clone())
    };
    if *strategy != Strategy::Full {
        let written = table.cdc.as_ref().or(source.cdc.as_ref())?;
        let place = if table.cdc.is_some() { &written.strategy.span } else { &table.name.span };
        let hint = "name the columns that identify a row, as in \"key: [id]\"; without a key, whole rows are compared, which \
                    \"cdc: {strategy: full}\" of the table does";
        return Some(needs(&format!("strategy \"{}\"", written.strategy.value), place).hint(hint));
    }
    if let Some(quarantine) = &table.quarantine {
        let hint = "name the columns that identify a row, as in \"key: [id]\", or take quarantine away";
        return Some(needs("quarantine", &quarantine.span).hint(hint));
    }
    if removals.column.is_some() || removals.sweep_every.is_some() {
        let place = table.deletes.as_ref().map_or(&table.name.span, |deletes| &deletes.span);
        let way = if removals.column.is_some() { "column" } else { "sweep" };
        let hint = "name the columns that identify a row, as in \"key: [id]\", or write \"deletes: {detect: full}\" for \
                    the table";
        return Some(needs(&format!("detect \"{way}\""), place).hint(hint));
    }
    None
}
