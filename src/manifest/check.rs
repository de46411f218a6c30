//! Rules that hold between nodes: one name, one node; one relation, one writer.

use std::collections::HashMap;

use super::Manifest;
use super::model::Draft;
use super::test_rules::KeepFailures;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::ident::{NodeName, Relation};
use crate::project::{Flavour, ModelFile, Project, PropertyDecl, Written};

/// Two files with one stem, among models and seeds together, since `ref` takes both.
pub(super) fn stems(project: &Project, snapshots: &[ModelFile], diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    let models = project.models.iter().filter(|model| !is_extraction(project, &model.folders));
    let models = models.map(|model| (model.stem.as_str(), Span::whole(&model.file)));
    let seeds = project.seeds.iter().map(|seed| (seed.stem.as_str(), seed_place(&seed.path)));
    let snapshots = snapshots.iter().map(|snapshot| (snapshot.stem.as_str(), Span::whole(&snapshot.file)));
    for (stem, span) in models.chain(seeds).chain(snapshots) {
        if let Some(first) = seen.insert(stem, span.clone()) {
            let files = (first.path().display().to_string(), span.path().display().to_string());
            diagnostics.push(
                Diagnostic::error(Code::DuplicateName, format!("name \"{stem}\" is given by two files"))
                    .at(span)
                    .related(first, "the other file")
                    .hint(format!("rename \"{}\" or \"{}\"", files.0, files.1)),
            );
        }
    }
}

/// Whether the folders are those of `models/stg/<source>/`; in a dbt project that is a folder like any other.
pub(super) fn is_extraction(project: &Project, folders: &[String]) -> bool {
    project.flavour == Flavour::Unimig && folders.first().is_some_and(|folder| folder == "stg")
}

/// A CSV file as a place: it has a path and no text that is worth showing.
fn seed_place(path: &std::path::Path) -> Span {
    let file = SourceFile { path: path.to_path_buf(), text: String::new(), written: None };
    Span::whole(&std::sync::Arc::new(file))
}

/// Property files that describe one model twice, or one that does not exist.
pub(super) fn properties<'a>(
    (kind, declared): (&str, impl IntoIterator<Item = &'a PropertyDecl>),
    known: &[&str],
    diagnostics: &mut Diagnostics,
) {
    let mut seen: HashMap<&str, &Written<String>> = HashMap::new();
    let names: std::collections::HashSet<&str> = known.iter().copied().collect();
    for property in declared {
        let name = property.name.value.as_str();
        if let Some(first) = seen.insert(name, &property.name) {
            diagnostics.push(
                Diagnostic::error(Code::DuplicateName, format!("{kind} \"{name}\" is described twice"))
                    .at(property.name.span.clone())
                    .related(first.span.clone(), "first described here"),
            );
        }
        if !names.contains(name) {
            diagnostics.push(
                Diagnostic::error(Code::UnknownModel, format!("{kind} \"{name}\" does not exist"))
                    .at(property.name.span.clone())
                    .did_you_mean(name, known.iter().copied()),
            );
        }
    }
}

/// Two processes that write one relation.
pub(super) fn writers(manifest: &Manifest, diagnostics: &mut Diagnostics) {
    one_writer_each(HashMap::new(), written(manifest), diagnostics);
}

/// Tests that keep their failing rows in what another process writes.
pub(super) fn keepers(manifest: &Manifest, diagnostics: &mut Diagnostics) {
    let seen = written(manifest).map(|(name, relation, span)| (relation, (name, span))).collect();
    let keepers = manifest.tests.values().filter(|test| test.rules.keep != KeepFailures::Never);
    let kept = keepers.filter_map(|test| Some((&test.name, test.rules.audit.as_ref()?, test.declared_at.clone())));
    one_writer_each(seen, kept, diagnostics);
}

fn one_writer_each<'m>(
    mut seen: HashMap<&'m Relation, (&'m NodeName, Span)>,
    writers: impl Iterator<Item = (&'m NodeName, &'m Relation, Span)>,
    diagnostics: &mut Diagnostics,
) {
    for (name, relation, span) in writers {
        if let Some((first, place)) = seen.get(relation) {
            let files = (place.path().display().to_string(), span.path().display().to_string());
            diagnostics.push(
                Diagnostic::error(
                    Code::TwoWriters,
                    format!("\"{relation}\" is written by \"{first}\" and by \"{name}\""),
                )
                .at(span)
                .related(place.clone(), "the other writer")
                .hint(format!("give one of \"{}\" and \"{}\" another alias or schema", files.0, files.1)),
            );
        } else {
            seen.insert(relation, (name, span));
        }
    }
}

fn written(manifest: &Manifest) -> impl Iterator<Item = (&NodeName, &Relation, Span)> {
    let stages = manifest.stages.values().flat_map(|stage| {
        [&stage.stg_relation, &stage.live_relation].map(|relation| (&stage.name, relation, stage.declared_at.clone()))
    });
    let models = manifest
        .models
        .values()
        .filter_map(|model| Some((&model.name, manifest.relation(&model.name)?, model.configured_at.clone())));
    let seeds = manifest.seeds.values().map(|seed| (&seed.name, &seed.relation, seed_place(&seed.path)));
    stages.chain(models).chain(seeds)
}

/// Moves the drafts into the manifest; what they refer to is looked up afterwards.
pub(super) fn admit(manifest: &mut Manifest, drafts: &mut [Draft]) {
    for draft in drafts {
        match (draft.disabled.take(), draft.node.take()) {
            (Some(switch), node) => {
                manifest.disabled.insert(draft.name.clone(), switch);
                if let Some(node) = node {
                    manifest.off().models.insert(draft.name.clone(), node);
                }
            }
            (None, Some(node)) => {
                manifest.models.insert(draft.name.clone(), node);
            }
            (None, None) => {}
        }
    }
}
