//! Table names that a model writes out instead of using `ref`: found by parsing the compiled SQL, so that names of CTEs,
//! columns and functions are told from names of tables.
//!
//! The parser does not know all of PostgreSQL; where it gives up, plain names are not seen and nobody is told off.

use std::ops::{ControlFlow, Range};

use sqlparser::ast::{Ident as SqlIdent, ObjectName, Query, TableFactor, Visit, Visitor};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::known_relations::{KnownRelations, Named};
use super::tokens::{Kind, Token};
use crate::ident::{Ident, NodeName};
use crate::manifest::jinja::Rows;

/// A table name in a text, and the node that it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlainName {
    pub node: NodeName,
    /// Where the name stands, if the parser's place is in the text.
    pub place: Option<Range<usize>>,
    /// Its last part.
    pub last: String,
    /// The relation that is meant, where it is not what is written.
    pub relation: Option<String>,
    /// What takes the place of the name in this environment, where it is not what is written.
    pub rewriting: Option<(Range<usize>, String)>,
}

/// A template's text as it was rendered, and who reads it.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub text: &'a str,
    pub tokens: &'a [Token],
    pub reader: &'a NodeName,
    /// What is known to be read: a `ref` that was printed needs no second look.
    pub known_edges: &'a [NodeName],
    pub rows: Rows,
}

/// Every name of a node in the text, in order.
pub(super) fn find(known: &KnownRelations, reading: Reading<'_>) -> Vec<PlainName> {
    if reading.rows == Rows::All && !may_read(known, reading) {
        return Vec::new();
    }
    let statements = match Parser::parse_sql(&PostgreSqlDialect {}, reading.text) {
        Ok(statements) => statements,
        Err(error) => {
            tracing::debug!(%error, "plain table names in this SQL are not seen");
            return Vec::new();
        }
    };
    let mut finder = Finder { known, reading, scopes: Vec::new(), found: Vec::new() };
    // The finder never breaks off.
    let _ = statements.visit(&mut finder);
    finder.found
}

/// Whether any word stands where a table can and could name one that is no edge yet: most models use `ref` and need no
/// parse.
fn may_read(known: &KnownRelations, reading: Reading<'_>) -> bool {
    let Reading { text, tokens, known_edges, .. } = reading;
    let is_name = |token: &Token| matches!(token.kind, Kind::Word | Kind::Quoted);
    tokens.iter().enumerate().filter(|(_, token)| is_name(token)).any(|(at, token)| {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let name = folded(&text[token.range.clone()]);
        if !known.may_mean(&name) || !before.is_some_and(|before| precedes_a_table(text, before)) {
            return false;
        }
        let schema = before.filter(|before| before.is_symbol(b'.')).and_then(|_| tokens.get(at.checked_sub(2)?));
        let schema = schema.map(|schema| folded(&text[schema.range.clone()]));
        let is_printed = || known.existing(schema.as_deref(), &name).is_some_and(|node| known_edges.contains(node));
        !(schema.is_some() && is_printed())
    })
}

fn precedes_a_table(text: &str, token: &Token) -> bool {
    let symbols = [b'.', b',', b'('];
    symbols.iter().any(|symbol| token.is_symbol(*symbol))
        || ["from", "join", "only", "table"].iter().any(|word| token.is_word(text, word))
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
    reading: Reading<'k>,
    scopes: Vec<Scope>,
    found: Vec<PlainName>,
}

impl Finder<'_> {
    fn is_cte(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.names[..scope.visible].iter().any(|cte| cte == name))
    }

    fn meaning(&self, name: &ObjectName) -> Option<(Named, String)> {
        let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(catalog_name).collect();
        let reader = self.reading.reader;
        let (named, last) = match parts.as_slice() {
            [name] if self.is_cte(name) => return None,
            [name] => (self.known.meaning(None, name, reader), name),
            [schema, name] | [_, schema, name] => (self.known.meaning(Some(schema), name, reader), name),
            _ => return None,
        };
        Some((named?, last.clone()))
    }

    /// The bytes of the text that hold the name, if they are where the parser says.
    fn place(&self, name: &ObjectName) -> Option<Range<usize>> {
        let mut parts = name.0.iter().filter_map(|part| part.as_ident());
        let first = self.range(parts.next()?)?;
        let last = parts.next_back().map_or(Some(first.clone()), |last| self.range(last))?;
        Some(first.start..last.end)
    }

    fn range(&self, ident: &SqlIdent) -> Option<Range<usize>> {
        let start = offset(self.reading.text, ident.span.start)?;
        let at = self.reading.tokens.binary_search_by_key(&start, |token| token.range.start).ok()?;
        let range = self.reading.tokens[at].range.clone();
        (folded(&self.reading.text[range.clone()]) == catalog_name(ident)).then_some(range)
    }
}

/// The byte of a line and column, both from 1; the column counts characters.
fn offset(text: &str, location: sqlparser::tokenizer::Location) -> Option<usize> {
    let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    text[start..].char_indices().nth(column).map(|(at, _)| start + at)
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

    /// A table keeps the name by which the query qualifies its columns.
    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, args: None, .. } = factor
            && let Some((named, last)) = self.meaning(name)
        {
            let place = self.place(name);
            let relation = named.rewritten.as_ref().map(|(printed, _)| printed.clone());
            let rewriting = named.rewritten.and_then(|(printed, its_name)| {
                let place = place.clone()?;
                Some((
                    place,
                    match alias.is_some() || its_name == last {
                        true => printed,
                        false => format!("{printed} as {}", Ident::from_catalog(last.as_str())),
                    },
                ))
            });
            self.found.push(PlainName { node: named.node, place, last, relation, rewriting });
        }
        ControlFlow::Continue(())
    }
}
