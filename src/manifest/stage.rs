//! The staged side of a source table: its connection looked up, its copy named, its change capture settled.

use super::capture::{self, Strategy};
use super::{ColumnNode, SourceProperties, StageNode};
use super::{drift, keyless, quarantine, removals};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{ColumnDecl, Environment, SourceDecl, TableDecl, Written};

/// Where the project sets limits that a batch may meet; at the table's name where it sets none.
#[derive(Debug, Clone)]
pub struct LimitPlaces {
    pub max_deletes: Span,
    pub quarantine_rows: Span,
    pub quarantine_percent: Span,
}

/// The connection that reads a source; one that the profile does not have is reported.
pub(super) fn connection(source: &SourceDecl, environment: &Environment, diagnostics: &mut Diagnostics) -> String {
    let written = source.connection.as_ref().unwrap_or(&source.name);
    let name = &written.value;
    if !environment.connections.contains_key(name) {
        let known: Vec<&str> = environment.connections.keys().map(String::as_str).collect();
        let output = &environment.target_name;
        let diagnostic =
            Diagnostic::error(Code::UnknownConnection, format!("connection \"{name}\" is not in output \"{output}\""))
                .at(written.span.clone())
                .did_you_mean(name, known.iter().copied());
        let hint = match known.is_empty() {
            true => format!("output \"{output}\" of the profile has no connections"),
            false => format!("output \"{output}\" has {}", known.join(", ")),
        };
        diagnostics.push(match diagnostic.hint {
            Some(_) => diagnostic,
            None => diagnostic.hint(hint),
        });
    }
    name.clone()
}

/// The schema of a source's copies.
pub(super) fn stg_schema(source: &SourceDecl, diagnostics: &mut Diagnostics) -> Option<Ident> {
    if let Some(schema) = &source.stg_schema {
        return Some(schema.clone());
    }
    named(format!("stg_{}", source.name.value), &source.name.span, diagnostics)
}

fn named(text: String, span: &Span, diagnostics: &mut Diagnostics) -> Option<Ident> {
    match Ident::new(text) {
        Ok(ident) => Some(ident),
        Err(error) => {
            diagnostics.push(Diagnostic::error(Code::BadValue, error.to_string()).at(span.clone()));
            None
        }
    }
}

/// One table's copy.
pub(super) fn stage(
    (source, table): (&SourceDecl, &TableDecl),
    (connection, stg_schema): (&str, &Ident),
    source_relation: Relation,
    diagnostics: &mut Diagnostics,
) -> Option<StageNode> {
    let name = table.name.value.as_str();
    let live = named(format!("{name}_live"), &table.name.span, diagnostics)?;
    let cdc = table.cdc.as_ref().or(source.cdc.as_ref());
    let checksum = table.checksum.as_ref().or(source.checksum.as_ref());
    let strategy = match cdc {
        // The mistake is reported; the table stays, so that models that read it are not reported too.
        Some(cdc) => capture::strategy(cdc, diagnostics).unwrap_or(Strategy::Full),
        None => Strategy::Full,
    };
    let quarantine = table.quarantine.as_ref().or(source.quarantine.as_ref());
    // Without a key nobody can tell which row of the copy a refused one is.
    let quarantine = quarantine.filter(|_| !table.key.is_empty());
    let limit = quarantine.and_then(|declared| quarantine::limit(declared, diagnostics));
    let deletes = table.deletes.as_ref().or(source.deletes.as_ref());
    let removals = deletes.map(|declared| removals::removals(declared, diagnostics)).unwrap_or_default();
    // The table stays, so that models that read it are not reported too.
    let strategy = match keyless::mistake((table, source), &strategy, &removals) {
        None => strategy,
        Some(mistake) => {
            diagnostics.push(mistake);
            Strategy::Full
        }
    };
    Some(StageNode {
        name: NodeName::stage(&source.name.value, name),
        source: source.name.value.clone(),
        table: name.to_owned(),
        description: table.description.as_ref().map(|written| written.value.clone()).unwrap_or_default(),
        connection: connection.to_owned(),
        source_relation,
        stg_relation: Relation::new(stg_schema.clone(), table.name.value.clone()),
        live_relation: Relation::new(stg_schema.clone(), live),
        key: table.key.clone(),
        strategy,
        checksum: checksum.map(|declared| capture::checksum(declared, diagnostics)).unwrap_or_default(),
        alarm: cdc.and_then(|cdc| capture::alarm(cdc, diagnostics)),
        removals,
        quarantine: limit,
        drift: drift::drift(source.drift.as_ref(), table.drift.as_ref(), diagnostics),
        columns: table.columns.iter().map(column).collect(),
        extraction: None,
        properties: SourceProperties::default(),
        declared_at: table.name.span.clone(),
        limits_at: LimitPlaces {
            max_deletes: place(deletes.and_then(|deletes| deletes.max_percent.as_ref()), table),
            quarantine_rows: place(quarantine.and_then(|quarantine| quarantine.max_rows.as_ref()), table),
            quarantine_percent: place(quarantine.and_then(|quarantine| quarantine.max_percent.as_ref()), table),
        },
    })
}

fn place(setting: Option<&Written<String>>, table: &TableDecl) -> Span {
    setting.map_or_else(|| table.name.span.clone(), |written| written.span.clone())
}

/// A declared column without its tests.
pub(super) fn column(column: &ColumnDecl) -> ColumnNode {
    ColumnNode {
        name: column.name.value.clone(),
        data_type: column.data_type.clone(),
        description: column.description.clone(),
        tags: column.tags.clone(),
        meta: column.meta.clone(),
        quote: column.quote,
        constraints: column.constraints.clone(),
        declared_at: column.name.span.clone(),
    }
}
