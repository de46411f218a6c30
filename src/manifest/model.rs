//! Model files become nodes: rendered once, their config settled, what they refer to noted.

use std::collections::{BTreeMap, HashMap};

use super::config::Settled;
use super::jinja::{Engine, Plan};
use super::naming::Unnamed;
use super::record::{Noted, Recording, Subject, record};
use super::stage::column;
use super::{Deletes, Materialization, MergeConfig, ModelNode};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{
    ConfigOf, ConfigPatch, Environment, Flavour, FolderConfig, ModelFile, Project, PropertyDecl, Setting, TextScope,
    canonical, has_template,
};

/// A model on its way to a node.
pub(super) struct Draft {
    pub node: Option<ModelNode>,
    pub name: NodeName,
    pub disabled: Option<Span>,
    pub noted: Noted,
    pub diagnostics: Diagnostics,
}

/// What a SELECT of the project is on its way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DraftKind {
    Model,
    Snapshot,
}

impl DraftKind {
    fn folder_config(self, project: &Project) -> &FolderConfig {
        match self {
            Self::Model => &project.model_config,
            Self::Snapshot => &project.snapshot_config,
        }
    }

    fn config(self) -> ConfigOf {
        match self {
            Self::Model => ConfigOf::Model,
            Self::Snapshot => ConfigOf::Snapshot,
        }
    }

    fn node(self, stem: &str) -> NodeName {
        match self {
            Self::Model => NodeName::model(stem),
            Self::Snapshot => NodeName::snapshot(stem),
        }
    }
}

/// What settling needs to know of the project.
pub(super) struct Surroundings<'a> {
    pub project: &'a Project,
    pub environment: &'a Environment,
    /// For templates in YAML config.
    pub scope: TextScope,
    pub properties: HashMap<&'a str, &'a PropertyDecl>,
    /// For macros that name relations.
    pub engine: Option<&'a Engine>,
}

impl<'a> Surroundings<'a> {
    pub fn new(project: &'a Project, environment: &'a Environment, properties: &'a [PropertyDecl]) -> Self {
        let scope = TextScope::new(&environment.env, &environment.vars).with_target(&environment.target_names());
        let properties = properties.iter().map(|property| (property.name.value.as_str(), property)).collect();
        Self { project, environment, scope, properties, engine: None }
    }

    /// The same where macros of the project may name relations.
    pub fn with_engine(self, engine: &'a Engine) -> Self {
        Self { engine: Some(engine), ..self }
    }

    /// dbt's `fqn` of a file's node: the package, the folders below its path, the node.
    pub fn fqn<'n>(&self, path: &std::path::Path, (folders, stem): (&'n [String], &'n str)) -> Vec<&'n str>
    where
        'a: 'n,
    {
        let mut fqn = vec![self.project.package_of(path)];
        fqn.extend(folders.iter().map(String::as_str));
        fqn.push(stem);
        fqn
    }

    /// What YAML says about the node of an `fqn`: the project file's tree, then the properties.
    pub fn settled(&self, tree: &FolderConfig, fqn: &[&str], property: Option<&PropertyDecl>) -> Settled {
        let mut settled = Settled::default();
        self.lay(&mut settled, &tree.along(fqn));
        if let Some(property) = property {
            self.lay(&mut settled, &[&property.config]);
        }
        settled
    }

    /// Lays the patches of YAML files, their templates rendered.
    pub fn lay(&self, settled: &mut Settled, patches: &[&ConfigPatch]) {
        for patch in patches {
            if !patch.iter().any(|(key, setting)| is_rendered(key) && has_template(&setting.value)) {
                settled.lay(patch);
                continue;
            }
            let mut patch = (*patch).clone();
            for (key, setting) in &mut patch {
                if !is_rendered(key) {
                    continue;
                }
                match self.scope.render_value(&setting.value, &setting.span) {
                    Ok(rendered) => setting.value = rendered,
                    Err(diagnostic) => settled.mistakes.push(diagnostic),
                }
            }
            settled.lay(&patch);
        }
    }
}

/// Hooks are rendered when they run, queries for an age when they are asked.
fn is_rendered(key: &str) -> bool {
    !["pre_hook", "post_hook", "description", "loaded_at_query"].contains(&key)
}

