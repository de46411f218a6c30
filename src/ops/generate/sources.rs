//! `generate sources`: the tables of a connection as declarations, or what has changed at the source since.
//!
//! 1. The connection's catalog is read in one read-only session.
//! 2. A source that is declared is brought up to date in its own file; another one gets a file of its own.
//! 3. The difference is shown, and written if that was asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use similar::TextDiff;

use super::{Writing, catalog, check_patterns, write};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile};
use crate::generate::{self, Change, FoundTable, Sizes, SourceHead};
use crate::ops::OpError;
use crate::ops::connections::Connections;
use crate::ops::workspace::Workspace;
use crate::project::{Flavour, SourceDecl};

#[derive(Debug, Clone)]
pub struct SourcesOptions {
    pub connection: String,
    /// Without one, as the source is declared, else `public`.
    pub schema: Option<String>,
    /// Names, in which `*` stands for anything; empty takes all.
    pub tables: Vec<String>,
    /// The source's name; without one, the connection's.
    pub source: Option<String>,
    pub big_from_rows: u64,
    pub writing: Writing,
}

/// What was found to differ.
#[derive(Debug, Clone)]
pub struct SourcesReport {
    /// Relative to the project's folder.
    pub path: PathBuf,
    pub is_new: bool,
    /// Of a file that was there; a new one is all new.
    pub changes: Vec<Change>,
    /// As `diff -u` shows it; empty where nothing differs.
    pub diff: String,
}

/// Reads the catalog, and shows or writes what the project's file lacks.
pub async fn sources(workspace: &Workspace, options: &SourcesOptions) -> Result<SourcesReport, OpError> {
    check_connection(workspace, &options.connection)?;
    let name = options.source.as_ref().unwrap_or(&options.connection);
    let declared = workspace.project.declared.sources.iter().find(|source| source.name.value == *name);
    let schema = schema(declared, options)?;
    let tables = read(workspace, options, &schema).await?;
    let known = tables.iter().map(|table| table.name.as_str()).chain(declared_tables(declared));
    let place = format!("schema \"{schema}\" of connection \"{}\"", options.connection);
    check_patterns(&options.tables, (known, &place), Code::UnknownSourceTable)?;
    let head = SourceHead {
        name,
        connection: &options.connection,
        schema: &schema,
        sizes: Sizes { big_from_rows: options.big_from_rows },
    };
    let drafted = match declared {
        Some(declared) => update(workspace, (&head, declared), (&tables, options))?,
        None => begin(workspace, &head, (&tables, options))?,
    };
    if options.writing == Writing::Write && !drafted.report.diff.is_empty() {
        write(&workspace.project.root, &drafted.report.path, &drafted.text)?;
    }
    Ok(drafted.report)
}

struct Drafted {
    text: String,
    report: SourcesReport,
}

fn check_connection(workspace: &Workspace, name: &str) -> Result<(), OpError> {
    let environment = &workspace.environment;
    if environment.connections.contains_key(name) {
        return Ok(());
    }
    let known: Vec<&str> = environment.connections.keys().map(String::as_str).collect();
    let message = format!("connection \"{name}\" is not in output \"{}\"", environment.target_name);
    let mistake = Diagnostic::error(Code::UnknownConnection, message)
        .at(environment.target.declared_at.clone())
        .did_you_mean(name, known.iter().copied());
    let mistake = match mistake.hint {
        Some(_) => mistake,
        None if known.is_empty() => mistake.hint("add it to the output's connections: in profiles.yml"),
        None => mistake.hint(format!("the output has {}", known.join(", "))),
    };
    Err(OpError::Project(Diagnostics(vec![mistake])))
}

/// The one that is declared, unless the command line names one; a source is of one schema.
fn schema(declared: Option<&SourceDecl>, options: &SourcesOptions) -> Result<String, OpError> {
    let written = declared.map(|source| source.schema.as_ref().map_or("public", |schema| schema.value.as_str()));
    match (written, &options.schema) {
        (Some(written), Some(given)) if written != given => Err(OpError::usage(
            format!("source \"{}\" is declared with schema \"{written}\"", declared_name(declared)),
            "a source is of one schema: give another one a name of its own with --source",
        )),
        (_, Some(given)) => Ok(given.clone()),
        (Some(written), None) => Ok(written.to_owned()),
        (None, None) => Ok("public".to_owned()),
    }
}

fn declared_name(declared: Option<&SourceDecl>) -> &str {
    declared.map(|source| source.name.value.as_str()).unwrap_or_default()
}

