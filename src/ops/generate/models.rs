//! `generate models`: a first SELECT for each table of the target that no model fills, from the staged table of its name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Writing, catalog, check_patterns, write};
use crate::compile::CompileFacts;
use crate::diagnostic::{Code, Diagnostics};
use crate::extract::{self, ExtractError};
use crate::generate::{self, Offered, OfferedColumn, Wanted};
use crate::ident::{Ident, Relation};
use crate::manifest::StageNode;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::workspace::{CompiledProject, Workspace};

#[derive(Debug, Clone)]
pub struct ModelsOptions {
    /// Of the target; without one, its own.
    pub schema: Option<String>,
    /// Names, in which `*` stands for anything; empty takes all.
    pub tables: Vec<String>,
    /// Only staged tables of this source.
    pub source: Option<String>,
    pub writing: Writing,
}

/// What became of one table of the target.
#[derive(Debug, Clone)]
pub struct Drafting {
    pub table: String,
    pub outcome: Outcome,
}

#[derive(Debug, Clone)]
pub enum Outcome {
    Drafted {
        /// Relative to the project's folder.
        path: PathBuf,
        text: String,
    },
    /// A model fills it.
    Filled { model: String },
    /// The file is there, and stays as it is.
    Taken { path: PathBuf },
    /// No staged table is called so, or none has a column in common.
    Unmatched { candidates: Vec<String> },
}

/// Drafts models; files that are there are never written.
pub async fn models(workspace: &Workspace, options: &ModelsOptions) -> Result<Vec<Drafting>, OpError> {
    if let Some(source) = &options.source
        && !workspace.manifest.stages.values().any(|stage| stage.source == *source)
    {
        return Err(OpError::usage(
            format!("no staged source is called \"{source}\""),
            "unimig ls --resource-type source lists what is declared",
        ));
    }
    let compiled = workspace.compile(&CompileFacts::default())?;
    let connections = Connections::open(workspace, 1).await?;
    let drafted = draft(workspace, (&connections, &compiled), options).await;
    connections.close().await?;
    let drafted = drafted?;
    for drafting in &drafted {
        if let (Writing::Write, Outcome::Drafted { path, text }) = (options.writing, &drafting.outcome) {
            write(&workspace.project.root, path, text)?;
        }
    }
    Ok(drafted)
}

async fn draft(
    workspace: &Workspace,
    (connections, compiled): (&Connections, &CompiledProject),
    options: &ModelsOptions,
) -> Result<Vec<Drafting>, OpError> {
    let own_schema = &workspace.environment.target.schema;
    let schema = options.schema.as_deref().unwrap_or(own_schema.as_str());
    let session = connections.target.lease("generate models").await?;
    let mut wanted = catalog::wanted(&session, schema).await?;
    drop(session);
    let known = wanted.iter().map(|table| table.table.as_str());
    check_patterns(&options.tables, (known, &format!("schema \"{schema}\" of the target")), Code::UnknownTargetTable)?;
    wanted.retain(|table| generate::matches(&options.tables, table.table.as_str()));
    let mut drafted = Vec::with_capacity(wanted.len());
    let mut known = BTreeMap::new();
    for mut table in wanted {
        table.schema = (schema != own_schema.as_str()).then(|| Ident::from_catalog(schema));
        let mut candidates = Vec::new();
        for stage in workspace.manifest.stages.values().filter(|stage| is_candidate(stage, &table, options)) {
            if !known.contains_key(&stage.name) {
                known.insert(stage.name.clone(), offered((connections, compiled), stage).await?);
            }
            candidates.extend(known.get(&stage.name).cloned());
        }
        let outcome = outcome(workspace, (&table, schema), &candidates);
        drafted.push(Drafting { table: format!("{schema}.{}", table.table.as_str()), outcome });
    }
    Ok(drafted)
}

fn is_candidate(stage: &StageNode, table: &Wanted, options: &ModelsOptions) -> bool {
    options.source.as_ref().is_none_or(|source| stage.source == *source)
        && generate::same_noun(&stage.table, table.table.as_str())
}

/// The columns that staging has, or will have.
async fn offered(
    (connections, compiled): (&Connections, &CompiledProject),
    stage: &StageNode,
) -> Result<Offered, OpError> {
    let session = connections.sources[&stage.connection].lease("generate models").await?;
    let extraction = compiled.compiled.get(&stage.name).map(|compiled| &compiled.sql);
    let shape = extract::describe(&session, stage, extraction).await.map_err(refused)?;
    let columns = shape.columns.into_iter();
    Ok(Offered {
        source: stage.source.clone(),
        table: stage.table.clone(),
        columns: columns.map(|column| OfferedColumn { name: column.name, data_type: column.staged_type }).collect(),
    })
}

fn outcome(workspace: &Workspace, (table, schema): (&Wanted, &str), candidates: &[Offered]) -> Outcome {
    let relation = Relation::new(Ident::from_catalog(schema), table.table.clone());
    if let Some(model) = workspace.manifest.models.values().find(|model| model.relation == relation) {
        return Outcome::Filled { model: model.name.to_string() };
    }
    let path = folder(workspace).join(format!("{}.sql", generate::file_stem(&table.table)));
    if workspace.project.root.join(&path).exists() {
        return Outcome::Taken { path };
    }
    match generate::model(table, candidates) {
        Some(text) => Outcome::Drafted { path, text },
        None => {
            let names = candidates.iter().map(|offered| format!("{}.{}", offered.source, offered.table));
            Outcome::Unmatched { candidates: names.collect() }
        }
    }
}

fn folder(workspace: &Workspace) -> PathBuf {
    let models = Path::new("models");
    let roots = &workspace.project.roots;
    let root = if roots.iter().any(|root| root == models) { Some(models) } else { roots.first().map(PathBuf::as_path) };
    root.unwrap_or(models).join("bl")
}

fn refused(error: ExtractError) -> OpError {
    match error {
        ExtractError::Postgres(error) => OpError::Postgres(error),
        ExtractError::Store(error) => OpError::Store(error),
        ExtractError::Project(mistake) => OpError::Project(Diagnostics(vec![*mistake])),
        // Nothing is copied here.
        ExtractError::Broken { .. } => OpError::Usage { message: error.to_string(), hint: None },
    }
}
