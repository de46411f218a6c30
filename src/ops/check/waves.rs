//! Some hundred nodes at a time: a wave makes the shells that it reads, looks, learns the columns, and is rolled back.
//!
//! So the locks that a check holds, one for each shell, stay few however large the project is.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::context;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::{CrosswalkNode, Manifest, Materialization, MergeConfig, ModelNode, StageNode};
use crate::materialize::merge::{MergeShape, column_faults};
use crate::materialize::shell::{InsertedColumn, ShellColumns};
use crate::materialize::stage::StagedColumn;
use crate::ops::check::look::{Look, Looks};
use crate::ops::check::scratch::Scratch;
use crate::ops::check::{CheckedNode, Subject, Verdict, verdict};
use crate::plan;
use crate::postgres::PostgresError;
use crate::transform::description::DescribedRelation;
use crate::transform::{self, description, flight};

/// Nodes in a wave: each holds one to three locks, and a server with default settings has some thousands.
const WAVE: usize = 400;

/// Words of SELECTs that a table answers and a view does not: all that they read must be a table.
const OF_TABLES: [&str; 5] = ["tablesample", "ctid", "xmin", "xmax", "tableoid"];

pub(super) struct Findings {
    pub nodes: Vec<CheckedNode>,
    pub mistakes: Diagnostics,
}

/// Looks at every node of the subject.
pub(super) async fn fly_all(
    client: &Client,
    subject: &Subject<'_>,
    (scratch, known): (&Scratch, BTreeMap<NodeName, ShellColumns>),
) -> Result<Findings, PostgresError> {
    let mut flying = Flying {
        client,
        subject,
        looks: Looks { subject, scratch },
        known,
        unsound: BTreeMap::new(),
        mistakes: Diagnostics::default(),
    };
    for (place, wave) in waves(subject).into_iter().enumerate() {
        flying.wave(wave, place * WAVE).await?;
    }
    let nodes = subject.order.iter().map(|name| CheckedNode {
        name: name.clone(),
        verdict: flying.unsound.get(name).cloned().unwrap_or(Verdict::Sound),
        columns: flying.known.get(name).map(|known| known.columns.clone()).unwrap_or_default(),
    });
    Ok(Findings { nodes: nodes.collect(), mistakes: flying.mistakes })
}

/// The order, cut into waves; one also ends before a SELECT that only tables answer.
fn waves<'a>(subject: &'a Subject<'_>) -> Vec<&'a [NodeName]> {
    let mut waves = Vec::new();
    let mut start = 0;
    for (at, name) in subject.order.iter().enumerate() {
        let sql = subject.compiled.compiled.get(name).map(|compiled| compiled.sql.text.to_ascii_lowercase());
        let needs_tables = sql.is_some_and(|sql| OF_TABLES.iter().any(|word| sql.contains(word)));
        if at > start && (at - start == WAVE || needs_tables) {
            waves.push(&subject.order[start..at]);
            start = at;
        }
    }
    waves.push(&subject.order[start..]);
    waves
}

struct Flying<'a> {
    client: &'a Client,
    subject: &'a Subject<'a>,
    looks: Looks<'a>,
    /// Columns that are known so far. Of a model that merges, those of its table.
    known: BTreeMap<NodeName, ShellColumns>,
    unsound: BTreeMap<NodeName, Verdict>,
    mistakes: Diagnostics,
}

impl<'a> Flying<'a> {
    async fn wave(&mut self, wave: &'a [NodeName], first: usize) -> Result<(), PostgresError> {
        let failed = |error| PostgresError::server("check the models", error);
        self.client.batch_execute("savepoint unimig_wave").await.map_err(failed)?;
        let mut looks = self.parents(wave);
        for (place, name) in wave.iter().enumerate() {
            self.node(name, first + place, &mut looks);
        }
        self.fly(looks).await?;
        let columns = self.columns().await?;
        for (place, name) in wave.iter().enumerate() {
            self.contract(name, first + place, &columns).await?;
        }
        let mut inserts = Vec::new();
        for (place, name) in wave.iter().enumerate() {
            if let Some(insert) = self.learn(name, first + place, &columns) {
                inserts.push(insert);
            }
        }
        self.fly(inserts).await?;
        self.client
            .batch_execute("rollback to savepoint unimig_wave;\nrelease savepoint unimig_wave")
            .await
            .map_err(failed)
    }

