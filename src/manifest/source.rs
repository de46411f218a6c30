//! Source declarations become stages, where a connection of the profile reads them, or plain tables of the target, as
//! in dbt.

use std::collections::HashMap;

use serde_json::Value;

use super::config::Settled;
use super::model::Surroundings;
use super::{ColumnNode, Freshness, FreshnessAfter, Manifest, Period, SourceProperties, TableNode, stage};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{SourceDecl, TableDecl, Written};

/// Every table of every source, into `manifest.stages` and `manifest.tables`.
pub(super) fn settle(manifest: &mut Manifest, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, &SourceDecl> = HashMap::new();
    for source in &around.project.declared.sources {
        let is_staged = is_staged(source, around);
        if let Some(first) = seen.insert(&source.name.value, source)
            && (is_staged || self::is_staged(first, around))
        {
            diagnostics.push(twice(&format!("source \"{}\"", source.name.value), &source.name.span, &first.name.span));
        }
        match is_staged {
            true => staged(manifest, (source, around), diagnostics),
            false => plain(manifest, (source, around), diagnostics),
        }
    }
}

/// A source is staged when it names a connection or the profile has one of its name. One that speaks of staging is
/// meant to be, so that a connection that is missing is told.
fn is_staged(source: &SourceDecl, around: &Surroundings<'_>) -> bool {
    source.speaks_of_staging() || around.environment.connections.contains_key(&source.name.value)
}

fn twice(what: &str, second: &Span, first: &Span) -> Diagnostic {
    Diagnostic::error(Code::DuplicateName, format!("{what} is declared twice"))
        .at(second.clone())
        .related(first.clone(), "first declared here")
}

