//! Looks up every name of a project, in this order:
//!
//! 1. sources become stages; 2. each model is rendered once and its config settled; 3. seeds; 4. rules between nodes;
//! 5. what the renders asked for is looked up; 6. extraction overrides and tests.

use std::sync::Arc;

use rayon::prelude::*;

use super::custom_test::literal;
use super::jinja::{Engine, Plan};
use super::model::{Draft, DraftKind, Surroundings, draft};
use super::record::{Noted, Subject, record};
use super::seed::SeedOutcome;
use super::test::{Place, SettledTest, Tests};
use super::{
    Manifest, TestKind, TestNode, check, contract, crosswalk, exposure, seed, snapshot, source, test, unit_test,
};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{ColumnDecl, Environment, ModelFile, Project, TestDecl};

/// Settles the project into nodes; the second half of the pair are warnings.
pub fn resolve(project: &Project, environment: &Environment) -> Result<(Manifest, Diagnostics), Diagnostics> {
    let (engine, mut diagnostics) = Engine::new(project, environment);
    let packages = project.packages.iter().map(|package| package.name.clone()).collect();
    let mut manifest = Manifest {
        project_name: project.name.clone(),
        packages,
        package_folders: project.packages.iter().map(|package| package.folder.clone()).collect(),
        selectors: project.selectors.clone(),
        pipelines: project.pipelines.clone(),
        ..Manifest::default()
    };
    let around = Surroundings::new(project, environment, &project.declared.models).with_engine(&engine);
    source::settle(&mut manifest, &around, &mut diagnostics);
    let (extractions, models): (Vec<_>, Vec<_>) =
        project.models.iter().partition(|model| check::is_extraction(project, &model.folders));
    let snapshots = snapshot::files(project, &mut diagnostics);
    check::stems(project, &snapshots, &mut diagnostics);
    let snapshots_around = Surroundings {
        properties: project
            .declared
            .snapshots
            .iter()
            .map(|declared| (declared.property.name.value.as_str(), &declared.property))
            .collect(),
        ..Surroundings::new(project, environment, &[])
    };
    let files: Vec<(&ModelFile, (&Surroundings<'_>, DraftKind))> = (models.iter().copied())
        .map(|model| (model, (&around, DraftKind::Model)))
        .chain(snapshots.iter().map(|snapshot| (snapshot, (&snapshots_around, DraftKind::Snapshot))))
        .collect();
    let plans: Vec<Plan> = files.par_iter().map(|(file, _)| engine.plan(&file.file)).collect();
    let mut drafts: Vec<Draft> =
        files.par_iter().zip(&plans).map(|((file, of), plan)| draft(&engine, *of, (file, plan))).collect();
    check::admit(&mut manifest, &mut drafts);
    let seeds_around = Surroundings::new(project, environment, &project.declared.seeds).with_engine(&engine);
    seeds(&mut manifest, &seeds_around, &mut diagnostics);
    crosswalk::settle(&mut manifest, &around, &mut diagnostics);
    check_names(project, (&models, &snapshots), &mut diagnostics);
    check::writers(&manifest, &mut diagnostics);
    look_up(&mut manifest, &engine, (drafts, &plans), &mut diagnostics);
    contract::look_up(&mut manifest, &mut diagnostics);
    override_extractions(&mut manifest, &engine, &extractions, &mut diagnostics);
    let tests = Tests { manifest: &manifest, engine: &engine, around: &around };
    let tests = generic_tests(tests, &mut diagnostics);
    add_tests(&mut manifest, tests, &mut diagnostics);
    unit_test::settle(&mut manifest, &around, &mut diagnostics);
    let around = Surroundings::new(project, environment, &project.declared.tests);
    let tests = singular_tests(Tests { manifest: &manifest, engine: &engine, around: &around }, &mut diagnostics);
    add_tests(&mut manifest, tests, &mut diagnostics);
    check::keepers(&manifest, &mut diagnostics);
    exposure::analyses(&mut manifest, (&engine, &around), &mut diagnostics);
    exposure::exposures(&mut manifest, &around, &mut diagnostics);
    exposure::groups(&mut manifest, &around, &mut diagnostics);
    diagnostics.guard(manifest)
}

fn seeds(manifest: &mut Manifest, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    for file in &around.project.seeds {
        match seed::settle(around, file, diagnostics) {
            SeedOutcome::Node(node) => {
                manifest.seeds.insert(node.name.clone(), *node);
            }
            SeedOutcome::Disabled(node, name, switch) => {
                if let Some(node) = node {
                    manifest.off().seeds.insert(name.clone(), *node);
                }
                manifest.disabled.insert(name, switch);
            }
            SeedOutcome::Broken => {}
        }
    }
}

fn check_names(project: &Project, (models, snapshots): (&[&ModelFile], &[ModelFile]), diagnostics: &mut Diagnostics) {
    let names: Vec<&str> = models.iter().map(|model| model.stem.as_str()).collect();
    check::properties(("model", &project.declared.models), &names, diagnostics);
    let names: Vec<&str> = project.seeds.iter().map(|seed| seed.stem.as_str()).collect();
    check::properties(("seed", &project.declared.seeds), &names, diagnostics);
    let names: Vec<&str> = snapshots.iter().map(|snapshot| snapshot.stem.as_str()).collect();
    let declared = project.declared.snapshots.iter().map(|declared| &declared.property);
    check::properties(("snapshot", declared), &names, diagnostics);
}

/// Looks up what the models asked for; a disabled model's mistakes are its own affair.
fn look_up(
    manifest: &mut Manifest,
    engine: &Engine,
    (drafts, plans): (Vec<Draft>, &[Plan]),
    diagnostics: &mut Diagnostics,
) {
    let found: Vec<(NodeName, Vec<NodeName>, Diagnostics)> = drafts
        .into_par_iter()
        .zip(plans)
        .filter(|(draft, _)| !manifest.disabled.contains_key(&draft.name))
        .map(|(draft, plan)| {
            let mut mistakes = draft.diagnostics;
            let depends_on = look_up_noted(manifest, engine, (plan, &draft.noted), &mut mistakes);
            (draft.name, depends_on, mistakes)
        })
        .collect();
    for (name, depends_on, mistakes) in found {
        diagnostics.append(mistakes);
        if let Some(model) = manifest.models.get_mut(&name) {
            model.depends_on = depends_on;
        }
    }
}

/// The nodes that a template asked for; each name that means nothing is reported at its place.
pub(super) fn look_up_noted(
    manifest: &Manifest,
    engine: &Engine,
    (plan, noted): (&Plan, &Noted),
    diagnostics: &mut Diagnostics,
) -> Vec<NodeName> {
    let mut nodes = Vec::with_capacity(noted.refs.len() + noted.sources.len());
    for call in &noted.refs {
        match manifest.find_ref(call.package.as_deref(), &call.name) {
            Ok(node) => nodes.push(node),
            Err(diagnostic) => diagnostics.push(diagnostic.at(engine.literal_span(plan, "ref", &call.name))),
        }
    }
    for (source, table) in &noted.sources {
        match manifest.find_source(source, table) {
            Ok(table) => nodes.push(table.name().clone()),
            Err(no) => diagnostics.push(no.diagnostic.at(engine.literal_span(plan, "source", &no.written))),
        }
    }
    for (entity, member) in &noted.crosswalks {
        match manifest.find_crosswalk(entity, member.as_deref()) {
            Ok((node, _)) => nodes.push(node.clone()),
            Err(no) => diagnostics.push(no.diagnostic.at(engine.literal_span(plan, "xref", &no.written))),
        }
    }
    nodes
}

fn override_extractions(manifest: &mut Manifest, engine: &Engine, files: &[&ModelFile], diagnostics: &mut Diagnostics) {
    let plans: Vec<Plan> = files.iter().map(|model| engine.plan(&model.file)).collect();
    for (model, plan) in files.iter().zip(&plans) {
        let [_, source] = model.folders.as_slice() else {
            let message = format!("file \"{}\" replaces no extraction", model.file.path.display());
            let hint = "an extraction override is models/stg/<source>/<table>.sql";
            diagnostics.push(Diagnostic::error(Code::UnknownSource, message).at(Span::whole(&model.file)).hint(hint));
            continue;
        };
        let stage = match manifest.find_source(source, &model.stem) {
            Ok(table) => table.name().clone(),
            Err(no) => {
                diagnostics.push(no.diagnostic.at(Span::whole(&model.file)));
                continue;
            }
        };
        let this = Relation::new(Ident::from_catalog("public"), Ident::from_catalog(model.stem.clone()));
        let recording = record(engine, plan, Subject::without_config(this));
        diagnostics.append(recording.diagnostics);
        look_up_noted(manifest, engine, (plan, &recording.noted), diagnostics);
        if let Some(call) = recording.noted.refs.first() {
            let message = "an extraction reads the source only, and ref names a table of the target";
            let span = engine.literal_span(plan, "ref", &call.name);
            diagnostics.push(Diagnostic::error(Code::UnknownRef, message).at(span).hint("use source()"));
        }
        if let Some(stage) = manifest.stages.get_mut(&stage) {
            stage.extraction = Some(Arc::clone(&model.file));
        }
    }
}

/// A place for tests, and those that stand there.
type Standing<'a> = (Place<'a>, &'a [TestDecl]);

fn generic_tests(tests: Tests<'_>, diagnostics: &mut Diagnostics) -> Vec<SettledTest> {
    let manifest = tests.manifest;
    let declared = &tests.around.project.declared;
    let mut places: Vec<Standing<'_>> = Vec::new();
    for property in &declared.models {
        let node = NodeName::model(&property.name.value);
        let at = |column| place((&node, &property.name.value), column);
        standing(&mut places, (&property.tests, &property.columns), at);
    }
    for property in &declared.seeds {
        let node = NodeName::seed(&property.name.value);
        let at = |column| place((&node, &property.name.value), column);
        standing(&mut places, (&property.tests, &property.columns), at);
    }
    for snapshot in &declared.snapshots {
        let property = &snapshot.property;
        let node = NodeName::snapshot(&property.name.value);
        let at = |column| place((&node, &property.name.value), column);
        standing(&mut places, (&property.tests, &property.columns), at);
    }
    for source in &declared.sources {
        for table in &source.tables {
            let name = table.name.value.as_str();
            let staged = NodeName::stage(&source.name.value, name);
            let node = match manifest.stages.contains_key(&staged) {
                true => staged,
                false => NodeName::table(&source.name.value, name),
            };
            let label = format!("{}_{name}", source.name.value);
            let call = format!("source({}, {})", literal(&source.name.value), literal(name));
            let at = |column| Place {
                subject: node.clone(),
                label: label.clone(),
                call: call.clone(),
                prefix: "source_",
                column,
            };
            standing(&mut places, (&table.tests, &table.columns), at);
        }
    }
    // Tests of a model that is not there were reported with it; those of a disabled one rest with it.
    places.retain(|(place, _)| exists(manifest, &place.subject) || manifest.disabled.contains_key(&place.subject));
    let settle_place = |(place, declared): &Standing<'_>| {
        let mut mistakes = Diagnostics::default();
        let nodes: Vec<SettledTest> =
            declared.iter().filter_map(|test| test::settle(tests, (place, test), &mut mistakes)).collect();
        (nodes, mistakes)
    };
    let settled: Vec<_> = places.par_iter().map(settle_place).collect();
    let mut nodes = Vec::new();
    for (found, mistakes) in settled {
        nodes.extend(found);
        diagnostics.append(mistakes);
    }
    nodes
}

/// Where tests of a model or seed stand.
fn place<'a>((node, name): (&NodeName, &str), column: Option<&'a ColumnDecl>) -> Place<'a> {
    let call = format!("ref({})", literal(name));
    Place { subject: node.clone(), label: name.to_owned(), call, prefix: "", column }
}

