//! Turns a selection of nodes into steps, and finds targets that do not exist before anything runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::compile::{Compiled, CompiledSql};
use crate::data_test;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::graph::Graph;
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::{
    CrosswalkMember, CrosswalkNode, KeepFailures, Manifest, Materialization, MergeConfig, ModelNode, StageNode,
    TestNode, TestRules,
};
use crate::materialize::TargetTable;
use crate::plan::unit_test::unit_test;
use crate::plan::{
    Action, CrosswalkAction, Extent, IncrementalAction, KeptAs, KeptRows, MaterializedViewAction, MergeAction, OnError,
    OnFailure, Plan, RunSettings, SeedAction, SelectAction, SnapshotAction, SourceSurroundings, StageAction, Step,
    TestAction, Wait,
};

/// What the target database holds already.
#[derive(Debug, Clone, Default)]
pub struct TargetCatalog {
    pub tables: BTreeMap<Relation, TargetTable>,
    /// Child and parent of each foreign key.
    pub foreign_keys: Vec<(Relation, Relation)>,
    /// Models whose `is_incremental()` is true.
    pub incremental: BTreeSet<NodeName>,
}

/// Everything that a plan is made from.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    pub manifest: &'a Manifest,
    pub compiled: &'a BTreeMap<NodeName, Compiled>,
    pub graph: &'a Graph,
    pub catalog: &'a TargetCatalog,
}