    /// Shells of what the wave reads from earlier ones.
    fn parents(&self, wave: &'a [NodeName]) -> Vec<Look<'a>> {
        let own: BTreeSet<&NodeName> = wave.iter().collect();
        let manifest = &self.subject.workspace.manifest;
        let mut found: BTreeSet<&'a NodeName> = BTreeSet::new();
        let mut open: Vec<&NodeName> = wave.iter().flat_map(|name| self.subject.compiled.graph.parents(name)).collect();
        while let Some(parent) = open.pop() {
            if own.contains(parent) || !found.insert(parent) {
                continue;
            }
            if manifest.is_ephemeral(parent) {
                open.extend(self.subject.compiled.graph.parents(parent));
            }
        }
        let looks = found.into_iter().filter_map(|name| {
            if let Some(crosswalk) = manifest.crosswalks.get(name) {
                return self.looks.crosswalk(crosswalk, &self.known);
            }
            let known = self.known.get(name)?;
            match manifest.stages.get(name) {
                Some(stage) => Some(self.looks.stage(stage, known)),
                None => self.looks.known(name, known),
            }
        });
        looks.collect()
    }

    /// Adds what a node shows.
    fn node(&mut self, name: &'a NodeName, place: usize, looks: &mut Vec<Look<'a>>) {
        let manifest: &'a Manifest = &self.subject.workspace.manifest;
        if let Some(mistake) = self.subject.refused.get(name) {
            self.broken(name, mistake.clone());
        } else if let Some(stage) = manifest.stages.get(name) {
            match self.known.get(name) {
                Some(known) => looks.push(self.looks.stage(stage, known)),
                None => self.columns_unknown(stage),
            }
        } else if let Some(crosswalk) = manifest.crosswalks.get(name) {
            self.crosswalk(crosswalk, looks);
        } else if let Some(seed) = manifest.seeds.get(name) {
            match self.looks.seed(seed) {
                Ok(known) => {
                    looks.extend(self.looks.known(name, &known));
                    self.known.insert(name.clone(), known);
                }
                Err(mistake) => self.broken(name, *mistake),
            }
        } else if let Some(model) = manifest.models.get(name) {
            if let Some(target) = self.looks.target(model) {
                looks.extend(self.looks.known(name, &target));
                self.known.insert(name.clone(), target);
            }
            looks.extend(self.looks.model(model, place));
        } else if let Some(test) = manifest.tests.get(name) {
            looks.push(self.looks.test(test));
        }
    }

    /// A crosswalk's views, or why nobody knows their columns.
    fn crosswalk(&mut self, node: &'a CrosswalkNode, looks: &mut Vec<Look<'a>>) {
        if let Some(look) = self.looks.crosswalk(node, &self.known) {
            looks.push(look);
            self.known.insert(node.name.clone(), ShellColumns::default());
            return;
        }
        let described = self.subject.description.relation(&node.target).map(DescribedRelation::target);
        let tables = self.subject.description.relations.iter();
        let unknown_target = plan::unknown_crosswalk_target(node, described.as_ref(), tables.map(|table| &table.name));
        if let Some(mistake) = unknown_target {
            return self.broken(&node.name, mistake);
        }
        match node.depends_on.iter().find(|parent| !self.known.contains_key(*parent)) {
            Some(parent) => {
                let because = format!("the columns of {parent} are not known");
                self.unsound.insert(node.name.clone(), Verdict::NotChecked { because });
            }
            None => {
                let message = format!("a member of crosswalk \"{}\" has a key that its table lacks", node.entity);
                self.broken(
                    &node.name,
                    Diagnostic::error(Code::MissingKeyColumn, message).at(node.declared_at.clone()),
                );
            }
        }
    }

    async fn fly(&mut self, looks: Vec<Look<'a>>) -> Result<(), PostgresError> {
        if looks.is_empty() {
            return Ok(());
        }
        let statements: Vec<String> = looks.iter().map(|look| look.statement.clone()).collect();
        let verdicts = flight::fly(self.client, &statements).await?;
        for (look, error) in looks.iter().zip(verdicts) {
            let Some(error) = error else { continue };
            if self.unsound.contains_key(look.name) {
                continue;
            }
            match self.unsound_parent(look.name) {
                Some(parent) => {
                    let because = match self.unsound.get(&parent) {
                        Some(Verdict::NotChecked { because }) => because.clone(),
                        Some(Verdict::Broken | Verdict::Sound) | None => format!("{parent} has a mistake"),
                    };
                    self.unsound.insert(look.name.clone(), Verdict::NotChecked { because });
                }
                None => self.broken(look.name, verdict::mistake(self.subject, self.looks.scratch, (look, &error))),
            }
        }
        Ok(())
    }

    /// A parent that is unsound and has no shell; a table that models merge into has one whatever they say.
    fn unsound_parent(&self, name: &NodeName) -> Option<NodeName> {
        let is_missing = |parent: &&NodeName| self.unsound.contains_key(*parent) && !self.known.contains_key(*parent);
        self.subject.compiled.graph.parents(name).into_iter().find(is_missing).cloned()
    }

    fn broken(&mut self, name: &NodeName, mistake: Diagnostic) {
        self.mistakes.push(mistake);
        self.unsound.insert(name.clone(), Verdict::Broken);
    }

    fn columns_unknown(&mut self, stage: &StageNode) {
        let name = &stage.name;
        let mistake = Diagnostic::error(
            Code::UnknownColumns,
            format!("the columns of source table \"{}\" are not known", stage.table),
        )
        .at(stage.declared_at.clone())
        .hint(format!("copy it once with unimig run --select {name}, or declare all of its columns with data_type"));
        self.mistakes.push(mistake);
        let because = format!("the columns of {name} are not known");
        self.unsound.insert(name.clone(), Verdict::NotChecked { because });
    }

    /// The columns of every shell that stands now.
    async fn columns(&self) -> Result<BTreeMap<Relation, Vec<StagedColumn>>, PostgresError> {
        let schemas: Vec<&str> = self.looks.scratch.schemas().into_iter().map(Ident::as_str).collect();
        let rows = self
            .client
            .query_typed(&description::STATEMENTS.render("shell_columns", context! {}), &[(&schemas, Type::TEXT_ARRAY)])
            .await
            .map_err(|error| PostgresError::server("read the models' columns", error))?;
        let shells = rows.iter().map(|row| {
            let ident = |name: String| Ident::from_catalog(name);
            let (names, types): (Vec<String>, Vec<String>) = (row.get("names"), row.get("types"));
            let columns = names.into_iter().zip(types);
            let columns = columns.map(|(name, data_type)| StagedColumn { name: ident(name), data_type });
            let relation = Relation::new(ident(row.get("schema_name")), ident(row.get("relation_name")));
            (relation, columns.collect())
        });
        Ok(shells.collect())
    }

    /// Holds a model's SELECT against the model's contract.
    async fn contract(
        &mut self,
        name: &'a NodeName,
        place: usize,
        columns: &BTreeMap<Relation, Vec<StagedColumn>>,
    ) -> Result<(), PostgresError> {
        let model = self.subject.workspace.manifest.models.get(name);
        let Some(model) = model.filter(|model| model.contract.is_some() && !self.unsound.contains_key(name)) else {
            return Ok(());
        };
        let shell = match model.materialization {
            Materialization::Merge(_) => self.looks.scratch.select(place),
            Materialization::Incremental(_)
            | Materialization::Snapshot(_)
            | Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_)
            | Materialization::Ephemeral => self.looks.scratch.shell(&model.relation),
        };
        let Some(selected) = columns.get(&shell) else { return Ok(()) };
        let failed = |error| PostgresError::server("check the contracts", error);
        // What the server can't read as a type ends what was begun.
        self.client.batch_execute("savepoint unimig_contract").await.map_err(failed)?;
        let mistake = transform::contract_mistake(self.client, model, selected).await?;
        let end = "rollback to savepoint unimig_contract;\nrelease savepoint unimig_contract";
        self.client.batch_execute(end).await.map_err(failed)?;
        if let Some(mistake) = mistake {
            self.broken(name, mistake);
        }
        Ok(())
    }

