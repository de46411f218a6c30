//! A compiled text must be one query: checked on its tokens, since the server is the authority on everything finer.

use std::ops::Range;

use super::tokens::{Kind, Token};
use super::{CompiledSql, SqlBuilder};

/// Why a text is not one SELECT, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotOneSelect {
    pub why: String,
    pub at: Range<usize>,
}

/// The range of the query without the white space before it and without `;` and comments after it.
pub(super) fn check(text: &str, tokens: &[Token]) -> Result<Range<usize>, NotOneSelect> {
    let body = without_semicolons(tokens);
    let Some((first, last)) = body.first().zip(body.last()) else {
        return Err(NotOneSelect { why: "has no SQL".to_owned(), at: 0..text.len() });
    };
    if let Some(end) = body.iter().position(|token| token.is_symbol(b';')) {
        let second = body[end + 1..].iter().find(|token| !token.is_symbol(b';')).unwrap_or(last);
        return Err(NotOneSelect { why: "has more than one statement".to_owned(), at: second.range.clone() });
    }
    begins_a_query(text, body)?;
    writes_nothing(text, body)?;
    let start = text.find(|letter: char| !letter.is_whitespace()).unwrap_or(first.range.start);
    Ok(start..last.range.end)
}

/// The query alone.
pub(super) fn trimmed(sql: &CompiledSql, range: Range<usize>) -> CompiledSql {
    SqlBuilder::new().slice(sql, range).finish()
}

fn without_semicolons(tokens: &[Token]) -> &[Token] {
    let end = tokens.iter().rposition(|token| !token.is_symbol(b';')).map_or(0, |at| at + 1);
    &tokens[..end]
}

fn begins_a_query(text: &str, tokens: &[Token]) -> Result<(), NotOneSelect> {
    let first = tokens.iter().find(|token| !token.is_symbol(b'(')).unwrap_or(&tokens[0]);
    if ["select", "with", "values", "table"].iter().any(|word| first.is_word(text, word)) {
        return Ok(());
    }
    let word = text[first.range.clone()].to_uppercase();
    Err(NotOneSelect { why: format!("begins with {word}"), at: first.range.clone() })
}

/// Statements that write can hide behind `with`, and `select … into` makes a table.
fn writes_nothing(text: &str, tokens: &[Token]) -> Result<(), NotOneSelect> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Symbol(b'(') => depth += 1,
            Kind::Symbol(b')') => depth = depth.saturating_sub(1),
            Kind::Word => {
                if let Some(why) = writing(text, tokens, at, depth) {
                    return Err(NotOneSelect { why, at: token.range.clone() });
                }
            }
            Kind::Quoted | Kind::Constant | Kind::Symbol(_) => {}
        }
    }
    Ok(())
}

fn writing(text: &str, tokens: &[Token], at: usize, depth: usize) -> Option<String> {
    let token = &tokens[at];
    let next = |word: &str| tokens.get(at + 1).is_some_and(|token| token.is_word(text, word));
    let opens = at.checked_sub(1).is_none_or(|before| tokens[before].is_symbol(b'(') || tokens[before].is_symbol(b')'));
    let pairs = [("insert", "into"), ("delete", "from"), ("merge", "into")];
    if let Some((verb, _)) = pairs.iter().find(|(verb, then)| token.is_word(text, verb) && next(then) && opens) {
        return Some(format!("has {}", verb.to_uppercase()));
    }
    if token.is_word(text, "update") && opens && tokens[at..].iter().any(|token| token.is_word(text, "set")) {
        return Some("has UPDATE".to_owned());
    }
    (depth == 0 && token.is_word(text, "into")).then(|| "has SELECT INTO".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn verdict(text: &str) -> Result<&str, String> {
        check(text, &tokens(text)).map(|range| &text[range]).map_err(|error| error.why)
    }

    #[test]
    fn one_query_is_kept_without_its_end_mark() {
        assert_eq!(verdict("\n -- why\nselect 1 ; -- done"), Ok("-- why\nselect 1"));
        assert_eq!(verdict("(select 1) union all (values (2));;"), Ok("(select 1) union all (values (2))"));
        assert_eq!(verdict("with a as (select ';') select * from a"), Ok("with a as (select ';') select * from a"));
        assert_eq!(verdict("select * from a for update of a"), Ok("select * from a for update of a"));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(verdict(" -- nothing\n"), Err("has no SQL".to_owned()));
        assert_eq!(verdict("select 1; select 2"), Err("has more than one statement".to_owned()));
        assert_eq!(verdict("insert into a values (1)"), Err("begins with INSERT".to_owned()));
        assert_eq!(verdict("with a as (delete from b returning *) select 1"), Err("has DELETE".to_owned()));
        assert_eq!(verdict("with a as (select 1) insert into b select 1"), Err("has INSERT".to_owned()));
        assert_eq!(verdict("with a as (update b set c = 1 returning 1) select 1"), Err("has UPDATE".to_owned()));
        assert_eq!(verdict("select 1 as a into b"), Err("has SELECT INTO".to_owned()));
    }
}
