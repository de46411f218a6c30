//! A CSV file of the project into a table of ours.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio_postgres::Client;

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::materialize;
use crate::plan::SeedAction;
use crate::postgres::{CopyInError, PostgresError, copy_in};
use crate::state::run::Tally;
use crate::transform::TransformError;
use crate::transform::relation::keep_built;
use crate::transform::subject::Subject;

/// Loads a seed; `None` when the table holds the same rows already. The path is relative to the project's root.
pub async fn seed(
    client: &Client,
    action: &SeedAction,
    root: &Path,
    note: impl FnMut(&str),
) -> Result<Option<Tally>, TransformError> {
    let node = &action.node;
    let declared_at = build(client, action, root).await?;
    keep_built(client, Subject::of_seed(node, &declared_at), note).await
}

/// Brings the file into the temporary table; gives its place.
pub(super) async fn build(client: &Client, action: &SeedAction, root: &Path) -> Result<Span, TransformError> {
    let node = &action.node;
    let path = root.join(&node.path);
    let text = fs_err::read_to_string(&path).map_err(|source| TransformError::File { path, source })?;
    let text = text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned);
    let file = Arc::new(SourceFile { path: node.path.clone(), text, written: None });
    let declared_at = Span::whole(&file);
    let columns = materialize::seed::columns(&file.text, materialize::seed::SeedFormat::of(node), &node.column_types)
        .map_err(|error| {
        let message = format!("seed \"{}\" is not well-formed CSV: {error}", node.seed);
        TransformError::Project(Box::new(
            Diagnostic::error(Code::BadValue, message).at(Span::line(&file, error.line())),
        ))
    })?;
    let statements = materialize::table::seed(&columns, node.delimiter, node.quoting);
    let doing = format!("load seed {}", node.name);
    client
        .batch_execute(&statements.create_typed)
        .await
        .map_err(|error| PostgresError::server(doing.as_str(), error))?;
    let bytes = Bytes::copy_from_slice(file.text.as_bytes());
    let input = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes)]);
    copy_in(client, &statements.copy_csv, input).await.map_err(|error| match error {
        CopyInError::Postgres(error) => refused(error, &file),
        CopyInError::Input(source) => TransformError::File { path: node.path.clone(), source },
    })?;
    Ok(declared_at)
}

/// The server's no at the line of the file that it names.
fn refused(error: PostgresError, file: &Arc<SourceFile>) -> TransformError {
    let Some(server) = error.server_error() else { return TransformError::Postgres(error) };
    let Some(line) = server.context.as_deref().and_then(copied_line) else { return TransformError::Postgres(error) };
    let message = match &server.context {
        Some(context) => format!("{} ({context})", server.message),
        None => server.message.clone(),
    };
    let mistake = Diagnostic { hint: server.hint.clone(), ..Diagnostic::error(Code::SqlError, message) };
    TransformError::Project(Box::new(mistake.at(Span::line(file, line))))
}

/// The line in `COPY labors, line 3, column email`.
fn copied_line(context: &str) -> Option<u64> {
    let rest = context.strip_prefix("COPY ")?.split_once(", line ")?.1;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}
