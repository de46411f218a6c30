//! Exposures, groups and analyses: what is in the manifest and the graph, and is never run.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::config::Settled;
use super::jinja::{Engine, Plan};
use super::model::{Surroundings, own_patch};
use super::record::{Recording, Subject, record};
use super::resolve::look_up_noted;
use super::{ColumnNode, Manifest, stage};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{ConfigOf, ExposureDecl, ModelFile, OwnerDecl};

/// Something outside of the project that reads its models.
#[derive(Debug, Clone)]
pub struct ExposureNode {
    pub name: NodeName,
    pub exposure: String,
    pub package: String,
    /// The folders between the model folder and the YAML file.
    pub folders: Vec<String>,
    pub label: Option<String>,
    /// `dashboard`, `notebook`, `analysis`, `ml` or `application`.
    pub kind: String,
    pub url: Option<String>,
    pub maturity: Option<String>,
    pub description: String,
    pub owner: OwnerDecl,
    pub tags: Vec<String>,
    pub config: serde_json::Map<String, Value>,
    pub depends_on: Vec<NodeName>,
    pub declared_at: Span,
}

/// Models that belong together and to somebody.
#[derive(Debug, Clone)]
pub struct GroupNode {
    pub group: String,
    pub package: String,
    pub owner: OwnerDecl,
    pub description: String,
    pub meta: Value,
    pub declared_at: Span,
}

/// A SQL file that is compiled and never run.
#[derive(Debug, Clone)]
pub struct AnalysisNode {
    pub name: NodeName,
    pub analysis: String,
    pub package: String,
    /// The folders between the analysis folder and the file.
    pub folders: Vec<String>,
    pub file: Arc<SourceFile>,
    pub description: String,
    pub columns: Vec<ColumnNode>,
    pub tags: Vec<String>,
    pub config: serde_json::Map<String, Value>,
    pub depends_on: Vec<NodeName>,
}

/// Every exposure of the project; what it depends on is looked up.
pub(super) fn exposures(manifest: &mut Manifest, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    let mut settled = BTreeMap::new();
    for exposure in &around.project.declared.exposures {
        match exposure_node(manifest, (exposure, around), diagnostics) {
            (node, None) => {
                let first: Option<ExposureNode> = settled.insert(node.name.clone(), node);
                if let Some(first) = first {
                    diagnostics.push(twice(
                        "exposure",
                        (&exposure.name.value, &exposure.name.span),
                        &first.declared_at,
                    ));
                }
            }
            (node, Some(switch)) => {
                manifest.disabled.insert(node.name.clone(), switch);
                manifest.off().exposures.insert(node.name.clone(), node);
            }
        }
    }
    manifest.exposures = settled;
}

