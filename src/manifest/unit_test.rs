//! Unit tests of models become nodes: their inputs looked up, their rows read from YAML, CSV or files, and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use super::Manifest;
use super::config::Settled;
use super::fixture_rows::{FixtureRow, csv_rows};
use super::jinja::scan;
use super::model::Surroundings;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{NodeName, Relation};
use crate::project::{
    ConfigPatch, FixtureDecl, FixtureFormat, GivenDecl, OverridesDecl, RowDecl, RowsDecl, UnitTestDecl,
};

/// A test of a model's SELECT on rows that are written out: `unit_test.<model>.<name>`.
#[derive(Debug, Clone)]
pub struct UnitTestNode {
    pub name: NodeName,
    /// As YAML has it.
    pub test: String,
    pub model: NodeName,
    pub package: String,
    pub folders: Vec<String>,
    pub description: String,
    pub tags: Vec<String>,
    pub config: serde_json::Map<String, Value>,
    pub given: Vec<GivenRows>,
    pub expect: Fixture,
    pub overrides: Overrides,
    /// Its `name:`.
    pub declared_at: Span,
}

/// Rows that stand in for what a node holds.
#[derive(Debug, Clone)]
pub struct GivenRows {
    /// The model itself is what `this` means.
    pub input: NodeName,
    /// Which of a crosswalk's relations the input is.
    pub relation: Option<Relation>,
    pub fixture: Fixture,
    /// The `input:`.
    pub declared_at: Span,
}

#[derive(Debug, Clone)]
pub enum Fixture {
    Rows(Vec<FixtureRow>),
    /// A SELECT of the user's.
    Sql {
        text: String,
        place: Span,
    },
    /// The rows of a seed, relative to the project folder.
    Seed(PathBuf),
}

/// What templates are answered instead of the truth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// By name, with the package's before it where it has one.
    pub macros: BTreeMap<String, Value>,
    pub vars: BTreeMap<String, Value>,
    pub env_vars: BTreeMap<String, Value>,
}

/// Settles every unit test of the project.
pub(super) fn settle(manifest: &mut Manifest, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    for declared in &around.project.declared.unit_tests {
        let node = match settle_one(manifest, around, declared, diagnostics) {
            Some((node, Switch::On)) => node,
            Some((node, Switch::Off)) => {
                manifest.off().unit_tests.insert(node.name.clone(), node);
                continue;
            }
            None => continue,
        };
        if let Some(first) = manifest.unit_tests.get(&node.name) {
            diagnostics.push(
                Diagnostic::error(Code::DuplicateName, format!("two unit tests are named \"{}\"", node.name))
                    .at(node.declared_at.clone())
                    .related(first.declared_at.clone(), "the other test"),
            );
        }
        manifest.unit_tests.insert(node.name.clone(), node);
    }
}

/// Whether config, or that of its model, lets a unit test run.
enum Switch {
    On,
    Off,
}

fn settle_one(
    manifest: &Manifest,
    around: &Surroundings<'_>,
    declared: &UnitTestDecl,
    diagnostics: &mut Diagnostics,
) -> Option<(UnitTestNode, Switch)> {
    let model_name = declared.model.value.as_str();
    let model = NodeName::model(model_name);
    // The tests of a disabled model rest with it.
    let rests = manifest.disabled.contains_key(&model);
    if !rests && !manifest.models.contains_key(&model) {
        let models = manifest.models.values().map(|model| model.model.as_str());
        let message = format!("model \"{model_name}\" does not exist");
        let mistake = Diagnostic::error(Code::UnknownModel, message).at(declared.model.span.clone());
        diagnostics.push(mistake.did_you_mean(model_name, models));
        return None;
    }
    let mut settled = settled(around, declared, model_name);
    let switch = if rests || settled.disabled().is_some() { Switch::Off } else { Switch::On };
    diagnostics.append(std::mem::take(&mut settled.mistakes));
    // What does not run may be wrong.
    let mut unheard = Diagnostics::default();
    let told = match switch {
        Switch::On => diagnostics,
        Switch::Off => &mut unheard,
    };
    let given = all_given((manifest, around), (declared, &model), told);
    let expect = fixture(around, &declared.expect, told);
    let expect = expect.filter(|expect| has_equal_columns(expect, told))?;
    let node = node(around, (declared, model), (settled, given, expect));
    Some((node, switch))
}

