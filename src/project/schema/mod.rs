//! JSON Schemas of the project's YAML files, for editors: completion, a sentence for each key, a line under mistakes.
//!
//! `keys.txt` says what each key is; `vocabulary` reads it, `document` makes schemas of it. The test below loads
//! projects and holds it against the keys that the readers take, so that neither can drift.

mod document;
mod page;
#[cfg(test)]
pub(super) mod recorded;
#[cfg(test)]
mod tests;
mod vocabulary;

use serde_json::Value;

pub use page::page;

/// One kind of YAML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `unimig.yml` or `dbt_project.yml`.
    Project,
    Profiles,
    /// Sources, and what is known of models, seeds and the rest.
    Properties,
    /// `packages.yml` or `dependencies.yml`.
    Packages,
    /// `selectors.yml`.
    Selectors,
    /// How keys become ids of the target.
    Crosswalks,
}

impl FileKind {
    pub const ALL: &'static [Self] =
        &[Self::Project, Self::Profiles, Self::Properties, Self::Packages, Self::Selectors, Self::Crosswalks];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Profiles => "profiles",
            Self::Properties => "properties",
            Self::Packages => "packages",
            Self::Selectors => "selectors",
            Self::Crosswalks => "crosswalks",
        }
    }

    /// The files that are of this kind, as editors name them, relative to the project folder.
    pub fn globs(self) -> &'static [&'static str] {
        match self {
            Self::Project => &["unimig.yml", "dbt_project.yml"],
            Self::Profiles => &["profiles.yml"],
            Self::Packages => &["packages.yml", "dependencies.yml"],
            Self::Selectors => &["selectors.yml"],
            Self::Crosswalks => &["crosswalks/**/*.yml"],
            Self::Properties => &[
                "models/**/*.yml",
                "sources/**/*.yml",
                "seeds/**/*.yml",
                "snapshots/**/*.yml",
                "tests/**/*.yml",
                "macros/**/*.yml",
                "analyses/**/*.yml",
            ],
        }
    }

    /// The section of `keys.txt` that the whole file is.
    fn section(self) -> &'static str {
        match self {
            Self::Project => "project file",
            Self::Profiles => "profiles file",
            Self::Properties => "property file",
            Self::Packages => "packages file",
            Self::Selectors => "selector file",
            Self::Crosswalks => "crosswalk file",
        }
    }
}

/// The schema of a kind of file, draft 2020-12.
pub fn schema(kind: FileKind) -> Value {
    document::document(kind, &vocabulary::vocabulary())
}
