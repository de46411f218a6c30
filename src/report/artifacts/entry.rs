//! An entry of `nodes` as it is written: the fields of all kinds, then those of a kind.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::config::Config;
use super::identity::Checksum;
use crate::ident::Ident;
use crate::manifest::ColumnNode;
use crate::project::ConstraintDecl;

#[derive(Serialize)]
pub(super) struct Entry<'a> {
    pub resource_type: &'static str,
    pub unique_id: &'a str,
    pub name: &'a str,
    pub alias: &'a str,
    pub package_name: &'a str,
    pub database: &'a str,
    pub schema: &'a str,
    pub path: String,
    pub original_file_path: Cow<'a, str>,
    pub fqn: Vec<&'a str>,
    pub checksum: Checksum<'a>,
    pub description: &'a str,
    pub columns: Columns<'a>,
    pub config: Config<'a>,
    pub unrendered_config: &'a Map<String, Value>,
    pub tags: Value,
    pub meta: Value,
    pub group: Value,
    pub docs: Value,
    pub patch_path: Option<String>,
    pub build_path: (),
    pub relation_name: Option<String>,
    pub raw_code: Cow<'a, str>,
    pub doc_blocks: [&'a str; 0],
    pub created_at: f64,
    pub depends_on: DependsOn<'a>,
    #[serde(flatten)]
    pub code: Option<Code<'a>>,
    #[serde(flatten)]
    pub model: Option<OfModel<'a>>,
    #[serde(flatten)]
    pub seed: Option<OfSeed<'a>>,
    #[serde(flatten)]
    pub test: Option<OfTest<'a>>,
}

/// What a node's code calls and reads; nothing is said of the nodes below a seed.
#[derive(Default, Serialize)]
pub(super) struct DependsOn<'a> {
    pub macros: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Vec<&'a str>>,
}

/// The fields of a node whose code is a SELECT.
#[derive(Serialize)]
pub(super) struct Code<'a> {
    pub language: &'static str,
    pub refs: Vec<Ref<'a>>,
    pub sources: Vec<[&'a str; 2]>,
    pub metrics: [&'a str; 0],
    pub functions: [&'a str; 0],
    pub compiled_path: Option<String>,
    pub compiled: bool,
    pub compiled_code: Option<&'a str>,
    pub extra_ctes_injected: bool,
    pub extra_ctes: Vec<Cte<'a>>,
    pub contract: Value,
}

/// The package is named where it is not the project's own.
#[derive(Serialize)]
pub(super) struct Ref<'a> {
    pub name: &'a str,
    pub package: Option<&'a str>,
    pub version: (),
}

/// An ephemeral model in front of the SELECT that reads it.
#[derive(Serialize)]
pub(super) struct Cte<'a> {
    pub id: &'a str,
    pub sql: String,
}

#[derive(Serialize)]
pub(super) struct OfModel<'a> {
    pub access: Value,
    pub constraints: Vec<Constraint<'a>>,
    pub version: (),
    pub latest_version: (),
    pub deprecation_date: Option<&'a str>,
    /// The columns that tell rows apart, where the project names them.
    pub primary_key: Vec<&'a str>,
    pub time_spine: (),
}

#[derive(Serialize)]
pub(super) struct OfSeed<'a> {
    pub root_path: Cow<'a, str>,
}

/// What only tests of YAML have.
#[derive(Serialize)]
pub(super) struct OfTest<'a> {
    pub column_name: Option<&'a Value>,
    pub attached_node: Option<&'a str>,
    pub test_metadata: TestMetadata<'a>,
}

#[derive(Serialize)]
pub(super) struct TestMetadata<'a> {
    pub name: &'a str,
    pub kwargs: &'a Map<String, Value>,
    pub namespace: Option<&'a str>,
}

/// `columns`, by name.
pub(super) struct Columns<'a>(pub &'a [ColumnNode]);

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for column in self.0 {
            map.serialize_entry(&column.name, &Column::of(column))?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a Ident,
    description: &'a str,
    meta: Meta<'a>,
    data_type: Option<&'a str>,
    constraints: Vec<Constraint<'a>>,
    quote: Option<bool>,
    config: ColumnConfig<'a>,
    tags: &'a [String],
    granularity: (),
    doc_blocks: [&'a str; 0],
}

#[derive(Serialize)]
struct ColumnConfig<'a> {
    meta: Meta<'a>,
    tags: &'a [String],
}

/// A map, if only an empty one.
#[derive(Clone, Copy)]
struct Meta<'a>(&'a Value);

impl Serialize for Meta<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_null() { serializer.serialize_map(Some(0))?.end() } else { self.0.serialize(serializer) }
    }
}

impl<'a> Column<'a> {
    fn of(column: &'a ColumnNode) -> Self {
        Self {
            name: &column.name,
            description: &column.description,
            meta: Meta(&column.meta),
            data_type: column.data_type.as_deref(),
            constraints: column.constraints.iter().map(Constraint::of_column).collect(),
            quote: column.quote,
            config: ColumnConfig { meta: Meta(&column.meta), tags: &column.tags },
            tags: &column.tags,
            granularity: (),
            doc_blocks: [],
        }
    }
}

/// A constraint of a column; one of a model has `columns` too.
#[derive(Serialize)]
pub(super) struct Constraint<'a> {
    r#type: &'static str,
    name: Option<&'a str>,
    expression: Option<&'a str>,
    warn_unenforced: bool,
    warn_unsupported: bool,
    to: Option<&'a str>,
    to_columns: &'a [Ident],
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<&'a [Ident]>,
}

impl<'a> Constraint<'a> {
    pub fn of_column(constraint: &'a ConstraintDecl) -> Self {
        Self {
            r#type: constraint.kind.value.as_str(),
            name: constraint.name.as_deref(),
            expression: constraint.expression.as_deref(),
            warn_unenforced: true,
            warn_unsupported: true,
            to: constraint.to.as_ref().map(|to| to.value.as_str()),
            to_columns: &constraint.to_columns,
            columns: None,
        }
    }

    pub fn of_model(constraint: &'a ConstraintDecl) -> Self {
        Self { columns: Some(&constraint.columns), ..Self::of_column(constraint) }
    }
}
