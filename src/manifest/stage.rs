//! Source declarations become stages: defaults filled in, connections looked up, change capture settled.

use std::collections::BTreeMap;

use super::{ColumnNode, StageNode, Strategy};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{CdcDecl, ColumnDecl, Environment, SourceDecl, TableDecl, Written};

/// Every table of every source.
pub(super) fn settle(
    sources: &[SourceDecl],
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<NodeName, StageNode> {
    let mut stages: BTreeMap<NodeName, StageNode> = BTreeMap::new();
    let mut seen: BTreeMap<&str, &Span> = BTreeMap::new();
    for source in sources {
        if let Some(first) = seen.insert(&source.name.value, &source.name.span) {
            diagnostics.push(twice("source", &source.name, first));
        }
        let connection = connection(source, environment, diagnostics);
        let Some(stg_schema) = stg_schema(source, diagnostics) else { continue };
        for table in &source.tables {
            let Some(stage) = stage(source, table, (&connection, &stg_schema), diagnostics) else { continue };
            if let Some(first) = stages.get(&stage.name) {
                diagnostics.push(twice_table(&stage, first));
            }
            stages.insert(stage.name.clone(), stage);
        }
    }
    stages
}

fn twice(what: &str, name: &Written<String>, first: &Span) -> Diagnostic {
    Diagnostic::error(Code::DuplicateName, format!("{what} \"{}\" is declared twice", name.value))
        .at(name.span.clone())
        .related(first.clone(), "first declared here")
}

fn twice_table(stage: &StageNode, first: &StageNode) -> Diagnostic {
    let message = format!("source table \"{}.{}\" is declared twice", stage.source, stage.table);
    Diagnostic::error(Code::DuplicateName, message)
        .at(stage.declared_at.clone())
        .related(first.declared_at.clone(), "first declared here")
}

fn connection(source: &SourceDecl, environment: &Environment, diagnostics: &mut Diagnostics) -> String {
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

fn stg_schema(source: &SourceDecl, diagnostics: &mut Diagnostics) -> Option<Ident> {
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

fn stage(
    source: &SourceDecl,
    table: &TableDecl,
    (connection, stg_schema): (&str, &Ident),
    diagnostics: &mut Diagnostics,
) -> Option<StageNode> {
    let name = table.name.value.as_str();
    let live = named(format!("{name}_live"), &table.name.span, diagnostics)?;
    let schema = match &source.schema {
        Some(schema) => schema.clone(),
        None => Ident::from_catalog("public"),
    };
    let strategy = match table.cdc.as_ref().or(source.cdc.as_ref()) {
        // The mistake is reported; the table stays, so that models that read it are not reported too.
        Some(cdc) => strategy(cdc, diagnostics).unwrap_or(Strategy::Full),
        None => Strategy::Full,
    };
    // A table without key was reported when its file was read.
    if table.key.is_empty() {
        return None;
    }
    Some(StageNode {
        name: NodeName::stage(&source.name.value, name),
        source: source.name.value.clone(),
        table: name.to_owned(),
        description: table.description.clone(),
        connection: connection.to_owned(),
        source_relation: Relation::new(schema, table.identifier.clone().unwrap_or_else(|| table.name.value.clone())),
        stg_relation: Relation::new(stg_schema.clone(), table.name.value.clone()),
        live_relation: Relation::new(stg_schema.clone(), live),
        key: table.key.clone(),
        strategy,
        columns: table.columns.iter().map(column).collect(),
        tags: tags(source, table),
        meta: meta(source, table),
        extraction: None,
        declared_at: table.name.span.clone(),
    })
}

/// A declared column without its tests.
pub(super) fn column(column: &ColumnDecl) -> ColumnNode {
    ColumnNode {
        name: column.name.value.clone(),
        data_type: column.data_type.clone(),
        description: column.description.clone(),
        declared_at: column.name.span.clone(),
    }
}

fn strategy(cdc: &CdcDecl, diagnostics: &mut Diagnostics) -> Option<Strategy> {
    match cdc.strategy.value.as_str() {
        "full" => Some(Strategy::Full),
        "window" => window(cdc, diagnostics),
        other => {
            diagnostics.push(
                Diagnostic::error(Code::BadValue, format!("\"{other}\" is no strategy"))
                    .at(cdc.strategy.span.clone())
                    .hint("strategy is \"full\" or \"window\""),
            );
            None
        }
    }
}

fn window(cdc: &CdcDecl, diagnostics: &mut Diagnostics) -> Option<Strategy> {
    let mut missing = |key: &str, hint: &str| {
        let message = format!("strategy \"window\" needs the key \"{key}\"");
        diagnostics.push(Diagnostic::error(Code::MissingKey, message).at(cdc.strategy.span.clone()).hint(hint));
    };
    if cdc.columns.is_empty() {
        missing(
            "columns",
            "name the timestamp columns that a change sets, as in \"columns: [created_at, updated_at]\"",
        );
    }
    let Some(written) = &cdc.window else {
        missing("window", "say how far back to read, as in \"window: 7 days\"");
        return None;
    };
    match reach(&written.value) {
        Some(reach) => (!cdc.columns.is_empty()).then(|| Strategy::Window { columns: cdc.columns.clone(), reach }),
        None => {
            diagnostics.push(
                Diagnostic::error(Code::BadValue, format!("\"{}\" is no length of time", written.value))
                    .at(written.span.clone())
                    .hint("write it as in \"7 days\" or \"36 hours\""),
            );
            None
        }
    }
}

/// Days are 24 hours and weeks 7 days: a window is a reach back, not a calendar. Months and years have no length.
fn reach(text: &str) -> Option<jiff::SignedDuration> {
    let span: jiff::Span = text.parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    (duration > jiff::SignedDuration::ZERO).then_some(duration)
}

fn tags(source: &SourceDecl, table: &TableDecl) -> Vec<String> {
    let mut tags: Vec<String> = source.tags.iter().chain(&table.tags).cloned().collect();
    tags.sort();
    tags.dedup();
    tags
}

/// The table's keys over the source's.
fn meta(source: &SourceDecl, table: &TableDecl) -> serde_json::Map<String, serde_json::Value> {
    let maps = [&source.meta, &table.meta].into_iter().filter_map(serde_json::Value::as_object);
    maps.flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}
