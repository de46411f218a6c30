//! `--empty`: models whose relations give no rows, so that a run makes every relation with its columns and reads nothing.
//!
//! `ref` and `source` print dbt's subquery, `(select * from … where false limit 0) _dbt_limit_subq_…`. In the rendered text
//! its alias gives way to the model's own, or to the name by which the relation is known without `--empty`.

use std::ops::Range;

use super::plain_names::{PlainName, folded};
use super::tokens::{Kind, Token, tokens};
use super::{CompiledSql, rewrite};
use crate::ident::Ident;
use crate::manifest::jinja::{EMPTY_ALIAS, EMPTY_END, EMPTY_START};

/// What no alias of a table can be: the words that PostgreSQL reserves and that may come after a table.
const NEVER_ALIASES: &[&str] = &[
    "where",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "on",
    "using",
    "group",
    "order",
    "having",
    "union",
    "intersect",
    "except",
    "limit",
    "offset",
    "fetch",
    "for",
    "window",
    "tablesample",
];

/// The text with one alias for each relation that was printed, and its tokens.
pub(super) fn with_aliases(sql: &CompiledSql, printed: &[Token]) -> (CompiledSql, Vec<Token>) {
    let aliases = (0..printed.len()).filter_map(|at| printed_alias(&sql.text, printed, at));
    let sql = rewrite::replaced(sql, &aliases.collect::<Vec<_>>());
    let tokens = tokens(&sql.text);
    (sql, tokens)
}

/// What to replace, in order, so that no name that is written out gives rows.
pub(super) fn replacements(text: &str, tokens: &[Token], names: &[PlainName]) -> Vec<(Range<usize>, String)> {
    names.iter().filter_map(|name| emptied(text, tokens, name)).collect()
}

/// The alias that `ref` printed, and what stands in its place.
fn printed_alias(text: &str, tokens: &[Token], at: usize) -> Option<(Range<usize>, String)> {
    let token = tokens.get(at).filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted))?;
    let written = folded(&text[token.range.clone()]);
    let name = written.strip_prefix(EMPTY_ALIAS)?;
    tokens.get(at.checked_sub(1)?).filter(|before| before.is_symbol(b')'))?;
    let alias = match is_alias(text, tokens.get(at + 1)) {
        true => String::new(),
        false => format!("as {}", Ident::from_catalog(name)),
    };
    Some((token.range.clone(), alias))
}

/// A name that is written out, as a subquery.
fn emptied(text: &str, tokens: &[Token], name: &PlainName) -> Option<(Range<usize>, String)> {
    let place = name.place.clone()?;
    if text[..place.start].ends_with(EMPTY_START) {
        return None;
    }
    let relation = name.relation.as_deref().unwrap_or(&text[place.clone()]);
    let next = tokens.iter().find(|token| token.range.start >= place.end);
    let alias = match is_alias(text, next) {
        true => String::new(),
        false => format!(" as {}", Ident::from_catalog(name.last.clone())),
    };
    Some((place, format!("{EMPTY_START}{relation}{EMPTY_END}{alias}")))
}

fn is_alias(text: &str, token: Option<&Token>) -> bool {
    token.is_some_and(|token| match token.kind {
        Kind::Quoted => true,
        Kind::Word => !NEVER_ALIASES.iter().any(|word| token.is_word(text, word)),
        Kind::Constant | Kind::Symbol(_) => false,
    })
}