/// Makes the steps for the selected nodes, in topological order; ephemeral models make none.
pub fn build(
    inputs: Inputs<'_>,
    selected: &BTreeSet<NodeName>,
    command: &str,
    settings: RunSettings,
) -> Result<Plan, Diagnostics> {
    let mut mistakes = Diagnostics::default();
    let mut steps = Vec::with_capacity(selected.len());
    for name in inputs.graph.topological_order().iter().filter(|name| selected.contains(*name)) {
        match action(inputs, (name, selected), &settings) {
            Ok(Some(action)) => {
                let reader = inputs.manifest.unit_tests.get(name).map_or(name, |test| &test.model);
                let waits_for = waits(inputs, reader, selected, settings.on_error);
                steps.push(Step { name: name.clone(), action, waits_for });
            }
            Ok(None) => {}
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    close_circles(inputs.catalog, &mut steps);
    let (plan, _) = mistakes.guard(Plan { command: command.to_owned(), steps, settings })?;
    Ok(plan)
}

/// Where targets refer to one another in a circle, the first is merged with those references open, and once more after
/// the last.
fn close_circles(catalog: &TargetCatalog, steps: &mut [Step]) {
    for later in 1..steps.len() {
        let (before, rest) = steps.split_at_mut(later);
        let Some(Step { action: Action::Merge(parent), .. }) = rest.first_mut() else { continue };
        for step in before {
            let Action::Merge(child) = &mut step.action else { continue };
            let pair = (child.target.relation.clone(), parent.target.relation.clone());
            if catalog.foreign_keys.contains(&pair) {
                parent.again.push(child.clone());
                child.open_references.push(pair.1);
            }
        }
    }
}

fn action(
    inputs: Inputs<'_>,
    (name, selected): (&NodeName, &BTreeSet<NodeName>),
    settings: &RunSettings,
) -> Result<Option<Action>, Box<Diagnostic>> {
    let manifest = inputs.manifest;
    if let Some(stage) = manifest.stages.get(name) {
        let extraction = inputs.compiled.get(name).map(|compiled| compiled.sql.clone());
        let around = Arc::new(surroundings(inputs, stage, selected));
        return Ok(Some(Action::Stage(StageAction { node: Arc::new(stage.clone()), extraction, around })));
    }
    if let Some(crosswalk) = manifest.crosswalks.get(name) {
        let action = crosswalk_action((manifest, inputs.catalog), crosswalk)?;
        return Ok(Some(Action::Crosswalk(action)));
    }
    if let Some(seed) = manifest.seeds.get(name) {
        return Ok(Some(Action::Seed(SeedAction { node: Arc::new(seed.clone()) })));
    }
    if let Some(test) = manifest.tests.get(name) {
        return Ok(Some(Action::Test(test_action(inputs, test, settings))));
    }
    if let Some(test) = manifest.unit_tests.get(name) {
        return Ok(Some(Action::UnitTest(unit_test((manifest, inputs.compiled), test))));
    }
    match manifest.models.get(name) {
        Some(model) => model_action(inputs, model, settings),
        None => Ok(None),
    }
}

fn surroundings(inputs: Inputs<'_>, stage: &StageNode, selected: &BTreeSet<NodeName>) -> SourceSurroundings {
    let models =
        inputs.graph.children(&stage.name).into_iter().filter(|child| inputs.manifest.models.contains_key(*child));
    let sql = |name: &NodeName| inputs.compiled.get(name).map(|compiled| compiled.sql.text.clone());
    let enabled = inputs.manifest.stages.values();
    let off = inputs.manifest.switched_off.iter().flat_map(|off| off.stages.values());
    let is_sibling = |other: &&StageNode| other.source == stage.source;
    SourceSurroundings {
        readers: models.map(|name| (name.clone(), sql(name))).collect(),
        declared: enabled.clone().chain(off).filter(is_sibling).map(|other| other.source_relation.clone()).collect(),
        speaker: enabled.filter(is_sibling).map(|other| &other.name).find(|name| selected.contains(*name)).cloned(),
    }
}

fn model_action(
    inputs: Inputs<'_>,
    model: &ModelNode,
    settings: &RunSettings,
) -> Result<Option<Action>, Box<Diagnostic>> {
    let select = selected_sql(inputs, &model.name);
    let staged_parents = staged_parents(inputs, &model.name);
    let node = Arc::new(model.clone());
    Ok(match &model.materialization {
        Materialization::Ephemeral => None,
        Materialization::Table => Some(Action::Table(SelectAction { node, select, staged_parents })),
        Materialization::View => Some(Action::View(SelectAction { node, select, staged_parents })),
        Materialization::MaterializedView(config) => {
            let extent = match config.refresh.applies(settings.full_refresh) {
                true => Extent::Whole,
                false => Extent::Increment,
            };
            let config = *config;
            Some(Action::MaterializedView(MaterializedViewAction { node, config, select, extent, staged_parents }))
        }
        Materialization::Snapshot(config) => {
            let config = config.as_ref().clone();
            Some(Action::Snapshot(SnapshotAction { node, config, select, staged_parents }))
        }
        Materialization::Incremental(config) => {
            let extent = match inputs.catalog.incremental.contains(&model.name) {
                true => Extent::Increment,
                false => Extent::Whole,
            };
            let config = config.clone();
            Some(Action::Incremental(IncrementalAction { node, config, select, extent, staged_parents }))
        }
        Materialization::Merge(config) => {
            let target = target_table(inputs.catalog, model)?.clone();
            let config: MergeConfig = config.clone();
            let (open_references, again) = (Vec::new(), Vec::new());
            Some(Action::Merge(MergeAction { node, config, select, target, open_references, again, staged_parents }))
        }
    })
}

/// What a crosswalk needs to know of its target, or why that is not there.
pub fn crosswalk_action(
    (manifest, catalog): (&Manifest, &TargetCatalog),
    node: &CrosswalkNode,
) -> Result<CrosswalkAction, Box<Diagnostic>> {
    let table = catalog.tables.get(&node.target);
    let same_schema = catalog.tables.keys().filter(|relation| relation.schema == node.target.schema);
    if let Some(mistake) = unknown_crosswalk_target(node, table, same_schema.map(|relation| &relation.name)) {
        return Err(Box::new(mistake));
    }
    let column = table.and_then(|table| table.column(&node.column));
    let is_unique = |member: &&CrosswalkMember| has_unique_key(manifest, member);
    Ok(CrosswalkAction {
        node: Arc::new(node.clone()),
        id_type: column.map(|column| column.data_type.clone()).unwrap_or_default(),
        unique_keys: node.members.iter().filter(is_unique).map(|member| member.name.clone()).collect(),
        staged_parents: node.members.iter().map(|member| member.stage.clone()).collect(),
    })
}

/// The mistake of a crosswalk whose target is not there; the names are those of the schema's tables.
pub fn unknown_crosswalk_target<'a>(
    node: &CrosswalkNode,
    table: Option<&TargetTable>,
    tables: impl Iterator<Item = &'a Ident>,
) -> Option<Diagnostic> {
    let (table_at, column_at) = &node.target_at;
    let Some(table) = table else {
        let message = format!("the target has no table {} for the ids of crosswalk \"{}\"", node.target, node.entity);
        let mistake = Diagnostic::error(Code::UnknownTargetTable, message)
            .at(table_at.clone())
            .did_you_mean(node.target.name.as_str(), tables.map(Ident::as_str));
        let hint = "create the table with the application's own migrations, or name its schema";
        return Some(if mistake.hint.is_none() { mistake.hint(hint) } else { mistake });
    };
    if table.column(&node.column).is_some() {
        return None;
    }
    let message = format!("table {} has no column \"{}\"", node.target, node.column.as_str());
    let known = table.columns.iter().map(|column| column.name.as_str());
    let mistake = Diagnostic::error(Code::UnknownTargetColumn, message).at(column_at.clone());
    Some(mistake.did_you_mean(node.column.as_str(), known))
}

/// Whether the member's key has all columns of its staged table's own.
fn has_unique_key(manifest: &Manifest, member: &CrosswalkMember) -> bool {
    let stage = manifest.stages.get(&member.stage);
    stage.is_some_and(|stage| !stage.key.is_empty() && stage.key.iter().all(|key| member.key.contains(key)))
}

fn target_table<'a>(catalog: &'a TargetCatalog, model: &ModelNode) -> Result<&'a TargetTable, Box<Diagnostic>> {
    catalog.tables.get(&model.relation).ok_or_else(|| {
        let same_schema = catalog.tables.keys().filter(|relation| relation.schema == model.relation.schema);
        Box::new(unknown_target(model, same_schema.map(|relation| &relation.name)))
    })
}

