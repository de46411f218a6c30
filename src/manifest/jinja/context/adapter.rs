//! `adapter` and `api`: what a template asks about the target's tables and columns.

use std::sync::{Arc, LazyLock};

use minijinja::value::{Kwargs, Value, from_args};
use minijinja::{Error, ErrorKind, State, context};

use super::query::ask;
use crate::ident::{Ident, Literal, Relation};
use crate::manifest::jinja::native::{Kind, refused};
use crate::manifest::jinja::relation::{ColumnValue, RelationValue, known_kind};
use crate::manifest::jinja::scope::Scope;
use crate::manifest::jinja::server::Answer;
use crate::manifest::jinja::values::List;
use crate::sql::{StatementFile, quoted};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("adapter.sql")));

pub const ADAPTER: Kind = Kind { name: "adapter", method: adapter, ..Kind::PLAIN };
pub const API: Kind = Kind { name: "api", member: api, ..Kind::PLAIN };
const RELATION: Kind = Kind { name: "api.Relation", method: relation_class, member: relation_words, ..Kind::PLAIN };
const COLUMN: Kind = Kind { name: "api.Column", method: column_class, call: column_call, ..Kind::PLAIN };

type Given = Result<Value, Error>;

fn adapter(scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
    match method {
        "dispatch" => dispatch(scope, args),
        "type" => Ok("postgres".into()),
        "quote" => {
            let (name,): (String,) = from_args(args)?;
            Ok(quote(&name))
        }
        "quote_as_configured" => {
            let (name, _kind): (String, String) = from_args(args)?;
            Ok(Ident::from_catalog(name).to_string().into())
        }
        "get_columns_in_relation" => {
            let (relation,): (Value,) = from_args(args)?;
            columns(scope, &relation)
        }
        "get_missing_columns" => {
            let (from, to): (Value, Value) = from_args(args)?;
            missing_columns(scope, (&from, &to))
        }
        "get_column_schema_from_query" => columns_in_select(scope, args),
        "get_relation" => {
            let (first, second, third, options): (Option<Value>, Option<Value>, Option<Value>, Kwargs) =
                from_args(args)?;
            let named = |given: Option<Value>, name| Ok::<_, Error>(given.or(options.get::<Option<Value>>(name)?));
            let _ = named(first, "database")?;
            let (schema, identifier) = (named(second, "schema")?, named(third, "identifier")?);
            match (schema, identifier) {
                (Some(schema), Some(name)) => relation(scope, &schema.to_string(), &name.to_string()),
                _ => Err(refused("get_relation takes a database, a schema and an identifier")),
            }
        }
        "list_relations_without_caching" | "list_relations" => {
            let schema = match args {
                [one] => RelationValue::of(one)?.relation().schema.as_str().to_owned(),
                [_, schema] => schema.to_string(),
                _ => return Err(refused(format!("{method} takes a relation"))),
            };
            let found = relations(scope, &schema, None)?;
            Ok(List::value(found))
        }
        "check_schema_exists" => {
            let (_database, schema): (Value, String) = from_args(args)?;
            let answer = ask(scope, &STATEMENTS.render("schemas", context! {}))?.unwrap_or_default();
            Ok(answer.rows.iter().any(|row| row[0].as_deref() == Some(schema.as_str())).into())
        }
        "list_schemas" => {
            let answer = ask(scope, &STATEMENTS.render("schemas", context! {}))?.unwrap_or_default();
            Ok(List::value(answer.rows.iter().map(|row| text(row, 0).into()).collect()))
        }
        "create_schema" => {
            let (relation,): (Value,) = from_args(args)?;
            let schema = &RelationValue::of(&relation)?.relation().schema;
            ask(scope, &STATEMENTS.render("create_schema", context! { schema => quoted(schema) }))?;
            Ok(Value::from(""))
        }
        "commit" | "cache_added" | "cache_dropped" | "cache_renamed" | "expand_target_column_types" => {
            Ok(Value::from(""))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

/// Always quoted, as dbt does it.
fn quote(name: &str) -> Value {
    format!("\"{}\"", name.replace('"', "\"\"")).into()
}

/// `adapter.dispatch('name', 'package')`.
fn dispatch(scope: &Arc<Scope>, args: &[Value]) -> Given {
    let (name, package, options): (Option<String>, Option<String>, Kwargs) = from_args(args)?;
    let name = name.or(options.get::<Option<String>>("macro_name")?);
    let package = package.or(options.get::<Option<String>>("macro_namespace")?);
    options.assert_all_used()?;
    let Some(name) = name else { return Err(refused("dispatch takes the name of a macro")) };
    match scope.shared.library.dispatch(&name, package.as_deref(), scope.package()) {
        Some((unit, found)) => Ok(scope.macro_value(unit, &found)),
        None => Err(Error::new(ErrorKind::UnknownFunction, format!("default__{name} is unknown"))),
    }
}

fn text(row: &[Option<String>], at: usize) -> &str {
    row.get(at).and_then(Option::as_deref).unwrap_or_default()
}

fn columns_of(scope: &Scope, relation: &Value) -> Result<Vec<ColumnValue>, Error> {
    let relation = RelationValue::of(relation)?.relation();
    let asked = context! {
        schema => quoted(Literal(relation.schema.as_str())),
        name => quoted(Literal(relation.name.as_str())),
    };
    let answer = ask(scope, &STATEMENTS.render("columns_in_relation", asked))?.unwrap_or_default();
    let number = |row: &[Option<String>], at: usize| text(row, at).parse().ok();
    let column = |row: &Vec<Option<String>>| ColumnValue {
        name: text(row, 0).to_owned(),
        dtype: text(row, 1).to_owned(),
        data_type: text(row, 2).to_owned(),
        char_size: number(row, 3),
        numeric_precision: number(row, 4),
        numeric_scale: number(row, 5),
    };
    Ok(answer.rows.iter().map(column).collect())
}

fn columns(scope: &Scope, relation: &Value) -> Given {
    Ok(List::value(columns_of(scope, relation)?.into_iter().map(ColumnValue::into_value).collect()))
}

/// Those of the first relation that the second has not.
fn missing_columns(scope: &Scope, (from, to): (&Value, &Value)) -> Given {
    let there: Vec<String> = columns_of(scope, to)?.into_iter().map(|column| column.name).collect();
    let missing = columns_of(scope, from)?.into_iter().filter(|column| !there.contains(&column.name));
    Ok(List::value(missing.map(ColumnValue::into_value).collect()))
}

/// The columns of a query that is not run.
fn columns_in_select(scope: &Scope, args: &[Value]) -> Given {
    let (sql,): (Value,) = from_args(args)?;
    let answer = asked_without_rows(scope, &sql)?;
    let column = |column: &crate::manifest::jinja::server::AnswerColumn| {
        ColumnValue::plain(column.name.clone(), column.type_name.clone()).into_value()
    };
    Ok(List::value(answer.columns.iter().map(column).collect()))
}

/// `get_columns_in_query(sql)`: the names.
pub fn columns_in_query(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (sql,): (Value,) = from_args(args)?;
    let answer = asked_without_rows(scope, &sql)?;
    Ok(List::value(answer.columns.iter().map(|column| column.name.as_str().into()).collect()))
}

fn asked_without_rows(scope: &Scope, sql: &Value) -> Result<Answer, Error> {
    let select = sql.to_string();
    let select = quoted(select.trim().trim_end_matches(';'));
    Ok(ask(scope, &STATEMENTS.render("no_rows", context! { select => select }))?.unwrap_or_default())
}

fn relations(scope: &Scope, schema: &str, name: Option<&str>) -> Result<Vec<Value>, Error> {
    let schema = quoted(Literal(schema));
    let asked = match name {
        Some(name) => context! { schema => schema, name => quoted(Literal(name)) },
        None => context! { schema => schema },
    };
    let answer = ask(scope, &STATEMENTS.render("relations", asked))?.unwrap_or_default();
    let database: Arc<str> = Arc::from(scope.shared.dbname.as_str());
    let relation = |row: &Vec<Option<String>>| {
        let ident = |at| Ident::from_catalog(text(row, at));
        let found = RelationValue::new(&Relation::new(ident(0), ident(1))).in_database(&database);
        let kind = known_kind(text(row, 2)).unwrap_or("table");
        found.of_kind(kind).into_value()
    };
    Ok(answer.rows.iter().map(relation).collect())
}

fn relation(scope: &Scope, schema: &str, name: &str) -> Given {
    Ok(relations(scope, schema, Some(name))?.into_iter().next().unwrap_or(Value::from(())))
}

/// `load_relation(relation)`: as it is in the database, or `none`.
pub fn load_relation(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    let (wanted,): (Value,) = from_args(args)?;
    let wanted = RelationValue::of(&wanted)?.relation();
    relation(scope, wanted.schema.as_str(), wanted.name.as_str())
}

fn api(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    match name {
        "Relation" => super::names::bound(scope, &RELATION),
        "Column" => super::names::bound(scope, &COLUMN),
        _ => None,
    }
}

fn relation_class(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
    match method {
        "create" => RelationValue::create(args),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

/// `api.Relation.Table` and its like: the words for kinds.
fn relation_words(_scope: &Arc<Scope>, name: &str) -> Option<Value> {
    Some(match name {
        "Table" => "table".into(),
        "View" => "view".into(),
        "CTE" => "cte".into(),
        _ => return None,
    })
}

fn column_class(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
    match method {
        "create" => ColumnValue::create(args),
        "translate_type" => {
            let (name,): (String,) = from_args(args)?;
            Ok(name.into())
        }
        "numeric_type" => {
            let (name, precision, scale): (String, Value, Value) = from_args(args)?;
            let is_plain = precision.is_none() || scale.is_none();
            Ok(if is_plain { name } else { format!("{name}({precision},{scale})") }.into())
        }
        "string_type" => {
            let (size,): (i64,) = from_args(args)?;
            Ok(format!("character varying({size})").into())
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn column_call(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    ColumnValue::create(args)
}