fn node(
    around: &Surroundings<'_>,
    (declared, model): (&UnitTestDecl, NodeName),
    (settled, given, expect): (Settled, Vec<GivenRows>, Fixture),
) -> UnitTestNode {
    let project = around.project;
    let model_name = declared.model.value.as_str();
    UnitTestNode {
        name: NodeName::unit_test(model_name, &declared.name.value),
        test: declared.name.value.clone(),
        model,
        package: project.package_of(&declared.file.path).to_owned(),
        folders: project.folders_of(&declared.file.path),
        description: declared.description.clone(),
        tags: settled.tags(),
        config: settled.to_json(),
        given,
        expect,
        overrides: overrides(&declared.overrides),
        declared_at: declared.name.span.clone(),
    }
}

fn settled(around: &Surroundings<'_>, declared: &UnitTestDecl, model: &str) -> Settled {
    let project = around.project;
    let folders = project.folders_of(&declared.file.path);
    let names = [model, declared.name.value.as_str()];
    let path: Vec<&str> = [project.package_of(&declared.file.path)]
        .into_iter()
        .chain(folders.iter().map(String::as_str))
        .chain(names)
        .collect();
    let mut settled = Settled::default();
    let patches: Vec<&ConfigPatch> = project.unit_test_config.along(&path);
    around.lay(&mut settled, &patches);
    around.lay(&mut settled, &[&declared.config]);
    settled
}

