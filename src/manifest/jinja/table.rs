//! A query's rows as templates see them: tables, columns and rows as dbt's agate gives them.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Tuple, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::context::datetime;
use super::server::{Answer, AnswerColumn};
use super::values::{Dict, List};

/// `run_query(…)`.
#[derive(Debug)]
pub(super) struct Table(Arc<Content>);

#[derive(Debug)]
struct Content {
    columns: Vec<AnswerColumn>,
    rows: Vec<Vec<Value>>,
}

/// `table.columns['name']`.
#[derive(Debug)]
struct Column {
    content: Arc<Content>,
    at: usize,
}

/// `table.rows[0]`, by place and by name.
#[derive(Debug)]
struct Row {
    content: Arc<Content>,
    at: usize,
}

/// Columns or rows: a sequence that also knows names.
#[derive(Debug)]
struct Members {
    content: Arc<Content>,
    kind: Member,
}

#[derive(Debug, Clone, Copy)]
enum Member {
    Columns,
    Rows,
}

/// The rows as tuples: `load_result(…)['data']`.
pub(super) fn data(answer: &Answer) -> Value {
    List::value(typed(answer).into_iter().map(|row| Value::from(Tuple::from(row))).collect())
}

fn typed(answer: &Answer) -> Vec<Vec<Value>> {
    let row = |row: &Vec<Option<String>>| {
        row.iter().zip(&answer.columns).map(|(value, column)| cell(value.as_deref(), &column.type_name)).collect()
    };
    answer.rows.iter().map(row).collect()
}

/// A value by its type: numbers, truths and times are told from texts.
fn cell(text: Option<&str>, type_name: &str) -> Value {
    let Some(text) = text else { return Value::from(()) };
    let number = |text: &str| {
        let whole = text.parse::<i64>().map(Value::from).ok();
        whole.or_else(|| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from))
    };
    match type_name {
        "int2" | "int4" | "int8" | "oid" | "numeric" => number(text).unwrap_or_else(|| Value::from(text)),
        // Python writes a whole float as 2.0.
        "float4" | "float8" => text.parse::<f64>().map_or_else(|_| Value::from(text), Value::from),
        "bool" => Value::from(text == "t"),
        "date" | "timestamp" | "timestamptz" => {
            datetime::of_server(text, type_name).unwrap_or_else(|| Value::from(text))
        }
        _ => Value::from(text),
    }
}

impl Table {
    pub fn value(answer: &Answer) -> Value {
        let content = Content { columns: answer.columns.clone(), rows: typed(answer) };
        Value::from_object(Self(Arc::new(content)))
    }

    fn members(&self, kind: Member) -> Value {
        Value::from_object(Members { content: Arc::clone(&self.0), kind })
    }
}

impl Content {
    fn names(&self) -> Vec<Value> {
        self.columns.iter().map(|column| Value::from(column.name.as_str())).collect()
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    fn column(self: &Arc<Self>, at: usize) -> Option<Value> {
        (at < self.columns.len()).then(|| Value::from_object(Column { content: Arc::clone(self), at }))
    }

    fn row(self: &Arc<Self>, at: usize) -> Option<Value> {
        (at < self.rows.len()).then(|| Value::from_object(Row { content: Arc::clone(self), at }))
    }
}

/// A place of Python's: negative counts from the end.
fn place(key: &Value, length: usize) -> Option<usize> {
    let at = key.as_i64()?;
    usize::try_from(if at < 0 { at + i64::try_from(length).ok()? } else { at }).ok()
}

fn unknown_method() -> Error {
    Error::from(ErrorKind::UnknownMethod)
}

impl Object for Table {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "columns" => self.members(Member::Columns),
            "rows" => self.members(Member::Rows),
            "column_names" => Value::from(Tuple::from(self.0.names())),
            "column_types" => Value::from(Tuple::from(
                self.0.columns.iter().map(|c| Value::from(c.type_name.as_str())).collect::<Vec<_>>(),
            )),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values((0..self.0.rows.len()).filter_map(|at| self.0.row(at)).collect())
    }