fn exists(manifest: &Manifest, name: &NodeName) -> bool {
    manifest.models.contains_key(name)
        || manifest.seeds.contains_key(name)
        || manifest.stages.contains_key(name)
        || manifest.tables.contains_key(name)
}

fn standing<'a>(
    places: &mut Vec<Standing<'a>>,
    (tests, columns): (&'a [TestDecl], &'a [ColumnDecl]),
    at: impl Fn(Option<&'a ColumnDecl>) -> Place<'a>,
) {
    if !tests.is_empty() {
        places.push((at(None), tests));
    }
    for column in columns.iter().filter(|column| !column.tests.is_empty()) {
        places.push((at(Some(column)), &column.tests));
    }
}

fn singular_tests(tests: Tests<'_>, diagnostics: &mut Diagnostics) -> Vec<SettledTest> {
    let Tests { manifest, engine, around } = tests;
    let (project, environment) = (around.project, around.environment);
    let stems: Vec<String> = project.tests.iter().map(|file| stem(file)).collect();
    let names: Vec<&str> = stems.iter().map(String::as_str).collect();
    check::properties(("test", project.declared.tests.iter()), &names, diagnostics);
    let plans: Vec<Plan> = project.tests.par_iter().map(|file| engine.plan(file)).collect();
    let this = Relation::new(environment.target.schema.clone(), Ident::from_catalog("test"));
    let render = |plan: &Plan| singular_test((manifest, engine), (plan, this.clone()), around);
    let found: Vec<_> = plans.par_iter().map(render).collect();
    let mut nodes = Vec::new();
    for (node, mistakes) in found {
        nodes.extend(node);
        diagnostics.append(mistakes);
    }
    nodes
}