fn all_given(
    (manifest, around): (&Manifest, &Surroundings<'_>),
    (declared, model): (&UnitTestDecl, &NodeName),
    diagnostics: &mut Diagnostics,
) -> Vec<GivenRows> {
    let mut found: Vec<GivenRows> = Vec::new();
    for given in &declared.given {
        let (input, relation) = match input(manifest, given, model) {
            Ok(input) => input,
            Err(mistake) => {
                diagnostics.push(mistake);
                continue;
            }
        };
        if let Some(first) = found.iter().find(|other| other.input == input && other.relation == relation) {
            let message = format!("input {} is given twice", given.input.value);
            diagnostics.push(
                Diagnostic::error(Code::BadUnitTest, message)
                    .at(given.input.span.clone())
                    .related(first.declared_at.clone(), "first given here"),
            );
            continue;
        }
        let fixture = match given.fixture.rows {
            RowsDecl::Nothing => seed_rows(manifest, given, &input, diagnostics),
            RowsDecl::Rows(_) | RowsDecl::Text(_) | RowsDecl::File(_) => fixture(around, &given.fixture, diagnostics),
        };
        found.extend(fixture.map(|fixture| GivenRows {
            input,
            relation,
            fixture,
            declared_at: given.input.span.clone(),
        }));
    }
    found
}

/// A seed has rows of its own.
fn seed_rows(
    manifest: &Manifest,
    given: &GivenDecl,
    input: &NodeName,
    diagnostics: &mut Diagnostics,
) -> Option<Fixture> {
    if let Some(seed) = manifest.seeds.get(input) {
        return Some(Fixture::Seed(seed.path.clone()));
    }
    let message = format!("input {} has no rows", given.input.value);
    diagnostics.push(
        Diagnostic::error(Code::BadUnitTest, message)
            .at(given.input.span.clone())
            .hint("give rows, or rows: [] where there should be none; a seed alone needs no rows"),
    );
    None
}

/// The node that `ref('orders')`, `source('shop', 'orders')`, `xref('person', 'svp')` or `this` means.
fn input(manifest: &Manifest, given: &GivenDecl, model: &NodeName) -> Result<(NodeName, Option<Relation>), Diagnostic> {
    let written = given.input.value.trim();
    if written == "this" {
        return Ok((model.clone(), None));
    }
    let code = format!("{{{{ {written} }}}}");
    let found = scan(&code);
    let call = found.calls.first();
    let literals: Vec<&str> =
        call.map(|call| call.literals.iter().map(|at| &code[at.clone()]).collect()).unwrap_or_default();
    let at = |diagnostic: Diagnostic| diagnostic.at(given.input.span.clone());
    match (call.map(|call| &code[call.function.clone()]), literals.as_slice()) {
        (Some("ref"), [name]) => manifest.find_ref(None, name).map(|node| (node, None)).map_err(at),
        (Some("ref"), [package, name]) => manifest.find_ref(Some(package), name).map(|node| (node, None)).map_err(at),
        (Some("source"), [source, table]) => match manifest.find_source(source, table) {
            Ok(table) => Ok((table.name().clone(), None)),
            Err(no) => Err(at(no.diagnostic)),
        },
        (Some("xref"), [entity, rest @ ..]) if rest.len() < 2 => {
            match manifest.find_crosswalk(entity, rest.first().copied()) {
                Ok((node, relation)) => Ok((node.clone(), Some(relation.clone()))),
                Err(no) => Err(at(no.diagnostic)),
            }
        }
        _ => {
            let message = format!("\"{written}\" is no input of a unit test");
            Err(at(Diagnostic::error(Code::BadUnitTest, message))
                .hint("write ref('model'), source('source', 'table'), xref('entity', 'member') or this"))
        }
    }
}

fn fixture(around: &Surroundings<'_>, declared: &FixtureDecl, diagnostics: &mut Diagnostics) -> Option<Fixture> {
    let (text, place) = match &declared.rows {
        RowsDecl::Nothing => return Some(Fixture::Rows(Vec::new())),
        RowsDecl::Rows(rows) => return Some(Fixture::Rows(rows.iter().map(row).collect())),
        RowsDecl::Text(text) => (text.value.clone(), text.span.clone()),
        RowsDecl::File(name) => {
            let ending = if declared.format == FixtureFormat::Csv { "csv" } else { "sql" };
            let stem = name.value.strip_suffix(&format!(".{ending}")).unwrap_or(&name.value);
            let is_it = |path: &std::path::Path| {
                path.file_stem().is_some_and(|found| found == stem)
                    && path.extension().is_some_and(|found| found == ending)
            };
            match around.project.fixtures.iter().find(|file| is_it(&file.path)) {
                Some(file) => (file.text.clone(), Span::new(file, 0..file.text.len())),
                None => {
                    let stems = around.project.fixtures.iter().filter_map(|file| file.path.file_stem()?.to_str());
                    let message = format!("fixture \"{stem}.{ending}\" does not exist");
                    let mistake = Diagnostic::error(Code::BadUnitTest, message).at(name.span.clone());
                    let mistake = mistake.did_you_mean(stem, stems);
                    diagnostics.push(match mistake.hint {
                        Some(_) => mistake,
                        None => mistake.hint("fixtures are files of tests/fixtures/"),
                    });
                    return None;
                }
            }
        }
    };
    match declared.format {
        FixtureFormat::Csv | FixtureFormat::Dict => match csv_rows(&text, &place) {
            Ok(rows) => Some(Fixture::Rows(rows)),
            Err(mistake) => {
                diagnostics.push(*mistake);
                None
            }
        },
        FixtureFormat::Sql => match around.scope.render(&text, &place) {
            Ok(text) => Some(Fixture::Sql { text: text.trim().trim_end_matches(';').to_owned(), place }),
            Err(mistake) => {
                diagnostics.push(mistake);
                None
            }
        },
    }
}

fn row(declared: &RowDecl) -> FixtureRow {
    let cells = declared.cells.iter().map(|(column, value)| (column.value.clone(), value.clone()));
    FixtureRow { cells: cells.collect(), place: declared.span.clone() }
}

/// Expected rows are compared by their columns, so all have to have the same.
fn has_equal_columns(expect: &Fixture, diagnostics: &mut Diagnostics) -> bool {
    let Fixture::Rows(rows) = expect else { return true };
    let Some(first) = rows.first() else { return true };
    let columns = |row: &FixtureRow| row.cells.iter().map(|(column, _)| column.to_lowercase()).collect::<BTreeSet<_>>();
    let wanted = columns(first);
    for row in rows {
        let found = columns(row);
        let Some(odd) = wanted.symmetric_difference(&found).next() else { continue };
        let verb = if wanted.contains(odd) { "lacks" } else { "has" };
        let message = format!("expected rows have unequal columns: this one {verb} \"{odd}\"");
        diagnostics.push(
            Diagnostic::error(Code::BadUnitTest, message)
                .at(row.place.clone())
                .related(first.place.clone(), "the first row")
                .hint("give every expected row the same columns; only these are compared"),
        );
        return false;
    }
    true
}

fn overrides(declared: &OverridesDecl) -> Overrides {
    let map = |entries: &[(String, Value)]| entries.iter().cloned().collect();
    Overrides { macros: map(&declared.macros), vars: map(&declared.vars), env_vars: map(&declared.env_vars) }
}
