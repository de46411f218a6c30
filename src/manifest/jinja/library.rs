//! The macros of a project and its packages: which template defines each, and which one a name means where.
//!
//! A macro is a template of its own, so a render reads those that it calls and no others. A file with code between its
//! macros (`{% set … %}`) stays one template, because its macros may read what is set.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use minijinja::Environment;

use super::blocks::{BlockKind, blocks};
use super::limits;
use super::mistake;
use super::rewrite::{self, Rewritten};
use super::scan::{Scan, scan};
use crate::diagnostic::{Diagnostics, SourceFile, Span};

/// The package of the macros that come with unimig.
const BUILT_IN: &str = "dbt";

/// The macro files of a project and of its packages.
#[derive(Debug, Clone, Default)]
pub struct MacroFiles {
    /// The project's own package.
    pub root: String,
    /// With the name of the package that each belongs to; `dbt` holds those that come with unimig.
    pub files: Vec<(String, Arc<SourceFile>)>,
    /// The project file's `dispatch:`: where macros of a package are looked for, in this order.
    pub dispatch: BTreeMap<String, Vec<String>>,
}

/// A package, by its place among all packages; the project's own is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Package(pub usize);

/// A template of macros, by its place among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct UnitId(usize);

/// A template that defines one macro or, where they share variables, all of a file.
#[derive(Debug)]
pub(super) struct Unit {
    pub package: Package,
    pub file: Arc<SourceFile>,
    /// Where the template's text begins in the file.
    start: usize,
    rewritten: Option<Rewritten>,
}

#[derive(Debug, Default)]
pub(super) struct Library {
    packages: Vec<String>,
    units: Vec<Unit>,
    macros: HashMap<String, Vec<(Package, UnitId)>>,
    dispatch: BTreeMap<String, Vec<String>>,
    /// Every name that macros mention.
    mentioned: HashSet<String>,
    /// Every file once, for the places of names.
    files: Vec<(Arc<SourceFile>, Scan)>,
}

impl Package {
    pub const ROOT: Self = Self(0);
}

impl UnitId {
    /// The name of the unit's template.
    pub fn template(self) -> String {
        format!("macros {}", self.0)
    }

    pub fn of_template(name: &str) -> Option<Self> {
        name.strip_prefix("macros ")?.parse().ok().map(Self)
    }
}

impl Unit {
    /// A range of the template's text as a range of the file's.
    pub fn in_file(&self, range: Range<usize>) -> Range<usize> {
        let range = match &self.rewritten {
            Some(rewritten) => rewritten.origin(range),
            None => range,
        };
        self.start + range.start..self.start + range.end
    }
}

impl Library {
    /// Reads and parses every macro; their syntax errors and names that stand twice are collected.
    pub fn new(macros: &MacroFiles, environment: &mut Environment<'static>, diagnostics: &mut Diagnostics) -> Self {
        let mut library =
            Self { packages: vec![macros.root.clone()], dispatch: macros.dispatch.clone(), ..Self::default() };
        for (package, file) in &macros.files {
            let package = library.add_package(package);
            library.add_file(package, file, (environment, diagnostics));
            let scan = scan(&file.text);
            library.mentioned.extend(scan.names.iter().map(|at| file.text[at.clone()].to_owned()));
            library.files.push((Arc::clone(file), scan));
        }
        library
    }

    fn add_package(&mut self, name: &str) -> Package {
        match self.packages.iter().position(|package| package == name) {
            Some(at) => Package(at),
            None => {
                self.packages.push(name.to_owned());
                Package(self.packages.len() - 1)
            }
        }
    }

