//! What a name in `ref` or `source` means, or the diagnostic that says why it means nothing.

use super::{Manifest, Materialization, StageNode, TableNode};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::{Ident, NodeName, Relation};

/// The CTE by which an ephemeral model is read, with dbt's name for it, quoted for SQL.
pub fn ephemeral_cte(model: &str) -> String {
    Ident::from_catalog(ephemeral_cte_name(model)).to_string()
}

/// The same without quotes.
pub fn ephemeral_cte_name(model: &str) -> String {
    format!("__dbt__cte__{model}")
}

impl Manifest {
    /// The model or seed that `ref('name')` or `ref('package', 'name')` means.
    pub fn find_ref(&self, package: Option<&str>, name: &str) -> Result<NodeName, Diagnostic> {
        if let Some(package) = package {
            self.check_package(package)?;
        }
        let candidates = [NodeName::model(name), NodeName::seed(name), NodeName::snapshot(name)];
        for candidate in &candidates {
            let Some(owner) = self.package_of(candidate) else { continue };
            if let Some(package) = package.filter(|package| *package != owner) {
                let message = format!("package \"{package}\" has no model or seed \"{name}\"");
                return Err(Diagnostic::error(Code::UnknownRef, message)
                    .hint(format!("package \"{owner}\" has one: ref('{owner}', '{name}')")));
            }
            return Ok(candidate.clone());
        }
        for candidate in &candidates {
            if let Some(switch) = self.disabled.get(candidate) {
                return Err(Diagnostic::error(Code::UnknownRef, format!("model or seed \"{name}\" is disabled"))
                    .related(switch.clone(), "disabled here")
                    .hint("enable it, or remove this ref"));
            }
        }
        let names = self.models.values().map(|model| model.model.as_str());
        let names = names.chain(self.seeds.values().map(|seed| seed.seed.as_str()));
        let diagnostic = Diagnostic::error(Code::UnknownRef, format!("model or seed \"{name}\" does not exist"));
        let diagnostic = diagnostic.did_you_mean(name, names);
        Err(match (&diagnostic.hint, self.source_tables().find(|(_, table)| *table == name)) {
            (None, Some((source, table))) => {
                let hint = format!("a source table is read by source('{source}', '{table}')");
                diagnostic.hint(hint)
            }
            (Some(_), _) | (None, None) => diagnostic,
        })
    }

    fn check_package(&self, package: &str) -> Result<(), Diagnostic> {
        let packages = || [self.project_name.as_str()].into_iter().chain(self.packages.iter().map(String::as_str));
        if packages().any(|known| known == package) {
            return Ok(());
        }
        let diagnostic = Diagnostic::error(Code::UnknownRef, format!("package \"{package}\" does not exist"))
            .did_you_mean(package, packages());
        Err(match (&diagnostic.hint, self.packages.as_slice()) {
            (None, []) => diagnostic.hint(format!("the only package is the project, \"{}\"", self.project_name)),
            (None, some) => {
                diagnostic.hint(format!("the packages are \"{}\" and \"{}\"", self.project_name, some.join("\", \"")))
            }
            (Some(_), _) => diagnostic,
        })
    }

    /// The package of a model or seed.
    fn package_of(&self, name: &NodeName) -> Option<&str> {
        let model = self.models.get(name).map(|model| model.package.as_str());
        model.or_else(|| self.seeds.get(name).map(|seed| seed.package.as_str()))
    }

    /// The table that `source('source', 'table')` means.
    pub fn find_source(&self, source: &str, table: &str) -> Result<SourceTable<'_>, NoSource> {
        if let Some(stage) = self.stages.get(&NodeName::stage(source, table)) {
            return Ok(SourceTable::Staged(stage));
        }
        let name = NodeName::table(source, table);
        if let Some(found) = self.tables.get(&name) {
            return Ok(SourceTable::Plain(found));
        }
        if let Some(switch) = self.disabled.get(&name).or_else(|| self.disabled.get(&NodeName::stage(source, table))) {
            let message = format!("source table \"{source}.{table}\" is disabled");
            let diagnostic = Diagnostic::error(Code::UnknownSource, message)
                .related(switch.clone(), "disabled here")
                .hint("enable it, or remove this source()");
            return Err(NoSource { written: table.to_owned(), diagnostic });
        }
        let tables: Vec<&str> =
            self.source_tables().filter(|(known, _)| *known == source).map(|(_, table)| table).collect();
        if tables.is_empty() {
            let sources = self.source_tables().map(|(source, _)| source);
            let diagnostic = Diagnostic::error(Code::UnknownSource, format!("source \"{source}\" does not exist"));
            return Err(NoSource { written: source.to_owned(), diagnostic: diagnostic.did_you_mean(source, sources) });
        }
        let diagnostic =
            Diagnostic::error(Code::UnknownSource, format!("source \"{source}\" has no table \"{table}\""))
                .did_you_mean(table, tables.iter().copied());
        let diagnostic = match diagnostic.hint {
            Some(_) => diagnostic,
            None => diagnostic.hint("declare the table in the source's YAML"),
        };
        Err(NoSource { written: table.to_owned(), diagnostic })
    }

    /// Source and table of every source table, staged or plain.
    fn source_tables(&self) -> impl Iterator<Item = (&str, &str)> {
        let staged = self.stages.values().map(|stage| (stage.source.as_str(), stage.table.as_str()));
        staged.chain(self.tables.values().map(|table| (table.source.as_str(), table.table.as_str())))
    }

    /// What a query reads when it reads the node: a stage's live view, a model's or seed's relation; an ephemeral model
    /// has none.
    pub fn read_relation(&self, name: &NodeName) -> Option<&Relation> {
        match self.stages.get(name) {
            Some(stage) => Some(&stage.live_relation),
            None => self.relation(name),
        }
    }

    pub fn is_snapshot(&self, name: &NodeName) -> bool {
        self.models.get(name).is_some_and(|model| matches!(model.materialization, Materialization::Snapshot(_)))
    }

    pub fn is_ephemeral(&self, name: &NodeName) -> bool {
        self.models.get(name).is_some_and(|model| model.materialization == Materialization::Ephemeral)
    }

    /// The place that declares a node.
    pub fn declared_at(&self, name: &NodeName) -> Option<Span> {
        if let Some(stage) = self.stages.get(name) {
            return Some(stage.declared_at.clone());
        }
        if let Some(table) = self.tables.get(name) {
            return Some(table.declared_at.clone());
        }
        if let Some(model) = self.models.get(name) {
            return Some(model.configured_at.clone());
        }
        if let Some(crosswalk) = self.crosswalks.get(name) {
            return Some(crosswalk.declared_at.clone());
        }
        let unit_test = || self.unit_tests.get(name).map(|test| test.declared_at.clone());
        self.tests.get(name).map(|test| test.declared_at.clone()).or_else(unit_test)
    }
}

/// A table that `source()` names.
#[derive(Debug, Clone, Copy)]
pub enum SourceTable<'m> {
    /// Copied into the target by a process of its own.
    Staged(&'m StageNode),
    /// There already.
    Plain(&'m TableNode),
}

impl<'m> SourceTable<'m> {
    pub fn name(self) -> &'m NodeName {
        match self {
            Self::Staged(stage) => &stage.name,
            Self::Plain(table) => &table.name,
        }
    }
}

/// Why a `source()` means nothing, and which of its two strings is at fault.
#[derive(Debug)]
pub struct NoSource {
    pub written: String,
    pub diagnostic: Diagnostic,
}
