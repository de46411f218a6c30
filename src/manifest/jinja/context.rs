//! Every name of the context that unimig gives by itself.

mod adapter;
mod convert;
mod modules;
mod names;
mod query;
mod rewritten;
mod talk;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

pub(super) use modules::datetime;
pub(super) use talk::Raised;

use minijinja::value::Value;

use super::native::{Kind, Native, function, object};
use super::scope::Scope;
use super::server::Session;
use super::values::List;
use crate::project::DBT_VERSION;

/// The functions by their names; those with two underscores are what templates are rewritten to call.
const FUNCTIONS: &[(&str, Native)] = &[
    ("ref", names::reference),
    ("source", names::source),
    ("xref", names::crosswalk),
    ("env_var", names::env_var),
    ("is_incremental", |scope, _, _| Ok(scope.names.is_incremental().into())),
    ("should_full_refresh", names::should_full_refresh),
    ("should_store_failures", names::should_store_failures),
    ("return", names::give_back),
    ("log", talk::log),
    ("print", talk::print),
    ("fromjson", convert::fromjson),
    ("tojson", convert::tojson),
    ("fromyaml", convert::fromyaml),
    ("toyaml", convert::toyaml),
    ("set", convert::set),
    ("set_strict", convert::set_strict),
    ("zip", convert::zip),
    ("zip_strict", convert::zip_strict),
    ("local_md5", convert::local_md5),
    ("dict", convert::dict),
    ("namespace", convert::namespace),
    ("run_query", query::run_query),
    ("statement", query::statement),
    ("load_result", query::load_result),
    ("store_result", query::store_result),
    ("load_relation", adapter::load_relation),
    ("load_cached_relation", adapter::load_relation),
    ("get_columns_in_query", adapter::columns_in_query),
    ("__importer", rewritten::importer),
    ("__macro", rewritten::define),
    ("__entry", rewritten::entry),
    ("__list", rewritten::list),
    ("__dict", convert::dict),
    ("__value", rewritten::value),
    ("__do", rewritten::nothing),
    ("__format", rewritten::format),
    ("__shift", |_, _, args| datetime::shifted(args)),
];

/// The objects by their names.
const OBJECTS: &[(&str, &Kind)] = &[
    ("config", &names::CONFIG),
    ("var", &names::VAR),
    ("adapter", &adapter::ADAPTER),
    ("api", &adapter::API),
    ("exceptions", &talk::EXCEPTIONS),
    ("modules", &modules::MODULES),
    ("flags", &names::FLAGS),
    ("builtins", &names::BUILTINS),
    ("context", &names::CONTEXT),
];

/// The names of the context that are values.
const VALUES: &[&str] = &[
    "this",
    "target",
    "model",
    "graph",
    "execute",
    "project_name",
    "invocation_id",
    "run_started_at",
    "dbt_version",
    "database",
    "schema",
    "selected_resources",
];

/// What a name of the context stands for.
pub(super) fn built_in(scope: &Arc<Scope>, key: &str) -> Option<Value> {
    match NAMES.get(key) {
        Some(Named::Function(name, call)) => Some(function(scope, name, *call)),
        Some(Named::Object(kind)) => Some(object(scope, kind)),
        None => value(scope, key),
    }
}

/// What a name stands for that is no value.
enum Named {
    Function(&'static str, Native),
    Object(&'static Kind),
}

/// Both lists by name: every name of every macro that is read is looked up.
static NAMES: LazyLock<HashMap<&'static str, Named>> = LazyLock::new(|| {
    let functions = FUNCTIONS.iter().map(|(name, call)| (*name, Named::Function(name, *call)));
    functions.chain(OBJECTS.iter().map(|(name, kind)| (*name, Named::Object(kind)))).collect()
});

fn value(scope: &Arc<Scope>, key: &str) -> Option<Value> {
    let shared = &scope.shared;
    Some(match key {
        "this" => scope.names.this(),
        "target" => shared.target.clone(),
        "model" => scope.names.model(),
        "graph" => scope.names.graph(),
        "execute" => executes(scope).into(),
        "project_name" => shared.project_name.clone(),
        "invocation_id" => shared.invocation.id.as_str().into(),
        "run_started_at" => datetime::started_at(&shared.invocation),
        "dbt_version" => DBT_VERSION.into(),
        "database" => shared.dbname.as_str().into(),
        "schema" => shared.target.get_attr("schema").unwrap_or_default(),
        "selected_resources" => {
            shared.invocation.selected_is_asked.set(()).unwrap_or_default();
            let selected = shared.invocation.selected.get().into_iter().flatten();
            List::value(selected.map(|id| id.as_str().into()).collect())
        }
        "dbt" => object(scope, &names::DBT),
        "__asked" => scope.notes().asked.into(),
        _ => return scope.names.extra(key),
    })
}

fn executes(scope: &Scope) -> bool {
    match scope.names.session() {
        Session::Reading => false,
        Session::Absent | Session::Live(_) => true,
    }
}

/// Every name, for "did you mean".
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let functions = FUNCTIONS.iter().map(|(name, _)| *name).filter(|name| !name.starts_with('_'));
    let objects = OBJECTS.iter().map(|(name, _)| *name);
    functions.chain(objects).chain(VALUES.iter().copied()).chain(["range", "debug", "cycler", "joiner"])
}
