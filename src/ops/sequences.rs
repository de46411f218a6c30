//! `sequences`: whether the application can go on numbering rows of the tables that models merge into.

use crate::ident::Relation;
use crate::manifest::Materialization;
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::workspace::Workspace;
use crate::transform::sequences::{self, Sequence};

/// Every sequence that numbers rows of a table which a model merges into, as it stands.
pub async fn check(workspace: &Workspace) -> Result<Vec<Sequence>, OpError> {
    with_target(workspace, Fix::No).await
}

/// Moves those that are behind, and tells how all stand then.
pub async fn fix(workspace: &Workspace) -> Result<Vec<Sequence>, OpError> {
    with_target(workspace, Fix::Yes).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fix {
    Yes,
    No,
}

async fn with_target(workspace: &Workspace, fix: Fix) -> Result<Vec<Sequence>, OpError> {
    let merged = |model: &&crate::manifest::ModelNode| matches!(model.materialization, Materialization::Merge(_));
    let tables: Vec<&Relation> =
        workspace.manifest.models.values().filter(merged).map(|model| &model.relation).collect();
    let connections = Connections::open(workspace, 1).await?;
    let found = async {
        let session = connections.target.lease("sequences").await?;
        let found = sequences::look(&session, &tables).await?;
        if fix == Fix::No {
            return Ok(found);
        }
        for sequence in &found {
            sequences::advance(&session, sequence).await?;
        }
        Ok(sequences::look(&session, &tables).await?)
    };
    let found = found.await;
    connections.close().await?;
    found
}
