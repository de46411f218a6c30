//! A light reading of a template's code: which names it uses and which calls it makes, with their places.
//!
//! It never judges: what it does not understand it passes over, and the template engine reports it.

use std::ops::Range;

/// What a template's code mentions; text outside `{{ }}` and `{% %}` is not looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Every identifier that is not an attribute, with repeats.
    pub names: Vec<Range<usize>>,
    pub calls: Vec<Call>,
    /// `<object>.<name>` pairs: the object's range with its dot, then the name's.
    pub members: Vec<(Range<usize>, Range<usize>)>,
    /// Where the code nests deeper than the engine may be asked to read.
    pub too_deep: Option<Range<usize>>,
}

/// `function('a', key=…)`.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    pub function: Range<usize>,
    /// Positional arguments that are string literals, without their quotes.
    pub literals: Vec<Range<usize>>,
    /// The names of keyword arguments.
    pub keys: Vec<Range<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Text,
    /// A number is `Symbol(b'0')`.
    Symbol(u8),
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub kind: Kind,
    pub range: Range<usize>,
}

/// `{{ … }}` or `{% … %}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    /// With its marks.
    pub whole: Range<usize>,
    /// Between the marks; signs of whitespace control are inside.
    pub inside: Range<usize>,
    /// `{% %}`.
    pub is_statement: bool,
}

/// Reads the code of a template.
pub fn scan(text: &str) -> Scan {
    let mut found = Scan::default();
    for code in codes(text) {
        read_tokens(&tokens(text, code.inside), &mut found);
    }
    found
}

impl Scan {
    /// The place of the string `name` in a call of `function`.
    pub fn literal(&self, text: &str, function: &str, name: &str) -> Option<Range<usize>> {
        let calls = self.calls.iter().filter(|call| &text[call.function.clone()] == function);
        calls.flat_map(|call| &call.literals).find(|literal| &text[(*literal).clone()] == name).cloned()
    }

    /// The first call of a function.
    pub fn call(&self, text: &str, function: &str) -> Option<&Call> {
        self.calls.iter().find(|call| &text[call.function.clone()] == function)
    }
}

/// The code of a template in order; comments and raw blocks are skipped.
pub(super) fn codes(text: &str) -> Vec<Code> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|offset| at + offset) {
        at = match bytes.get(open + 1) {
            Some(b'#') => text[open + 2..].find("#}").map_or(text.len(), |end| open + 2 + end + 2),
            Some(b'{') => push_code(text, (open, b'}'), &mut found),
            Some(b'%') => {
                let end = push_code(text, (open, b'%'), &mut found);
                skip_raw(text, &mut found, end)
            }
            Some(_) | None => open + 1,
        };
    }
    found
}

/// Notes the code that opens at `open` up to its closing mark, and answers where the text goes on.
fn push_code(text: &str, (open, mark): (usize, u8), found: &mut Vec<Code>) -> usize {
    let bytes = text.as_bytes();
    let mut at = open + 2;
    let mut depth = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => at = string_end(bytes, at, quote),
            byte if byte == mark && depth == 0 && bytes.get(at + 1) == Some(&b'}') => {
                found.push(Code { whole: open..at + 2, inside: open + 2..at, is_statement: mark == b'%' });
                return at + 2;
            }
            byte => {
                depth = match byte {
                    b'{' => depth + 1,
                    b'}' => depth.saturating_sub(1),
                    _ => depth,
                };
                at += 1;
            }
        }
    }
    text.len()
}

/// After `{% raw %}`, the end of the raw block; after `{% docs x %}`, its closing tag; otherwise `end`.
fn skip_raw(text: &str, found: &mut Vec<Code>, end: usize) -> usize {
    let Some(code) = found.last() else { return end };
    let statement = text[code.inside.clone()].trim_matches(['-', '+', ' ', '\n', '\t']);
    if statement.starts_with("docs ") {
        let close = text[end..].find("enddocs").map(|offset| end + offset);
        return close.and_then(|close| text[end..close].rfind("{%")).map_or(text.len(), |offset| end + offset);
    }
    if statement != "raw" {
        return end;
    }
    found.pop();
    text[end..].find("endraw").map_or(text.len(), |offset| end + offset + "endraw".len())
}

/// One past the closing quote.
fn string_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

