//! A server's refusal as a mistake at its place in the user's files, in the user's names.

use crate::diagnostic::{Code, Diagnostic, Span, nearest};
use crate::ident::{Ident, NodeName};
use crate::manifest::{Manifest, ModelNode};
use crate::ops::check::Subject;
use crate::ops::check::look::Look;
use crate::ops::check::scratch::Scratch;
use crate::postgres::PostgresError;
use crate::transform::description::DescribedColumn;

/// PostgreSQL's codes for names that mean nothing.
const UNDEFINED_TABLE: &str = "42P01";
/// Of a SELECT with two columns of one name.
const DUPLICATE_COLUMN: &str = "42701";
/// Of a column whose type is not the table's.
const DATATYPE_MISMATCH: &str = "42804";

/// Tells what the server said of a statement.
pub(super) fn mistake(
    subject: &Subject<'_>,
    scratch: &Scratch,
    (look, error): (&Look<'_>, &PostgresError),
) -> Diagnostic {
    let manifest = &subject.workspace.manifest;
    let Some(server) = error.server_error() else {
        return placed(Diagnostic::error(Code::SqlError, scratch.told(&error.to_string())), manifest, look.name);
    };
    let message = scratch.told(&server.message);
    let hint = match server.sqlstate.as_str() {
        UNDEFINED_TABLE => near_relation(subject, &message),
        _ => server.hint.as_deref().map(|hint| scratch.told(hint)),
    };
    let place = look.select.as_ref().and_then(|(embedded, select)| embedded.locate(server.position?, select));
    let place = place.or_else(|| match (server.sqlstate.as_str(), manifest.models.get(look.name)) {
        (DUPLICATE_COLUMN | DATATYPE_MISMATCH, Some(model)) => last_written(model, quoted_name(&message)?),
        _ => None,
    });
    let hint = hint.or_else(|| look.hint.map(str::to_owned));
    let mistake = Diagnostic { hint, ..Diagnostic::error(Code::SqlError, message) };
    match place {
        Some(span) => mistake.at(span),
        None => placed(mistake, manifest, look.name),
    }
}

/// A table that a model names outright and that is not there; one that unimig builds would have a shell.
fn near_relation(subject: &Subject<'_>, message: &str) -> Option<String> {
    let written = quoted_name(message)?;
    let manifest = &subject.workspace.manifest;
    let built = manifest
        .models
        .keys()
        .chain(manifest.seeds.keys())
        .chain(manifest.stages.keys())
        .chain(manifest.crosswalks.keys());
    let mut names: Vec<String> =
        built.filter_map(|name| manifest.read_relation(name)).map(ToString::to_string).collect();
    let there = subject.description.relations.iter();
    names.extend(there.map(|relation| format!("{}.{}", relation.schema, relation.name)));
    let bare: Vec<&str> = names.iter().filter_map(|name| name.split_once('.')).map(|(_, name)| name).collect();
    let near = nearest(written, names.iter().map(String::as_str)).or_else(|| nearest(written, bare));
    near.map(|near| format!("did you mean \"{near}\"?"))
}

/// The first name in double quotes.
fn quoted_name(message: &str) -> Option<&str> {
    message.split('"').nth(1)
}

fn placed(mistake: Diagnostic, manifest: &Manifest, name: &NodeName) -> Diagnostic {
    match manifest.declared_at(name) {
        Some(span) => mistake.at(span),
        None => mistake,
    }
}

/// The last time that a model's file writes a name: the alias in a select list mostly comes after its expression.
pub(super) fn last_written(model: &ModelNode, name: &str) -> Option<Span> {
    let text = &model.file.text;
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_whole = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    };
    let (start, _) = text.match_indices(name).filter(|(at, _)| is_whole(*at)).last()?;
    Some(Span::new(&model.file, start..start + name.len()))
}

/// Columns that every new row needs and that the SELECT does not give: a warning, since a trigger may fill them and a
/// model may only ever update.
pub(super) fn missing_required(
    model: &ModelNode,
    selected: &[Ident],
    required: impl Iterator<Item = DescribedColumn>,
) -> Option<Diagnostic> {
    let missing: Vec<String> = required
        .filter(|column| !selected.contains(&column.name))
        .map(|column| format!("\"{}\"", column.name.as_str()))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let noun = if missing.len() == 1 { "column" } else { "columns" };
    let message = format!(
        "model \"{}\" does not select {noun} {}, which {} needs in every new row",
        model.model,
        missing.join(", "),
        model.relation
    );
    Some(
        Diagnostic::warning(Code::MissingRequiredColumn, message)
            .at(model.configured_at.clone())
            .hint("select it, or give the column a default: it is NOT NULL and has none"),
    )
}