fn staged(manifest: &mut Manifest, (source, around): (&SourceDecl, &Surroundings<'_>), diagnostics: &mut Diagnostics) {
    let connection = stage::connection(source, around.environment, diagnostics);
    let Some(stg_schema) = stage::stg_schema(source, diagnostics) else { return };
    let schema = match &source.schema {
        Some(written) => ident(around, written, diagnostics),
        None => Ident::new("public").ok(),
    };
    let Some(schema) = schema else { return };
    for table in &source.tables {
        let name = NodeName::stage(&source.name.value, table.name.value.as_str());
        let properties = admitted(manifest, &name, (source, table, around), diagnostics);
        let is_off = manifest.disabled.contains_key(&name);
        // What is switched off may be wrong.
        let mut unheard = Diagnostics::default();
        let told = if is_off { &mut unheard } else { &mut *diagnostics };
        let Some(identifier) = identifier(around, table, told) else { continue };
        let at_source = Relation::new(schema.clone(), identifier);
        let Some(mut node) = stage::stage((source, table), (&connection, &stg_schema), at_source, told) else {
            continue;
        };
        node.properties = properties;
        if is_off {
            manifest.off().stages.insert(name, node);
            continue;
        }
        if let Some(first) = manifest.stages.get(&name) {
            let what = format!("source table \"{}.{}\"", node.source, node.table);
            diagnostics.push(twice(&what, &node.declared_at, &first.declared_at));
        }
        manifest.stages.insert(name, node);
    }
}

fn plain(manifest: &mut Manifest, (source, around): (&SourceDecl, &Surroundings<'_>), diagnostics: &mut Diagnostics) {
    if let Some(database) = &source.database {
        check_database(around, database, diagnostics);
    }
    let schema = match &source.schema {
        Some(written) => ident(around, written, diagnostics),
        None => ident(around, &source.name, diagnostics),
    };
    let Some(schema) = schema else { return };
    for table in &source.tables {
        let name = NodeName::table(&source.name.value, table.name.value.as_str());
        let properties = admitted(manifest, &name, (source, table, around), diagnostics);
        let Some(identifier) = identifier(around, table, diagnostics) else { continue };
        let quoting = around.project.quoting.under(source.properties.quoting).under(table.properties.quoting);
        let node = TableNode {
            name: name.clone(),
            source: source.name.value.clone(),
            table: table.name.value.as_str().to_owned(),
            description: text_of(table.description.as_ref()),
            source_description: text_of(source.description.as_ref()),
            folders: around.project.folders_of(table.name.span.path()),
            package: around.project.package_of(table.name.span.path()).to_owned(),
            relation: quoting.apply(Relation::new(schema.clone(), identifier)),
            columns: table.columns.iter().map(stage::column).collect::<Vec<ColumnNode>>(),
            properties,
            declared_at: table.name.span.clone(),
        };
        if manifest.disabled.contains_key(&name) {
            manifest.off().tables.insert(name, node);
            continue;
        }
        if let Some(first) = manifest.tables.get(&name) {
            let what = format!("source table \"{}.{}\"", node.source, node.table);
            diagnostics.push(twice(&what, &node.declared_at, &first.declared_at));
        }
        manifest.tables.insert(name, node);
    }
}

/// What config says of the table; one that is switched off is noted.
fn admitted(
    manifest: &mut Manifest,
    name: &NodeName,
    (source, table, around): (&SourceDecl, &TableDecl, &Surroundings<'_>),
    diagnostics: &mut Diagnostics,
) -> SourceProperties {
    let project = around.project;
    let folders = project.folders_of(table.name.span.path());
    let mut path = vec![project.package_of(table.name.span.path())];
    path.extend(folders.iter().map(String::as_str));
    path.extend([source.name.value.as_str(), table.name.value.as_str()]);
    let mut settled = Settled::default();
    around.lay(&mut settled, &project.source_config.along(&path));
    around.lay(&mut settled, &[&source.properties.config]);
    let of_source = freshness(&mut settled);
    around.lay(&mut settled, &[&table.properties.config]);
    let of_table = freshness(&mut settled);
    let properties = SourceProperties {
        loader: table.properties.loader.clone().or_else(|| source.properties.loader.clone()),
        tags: settled.tags(),
        meta: settled.map("meta"),
        freshness: merged(of_source, of_table, table.properties.config.contains_key("freshness")),
        loaded_at_field: settled.text("loaded_at_field"),
        loaded_at_query: settled.text("loaded_at_query"),
        config: settled.to_json(),
    };
    let disabled = settled.disabled();
    for mut mistake in std::mem::take(&mut settled.mistakes).0 {
        mistake.span.get_or_insert_with(|| table.name.span.clone());
        // Both passes over the freshness find the same mistake.
        if !diagnostics.0.contains(&mistake) {
            diagnostics.push(mistake);
        }
    }
    if let Some(switch) = disabled {
        manifest.disabled.insert(name.clone(), switch);
    }
    properties
}

/// dbt's rule: each of a table's two limits lies over its source's; `freshness: null` takes both away.
fn merged(source: Option<Freshness>, table: Option<Freshness>, table_says: bool) -> Option<Freshness> {
    match (source, table) {
        (_, None) if table_says => None,
        (source, None) => source,
        (None, table) => table,
        (Some(source), Some(table)) => Some(Freshness {
            warn_after: table.warn_after.or(source.warn_after),
            error_after: table.error_after.or(source.error_after),
            filter: table.filter.or(source.filter),
        }),
    }
}

fn freshness(settled: &mut Settled) -> Option<Freshness> {
    let setting = settled.get("freshness")?.clone();
    let Value::Object(entries) = &setting.value else {
        let mistake = Diagnostic::error(Code::BadConfig, "\"freshness\" must be a map").at(setting.span);
        settled.mistakes.push(mistake.hint(FRESHNESS_HINT));
        return None;
    };
    let mut found = Freshness::default();
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
        let outcome = match (key.as_str(), value) {
            ("warn_after", value) => after(value).map(|after| found.warn_after = after),
            ("error_after", value) => after(value).map(|after| found.error_after = after),
            ("filter", Value::String(filter)) => {
                found.filter = Some(filter.clone());
                Ok(())
            }
            _ => Err(format!("\"freshness\" cannot have \"{key}: {value}\"")),
        };
        if let Err(message) = outcome {
            let mistake = Diagnostic::error(Code::BadConfig, message).at(setting.span.clone()).hint(FRESHNESS_HINT);
            settled.mistakes.push(mistake);
        }
    }
    Some(found)
}

const FRESHNESS_HINT: &str = "write it as in \"freshness: {warn_after: {count: 12, period: hour}}\"; the other keys are error_after and filter, periods are minute, hour and day";

/// `{}` sets no limit, as in dbt.
fn after(value: &Value) -> Result<Option<FreshnessAfter>, String> {
    let wrong = || format!("{value} is no length of time");
    let Value::Object(entries) = value else { return Err(wrong()) };
    if entries.is_empty() {
        return Ok(None);
    }
    let count = match entries.get("count") {
        Some(Value::Number(number)) => number.as_u64(),
        // A template gives text.
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) | None => None,
    };
    let period = match entries.get("period").and_then(Value::as_str) {
        Some("minute") => Some(Period::Minute),
        Some("hour") => Some(Period::Hour),
        Some("day") => Some(Period::Day),
        Some(_) | None => None,
    };
    match (count, period) {
        (Some(count), Some(period)) => Ok(Some(FreshnessAfter { count, period })),
        _ => Err(wrong()),
    }
}

/// PostgreSQL reads one database at a time.
fn check_database(around: &Surroundings<'_>, written: &Written<String>, diagnostics: &mut Diagnostics) {
    let Some(name) = rendered(around, written, diagnostics) else { return };
    let dbname = &around.environment.target.dbname;
    if !dbname.is_empty() && name != *dbname {
        let message = format!("database \"{name}\" is not the target's, \"{dbname}\"");
        let hint =
            "a plain source lies in the target database; to copy tables from another one, give the source a connection";
        diagnostics.push(Diagnostic::error(Code::BadValue, message).at(written.span.clone()).hint(hint));
    }
}

fn identifier(around: &Surroundings<'_>, table: &TableDecl, diagnostics: &mut Diagnostics) -> Option<Ident> {
    match &table.identifier {
        Some(written) => ident(around, written, diagnostics),
        None => Some(table.name.value.clone()),
    }
}

fn ident(around: &Surroundings<'_>, written: &Written<String>, diagnostics: &mut Diagnostics) -> Option<Ident> {
    let text = rendered(around, written, diagnostics)?;
    match Ident::new(text) {
        Ok(ident) => Some(ident),
        Err(error) => {
            diagnostics.push(Diagnostic::error(Code::BadValue, error.to_string()).at(written.span.clone()));
            None
        }
    }
}

fn rendered(around: &Surroundings<'_>, written: &Written<String>, diagnostics: &mut Diagnostics) -> Option<String> {
    match around.scope.render(&written.value, &written.span) {
        Ok(text) => Some(text),
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            None
        }
    }
}

fn text_of(written: Option<&Written<String>>) -> String {
    written.map(|written| written.value.clone()).unwrap_or_default()
}