/// As the source calls them; some may be gone there.
fn declared_tables(declared: Option<&SourceDecl>) -> impl Iterator<Item = &str> + Clone {
    let tables = declared.map_or(&[][..], |source| &source.tables);
    tables.iter().map(|table| match &table.identifier {
        Some(identifier) => identifier.value.as_str(),
        None => table.name.value.as_str(),
    })
}

async fn read(workspace: &Workspace, options: &SourcesOptions, schema: &str) -> Result<Vec<FoundTable>, OpError> {
    let connections = Connections::open(workspace, 1).await?;
    let read = look(&connections, options, schema).await;
    connections.close().await?;
    read
}

async fn look(connections: &Connections, options: &SourcesOptions, schema: &str) -> Result<Vec<FoundTable>, OpError> {
    let pool = &connections.sources[&options.connection];
    let session = pool.lease("generate sources").await?;
    let found = catalog::found(&session, schema).await?;
    if !found.is_empty() {
        return Ok(found);
    }
    let schemas = catalog::schemas(&session).await?;
    if schemas.iter().any(|known| known == schema) {
        return Ok(found);
    }
    Err(OpError::usage(
        format!("connection \"{}\" has no schema \"{schema}\"", options.connection),
        format!("--schema names one of {}", schemas.join(", ")),
    ))
}

/// A file of its own for a source that is not declared yet.
fn begin(
    workspace: &Workspace,
    head: &SourceHead<'_>,
    (tables, options): (&[FoundTable], &SourcesOptions),
) -> Result<Drafted, OpError> {
    let path = new_path(workspace, head.name);
    if workspace.project.root.join(&path).exists() {
        return Err(OpError::usage(
            format!("{} is there, and does not declare source \"{}\"", path.display(), head.name),
            "declare it there with its name alone, and it will be filled in; or move the file away",
        ));
    }
    let chosen: Vec<FoundTable> =
        tables.iter().filter(|table| generate::matches(&options.tables, &table.name)).cloned().collect();
    let text = generate::declare(head, &chosen);
    let diff = diff(("", &text), ("/dev/null", &format!("b/{}", path.display())));
    Ok(Drafted { text, report: SourcesReport { path, is_new: true, changes: Vec::new(), diff } })
}

/// Where sources are looked for: dbt has no folder of their own.
fn new_path(workspace: &Workspace, source: &str) -> PathBuf {
    let roots = &workspace.project.roots;
    let of_sources = Path::new("sources");
    let folder = match (workspace.project.flavour, roots.first()) {
        (Flavour::Unimig, _) if roots.iter().any(|root| root == of_sources) => of_sources,
        (_, Some(first)) => first.as_path(),
        (_, None) => of_sources,
    };
    let safe = |letter: char| if letter.is_alphanumeric() || "_-.".contains(letter) { letter } else { '_' };
    folder.join(format!("{}.yml", source.chars().map(safe).collect::<String>()))
}

/// The file that declares the source, with what it lacks.
fn update(
    workspace: &Workspace,
    (head, declared): (&SourceHead<'_>, &SourceDecl),
    (tables, options): (&[FoundTable], &SourcesOptions),
) -> Result<Drafted, OpError> {
    const MARK: &str = "\u{feff}";
    let path = declared.name.span.path().to_path_buf();
    let on_disk = workspace.project.root.join(&path);
    let written = fs_err::read_to_string(&on_disk).map_err(|source| OpError::File {
        doing: "read",
        path: on_disk.clone(),
        source,
    })?;
    let (mark, text) = match written.strip_prefix(MARK) {
        Some(text) => (MARK, text),
        None => ("", written.as_str()),
    };
    let file = Arc::new(SourceFile { path: path.clone(), text: text.to_owned(), written: None });
    let edited = generate::update(&file, head, (tables, &options.tables)).map_err(|error| {
        OpError::usage(
            format!("{} cannot be brought up to date: {error}", path.display()),
            "write the tables of the source as a list, each with a line of its own for its dash",
        )
    })?;
    let name = path.display();
    let diff = diff((text, &edited.text), (&format!("a/{name}"), &format!("b/{name}")));
    let report = SourcesReport { path, is_new: false, changes: edited.changes, diff };
    Ok(Drafted { text: format!("{mark}{}", edited.text), report })
}

fn diff((old, new): (&str, &str), (old_name, new_name): (&str, &str)) -> String {
    match old == new {
        true => String::new(),
        false => TextDiff::from_lines(old, new).unified_diff().header(old_name, new_name).to_string(),
    }
}