/// The mistake of a model that merges into a table which is not there; the names are those of the schema's tables.
pub fn unknown_target<'a>(model: &ModelNode, tables: impl Iterator<Item = &'a Ident>) -> Diagnostic {
    let message = format!("the target has no table {} for model \"{}\" to merge into", model.relation, model.model);
    let hint = match crate::diagnostic::nearest(model.relation.name.as_str(), tables.map(Ident::as_str)) {
        Some(near) => format!("did you mean \"{near}\"? set it with config(alias='{near}')"),
        None => "create the table with the application's own migrations, or set config(schema=…, alias=…), \
                 or config(materialized='table') for a table that unimig makes itself"
            .to_owned(),
    };
    Diagnostic::error(Code::UnknownTargetTable, message).at(model.configured_at.clone()).hint(hint)
}

fn test_action(inputs: Inputs<'_>, test: &TestNode, settings: &RunSettings) -> TestAction {
    TestAction {
        node: test.name.clone(),
        select: data_test::limited(&selected_sql(inputs, &test.name), test.rules.limit),
        severity: test.severity,
        rules: test.rules.clone(),
        warn_error: settings.warn_error,
        keep: kept_rows(&test.rules, settings),
        declared_at: test.declared_at.clone(),
        subjects: test.depends_on.iter().filter_map(|node| inputs.manifest.relation(node)).cloned().collect(),
    }
}

fn kept_rows(rules: &TestRules, settings: &RunSettings) -> Option<KeptRows> {
    let kept_as = match rules.keep {
        KeepFailures::IfAsked if settings.store_failures => KeptAs::Table,
        KeepFailures::IfAsked | KeepFailures::Never => return None,
        KeepFailures::Table => KeptAs::Table,
        KeepFailures::View => KeptAs::View,
    };
    Some(KeptRows { relation: rules.audit.clone()?, kept_as })
}

fn selected_sql(inputs: Inputs<'_>, name: &NodeName) -> CompiledSql {
    inputs.compiled.get(name).map(|compiled| compiled.sql.clone()).unwrap_or_default()
}

/// Staged tables among the ancestors that a model reads directly or through ephemeral models.
fn staged_parents(inputs: Inputs<'_>, name: &NodeName) -> Vec<NodeName> {
    let parents = nearest_ancestors(inputs.graph, name, |parent| !is_ephemeral(inputs.manifest, parent));
    parents.into_iter().filter(|parent| inputs.manifest.stages.contains_key(parent)).collect()
}

/// The nearest ancestors that `ends` stops at, without repeats; the others are looked through.
fn nearest_ancestors(graph: &Graph, name: &NodeName, ends: impl Fn(&NodeName) -> bool) -> BTreeSet<NodeName> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = graph.parents(name);
    while let Some(parent) = open.pop() {
        if !seen.insert(parent) {
            continue;
        }
        if ends(parent) {
            found.insert(parent.clone());
        } else {
            open.extend(graph.parents(parent));
        }
    }
    found
}

fn is_ephemeral(manifest: &Manifest, name: &NodeName) -> bool {
    manifest.models.get(name).is_some_and(|model| model.materialization == Materialization::Ephemeral)
}

/// A step waits for its selected ancestors, those behind parents that are not selected included, and for the order
/// alone for those that its target's foreign keys name.
fn waits(inputs: Inputs<'_>, name: &NodeName, selected: &BTreeSet<NodeName>, on_error: OnError) -> Vec<Wait> {
    let mut waits = Vec::new();
    let makes_none = |node: &NodeName| is_ephemeral(inputs.manifest, node) || inputs.manifest.tables.contains_key(node);
    let is_step = |parent: &NodeName| selected.contains(parent) && !makes_none(parent);
    for parent in nearest_ancestors(inputs.graph, name, is_step) {
        let on_failure = match on_error {
            OnError::Skip => OnFailure::Skip,
            OnError::Continue if inputs.manifest.stages.contains_key(&parent) => OnFailure::UseLastGood,
            OnError::Continue => OnFailure::Skip,
        };
        waits.push(Wait { parent, on_failure });
    }
    for parent in inputs.graph.predecessors(name).into_iter().filter(|parent| is_step(parent)) {
        if !waits.iter().any(|wait| wait.parent == *parent) {
            waits.push(Wait { parent: parent.clone(), on_failure: OnFailure::Proceed });
        }
    }
    waits
}

/// Pairs of models whose targets refer to one another, the parent first, as its rows go in before the child's.
pub fn foreign_key_order(manifest: &Manifest, catalog: &TargetCatalog) -> Vec<(NodeName, NodeName)> {
    let merged: BTreeMap<&Relation, &NodeName> = manifest
        .models
        .values()
        .filter(|model| matches!(model.materialization, Materialization::Merge(_)))
        .map(|model| (&model.relation, &model.name))
        .collect();
    catalog
        .foreign_keys
        .iter()
        .filter(|(child, parent)| child != parent)
        .filter_map(|(child, parent)| Some(((*merged.get(parent)?).clone(), (*merged.get(child)?).clone())))
        .collect()
}