    /// A table of a template that is only read has no columns.
    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.columns.is_empty()
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "print_table" | "print_csv" | "print_json" => Ok(Value::from(self.to_string())),
            "limit" => {
                let (count,): (usize,) = from_args(args)?;
                let rows = self.0.rows.iter().take(count).cloned().collect();
                let content = Content { columns: self.0.columns.clone(), rows };
                Ok(Value::from_object(Self(Arc::new(content))))
            }
            _ => Err(unknown_method()),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_ref(), f)
    }
}

/// Columns and types, as agate prints a table.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("| column | data_type |\n| ------ | --------- |\n")?;
        for column in &self.0.columns {
            writeln!(f, "| {} | {} |", column.name, column.type_name)?;
        }
        Ok(())
    }
}

impl Members {
    fn length(&self) -> usize {
        match self.kind {
            Member::Columns => self.content.columns.len(),
            Member::Rows => self.content.rows.len(),
        }
    }

    fn at(&self, at: usize) -> Option<Value> {
        match self.kind {
            // Of a template that is only read: every column is there, and empty.
            Member::Columns if self.content.columns.is_empty() => {
                Some(Value::from_object(Column { content: Arc::clone(&self.content), at: 0 }))
            }
            Member::Columns => self.content.column(at),
            Member::Rows => self.content.row(at),
        }
    }

    fn all(&self) -> Vec<Value> {
        (0..self.length()).filter_map(|at| self.at(at)).collect()
    }
}

impl Object for Members {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_str(), self.kind) {
            (Some(_), Member::Columns) if self.content.columns.is_empty() => self.at(0),
            (Some(name), Member::Columns) => self.at(self.content.place(name)?),
            (Some(_), Member::Rows) => None,
            (None, _) => self.at(place(key, self.length())?),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.all())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.length())
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match (method, self.kind) {
            ("values", _) => Ok(List::value(self.all())),
            ("keys", Member::Columns) => Ok(List::value(self.content.names())),
            ("items", Member::Columns) => {
                let pairs = self.content.names().into_iter().zip(self.all());
                Ok(List::value(pairs.map(|(name, column)| Value::from(Tuple::from([name, column]))).collect()))
            }
            ("get", _) => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                Ok(self.get_value(&key).or(default).unwrap_or(Value::from(())))
            }
            _ => Err(unknown_method()),
        }
    }
}

impl Column {
    fn values(&self) -> Vec<Value> {
        self.content.rows.iter().map(|row| row[self.at].clone()).collect()
    }
}

impl Object for Column {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("name") => Some(self.content.columns.get(self.at)?.name.as_str().into()),
            Some("data_type") => Some(self.content.columns.get(self.at)?.type_name.as_str().into()),
            Some("index") => Some(self.at.into()),
            Some(_) => None,
            None => self.content.rows.get(place(key, self.content.rows.len())?)?.get(self.at).cloned(),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.values())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        _args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "values" => Ok(Value::from(Tuple::from(self.values()))),
            "values_distinct" => {
                let distinct: indexmap::IndexSet<Value> = self.values().into_iter().collect();
                Ok(Value::from(Tuple::from(distinct.into_iter().collect::<Vec<_>>())))
            }
            "values_without_nulls" => {
                let values = self.values().into_iter().filter(|value| !value.is_none());
                Ok(Value::from(Tuple::from(values.collect::<Vec<_>>())))
            }
            _ => Err(unknown_method()),
        }
    }
}

impl Row {
    fn values(&self) -> &[Value] {
        &self.content.rows[self.at]
    }
}

impl Object for Row {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = match key.as_str() {
            Some(name) => self.content.place(name)?,
            None => place(key, self.values().len())?,
        };
        self.values().get(at).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.values().to_vec())
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let pairs = || self.content.names().into_iter().zip(self.values().iter().cloned());
        match method {
            "values" => Ok(Value::from(Tuple::from(self.values()))),
            "keys" => Ok(List::value(self.content.names())),
            "items" => Ok(List::value(pairs().map(|(name, value)| Value::from(Tuple::from([name, value]))).collect())),
            "dict" => Ok(Dict::value(pairs().collect())),
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                Ok(self.get_value(&key).or(default).unwrap_or(Value::from(())))
            }
            _ => Err(unknown_method()),
        }
    }
}
