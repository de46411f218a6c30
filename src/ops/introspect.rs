//! Templates that ask the database, for verbs that run no plan: they are compiled against the target as it is now.

use std::sync::Arc;

use tokio_postgres::Client;

use crate::compile::{CompileFacts, Later};
use crate::ident::NodeName;
use crate::manifest::jinja::Session;
use crate::ops::OpError;
use crate::ops::workspace::{CompiledProject, Workspace};
use crate::transform::asking;

/// Whether one of the wanted nodes is compiled with a session only.
pub fn asks(compiled: &CompiledProject, is_wanted: impl Fn(&NodeName) -> bool) -> bool {
    compiled.compiled.iter().any(|(name, node)| node.later && is_wanted(name))
}

/// Compiles the wanted nodes that ask the database, parents first.
pub async fn complete(
    workspace: &Workspace,
    compiled: &mut CompiledProject,
    is_wanted: impl Fn(&NodeName) -> bool,
    client: &Client,
) -> Result<(), OpError> {
    let project = (&workspace.project, &workspace.manifest, &workspace.environment);
    let Some(later) = Later::of(project, &CompileFacts::default(), &compiled.compiled)? else { return Ok(()) };
    let later = Arc::new(later);
    let waiting: Vec<NodeName> = compiled
        .graph
        .topological_order()
        .iter()
        .filter(|name| is_wanted(name) && later.is_waiting(name))
        .cloned()
        .collect();
    for name in waiting {
        let (compiling, node) = (Arc::clone(&later), name.clone());
        let done = asking(client, move |server| compiling.compile(&node, &Session::Live(server))).await?;
        compiled.compiled.insert(name, done);
    }
    Ok(())
}