pub(super) fn tokens(text: &str, code: Range<usize>) -> Vec<Token> {
    let bytes = &text.as_bytes()[..code.end];
    let mut tokens = Vec::new();
    let mut at = code.start;
    while at < bytes.len() {
        let byte = bytes[at];
        let start = at;
        if byte == b'\'' || byte == b'"' {
            at = string_end(bytes, at, byte).min(bytes.len());
            let inner = start + 1..(at - 1).max(start + 1);
            tokens.push(Token { kind: Kind::Text, range: inner });
        } else if byte.is_ascii_alphanumeric() || byte == b'_' {
            while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                at += 1;
            }
            let kind = if byte.is_ascii_digit() { Kind::Symbol(b'0') } else { Kind::Name };
            tokens.push(Token { kind, range: start..at });
        } else {
            at += 1;
            if !byte.is_ascii_whitespace() {
                tokens.push(Token { kind: Kind::Symbol(byte), range: start..at });
            }
        }
    }
    tokens
}

pub(super) fn read_tokens(tokens: &[Token], found: &mut Scan) {
    let kind_at = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(|token| token.kind);
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Name {
            continue;
        }
        if kind_at(at.checked_sub(1)) == Some(Kind::Symbol(b'.')) {
            if let Some(object) = at.checked_sub(2).map(|at| &tokens[at]).filter(|token| token.kind == Kind::Name) {
                found.members.push((object.range.start..token.range.start, token.range.clone()));
            }
        } else {
            found.names.push(token.range.clone());
        }
        if kind_at(Some(at + 1)) == Some(Kind::Symbol(b'(')) {
            found.calls.push(read_call(tokens, at));
        }
    }
}

fn read_call(tokens: &[Token], at: usize) -> Call {
    let mut call = Call { function: tokens[at].range.clone(), literals: Vec::new(), keys: Vec::new() };
    let mut depth = 0_usize;
    for place in at + 1..tokens.len() {
        match tokens[place].kind {
            Kind::Symbol(b'(' | b'[' | b'{') => depth += 1,
            Kind::Symbol(b')' | b']' | b'}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            Kind::Text if depth == 1 && stands_alone(tokens, place) => call.literals.push(tokens[place].range.clone()),
            Kind::Name if depth == 1 && is_key(tokens, place) => call.keys.push(tokens[place].range.clone()),
            Kind::Name | Kind::Text | Kind::Symbol(_) => {}
        }
    }
    call
}

fn stands_alone(tokens: &[Token], at: usize) -> bool {
    let before = matches!(tokens[at - 1].kind, Kind::Symbol(b'(' | b','));
    let after = tokens.get(at + 1).is_none_or(|token| matches!(token.kind, Kind::Symbol(b')' | b',')));
    before && after
}

fn is_key(tokens: &[Token], at: usize) -> bool {
    let is_equals = |at: usize| tokens.get(at).is_some_and(|token| token.kind == Kind::Symbol(b'='));
    is_equals(at + 1) && !is_equals(at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_with_the_places_of_their_names_and_keys() {
        let text =
            "{{ config(materialized='view', tags=['a']) }}\nselect ref('no') from {{ ref(\"person\") }} {# ref('x') #}";
        let scan = scan(text);
        assert_eq!(scan.literal(text, "ref", "person").map(|range| &text[range]), Some("person"));
        assert_eq!(scan.literal(text, "ref", "no"), None);
        assert_eq!(scan.literal(text, "ref", "x"), None);
        let keys: Vec<_> = scan.calls[0].keys.iter().map(|key| &text[key.clone()]).collect();
        assert_eq!(keys, ["materialized", "tags"]);
    }

    #[test]
    fn raw_blocks_and_closing_marks_in_strings_do_not_mislead() {
        let text = "{% raw %}{{ ref('a') }}{% endraw %}{{ ref('}}') ~ ref('b') }}";
        let scan = scan(text);
        let literals: Vec<_> = scan.calls.iter().flat_map(|call| &call.literals).map(|at| &text[at.clone()]).collect();
        assert_eq!(literals, ["}}", "b"]);
    }

    #[test]
    fn members_of_the_project_are_told_from_plain_names() {
        let text = "{{ shop.cents(a.b) }}";
        let scan = scan(text);
        let members: Vec<_> =
            scan.members.iter().map(|(object, name)| (&text[object.clone()], &text[name.clone()])).collect();
        assert_eq!(members, [("shop.", "cents"), ("a.", "b")]);
    }
}
