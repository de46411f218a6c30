//! `check --offline`: the target's catalog in a file of the project, and a database of the private server made after
//! it.

use std::path::PathBuf;

use minijinja::context;
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use crate::ident::{Ident, Literal, Relation};
use crate::materialize::shell;
use crate::ops::OpError;
use crate::ops::check::Subject;
use crate::ops::check::scratch::Scratch;
use crate::ops::connections::private_server;
use crate::ops::workspace::Workspace;
use crate::postgres::server::Borrowed;
use crate::postgres::{Pool, PostgresError, Role};
use crate::sql::{quoted, quoted_list};
use crate::transform::description::{self, Functions, STATEMENTS, TargetDescription};
use crate::transform::flight;

/// The file, beside the project's own.
pub const CATALOG_FILE: &str = "target_catalog.json";

/// The form of the file that this version writes and reads.
const FORMAT: u32 = 1;

/// The database of the private server that a check works in; it stays empty.
const DATABASE: &str = "unimig_check";

#[derive(Debug, Serialize, Deserialize)]
struct CatalogFile {
    format: u32,
    #[serde(flatten)]
    catalog: TargetDescription,
}

/// A session's place on the private server.
pub(super) struct Offline {
    pub pool: Pool,
    borrowed: Borrowed,
}

impl Offline {
    pub(super) async fn open(workspace: &Workspace) -> Result<Self, OpError> {
        let borrowed = private_server(workspace)?.borrow().await?;
        borrowed.server().ensure_database(DATABASE).await?;
        let endpoint = borrowed.server().endpoint(DATABASE);
        Ok(Self { pool: Pool::new("offline", endpoint, Role::Target, 1), borrowed })
    }

    pub(super) async fn close(self) -> Result<(), OpError> {
        self.pool.close();
        self.borrowed.give_back().await?;
        Ok(())
    }
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.project.root.join(CATALOG_FILE)
}

/// Reads the file, and refuses one of another version.
pub(super) fn read(workspace: &Workspace) -> Result<TargetDescription, OpError> {
    let path = path(workspace);
    let text = match fs_err::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(OpError::usage(
                format!("the project holds no {CATALOG_FILE}"),
                "unimig check --save-catalog reads the target's catalog and writes it",
            ));
        }
        Err(source) => return Err(OpError::File { doing: "read", path, source }),
    };
    let again = "write it anew: unimig check --save-catalog";
    let file: CatalogFile = serde_json::from_str(&text)
        .map_err(|error| OpError::usage(format!("{CATALOG_FILE} can't be read: {error}"), again))?;
    if file.format != FORMAT {
        let message = format!("{CATALOG_FILE} is of format {}, and this version reads {FORMAT}", file.format);
        return Err(OpError::usage(message, again));
    }
    Ok(file.catalog)
}

/// Describes every schema of the target and writes the file. The transaction is open.
pub(super) async fn save(workspace: &Workspace, client: &Client) -> Result<PathBuf, OpError> {
    let schemas = description::user_schemas(client).await?;
    let schemas: Vec<&str> = schemas.iter().map(String::as_str).collect();
    let catalog = description::describe(client, &schemas, Functions::Describe).await?;
    let path = path(workspace);
    let text = serde_json::to_string_pretty(&CatalogFile { format: FORMAT, catalog })
        .expect("names and lists of names can be written as JSON");
    fs_err::write(&path, text + "\n").map_err(|source| OpError::File { doing: "write", path: path.clone(), source })?;
    Ok(path)
}

/// Makes what the catalog describes and the project does not maintain: extensions, types, functions without body,
/// tables without rows. Gives what could not be made.
pub(super) async fn furnish(
    client: &Client,
    subject: &Subject<'_>,
    scratch: &Scratch,
) -> Result<Vec<String>, PostgresError> {
    let catalog = &subject.description;
    let mut made: Vec<(String, String)> = Vec::new();
    let render = |name, context| STATEMENTS.render(name, context);
    for schema in schemas(catalog) {
        made.push((format!("schema {schema}"), render("create_schema", context! { schema => quoted(schema) })));
    }
    for extension in &catalog.extensions {
        let statement = render("create_extension", context! { extension => quoted(extension) });
        made.push((format!("extension {extension}"), statement));
    }
    for described in &catalog.types {
        let name = Relation::new(described.schema.clone(), described.name.clone());
        let statement = match (&described.labels, &described.base) {
            (Some(labels), _) => {
                let labels = quoted_list(labels.iter().map(|label| Literal(label)));
                render("create_enum", context! { name => quoted(&name), labels })
            }
            (None, base) => {
                let base = base.as_deref().unwrap_or("text");
                render("create_domain", context! { name => quoted(&name), base => quoted(base) })
            }
        };
        made.push((format!("type {name}"), statement));
    }
    for described in &catalog.relations {
        let relation = Relation::new(described.schema.clone(), described.name.clone());
        if !scratch.stands_for(&relation) {
            made.push((format!("table {relation}"), shell::create_table(&relation, &described.shell())));
        }
    }
    for function in &catalog.functions {
        let name = Relation::new(function.schema.clone(), function.name.clone());
        let statement = render(
            "create_function",
            context! {
                name => quoted(&name),
                arguments => quoted(&function.arguments),
                result => quoted(&function.result),
            },
        );
        made.push((format!("function {name}({})", function.arguments), statement));
    }
    let statements: Vec<String> = made.iter().map(|(_, statement)| statement.clone()).collect();
    let verdicts = flight::fly(client, &statements).await?;
    let refused = made.into_iter().zip(verdicts).filter_map(|((what, _), error)| {
        let error = error?;
        let why = error.server_error().map_or_else(|| error.to_string(), |server| server.message.clone());
        Some(format!("{what}: {why}"))
    });
    Ok(refused.collect())
}

fn schemas(catalog: &TargetDescription) -> std::collections::BTreeSet<&Ident> {
    let types = catalog.types.iter().map(|described| &described.schema);
    let relations = catalog.relations.iter().map(|described| &described.schema);
    types.chain(relations).chain(catalog.functions.iter().map(|described| &described.schema)).collect()
}
