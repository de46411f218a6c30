//! What the server is shown of one node: the shell that stands for it, its SELECT, the INSERT around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::compile::{CompiledSql, Embedded};
use crate::data_test;
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::{CrosswalkNode, Materialization, ModelNode, SeedNode, StageNode, TestNode};
use crate::materialize;
use crate::materialize::shell::{self, InsertedColumn, ShellColumns};
use crate::materialize::stage::{OWN_COLUMNS, StageShape, StagedColumn};
use crate::ops::check::Subject;
use crate::ops::check::scratch::Scratch;

/// Of what a config says in SQL.
const CONFIG_IS_SQL: &str = "unique_key and incremental_predicates are SQL, as the model's config gives them";

/// One statement, and whose it is.
pub(super) struct Look<'a> {
    pub name: &'a NodeName,
    pub statement: String,
    /// Where in the statement the user's SELECT stands.
    pub select: Option<(Embedded, CompiledSql)>,
    /// What to say of a refusal where the server has no better idea.
    pub hint: Option<&'static str>,
}

impl<'a> Look<'a> {
    pub(super) fn shell(name: &'a NodeName, statement: String) -> Self {
        Self { name, statement, select: None, hint: None }
    }

    pub(super) fn of(name: &'a NodeName, embedded: Embedded, select: CompiledSql) -> Self {
        Self { name, statement: embedded.sql.clone(), select: Some((embedded, select)), hint: None }
    }
}

/// Makes the statements of a check.
pub(super) struct Looks<'a> {
    pub subject: &'a Subject<'a>,
    pub scratch: &'a Scratch,
}

impl<'a> Looks<'a> {
    fn sql(&self, name: &NodeName) -> CompiledSql {
        let sql = self.subject.compiled.compiled.get(name).map(|compiled| &compiled.sql);
        sql.map(|sql| self.scratch.retarget(sql)).unwrap_or_default()
    }

    /// The copy of a source table, and the view of its live rows.
    pub(super) fn stage(&self, stage: &'a StageNode, known: &ShellColumns) -> Look<'a> {
        let stand_in = StageNode {
            stg_relation: self.scratch.shell(&stage.stg_relation),
            live_relation: self.scratch.shell(&stage.live_relation),
            ..stage.clone()
        };
        let shape = StageShape { node: &stand_in, columns: &known.columns, batch_id: 0 };
        let names: Vec<&Ident> = known.columns.iter().map(|column| &column.name).collect();
        let own = OWN_COLUMNS.map(|name| StagedColumn {
            name: Ident::from_catalog(name),
            data_type: if name == "_batch_id" { "bigint" } else { "timestamp with time zone" }.to_owned(),
        });
        let table =
            ShellColumns { columns: [known.columns.as_slice(), &own].concat(), primary_key: known.primary_key.clone() };
        let mut statements = vec![shell::create_table(&stand_in.stg_relation, &table)];
        statements.extend(shape.create_view(&names));
        Look::shell(&stage.name, statements.join(";\n"))
    }

    /// The views of a crosswalk; `None` where the columns of a member, or the target's, are not known.
    pub(super) fn crosswalk(
        &self,
        node: &'a CrosswalkNode,
        known: &BTreeMap<NodeName, ShellColumns>,
    ) -> Option<Look<'a>> {
        let target = self.subject.description.relation(&node.target)?.target();
        let id = StagedColumn {
            name: Ident::from_catalog("target_id"),
            data_type: target.column(&node.column)?.data_type.clone(),
        };
        let text = |name: &str| StagedColumn { name: Ident::from_catalog(name), data_type: "text".to_owned() };
        let shell = |relation: &Relation, columns: Vec<StagedColumn>| {
            shell::create_table(&self.scratch.shell(relation), &ShellColumns { columns, primary_key: Vec::new() })
        };
        let mut statements = vec![shell(&node.relation, vec![text("member"), text("source_key"), id.clone()])];
        for member in &node.members {
            let staged = &known.get(&member.stage)?.columns;
            let key = |key: &Ident| staged.iter().find(|column| column.name == *key).cloned();
            let mut columns = member.key.iter().map(key).collect::<Option<Vec<StagedColumn>>>()?;
            if let (Some(single), Some(column)) = (member.single_key(), columns.first().cloned())
                && single.as_str() != "source_key"
            {
                columns.push(StagedColumn { name: Ident::from_catalog("source_key"), ..column });
            }
            columns.push(id.clone());
            statements.push(shell(&member.relation, columns));
        }
        Some(Look::shell(&node.name, statements.join(";\n")))
    }

