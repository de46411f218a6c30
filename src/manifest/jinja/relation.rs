//! Relations and columns as templates see them, with dbt's members and methods.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::ident::{Ident, Relation};

/// Whether a relation that a template reads gives rows: with `--empty` it gives none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rows {
    #[default]
    All,
    None,
}

/// dbt's subquery around a relation without rows, and what its alias begins with.
pub const EMPTY_START: &str = "(select * from ";
pub const EMPTY_END: &str = " where false limit 0)";
pub const EMPTY_ALIAS: &str = "_dbt_limit_subq_";

/// A relation: prints itself quoted, has `schema`, `identifier` and dbt's other names.
#[derive(Debug, Clone)]
pub struct RelationValue {
    relation: Relation,
    /// What it prints where that is not its quoted name: the CTE of an ephemeral model.
    printed_as: Option<String>,
    /// Where it lives; templates see it and it is printed only where `include(database=true)` asks.
    pub database: Option<Arc<str>>,
    /// `table`, `view` or `cte`, where it is known.
    pub kind: Option<&'static str>,
    parts: Parts,
    rows: Rows,
}

/// Which parts of the name are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    database: bool,
    schema: bool,
    identifier: bool,
}

impl RelationValue {
    pub fn new(relation: &Relation) -> Self {
        let parts = Parts { database: false, schema: true, identifier: true };
        Self { relation: relation.clone(), printed_as: None, database: None, kind: None, parts, rows: Rows::All }
    }

    pub fn value(relation: &Relation) -> Value {
        Self::new(relation).into_value()
    }

    /// A relation that is written otherwise than by its quoted name: the CTE of an ephemeral model.
    pub fn printed_as(relation: &Relation, printed: String) -> Value {
        Self { printed_as: Some(printed), kind: Some("cte"), ..Self::new(relation) }.into_value()
    }

    #[must_use]
    pub fn in_database(mut self, database: &Arc<str>) -> Self {
        self.database = Some(Arc::clone(database));
        self
    }

    #[must_use]
    pub fn of_kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The same relation, printed as a subquery that gives no rows.
    pub fn without_rows(value: &Value) -> Value {
        match Self::of(value) {
            Ok(relation) => Self { rows: Rows::None, ..relation.clone() }.into_value(),
            Err(_) => value.clone(),
        }
    }

    pub fn into_value(self) -> Value {
        Value::from_object(self)
    }

    /// The relation that a template's value is.
    pub(super) fn of(value: &Value) -> Result<&Self, Error> {
        value
            .downcast_object_ref::<Self>()
            .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{} is not a relation", value.kind())))
    }

    pub(super) fn relation(&self) -> &Relation {
        &self.relation
    }

    /// `api.Relation.create(schema=…, identifier=…)`.
    pub(super) fn create(args: &[Value]) -> Result<Value, Error> {
        let (options,): (Kwargs,) = from_args(args)?;
        let text = |name: &str| options.get::<Option<String>>(name);
        let (database, schema, identifier) = (text("database")?, text("schema")?, text("identifier")?);
        let kind = text("type")?;
        let parts = Parts { database: false, schema: schema.is_some(), identifier: identifier.is_some() };
        let ident = |name: Option<String>| Ident::from_catalog(name.unwrap_or_default());
        let relation = Relation::new(ident(schema), ident(identifier));
        let database = database.map(Arc::from);
        Ok(Self { database, kind: kind.as_deref().and_then(known_kind), parts, ..Self::new(&relation) }.into_value())
    }

    /// `include(database=…, schema=…, identifier=…)`.
    fn include(&self, args: &[Value]) -> Result<Self, Error> {
        let (options,): (Kwargs,) = from_args(args)?;
        let mut parts = self.parts;
        for (name, part) in
            [("database", &mut parts.database), ("schema", &mut parts.schema), ("identifier", &mut parts.identifier)]
        {
            if let Some(shown) = options.get::<Option<bool>>(name)? {
                *part = shown;
            }
        }
        Ok(Self { parts, ..self.clone() })
    }

    /// `replace_path(identifier=…)` and `incorporate(path={…}, type=…)`.
    fn replaced(&self, options: &Kwargs) -> Result<Self, Error> {
        let path = options.get::<Option<Value>>("path")?;
        let text = |name: &str| -> Result<Option<String>, Error> {
            let named = options.get::<Option<String>>(name)?;
            let within =
                path.as_ref().and_then(|path| path.get_attr(name).ok()).and_then(|v| v.as_str().map(str::to_owned));
            Ok(named.or(within))
        };
        let mut replaced = self.clone();
        if let Some(schema) = text("schema")? {
            replaced.relation.schema = Ident::from_catalog(schema);
        }
        if let Some(identifier) = text("identifier")? {
            replaced.relation.name = Ident::from_catalog(identifier);
            replaced.printed_as = None;
        }
        if let Some(kind) = options.get::<Option<String>>("type")? {
            replaced.kind = known_kind(&kind);
        }
        Ok(replaced)
    }
}

/// dbt's words for kinds of relations.
pub(super) fn known_kind(kind: &str) -> Option<&'static str> {
    ["table", "view", "cte", "materialized_view", "external"].into_iter().find(|known| *known == kind)
}

