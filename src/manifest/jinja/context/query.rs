//! `run_query`, `statement`, `load_result`: SQL that a template runs while it is rendered.

use std::sync::Arc;

use minijinja::value::{Kwargs, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::manifest::jinja::scope::Scope;
use crate::manifest::jinja::server::{Answer, NeedsServer, Session};
use crate::manifest::jinja::table::{Table, data};
use crate::manifest::jinja::values::Dict;

/// What a server answered; nothing while the template is only read.
pub fn ask(scope: &Scope, sql: &str) -> Result<Option<Answer>, Error> {
    match scope.names.session() {
        Session::Reading => {
            scope.notes().asked = true;
            Ok(None)
        }
        Session::Absent => {
            Err(Error::new(ErrorKind::InvalidOperation, NeedsServer.to_string()).with_source(NeedsServer))
        }
        Session::Live(server) => match server.query(sql) {
            Ok(answer) => Ok(Some(answer)),
            Err(refused) => Err(Error::new(ErrorKind::InvalidOperation, refused.to_string()).with_source(refused)),
        },
    }
}

/// `run_query(sql)`: a table; an empty one while the template is only read.
pub fn run_query(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (sql,): (Value,) = from_args(args)?;
    Ok(Table::value(&ask(scope, &sql.to_string())?.unwrap_or_default()))
}

/// `{% call statement('name', fetch_result=true) %} … {% endcall %}`.
pub fn statement(scope: &Arc<Scope>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, fetch, auto_begin, options): (Option<Value>, Option<bool>, Option<bool>, Kwargs) = from_args(args)?;
    let name = name.or(options.get::<Option<Value>>("name")?);
    let _ = (fetch, auto_begin, options.get::<Option<bool>>("fetch_result")?);
    let Some(caller) = options.get::<Option<Value>>("caller")? else {
        return Err(super::super::native::refused(
            "statement is called as {% call statement('name') %} … {% endcall %}",
        ));
    };
    if !super::executes(scope) {
        return Ok(Value::from(""));
    }
    let sql = caller.call(state, &[])?.to_string();
    let answer = ask(scope, &sql)?.unwrap_or_default();
    if let Some(name) = name.filter(|name| !name.is_none()) {
        let result = result(&answer);
        scope.notes().results.insert(name.to_string(), result);
    }
    Ok(Value::from(""))
}

fn result(answer: &Answer) -> Value {
    let text = |text: &str| Value::from(text);
    let response = Dict::value(vec![
        (text("rows_affected"), Value::from(answer.affected)),
        (text("code"), text("OK")),
        (text("_message"), Value::from(format!("OK {}", answer.affected))),
    ]);
    Dict::value(vec![(text("response"), response), (text("data"), data(answer)), (text("table"), Table::value(answer))])
}

pub fn load_result(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name,): (String,) = from_args(args)?;
    let found = scope.notes().results.get(&name).cloned();
    // A template that is only read goes on with a result that is empty.
    let reading = || {
        let is_reading = matches!(scope.names.session(), Session::Reading);
        is_reading.then(|| {
            scope.notes().asked = true;
            result(&Answer::default())
        })
    };
    Ok(found.or_else(reading).unwrap_or(Value::from(())))
}

pub fn store_result(scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, options): (String, Kwargs) = from_args(args)?;
    let mut entries = Vec::new();
    for key in ["response", "table", "data"] {
        let value = options.get::<Option<Value>>(if key == "table" { "agate_table" } else { key })?;
        entries.push((Value::from(key), value.unwrap_or(Value::from(()))));
    }
    scope.notes().results.insert(name, Dict::value(entries));
    Ok(Value::from(""))
}