/// The node, and the place that switches it off; what is off depends on nothing.
fn exposure_node(
    manifest: &Manifest,
    (exposure, around): (&ExposureDecl, &Surroundings<'_>),
    diagnostics: &mut Diagnostics,
) -> (ExposureNode, Option<Span>) {
    let path = exposure.name.span.path();
    let folders = around.project.folders_of(path);
    let mut settled = Settled::default();
    let fqn = around.fqn(path, (&folders, &exposure.name.value));
    around.lay(&mut settled, &around.project.exposure_config.along(&fqn));
    around.lay(&mut settled, &[&exposure.config]);
    let disabled = settled.disabled();
    diagnostics.append(std::mem::take(&mut settled.mistakes));
    let mut depends_on = Vec::new();
    for written in exposure.depends_on.iter().filter(|_| disabled.is_none()) {
        match manifest.named_in_yaml(written) {
            Ok(node) => depends_on.push(node),
            Err(mistake) => diagnostics.push(mistake),
        }
    }
    depends_on.sort();
    depends_on.dedup();
    let node = ExposureNode {
        name: NodeName::exposure(&exposure.name.value),
        exposure: exposure.name.value.clone(),
        package: around.project.package_of(path).to_owned(),
        label: exposure.label.clone(),
        kind: exposure.kind.value.clone(),
        url: exposure.url.clone(),
        maturity: exposure.maturity.as_ref().map(|maturity| maturity.value.clone()),
        description: exposure.description.clone(),
        owner: exposure.owner.clone(),
        tags: settled.tags(),
        config: settled.to_json(),
        folders,
        depends_on,
        declared_at: exposure.name.span.clone(),
    };
    (node, disabled)
}

fn twice(what: &str, (name, second): (&str, &Span), first: &Span) -> Diagnostic {
    Diagnostic::error(Code::DuplicateName, format!("{what} \"{name}\" is declared twice"))
        .at(second.clone())
        .related(first.clone(), "first declared here")
}

/// Every group, and the rules that they make: a model's group exists, and a private model is read by its group alone.
pub(super) fn groups(manifest: &mut Manifest, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    for group in &around.project.declared.groups {
        let node = GroupNode {
            group: group.name.value.clone(),
            package: around.project.package_of(group.name.span.path()).to_owned(),
            owner: group.owner.clone(),
            description: group.description.clone(),
            meta: group.meta.clone(),
            declared_at: group.name.span.clone(),
        };
        if let Some(first) = manifest.groups.insert(node.group.clone(), node) {
            diagnostics.push(twice("group", (&group.name.value, &group.name.span), &first.declared_at));
        }
    }
    for model in manifest.models.values() {
        if let Some(name) = group_of(manifest, &model.name).filter(|name| !manifest.groups.contains_key(*name)) {
            let known = manifest.groups.keys().map(String::as_str);
            let message = format!("model \"{}\" is in group \"{name}\", which does not exist", model.model);
            diagnostics.push(
                Diagnostic::error(Code::BadConfig, message)
                    .at(model.configured_at.clone())
                    .did_you_mean(name, known)
                    .or_hint("declare it under \"groups:\" of a YAML file beside the models"),
            );
        }
        for parent in model.depends_on.iter().filter_map(|parent| manifest.models.get(parent)) {
            let group = group_of(manifest, &parent.name);
            if parent.access() == "private" && group.is_some() && group != group_of(manifest, &model.name) {
                let message = format!(
                    "model \"{}\" reads \"{}\", which is private to group \"{}\"",
                    model.model,
                    parent.model,
                    group.unwrap_or_default()
                );
                diagnostics.push(
                    Diagnostic::error(Code::UnknownRef, message)
                        .at(Span::whole(&model.file))
                        .related(parent.configured_at.clone(), "the private model")
                        .hint("put both into one group, or give the model \"access: protected\""),
                );
            }
        }
    }
}

fn group_of<'m>(manifest: &'m Manifest, name: &NodeName) -> Option<&'m str> {
    manifest.models.get(name)?.config.get("group")?.as_str()
}

/// Every analysis, rendered once for what it reads.
pub(super) fn analyses(
    manifest: &mut Manifest,
    (engine, around): (&Engine, &Surroundings<'_>),
    diagnostics: &mut Diagnostics,
) {
    for file in &around.project.analyses {
        let (node, is_on) = analysis(manifest, (engine, around), file, diagnostics);
        if is_on {
            let declared_at = Span::whole(&node.file);
            if let Some(first) = manifest.analyses.insert(node.name.clone(), node) {
                diagnostics.push(twice("analysis", (&file.stem, &declared_at), &Span::whole(&first.file)));
            }
        } else {
            manifest.off().analyses.insert(node.name.clone(), node);
        }
    }
    let names: Vec<&str> = around.project.analyses.iter().map(|file| file.stem.as_str()).collect();
    super::check::properties(("analysis", &around.project.declared.analyses), &names, diagnostics);
}

/// The node, and whether config lets it be.
fn analysis(
    manifest: &Manifest,
    (engine, around): (&Engine, &Surroundings<'_>),
    model: &ModelFile,
    diagnostics: &mut Diagnostics,
) -> (AnalysisNode, bool) {
    let plan: Plan = engine.plan(&model.file);
    let this = Relation::new(around.environment.target.schema.clone(), Ident::from_catalog(model.stem.clone()));
    let Recording { noted, diagnostics: mistakes, .. } = record(engine, &plan, Subject::without_config(this));
    diagnostics.append(mistakes);
    let depends_on = look_up_noted(manifest, engine, (&plan, &noted), diagnostics);
    let property = around.project.declared.analyses.iter().find(|property| property.name.value == model.stem);
    let mut settled = Settled::default();
    if let Some(property) = property {
        around.lay(&mut settled, &[&property.config]);
    }
    let own = own_patch(&plan, &noted);
    settled.check_keys(&own, (ConfigOf::Analysis, around.project.flavour));
    settled.lay(&own);
    let is_on = settled.disabled().is_none();
    diagnostics.append(std::mem::take(&mut settled.mistakes));
    let node = AnalysisNode {
        name: NodeName::analysis(&model.stem),
        analysis: model.stem.clone(),
        package: around.project.package_of(&model.file.path).to_owned(),
        folders: model.folders.clone(),
        file: Arc::clone(&model.file),
        description: property.map(|property| property.description.clone()).unwrap_or_default(),
        columns: property.map(|property| property.columns.iter().map(stage::column).collect()).unwrap_or_default(),
        tags: settled.tags(),
        config: settled.to_json(),
        depends_on,
    };
    (node, is_on)
}
