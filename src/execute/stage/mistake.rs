//! What the rows of a batch stop, told at the place in the project that decides.
//!
//! Hands know rows and limits, and not where a limit was written.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::execute::failure::StepError;
use crate::extract::ExtractError;
use crate::load::{Hop, LoadError};
use crate::manifest::StageNode;

/// The same error with its place, where it has one.
pub(super) fn placed(error: StepError, node: &StageNode) -> StepError {
    match error {
        StepError::Load(error) => match of_load(&error, node) {
            Some(mistake) => LoadError::Project(Box::new(mistake)).into(),
            None => error.into(),
        },
        StepError::Extract(error) => match of_extract(&error, node) {
            Some(mistake) => ExtractError::Project(Box::new(mistake)).into(),
            None => error.into(),
        },
        StepError::Postgres(_)
        | StepError::Snapshot(_)
        | StepError::Transform(_)
        | StepError::Verify(_)
        | StepError::Locked { .. }
        | StepError::Interrupted => error,
    }
}

fn of_load(error: &LoadError, node: &StageNode) -> Option<Diagnostic> {
    let (code, place, hint) = match error {
        LoadError::Postgres(_) | LoadError::Store(_) | LoadError::RowCount { .. } | LoadError::Project(_) => {
            return None;
        }
        LoadError::TooManyDeletes { .. } => (
            Code::TooManyDeletes,
            node.limits_at.max_deletes.clone(),
            "look at the source; if the rows are really gone, run again with --accept-deletes",
        ),
        LoadError::TooManyRefused { refused, .. } => (
            Code::TooManyRefused,
            exceeded(node, *refused),
            "look at the source's values, or raise the limits under quarantine",
        ),
        LoadError::TurnsBack { .. } => (
            Code::OldBatch,
            node.declared_at.clone(),
            "an old batch mends only rows that no later one has changed; run with --full to read the source as it is",
        ),
        LoadError::NotReloadable { .. } => (
            Code::OldBatch,
            node.declared_at.clone(),
            "unimig layer ls names the kind of each batch: one of kind full, window or append can be loaded again",
        ),
        LoadError::Broken { hop: Hop::Load, .. } => (
            Code::BrokenBatch,
            extraction(node),
            "if a SELECT of models/stg gives other values each time, as random() does, set checksum: rows; otherwise the \
             batch was altered: run again",
        ),
        LoadError::Broken { hop: Hop::Merge, .. } => (
            Code::BrokenBatch,
            node.declared_at.clone(),
            "look for triggers or rules on the copy: nobody else may change what is merged",
        ),
    };
    Some(Diagnostic::error(code, error.to_string()).at(place).hint(hint))
}

fn of_extract(error: &ExtractError, node: &StageNode) -> Option<Diagnostic> {
    match error {
        ExtractError::Postgres(_) | ExtractError::Store(_) | ExtractError::Project(_) => None,
        ExtractError::Broken { .. } => {
            let hint = "a view, a function or a policy at the source gives other rows each time it is read: read the table \
                        behind it, or set checksum: rows";
            Some(Diagnostic::error(Code::BrokenBatch, error.to_string()).at(extraction(node)).hint(hint))
        }
    }
}

/// The limit that so many rows are too many for.
fn exceeded(node: &StageNode, refused: u64) -> Span {
    match node.quarantine.and_then(|limit| limit.max_rows) {
        Some(max_rows) if refused > max_rows => node.limits_at.quarantine_rows.clone(),
        Some(_) | None => node.limits_at.quarantine_percent.clone(),
    }
}

/// What decides which values a batch holds.
fn extraction(node: &StageNode) -> Span {
    node.extraction.as_ref().map_or_else(|| node.declared_at.clone(), Span::whole)
}