    /// A seed, from its file.
    pub(super) fn seed(&self, seed: &SeedNode) -> Result<ShellColumns, Box<Diagnostic>> {
        let refuse = |message: String, (file, line): (&Arc<SourceFile>, u64)| {
            Box::new(Diagnostic::error(Code::BadValue, message).at(Span::line(file, line)))
        };
        let path = self.subject.workspace.project.root.join(&seed.path);
        let text = fs_err::read_to_string(&path);
        let file = |text: String| Arc::new(SourceFile { path: seed.path.clone(), text, written: None });
        let text =
            text.map_err(|error| refuse(format!("could not read the seed: {error}"), (&file(String::new()), 1)))?;
        let text = text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned);
        let columns = materialize::seed::columns(&text, materialize::seed::SeedFormat::of(seed), &seed.column_types);
        let columns = columns.map_err(|error| {
            let message = format!("seed \"{}\" is not well-formed CSV: {error}", seed.seed);
            refuse(message, (&file(text.clone()), error.line()))
        })?;
        Ok(ShellColumns { columns, primary_key: Vec::new() })
    }

    /// A shell of anything else whose columns are known.
    pub(super) fn known(&self, name: &'a NodeName, known: &ShellColumns) -> Option<Look<'a>> {
        let relation = self.subject.workspace.manifest.relation(name)?;
        Some(Look::shell(name, shell::create_table(&self.scratch.shell(relation), known)))
    }

    /// A model's SELECT: as the view that stands for the model, or apart where the model is no relation of ours.
    pub(super) fn model(&self, model: &'a ModelNode, place: usize) -> Vec<Look<'a>> {
        let select = match &model.materialization {
            Materialization::Snapshot(config) => materialize::snapshot::first_select(config, &self.sql(&model.name)),
            Materialization::Merge(_)
            | Materialization::Incremental(_)
            | Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_)
            | Materialization::Ephemeral => self.sql(&model.name),
        };
        let view = match &model.materialization {
            Materialization::Ephemeral => {
                let embedded = shell::prepare(Embedded::bare(&select));
                return vec![Look::of(&model.name, embedded, select)];
            }
            Materialization::Merge(_) if self.target(model).is_some() => self.scratch.select(place),
            Materialization::Merge(_)
            | Materialization::Incremental(_)
            | Materialization::Snapshot(_)
            | Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_) => self.scratch.shell(&model.relation),
        };
        let mut looks = vec![Look::of(&model.name, shell::create_view(&view, &select), select)];
        if let Materialization::Incremental(config) = &model.materialization
            && !(config.unique_key.is_empty() && config.predicates.is_empty())
        {
            let matching = Look::shell(&model.name, shell::prepare_match(&view, config));
            looks.push(Look { hint: Some(CONFIG_IS_SQL), ..matching });
        }
        if let Some(incremental) = self.subject.incremental.get(&model.name) {
            let select = self.scratch.retarget(&incremental.sql);
            looks.push(Look::of(&model.name, shell::prepare(Embedded::bare(&select)), select));
        }
        looks
    }

    /// The columns of the table that a model merges into, where there is one.
    pub(super) fn target(&self, model: &ModelNode) -> Option<ShellColumns> {
        match &model.materialization {
            Materialization::Merge(_) => {
                self.subject.description.relation(&model.relation).map(|relation| relation.shell())
            }
            Materialization::Incremental(_)
            | Materialization::Snapshot(_)
            | Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_)
            | Materialization::Ephemeral => None,
        }
    }

    /// A model's SELECT as it is inserted, columns and types held against the table.
    pub(super) fn insert(&self, model: &'a ModelNode, columns: &[InsertedColumn]) -> Look<'a> {
        let select = self.sql(&model.name);
        let shell = self.scratch.shell(&model.relation);
        Look::of(&model.name, shell::prepare_insert(&shell, columns, &select), select)
    }

    /// A data test, as it is counted.
    pub(super) fn test(&self, test: &'a TestNode) -> Look<'a> {
        let select = self.sql(&test.name);
        let embedded = shell::prepare(data_test::judge(&select, &test.rules));
        Look::of(&test.name, embedded, select)
    }
}