/// Renders and settles one model.
pub(super) fn draft(
    engine: &Engine,
    (around, kind): (&Surroundings<'_>, DraftKind),
    (model, plan): (&ModelFile, &Plan),
) -> Draft {
    let this = Relation::new(around.environment.target.schema.clone(), Ident::from_catalog(model.stem.clone()));
    let property = around.properties.get(model.stem.as_str()).copied();
    let fqn = around.fqn(&model.file.path, (&model.folders, &model.stem));
    let mut settled = around.settled(kind.folder_config(around.project), &fqn, property);
    let subject = Subject { this, config: settled.to_json() };
    let Recording { noted, asks_incremental, mut diagnostics, .. } = record(engine, plan, subject);
    let own = own_patch(plan, &noted);
    settled.check_keys(&own, (kind.config(), around.project.flavour));
    settled.lay(&own);
    let name = kind.node(&model.stem);
    let disabled = settled.disabled();
    let configured_at = configured_at(plan);
    let upkeep = settled.upkeep();
    let hooks = settled.hooks();
    let settled_node = match kind {
        DraftKind::Model => node(around, model, &mut settled),
        DraftKind::Snapshot => snapshot(around, model, &mut settled),
    };
    let contract = settled_node.as_ref().and_then(|(_, materialization)| settled.contract(property, materialization));
    let node = settled_node.map(|(relation, materialization)| ModelNode {
        name: name.clone(),
        model: model.stem.clone(),
        package: around.project.package_of(&model.file.path).to_owned(),
        folders: model.folders.clone(),
        file: std::sync::Arc::clone(&model.file),
        relation,
        materialization,
        upkeep,
        hooks,
        description: description(property, &mut settled),
        columns: property.map(|property| property.columns.iter().map(column).collect()).unwrap_or_default(),
        tags: settled.tags(),
        config: settled.to_json(),
        depends_on: Vec::new(),
        asks_incremental,
        patch_path: property.map(|property| property.name.span.path().to_path_buf()),
        constraints: property.map(|property| property.constraints.clone()).unwrap_or_default(),
        contract,
        deprecation_date: property
            .and_then(|property| property.deprecation_date.as_ref())
            .map(|date| date.value.clone()),
        configured_at: configured_at.clone(),
    });
    if let Some(node) = &node {
        diagnostics.0.extend(partial_deletes(node, plan));
    }
    for mut mistake in settled.mistakes.0 {
        mistake.span.get_or_insert(configured_at.clone());
        diagnostics.push(mistake);
    }
    Draft { node, name, disabled, noted, diagnostics }
}

/// A table that keeps versions; dbt's older `target_schema` is taken as it is written.
fn snapshot(
    around: &Surroundings<'_>,
    model: &ModelFile,
    settled: &mut Settled,
) -> Option<(Relation, Materialization)> {
    let config = settled.snapshot();
    let mut relation = around.own_relation(settled, unnamed("snapshot", model))?;
    if let Some(schema) = settled.ident("target_schema") {
        relation.schema = schema;
    }
    Some((around.project.quoting.apply(relation), Materialization::Snapshot(Box::new(config?))))
}

fn node(around: &Surroundings<'_>, model: &ModelFile, settled: &mut Settled) -> Option<(Relation, Materialization)> {
    let default = match (around.project.flavour_of(&model.file.path), model.folders.first().map(String::as_str)) {
        (Flavour::Unimig, Some("bl")) => Materialization::Merge(MergeConfig::default()),
        (Flavour::Unimig | Flavour::Dbt, _) => Materialization::View,
    };
    let materialization = settled.materialization(default);
    let relation = match materialization {
        Materialization::Merge(_) => settled.application_relation(around.environment, &model.stem),
        Materialization::Table
        | Materialization::View
        | Materialization::MaterializedView(_)
        | Materialization::Incremental(_)
        | Materialization::Snapshot(_)
        | Materialization::Ephemeral => around.own_relation(settled, unnamed("model", model)),
    };
    Some((around.project.quoting.apply(relation?), materialization))
}

fn unnamed<'m>(kind: &'static str, model: &'m ModelFile) -> Unnamed<'m> {
    Unnamed { kind, path: &model.file.path, folders: &model.folders, stem: &model.stem }
}

fn description(property: Option<&PropertyDecl>, settled: &mut Settled) -> String {
    match property.map(|property| property.description.clone()).filter(|text| !text.is_empty()) {
        Some(description) => description,
        None => settled.text("description").unwrap_or_default(),
    }
}

/// The settings of the model's own `config()`, each at its key in the file.
pub(super) fn own_patch(plan: &Plan, noted: &Noted) -> ConfigPatch {
    let text = &plan.file.text;
    let keys: BTreeMap<&str, &std::ops::Range<usize>> = plan
        .scan
        .calls
        .iter()
        .filter(|call| &text[call.function.clone()] == "config")
        .flat_map(|call| call.keys.iter().map(|key| (&text[key.clone()], key)))
        .collect();
    let place = |key: &str| match keys.get(key) {
        Some(range) => Span::new(&plan.file, (*range).clone()),
        None => configured_at(plan),
    };
    let settings = noted.config.iter();
    settings
        .map(|(key, value)| (canonical(key).to_owned(), Setting { value: value.clone(), span: place(key) }))
        .collect()
}

fn configured_at(plan: &Plan) -> Span {
    match plan.scan.call(&plan.file.text, "config") {
        Some(call) => Span::new(&plan.file, call.function.clone()),
        None => Span::whole(&plan.file),
    }
}

/// A SELECT of changed rows alone cannot say which rows are gone.
fn partial_deletes(node: &ModelNode, plan: &Plan) -> Option<Diagnostic> {
    let Materialization::Merge(MergeConfig { deletes: Deletes::Soft { .. } | Deletes::Hard, .. }) =
        node.materialization
    else {
        return None;
    };
    if !node.asks_incremental {
        return None;
    }
    let call = plan.scan.call(&plan.file.text, "is_incremental");
    let span = call.map_or_else(|| node.configured_at.clone(), |call| Span::new(&node.file, call.function.clone()));
    let message = format!("model \"{}\" deletes rows, but its SELECT may be partial", node.model);
    let hint = "an incremental SELECT cannot tell a deleted row from an unchanged one: remove is_incremental(), or use deletes='keep'";
    Some(
        Diagnostic::error(Code::PartialDeletes, message)
            .at(span)
            .related(node.configured_at.clone(), "configured here")
            .hint(hint),
    )
}