    fn add_file(
        &mut self,
        package: Package,
        file: &Arc<SourceFile>,
        (environment, diagnostics): (&mut Environment<'static>, &mut Diagnostics),
    ) {
        let found = blocks(&file.text);
        let macros = found.found.iter().filter(|block| matches!(block.kind, BlockKind::Macro | BlockKind::Test));
        let names: Vec<(String, Range<usize>, Range<usize>)> = macros
            .map(|block| {
                let prefix = if block.kind == BlockKind::Test { "test_" } else { "" };
                (format!("{prefix}{}", block.name), block.name_at.clone(), block.whole.clone())
            })
            .collect();
        let is_whole = found.has_other_code || found.unclosed.is_some();
        if is_whole {
            let unit = self.add_unit(package, (file, 0..file.text.len()), (environment, diagnostics));
            for (name, at, _) in names {
                self.define((package, unit), (name, file, at), diagnostics);
            }
            return;
        }
        for (name, at, whole) in names {
            let unit = self.add_unit(package, (file, whole), (environment, diagnostics));
            self.define((package, unit), (name, file, at), diagnostics);
        }
    }

    fn add_unit(
        &mut self,
        package: Package,
        (file, range): (&Arc<SourceFile>, Range<usize>),
        (environment, diagnostics): (&mut Environment<'static>, &mut Diagnostics),
    ) -> UnitId {
        let id = UnitId(self.units.len());
        let text = &file.text[range.clone()];
        let (scan, rewritten) = rewrite::read(text);
        let source = rewritten.as_ref().map_or_else(|| text.to_owned(), |rewritten| rewritten.text.clone());
        let unit = Unit { package, file: Arc::clone(file), start: range.start, rewritten };
        if let Some(place) = scan.too_deep {
            let place = Span::new(file, range.start + place.start..range.start + place.end);
            diagnostics.push(limits::nests_too_deep().at(place));
        } else if let Err(error) = environment.add_template_owned(id.template(), source) {
            let found = mistake::place(&error, (text, |range| unit.in_file(range)), range.start);
            diagnostics.push(mistake::syntax(&error, (file, found)));
        }
        self.units.push(unit);
        id
    }

    fn define(
        &mut self,
        (package, unit): (Package, UnitId),
        (name, file, at): (String, &Arc<SourceFile>, Range<usize>),
        diagnostics: &mut Diagnostics,
    ) {
        let defined = self.macros.entry(name).or_default();
        let first = defined.iter().find(|(other, _)| *other == package).map(|(_, unit)| unit.0);
        if let Some(first) = first {
            let first = self.units.get(first).map_or(file, |unit| &unit.file);
            diagnostics.push(mistake::duplicate_macro((file, at), first));
            return;
        }
        defined.push((package, unit));
    }

    pub fn unit(&self, id: UnitId) -> &Unit {
        &self.units[id.0]
    }

    pub fn package_name(&self, package: Package) -> &str {
        &self.packages[package.0]
    }

    pub fn package(&self, name: &str) -> Option<Package> {
        self.packages.iter().position(|package| package == name).map(Package)
    }

    /// The macro that a name means in a package's files: the package's own, else the project's.
    pub fn find(&self, name: &str, from: Package) -> Option<UnitId> {
        let defined = self.macros.get(name)?;
        let of = |package| defined.iter().find(|(owner, _)| *owner == package).map(|(_, unit)| *unit);
        of(from).or_else(|| of(Package::ROOT))
    }

    /// The macro of one package.
    pub fn find_in(&self, package: Package, name: &str) -> Option<UnitId> {
        self.macros.get(name)?.iter().find(|(owner, _)| *owner == package).map(|(_, unit)| *unit)
    }

    /// A package that defines a macro, for hints.
    pub fn package_with(&self, name: &str) -> Option<&str> {
        self.macros.get(name)?.first().map(|(package, _)| self.package_name(*package))
    }

    /// The macro that comes with unimig.
    pub fn built_in(&self, name: &str) -> Option<UnitId> {
        self.find_in(self.package(BUILT_IN)?, name)
    }

    /// What `adapter.dispatch` means: PostgreSQL's own macro or the general one, in the packages that are searched.
    pub fn dispatch(&self, name: &str, namespace: Option<&str>, from: Package) -> Option<(UnitId, String)> {
        let names = [format!("postgres__{name}"), format!("default__{name}")];
        let Some(namespace) = namespace else {
            let found = |name: &String| self.find(name, from).or_else(|| self.built_in(name));
            return names.iter().find_map(|name| Some((found(name)?, name.clone())));
        };
        let searched: Vec<&str> = match self.dispatch.get(namespace) {
            Some(order) => order.iter().map(String::as_str).collect(),
            None => vec![self.package_name(Package::ROOT), namespace],
        };
        for package in searched.into_iter().filter_map(|package| self.package(package)) {
            for name in &names {
                if let Some(unit) = self.find_in(package, name) {
                    return Some((unit, name.clone()));
                }
            }
        }
        None
    }

    /// Whether a template that mentions this name may need macros.
    pub fn mentions(&self, name: &str) -> bool {
        name == "adapter" || name == "context" || self.macros.contains_key(name) || self.package(name).is_some()
    }

    pub fn mentioned(&self) -> &HashSet<String> {
        &self.mentioned
    }

    pub fn macro_names(&self) -> impl Iterator<Item = &str> {
        self.macros.keys().map(String::as_str)
    }

    pub fn files(&self) -> &[(Arc<SourceFile>, Scan)] {
        &self.files
    }
}