    /// Notes a model's columns; of one that merges, holds them against its table, and gives the look at its INSERT.
    fn learn(
        &mut self,
        name: &'a NodeName,
        place: usize,
        columns: &BTreeMap<Relation, Vec<StagedColumn>>,
    ) -> Option<Look<'a>> {
        let model: &'a ModelNode = self.subject.workspace.manifest.models.get(name)?;
        if self.unsound.contains_key(name) {
            return None;
        }
        let own = || columns.get(&self.looks.scratch.shell(&model.relation)).cloned();
        match &model.materialization {
            Materialization::Incremental(_)
            | Materialization::Snapshot(_)
            | Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_) => {
                let columns = own()?;
                self.known.insert(name.clone(), ShellColumns { columns, primary_key: Vec::new() });
                None
            }
            Materialization::Ephemeral => None,
            Materialization::Merge(config) => match columns.get(&self.looks.scratch.select(place)) {
                Some(selected) => self.merged(model, config, selected),
                None => {
                    let columns = own()?;
                    self.known.insert(name.clone(), ShellColumns { columns, primary_key: Vec::new() });
                    let tables = self.subject.description.relations.iter().map(|relation| &relation.name);
                    self.broken(name, plan::unknown_target(model, tables));
                    None
                }
            },
        }
    }

    fn merged(&mut self, model: &'a ModelNode, config: &MergeConfig, typed: &[StagedColumn]) -> Option<Look<'a>> {
        let selected: Vec<Ident> = typed.iter().map(|column| column.name.clone()).collect();
        let selected = selected.as_slice();
        let described = self.subject.description.relation(&model.relation)?;
        let target = described.target();
        let shape = MergeShape {
            node: &model.name,
            target: &target,
            unique_key: &config.unique_key,
            deletes: &config.deletes,
            selected,
        };
        let faults = column_faults(shape);
        if !faults.is_empty() {
            let mistake = transform::column_mistake((model, &target), selected, &faults);
            self.broken(&model.name, mistake);
            return None;
        }
        let warning = verdict::missing_required(model, selected, described.required().cloned());
        self.mistakes.0.extend(warning);
        let inserted = typed.iter().map(|column| {
            let wanted = target.column(&column.name).map(|column| column.data_type.as_str()).unwrap_or_default();
            let is_cast = is_text(&column.data_type) && !is_text(wanted);
            InsertedColumn { name: column.name.clone(), cast: is_cast.then(|| wanted.to_owned()) }
        });
        Some(self.looks.insert(model, &inserted.collect::<Vec<_>>()))
    }
}

/// A merge reads text as the column's type.
fn is_text(data_type: &str) -> bool {
    data_type == "text" || data_type.starts_with("character") && !data_type.ends_with(']')
}