fn singular_test(
    (manifest, engine): (&Manifest, &Engine),
    (plan, this): (&Plan, Relation),
    around: &Surroundings<'_>,
) -> (Option<SettledTest>, Diagnostics) {
    let recording = record(engine, plan, Subject::without_config(this));
    let mut diagnostics = recording.diagnostics;
    let depends_on = look_up_noted(manifest, engine, (plan, &recording.noted), &mut diagnostics);
    let (name, project) = (stem(&plan.file), around.project);
    let (mut settled, rules, enabled) =
        test::singular_config((plan, &recording.noted), (around, &name), &mut diagnostics);
    let severity = settled.severity();
    diagnostics.append(std::mem::take(&mut settled.mistakes));
    let node = TestNode {
        name: NodeName::test(&name),
        identity: None,
        package: project.package_of(&plan.file.path).to_owned(),
        kind: TestKind::Singular { file: Arc::clone(&plan.file) },
        severity,
        rules,
        description: around.properties.get(name.as_str()).map(|test| test.description.clone()).unwrap_or_default(),
        folders: project.folders_of(&plan.file.path),
        tags: settled.tags(),
        config: settled.to_json(),
        depends_on,
        declared_at: Span::whole(&plan.file),
    };
    (Some(SettledTest { node, is_on: enabled }), diagnostics)
}

fn stem(file: &SourceFile) -> String {
    file.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn add_tests(manifest: &mut Manifest, tests: Vec<SettledTest>, diagnostics: &mut Diagnostics) {
    for SettledTest { node, is_on } in tests {
        if !is_on {
            manifest.off().tests.insert(node.name.clone(), node);
            continue;
        }
        if let Some(first) = manifest.tests.get(&node.name) {
            diagnostics.push(
                Diagnostic::error(Code::DuplicateName, format!("two tests are named \"{}\"", node.name))
                    .at(node.declared_at.clone())
                    .related(first.declared_at.clone(), "the other test")
                    .hint("give one of them a \"name:\""),
            );
        }
        manifest.tests.insert(node.name.clone(), node);
    }
}
