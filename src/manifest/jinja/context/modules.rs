//! `modules`: what macros use of Python's `datetime`, `re`, `itertools` and of `pytz`.

pub mod datetime;
mod itertools;
mod regex;

use std::sync::Arc;

use minijinja::value::Value;

use super::names::bound;
use crate::manifest::jinja::native::Kind;
use crate::manifest::jinja::scope::Scope;

pub const MODULES: Kind = Kind { name: "modules", member: module, ..Kind::PLAIN };

fn module(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    match name {
        "datetime" => bound(scope, &datetime::DATETIME),
        "pytz" => bound(scope, &datetime::PYTZ),
        "re" => bound(scope, &regex::RE),
        "itertools" => bound(scope, &itertools::ITERTOOLS),
        _ => None,
    }
}
