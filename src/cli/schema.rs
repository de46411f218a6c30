//! `schema`: JSON Schemas for editors, printed or written to a folder.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use crate::cli::Door;
use crate::ops::{OpError, schema};
use crate::project::schema::FileKind;

#[derive(Debug, Args)]
pub(super) struct SchemaArguments {
    /// The kind of file; without it, all of them
    #[arg(value_enum)]
    pub kind: Option<KindArgument>,
    /// Write KIND.schema.json files to a folder instead of printing
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KindArgument {
    /// unimig.yml or dbt_project.yml
    Project,
    /// profiles.yml
    Profiles,
    /// sources, and what is known of models, seeds and the rest
    Properties,
    /// packages.yml
    Packages,
    /// selectors.yml
    Selectors,
    /// crosswalks: how keys become ids of the target
    Crosswalks,
}

impl From<KindArgument> for FileKind {
    fn from(argument: KindArgument) -> Self {
        match argument {
            KindArgument::Project => Self::Project,
            KindArgument::Profiles => Self::Profiles,
            KindArgument::Properties => Self::Properties,
            KindArgument::Packages => Self::Packages,
            KindArgument::Selectors => Self::Selectors,
            KindArgument::Crosswalks => Self::Crosswalks,
        }
    }
}

pub(super) fn schema(door: &Door, arguments: &SchemaArguments) -> Result<u8, OpError> {
    let kinds: Vec<FileKind> = match arguments.kind {
        Some(kind) => vec![kind.into()],
        None => FileKind::ALL.to_vec(),
    };
    if let Some(folder) = &arguments.write {
        for (kind, path) in schema::write(&kinds, folder)? {
            door.terminal.say(&format!("wrote {} for {}", path.display(), kind.globs().join(", ")));
        }
        return Ok(0);
    }
    let printed = match (arguments.kind, kinds.as_slice()) {
        (Some(_), [kind]) => crate::project::schema::schema(*kind),
        _ => {
            let all = kinds.iter().map(|kind| (kind.as_str().to_owned(), crate::project::schema::schema(*kind)));
            Value::Object(all.collect::<Map<_, _>>())
        }
    };
    door.terminal.print(&format!("{printed:#}"));
    Ok(0)
}