impl RelationValue {
    /// The name alone, whether the relation gives rows or not.
    fn name(&self) -> String {
        if let Some(printed) = self.printed_as.as_ref().filter(|_| self.parts.identifier) {
            return printed.clone();
        }
        let mut parts = Vec::new();
        if let Some(database) = self.database.as_ref().filter(|_| self.parts.database) {
            parts.push(Ident::from_catalog(database.to_string()).to_string());
        }
        if self.parts.schema {
            parts.push(self.relation.schema.to_string());
        }
        if self.parts.identifier {
            parts.push(self.relation.name.to_string());
        }
        parts.join(".")
    }
}

impl fmt::Display for RelationValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self.rows {
            Rows::None if self.parts.identifier => {
                let last = self.printed_as.as_deref().unwrap_or(self.relation.name.as_str());
                let alias = Ident::from_catalog(format!("{EMPTY_ALIAS}{}", last.trim_matches('"')));
                write!(f, "{EMPTY_START}{name}{EMPTY_END} {alias}")
            }
            Rows::None | Rows::All => f.write_str(&name),
        }
    }
}

impl Object for RelationValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let is = |kind: &str| Value::from(self.kind == Some(kind));
        Some(match key.as_str()? {
            "database" => self.database.as_deref().map_or(Value::from(()), Value::from),
            "schema" => self.relation.schema.as_str().into(),
            "identifier" | "name" | "table" => self.relation.name.as_str().into(),
            "type" => self.kind.map_or(Value::from(()), Value::from),
            "is_table" => is("table"),
            "is_view" => is("view"),
            "is_cte" => is("cte"),
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "render" => Ok(Value::from(self.name())),
            "include" => Ok(self.include(args)?.into_value()),
            "without_identifier" => {
                let parts = Parts { identifier: false, ..self.parts };
                Ok(Self { parts, ..self.as_ref().clone() }.into_value())
            }
            // Names are quoted where PostgreSQL needs it, whatever is asked.
            "quote" => Ok(self.as_ref().clone().into_value()),
            "replace_path" | "incorporate" => {
                let (options,): (Kwargs,) = from_args(args)?;
                Ok(self.replaced(&options)?.into_value())
            }
            "information_schema" => {
                let (view,): (Option<String>,) = from_args(args)?;
                Ok(Value::from(
                    view.map_or("information_schema".to_owned(), |view| format!("information_schema.{view}")),
                ))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_ref())
    }
}

/// A column, as `adapter.get_columns_in_relation` gives it.
#[derive(Debug, Clone)]
pub(super) struct ColumnValue {
    pub name: String,
    /// Without length and precision: `character varying`.
    pub dtype: String,
    /// As it is declared: `character varying(20)`.
    pub data_type: String,
    pub char_size: Option<i64>,
    pub numeric_precision: Option<i64>,
    pub numeric_scale: Option<i64>,
}

/// The length that dbt takes for a text without one.
const STRING_SIZE: i64 = 256;

impl ColumnValue {
    /// `api.Column.create(name, type)`.
    pub fn create(args: &[Value]) -> Result<Value, Error> {
        let (name, dtype): (String, String) = from_args(args)?;
        Ok(Self::plain(name, dtype).into_value())
    }

    pub fn plain(name: String, dtype: String) -> Self {
        let data_type = dtype.clone();
        Self { name, dtype, data_type, char_size: None, numeric_precision: None, numeric_scale: None }
    }

    pub fn into_value(self) -> Value {
        Value::from_object(self)
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.dtype.to_lowercase().as_str())
    }

    fn is_string(&self) -> bool {
        self.is(&["text", "character varying", "character", "varchar", "char", "bpchar"])
    }

    /// Whether both are texts, and the other one's are longer; a length that is not said counts as dbt counts it.
    fn can_expand_to(&self, other: &Self) -> bool {
        let length = |column: &Self| column.char_size.unwrap_or(STRING_SIZE);
        self.is_string() && other.is_string() && length(other) > length(self)
    }

    fn is_integer(&self) -> bool {
        self.is(&["smallint", "integer", "bigint", "smallserial", "serial", "bigserial", "int2", "int4", "int8", "int"])
    }

    fn is_numeric(&self) -> bool {
        self.is(&["numeric", "decimal"])
    }

    fn is_float(&self) -> bool {
        self.is(&["real", "float4", "float", "double precision", "float8"])
    }
}

impl Object for ColumnValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let number = |number: Option<i64>| number.map_or(Value::from(()), Value::from);
        Some(match key.as_str()? {
            "name" | "column" => self.name.as_str().into(),
            "quoted" => format!("\"{}\"", self.name.replace('"', "\"\"")).into(),
            "dtype" => self.dtype.as_str().into(),
            "data_type" => self.data_type.as_str().into(),
            "char_size" => number(self.char_size),
            "numeric_precision" => number(self.numeric_precision),
            "numeric_scale" => number(self.numeric_scale),
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        Ok(match method {
            "can_expand_to" => {
                let (other,): (Value,) = from_args(args)?;
                let other = other.downcast_object_ref::<Self>();
                other.is_some_and(|other| self.can_expand_to(other)).into()
            }
            "is_string" => self.is_string().into(),
            "is_integer" => self.is_integer().into(),
            "is_numeric" => self.is_numeric().into(),
            "is_float" => self.is_float().into(),
            "is_number" => (self.is_integer() || self.is_numeric() || self.is_float()).into(),
            "string_size" => self.char_size.unwrap_or(STRING_SIZE).into(),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Column {} ({})>", self.name, self.data_type)
    }
}
