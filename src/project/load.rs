//! The project file and the folders that it names become a [`Project`].

use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::declare::Declarations;
use super::declare_crosswalk::CrosswalkDecl;
use super::docs;
use super::fields::Reader;
use super::files::{self, Found, ModelFile, SeedFile};
use super::load_packages::load_packages;
use super::project_file::{self, Folders, vars_of};
use super::yaml;
use super::{Flavour, LoadOptions, Project, Vars, selectors};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};

/// Reads every file of the project; the second half of the pair are warnings.
pub fn load(options: &LoadOptions) -> Result<(Project, Diagnostics), Diagnostics> {
    let (file, flavour) = project_file::read(&options.root)?;
    let tree = yaml::parse(&file).map_err(|diagnostic| Diagnostics(vec![diagnostic]))?;
    let mut reader = Reader::within(flavour, Arc::clone(&file));
    let Some((mut project, folders)) = project_file::settings(&mut reader, (&tree, flavour), options) else {
        return Err(reader.diagnostics);
    };
    let mut diagnostics = reader.diagnostics;
    read_folders(&mut project, &folders, &mut diagnostics);
    load_packages(&mut project, options, &mut diagnostics);
    project.selectors = selectors::load(&project, options, &mut diagnostics);
    docs::render_descriptions(&mut project, options, &mut diagnostics);
    diagnostics.guard(project)
}

/// Reads the argument of `--vars`: a YAML or JSON map.
pub fn parse_vars(text: &str) -> Result<Vars, Diagnostics> {
    parse_map("--vars", text)
}

/// Reads the map that an option of the command line holds, as YAML or JSON.
pub fn parse_map(option: &str, text: &str) -> Result<Vars, Diagnostics> {
    let file = Arc::new(SourceFile { path: PathBuf::from(option), text: text.to_owned(), written: None });
    let tree = yaml::parse(&file).map_err(|diagnostic| Diagnostics(vec![diagnostic]))?;
    let mut reader = Reader::new(file);
    let vars = reader.open_fields(&tree, "vars").map(|fields| vars_of(&fields, "")).unwrap_or_default();
    reader.diagnostics.guard(vars).map(|(vars, _)| vars)
}

pub(super) fn read_folders(project: &mut Project, folders: &Folders, diagnostics: &mut Diagnostics) {
    let root = project.root.clone();
    let in_models = files::find(&root, &folders.models, diagnostics);
    let (sql, other): (Vec<_>, Vec<_>) = in_models.into_iter().partition(|found| found.extension == "sql");
    project.models = model_files(files::read(&root, sql, diagnostics));
    let (python, other): (Vec<_>, Vec<_>) = other.into_iter().partition(|found| found.extension == "py");
    refuse_python(files::read(&root, python, diagnostics), diagnostics);
    let in_seeds = files::find(&root, &folders.seeds, diagnostics);
    let (csv, beside): (Vec<_>, Vec<_>) = in_seeds.into_iter().partition(|found| found.extension == "csv");
    project.seeds =
        csv.into_iter().map(|found| SeedFile { folders: found.folders, stem: found.stem, path: found.path }).collect();
    let mut others = files::find(&root, &folders.sources, diagnostics);
    others.extend(other);
    others.extend(beside);
    let mut sql_of = |folders: &[PathBuf]| {
        let (sql, other): (Vec<_>, Vec<_>) =
            files::find(&root, folders, diagnostics).into_iter().partition(|found| found.extension == "sql");
        others.extend(other);
        files::read(&root, sql, diagnostics)
    };
    let (in_tests, fixtures): (Vec<_>, Vec<_>) =
        sql_of(&folders.tests).into_iter().partition(|(found, _)| !is_below(found, "fixtures"));
    let (generic, singular): (Vec<_>, Vec<_>) = in_tests.into_iter().partition(|(found, _)| is_below(found, "generic"));
    let defined = sql_of(&folders.macros).into_iter().chain(generic);
    project.macros = defined.map(|(_, file)| file).collect();
    project.tests = singular.into_iter().map(|(_, file)| file).collect();
    project.fixtures = fixtures.into_iter().map(|(_, file)| file).collect();
    project.snapshots = model_files(sql_of(&folders.snapshots));
    project.analyses = model_files(sql_of(&folders.analyses));
    let (csv, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|found| found.extension == "csv");
    let csv = csv.into_iter().filter(|found| is_below(found, "fixtures")).collect();
    project.fixtures.extend(files::read(&root, csv, diagnostics).into_iter().map(|(_, file)| file));
    let markdown = match folders.docs.as_slice() {
        [] => others.clone(),
        some => files::find(&root, some, diagnostics),
    };
    project.docs = files::read(&root, only(markdown, &["md"]), diagnostics).into_iter().map(|(_, file)| file).collect();
    let yaml_files = only(others, &["yml", "yaml"]);
    project.declared = declarations(project.flavour, files::read(&root, yaml_files, diagnostics), diagnostics);
    let in_crosswalks = only(files::find(&root, &folders.crosswalks, diagnostics), &["yml", "yaml"]);
    for (_, file) in files::read(&root, in_crosswalks, diagnostics) {
        project.declared.crosswalks.extend(crosswalks_of(project.flavour, file, diagnostics));
    }
}

fn crosswalks_of(flavour: Flavour, file: Arc<SourceFile>, diagnostics: &mut Diagnostics) -> Vec<CrosswalkDecl> {
    match yaml::parse(&file) {
        Ok(tree) => {
            let mut reader = Reader::within(flavour, file);
            let crosswalks = reader.crosswalks(&tree);
            diagnostics.append(reader.diagnostics);
            crosswalks
        }
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            Vec::new()
        }
    }
}

/// A file of Python among the models is a model to dbt, and what refers to it would find nothing.
fn refuse_python(files: Vec<(Found, Arc<SourceFile>)>, diagnostics: &mut Diagnostics) {
    for (found, file) in files {
        let message = format!("model \"{}\" is written in Python", found.stem);
        let hint = "models are SQL here: write it as one SELECT, or keep the file outside of model-paths";
        diagnostics.push(Diagnostic::error(Code::NotOneSelect, message).at(Span::whole(&file)).hint(hint));
    }
}

/// Whether a file is below this folder of the folder that it was looked for in.
fn is_below(found: &Found, folder: &str) -> bool {
    found.folders.first().is_some_and(|first| first == folder)
}

fn model_files(files: Vec<(Found, Arc<SourceFile>)>) -> Vec<ModelFile> {
    let model = |(found, file): (Found, _)| ModelFile { folders: found.folders, stem: found.stem, file };
    files.into_iter().map(model).collect()
}

fn only(found: Vec<Found>, extensions: &[&str]) -> Vec<Found> {
    found.into_iter().filter(|found| extensions.contains(&found.extension.as_str())).collect()
}

fn declarations(flavour: Flavour, files: Vec<(Found, Arc<SourceFile>)>, diagnostics: &mut Diagnostics) -> Declarations {
    let read: Vec<_> = files.into_par_iter().map(|(_, file)| declarations_of(flavour, file)).collect();
    let mut all = Declarations::default();
    for (declared, mistakes) in read {
        all.extend(declared);
        diagnostics.append(mistakes);
    }
    all
}

fn declarations_of(flavour: Flavour, file: Arc<SourceFile>) -> (Declarations, Diagnostics) {
    match yaml::parse(&file) {
        Ok(tree) => {
            let mut reader = Reader::within(flavour, file);
            (reader.declarations(&tree), reader.diagnostics)
        }
        Err(diagnostic) => (Declarations::default(), Diagnostics(vec![diagnostic])),
    }
}
