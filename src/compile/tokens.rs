//! PostgreSQL's lexical rules, as far as they tell code from comments and strings.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or bare name.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A number or a string of any form.
    Constant,
    Symbol(u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub range: Range<usize>,
}

impl Token {
    /// Whether the token is this keyword, given in lower case.
    pub fn is_word(&self, text: &str, word: &str) -> bool {
        self.kind == Kind::Word && text[self.range.clone()].eq_ignore_ascii_case(word)
    }

    pub fn is_symbol(&self, symbol: u8) -> bool {
        self.kind == Kind::Symbol(symbol)
    }
}

/// The tokens of a text; comments and white space are left out, what is not closed goes to the end.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(bytes.len() / 5);
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let kind = match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = text[at..].find('\n').map_or(bytes.len(), |end| at + end + 1);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = comment_end(bytes, at);
                continue;
            }
            b'\'' => {
                at = quoted_end(bytes, at, Escapes::Doubled);
                Kind::Constant
            }
            b'"' => {
                at = quoted_end(bytes, at, Escapes::Doubled);
                Kind::Quoted
            }
            b'$' => match dollar_end(text, at) {
                Some(end) => {
                    at = end;
                    Kind::Constant
                }
                None => {
                    at += 1;
                    Kind::Symbol(b'$')
                }
            },
            byte if byte.is_ascii_digit() => {
                at = run_end(bytes, at, |byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_');
                Kind::Constant
            }
            byte if is_word_start(byte) => {
                at = run_end(bytes, at, is_word);
                word_or_string(bytes, start, &mut at)
            }
            byte => {
                at += 1;
                Kind::Symbol(byte)
            }
        };
        found.push(Token { kind, range: start..at });
    }
    found
}

/// How a quote is written inside a quoted text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Doubled,
    Backslash,
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn run_end(bytes: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[start..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| start + length)
}

/// `E'…'`, `B'…'`, `X'…'`, `N'…'`: the letter belongs to the string after it.
fn word_or_string(bytes: &[u8], start: usize, at: &mut usize) -> Kind {
    if *at != start + 1 || bytes.get(*at) != Some(&b'\'') {
        return Kind::Word;
    }
    let escapes = match bytes[start] {
        b'e' | b'E' => Escapes::Backslash,
        b'b' | b'B' | b'x' | b'X' | b'n' | b'N' => Escapes::Doubled,
        _ => return Kind::Word,
    };
    *at = quoted_end(bytes, *at, escapes);
    Kind::Constant
}

/// One past the closing quote; a doubled quote goes on, as two strings side by side do for our purpose.
fn quoted_end(bytes: &[u8], start: usize, escapes: Escapes) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while at < bytes.len() {
        if bytes[at] == b'\\' && escapes == Escapes::Backslash {
            at += 2;
        } else if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// Comments nest in PostgreSQL.
fn comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of `$tag$…$tag$` when one begins here.
fn dollar_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let tag_end = run_end(bytes, start + 1, |byte| is_word_start(byte) || byte.is_ascii_digit());
    if bytes.get(tag_end) != Some(&b'$') || bytes.get(start + 1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let tag = &text[start..=tag_end];
    Some(text[tag_end + 1..].find(tag).map_or(text.len(), |end| tag_end + 1 + end + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|token| &text[token.range]).collect()
    }

    #[test]
    fn comments_and_strings_hide_their_content() {
        assert_eq!(texts("select ';' -- ;\n/* /* ; */ */ x"), ["select", "';'", "x"]);
        assert_eq!(
            texts("$a$ ; $b$ $a$ E'\\'' 'it''s' \"a\"\"b\""),
            ["$a$ ; $b$ $a$", "E'\\''", "'it''s'", "\"a\"\"b\""]
        );
        assert_eq!(texts("a.b$1 $1 1.5e3"), ["a", ".", "b$1", "$", "1", "1.5e3"]);
    }

    #[test]
    fn what_is_not_closed_ends_with_the_text() {
        assert_eq!(texts("select 'x"), ["select", "'x"]);
        assert_eq!(texts("select /* x"), ["select"]);
    }
}
