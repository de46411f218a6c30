//! Table names that a model writes out instead of using `ref`: found by parsing the compiled SQL.
//!
//! The parser does not know all of PostgreSQL; where it gives up, plain names are not seen and nobody is told off.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{Ident as SqlIdent, ObjectName, Query, Visit, Visitor};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::tokens::{Kind, Token};
use crate::ident::{NodeName, Relation};
use crate::manifest::Manifest;

/// Every relation of the project by its name, then by its schema.
#[derive(Debug, Default)]
pub(super) struct KnownRelations {
    by_name: HashMap<String, Vec<(String, NodeName)>>,
    /// The first schema of a session's search path.
    default_schema: String,
}

impl KnownRelations {
    pub fn new(manifest: &Manifest, default_schema: &str) -> Self {
        let mut known = Self { by_name: HashMap::new(), default_schema: default_schema.to_owned() };
        for stage in manifest.stages.values() {
            known.add(&stage.stg_relation, &stage.name);
            known.add(&stage.live_relation, &stage.name);
        }
        for name in manifest.models.keys().chain(manifest.seeds.keys()).chain(manifest.tables.keys()) {
            if let Some(relation) = manifest.relation(name) {
                known.add(relation, name);
            }
        }
        known
    }

    fn add(&mut self, relation: &Relation, node: &NodeName) {
        let entry = (relation.schema.as_str().to_owned(), node.clone());
        self.by_name.entry(relation.name.as_str().to_owned()).or_default().push(entry);
    }

    fn find(&self, schema: Option<&str>, name: &str) -> Option<&NodeName> {
        let schema = schema.unwrap_or(&self.default_schema);
        self.by_name.get(name)?.iter().find(|(known, _)| known == schema).map(|(_, node)| node)
    }

    /// Nodes that the SQL reads by name and that are not among `known_edges`.
    pub fn read_by(&self, text: &str, tokens: &[Token], known_edges: &[NodeName]) -> Vec<NodeName> {
        if !self.may_read(text, tokens, known_edges) {
            return Vec::new();
        }
        let statements = match Parser::parse_sql(&PostgreSqlDialect {}, text) {
            Ok(statements) => statements,
            Err(error) => {
                tracing::debug!(%error, "plain table names in this SQL are not seen");
                return Vec::new();
            }
        };
        let mut finder = Finder { known: self, scopes: Vec::new(), found: Vec::new() };
        // The finder never breaks off.
        let _ = statements.visit(&mut finder);
        finder.found
    }

    /// Whether any word could name a relation that is no edge yet: most models use `ref` and need no parse.
    fn may_read(&self, text: &str, tokens: &[Token], known_edges: &[NodeName]) -> bool {
        let names = tokens.iter().filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
        names.map(|token| folded(&text[token.range.clone()])).any(|name| {
            let relations = self.by_name.get(name.as_ref());
            relations.is_some_and(|relations| relations.iter().any(|(_, node)| !known_edges.contains(node)))
        })
    }
}

/// A name as the catalog spells it.
pub(super) fn folded(written: &str) -> std::borrow::Cow<'_, str> {
    if let Some(inner) = written.strip_prefix('"') {
        return inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\"").into();
    }
    if written.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return written.to_ascii_lowercase().into();
    }
    written.into()
}

fn catalog_name(ident: &SqlIdent) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

/// The CTEs of one query, and which of them are visible at the place that is being visited.
struct Scope {
    query: *const Query,
    names: Vec<String>,
    bodies: Vec<*const Query>,
    visible: usize,
    recursive: bool,
}

struct Finder<'k> {
    known: &'k KnownRelations,
    scopes: Vec<Scope>,
    found: Vec<NodeName>,
}

impl Finder<'_> {
    fn is_cte(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.names[..scope.visible].iter().any(|cte| cte == name))
    }
}

impl Visitor for Finder<'_> {
    type Break = ();

    /// A CTE sees those before it; with RECURSIVE it sees all.
    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(scope) = self.scopes.last_mut()
            && let Some(at) = scope.bodies.iter().position(|body| std::ptr::eq(*body, query))
        {
            scope.visible = if scope.recursive { scope.names.len() } else { at };
        }
        let ctes = query.with.as_ref().map(|with| with.cte_tables.as_slice()).unwrap_or_default();
        self.scopes.push(Scope {
            query,
            names: ctes.iter().map(|cte| catalog_name(&cte.alias.name)).collect(),
            bodies: ctes.iter().map(|cte| std::ptr::from_ref(&*cte.query)).collect(),
            visible: 0,
            recursive: query.with.as_ref().is_some_and(|with| with.recursive),
        });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.scopes.last().is_some_and(|scope| std::ptr::eq(scope.query, query)) {
            self.scopes.pop();
        }
        if let Some(scope) = self.scopes.last_mut()
            && scope.bodies.last().is_some_and(|body| std::ptr::eq(*body, query))
        {
            scope.visible = scope.names.len();
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let parts: Vec<String> = relation.0.iter().filter_map(|part| part.as_ident()).map(catalog_name).collect();
        let node = match parts.as_slice() {
            [name] if self.is_cte(name) => None,
            [name] => self.known.find(None, name),
            [schema, name] | [_, schema, name] => self.known.find(Some(schema), name),
            _ => None,
        };
        if let Some(node) = node
            && !self.found.contains(node)
        {
            self.found.push(node.clone());
        }
        ControlFlow::Continue(())
    }
}
