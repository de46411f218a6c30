//! dbt's Jinja as the template engine reads it: what Python's Jinja has and the engine lacks becomes calls of functions
//! whose names start with `__`. Every place of the new text is traced back to the user's.
//!
//! - `[…]` and `{…}` become lists and dicts that can be changed; so does what `set` stores;
//! - `{% do … %}` takes any expression; `'…' % x` formats;
//! - a macro that mentions `varargs` or `kwargs` gets them as parameters; each macro is stored again as a value that
//!   knows `return()`;
//! - `{% test x() %}` is the macro `test_x`; a `{% materialization %}` is left out.
//!
//! No line break is added or taken away outside of what is left out.

use std::borrow::Cow;
use std::ops::Range;

use super::blocks::{code_end, keyword};
use super::limits::{Branches, too_deep};
use super::scan::{Code, Kind, Scan, Token, codes, read_tokens, tokens};

/// A text in place of the user's, and how places in it map back.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub text: String,
    /// Ascending by `new`.
    segments: Vec<Segment>,
}

#[derive(Debug)]
struct Segment {
    new: usize,
    old: usize,
    /// Text that the user did not write; all of it stands at `old`.
    is_inserted: bool,
}

#[derive(Debug)]
struct Edit {
    at: Range<usize>,
    text: Cow<'static, str>,
}

/// A macro whose end is still to come.
struct OpenMacro {
    name: String,
    /// Where parameters are added.
    close: usize,
    has_parameters: bool,
    varargs: bool,
    kwargs: bool,
}

#[derive(Default)]
struct Rewriter {
    edits: Vec<Edit>,
    macros: Vec<OpenMacro>,
    /// Where an open materialization starts, and how many edits were made before it.
    left_out: Option<(usize, usize)>,
    branches: Branches,
}

/// Reads a template's code, and rewrites it where the engine needs that.
pub(super) fn read(text: &str) -> (Scan, Option<Rewritten>) {
    let mut found = Scan::default();
    let mut rewriter = Rewriter::default();
    for code in codes(text) {
        let tokens = tokens(text, code.inside.clone());
        rewriter.code((text, &code, &tokens), &mut found);
    }
    (found, applied(text, rewriter.edits))
}

/// The same for one block of a file: what is around it is left out, and places stay the file's.
pub(super) fn read_block(text: &str, body: Range<usize>) -> (Scan, Option<Rewritten>) {
    let mut found = Scan::default();
    let mut rewriter = Rewriter::default();
    rewriter.edit(0..body.start, "");
    for code in codes(text) {
        if code.whole.start < body.start || code.whole.end > body.end {
            continue;
        }
        let tokens = tokens(text, code.inside.clone());
        rewriter.code((text, &code, &tokens), &mut found);
    }
    rewriter.edit(body.end..text.len(), "");
    (found, applied(text, rewriter.edits))
}

impl Rewritten {
    /// The range of the user's text that a range of this one came from.
    pub fn origin(&self, range: Range<usize>) -> Range<usize> {
        let start = self.place(range.start);
        start..self.place(range.end).max(start)
    }

    fn place(&self, new: usize) -> usize {
        let after = self.segments.partition_point(|segment| segment.new <= new);
        match self.segments[..after].last() {
            Some(segment) if segment.is_inserted => segment.old,
            Some(segment) => segment.old + (new - segment.new),
            None => new,
        }
    }
}

fn applied(text: &str, mut edits: Vec<Edit>) -> Option<Rewritten> {
    if edits.is_empty() {
        return None;
    }
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let mut rewritten = Rewritten { text: String::with_capacity(text.len() + edits.len() * 12), segments: Vec::new() };
    let mut at = 0;
    for edit in &edits {
        rewritten.keep(text, at..edit.at.start);
        rewritten.segments.push(Segment { new: rewritten.text.len(), old: edit.at.start, is_inserted: true });
        rewritten.text.push_str(&edit.text);
        at = edit.at.end;
    }
    rewritten.keep(text, at..text.len());
    Some(rewritten)
}

impl Rewritten {
    fn keep(&mut self, text: &str, range: Range<usize>) {
        self.segments.push(Segment { new: self.text.len(), old: range.start, is_inserted: false });
        self.text.push_str(&text[range]);
    }
}

impl Rewriter {
    fn edit(&mut self, at: Range<usize>, text: impl Into<Cow<'static, str>>) {
        self.edits.push(Edit { at, text: text.into() });
    }

    fn insert(&mut self, at: usize, text: impl Into<Cow<'static, str>>) {
        self.edit(at..at, text);
    }

    fn code(&mut self, (text, code, tokens): (&str, &Code, &[Token]), found: &mut Scan) {
        read_tokens(tokens, found);
        if found.too_deep.is_none() {
            found.too_deep = too_deep(text, tokens);
        }
        self.read(text, (code, tokens), found);
    }

    fn read(&mut self, text: &str, (code, tokens): (&Code, &[Token]), found: &mut Scan) {
        let statement = if code.is_statement { keyword(text, tokens) } else { None };
        if statement.is_some_and(|(_, word)| self.branches.too_many(word)) {
            found.too_deep.get_or_insert_with(|| code.whole.clone());
        }
        match statement {
            Some((at, "macro")) => self.open_macro(text, code, &tokens[at..]),
            Some((at, "test" | "data_test")) => {
                self.rename(&tokens[at], "macro");
                if let Some(name) = tokens.get(at + 1) {
                    self.insert(name.range.start, "test_");
                }
                self.open_macro(text, code, &tokens[at..]);
                if let Some(open) = self.macros.last_mut() {
                    open.name.insert_str(0, "test_");
                }
            }
            Some((_, "endmacro")) => self.close_macro(text, code),
            Some((at, "endtest" | "enddata_test")) => {
                self.rename(&tokens[at], "endmacro");
                self.close_macro(text, code);
            }
            Some((_, "materialization")) => self.left_out = Some((code.whole.start, self.edits.len())),
            Some((_, "endmaterialization")) => {
                if let Some((start, edits)) = self.left_out.take() {
                    self.edits.truncate(edits);
                    self.edit(start..code.whole.end, "");
                }
                return;
            }
            Some((at, "set")) => self.set(text, code, &tokens[at..]),
            Some((at, "do")) => {
                self.insert(tokens[at].range.end, " __do((");
                self.insert(code_end(text, code), "))");
            }
            Some(_) | None => {}
        }
        self.expressions(text, tokens);
    }

    fn rename(&mut self, token: &Token, word: &'static str) {
        self.edit(token.range.clone(), word);
    }

    fn open_macro(&mut self, text: &str, code: &Code, tokens: &[Token]) {
        let name = tokens.get(1).filter(|token| token.kind == Kind::Name);
        let close = tokens.iter().rposition(|token| token.kind == Kind::Symbol(b')'));
        self.macros.push(OpenMacro {
            name: name.map(|token| text[token.range.clone()].to_owned()).unwrap_or_default(),
            close: close.map_or(code.inside.end, |close| tokens[close].range.start),
            has_parameters: close.is_some_and(|close| close > 3),
            varargs: false,
            kwargs: false,
        });
    }

    /// After the macro's end, stores it again as a value that knows `return()`.
    fn close_macro(&mut self, text: &str, code: &Code) {
        let Some(open) = self.macros.pop() else { return };
        let mut parameters = Vec::new();
        if open.varargs {
            parameters.push("varargs=none");
        }
        if open.kwargs {
            parameters.push("kwargs=none");
        }
        if !parameters.is_empty() {
            let comma = if open.has_parameters { ", " } else { "" };
            self.insert(open.close, format!("{comma}{}", parameters.join(", ")));
        }
        if open.name.is_empty() {
            return;
        }
        let end = if text[code.inside.clone()].ends_with('-') { "-" } else { "" };
        let name = &open.name;
        self.insert(code.whole.end, format!("{{% set {name} = __macro('{name}', {name}) {end}%}}"));
    }

    /// `set x = a + b`: what is stored can be changed.
    fn set(&mut self, text: &str, code: &Code, tokens: &[Token]) {
        let mut depth = 0_usize;
        for (at, token) in tokens.iter().enumerate() {
            match token.kind {
                Kind::Symbol(b'(' | b'[' | b'{') => depth += 1,
                Kind::Symbol(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                Kind::Symbol(b'=') if depth == 0 => {
                    let expression = &tokens[at + 1..];
                    let computes = |token: &Token| matches!(token.kind, Kind::Symbol(b'(' | b'[' | b'+' | b'|'));
                    if expression.iter().any(computes) {
                        self.insert(token.range.end, " __value((");
                        self.insert(code_end(text, code), "))");
                    }
                    return;
                }
                Kind::Name | Kind::Text | Kind::Symbol(_) => {}
            }
        }
    }

    fn expressions(&mut self, text: &str, tokens: &[Token]) {
        let mut open: Vec<bool> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token.kind {
                Kind::Symbol(b'(') => open.push(false),
                Kind::Symbol(b'[') if !is_operand(text, tokens, at) => {
                    self.insert(token.range.start, "__list(");
                    open.push(true);
                }
                Kind::Symbol(b'[') => open.push(false),
                Kind::Symbol(b'{') => {
                    self.insert(token.range.start, "__dict(");
                    open.push(true);
                }
                Kind::Symbol(b')' | b']' | b'}') => {
                    if open.pop() == Some(true) {
                        self.insert(token.range.end, ")");
                    }
                }
                Kind::Symbol(b'%') => self.format(tokens, at),
                Kind::Symbol(sign @ (b'+' | b'-')) => self.shift(text, tokens, (at, sign)),
                Kind::Name => match &text[token.range.clone()] {
                    "varargs" => self.mark(|open| open.varargs = true),
                    "kwargs" => self.mark(|open| open.kwargs = true),
                    _ => {}
                },
                Kind::Text | Kind::Symbol(_) => {}
            }
        }
    }

    fn mark(&mut self, note: impl FnOnce(&mut OpenMacro)) {
        if let Some(open) = self.macros.last_mut() {
            note(open);
        }
    }

    /// `'…' % x`.
    fn format(&mut self, tokens: &[Token], at: usize) {
        let Some(text) = at.checked_sub(1).map(|before| &tokens[before]).filter(|token| token.kind == Kind::Text)
        else {
            return;
        };
        let Some(end) = operand_end(tokens, at + 1) else { return };
        self.insert(text.range.start - 1, "__format(");
        self.edit(tokens[at].range.clone(), ",");
        self.insert(end, ")");
    }
}

impl Rewriter {
    /// `time - modules.datetime.timedelta(…)`, and `a - b` where it is all that stands in a pair of parentheses or after
    /// a `=`: neither its order nor what binds more tightly can be changed by the call.
    fn shift(&mut self, text: &str, tokens: &[Token], (at, sign): (usize, u8)) {
        if !is_operand(text, tokens, at) {
            return;
        }
        let Some(end) = operand_end(tokens, at + 1) else { return };
        let right = tokens[at + 1..].iter().take_while(|token| token.range.start < end);
        let is_delta = right.clone().any(|token| &text[token.range.clone()] == "timedelta");
        let Some(start) = operand_start(tokens, at) else { return };
        let before = tokens[..at].iter().rev().find(|token| token.range.start < start);
        let after = tokens.iter().find(|token| token.range.start >= end);
        let is_alone = sign == b'-'
            && before.is_some_and(|token| matches!(token.kind, Kind::Symbol(b'(' | b'=')))
            && after.is_none_or(|token| token.kind == Kind::Symbol(b')'))
            && !matches!(tokens[at + 1].kind, Kind::Symbol(b'0'));
        if !is_delta && !is_alone {
            return;
        }
        self.insert(start, "__shift(");
        self.edit(tokens[at].range.clone(), if sign == b'-' { ", '-', " } else { ", '+', " });
        self.insert(end, ")");
    }
}

/// Where the value starts that ends before a token.
fn operand_start(tokens: &[Token], end: usize) -> Option<usize> {
    let mut at = end.checked_sub(1)?;
    loop {
        if matches!(tokens[at].kind, Kind::Symbol(b')' | b']')) {
            let mut depth = 0_usize;
            loop {
                match tokens[at].kind {
                    Kind::Symbol(b')' | b']' | b'}') => depth += 1,
                    Kind::Symbol(b'(' | b'[' | b'{') => depth -= 1,
                    Kind::Name | Kind::Text | Kind::Symbol(_) => {}
                }
                if depth == 0 {
                    break;
                }
                at = at.checked_sub(1)?;
            }
            let calls = at
                .checked_sub(1)
                .is_some_and(|before| matches!(tokens[before].kind, Kind::Name | Kind::Symbol(b')' | b']')));
            if calls {
                at -= 1;
                continue;
            }
            return Some(tokens[at].range.start);
        }
        let is_member = at >= 2 && tokens[at].kind == Kind::Name && tokens[at - 1].kind == Kind::Symbol(b'.');
        if !is_member {
            return (tokens[at].kind == Kind::Name).then(|| tokens[at].range.start);
        }
        at -= 2;
    }
}

/// Whether a value ends before this token, so that `[` takes an item of it.
fn is_operand(text: &str, tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| &tokens[before]) else { return false };
    match before.kind {
        Kind::Name => {
            !matches!(&text[before.range.clone()], "in" | "not" | "and" | "or" | "if" | "else" | "elif" | "is" | "do")
        }
        Kind::Text => true,
        Kind::Symbol(symbol) => matches!(symbol, b')' | b']' | b'}' | b'0'),
    }
}

/// Where the value ends that starts at a token: a name, a string or a group, with its members and calls.
fn operand_end(tokens: &[Token], start: usize) -> Option<usize> {
    let mut at = start;
    let mut end = match tokens.get(at)?.kind {
        Kind::Name | Kind::Symbol(b'0') => tokens[at].range.end,
        Kind::Text => tokens[at].range.end + 1,
        Kind::Symbol(b'(' | b'[' | b'{') => {
            at = group_end(tokens, at)?;
            tokens[at].range.end
        }
        Kind::Symbol(_) => return None,
    };
    while let Some(next) = tokens.get(at + 1) {
        match next.kind {
            Kind::Symbol(b'.') => at += 2,
            Kind::Symbol(b'(' | b'[') => at = group_end(tokens, at + 1)?,
            Kind::Name | Kind::Text | Kind::Symbol(_) => break,
        }
        end = tokens.get(at)?.range.end;
    }
    Some(end)
}

fn group_end(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Symbol(b'(' | b'[' | b'{') => depth += 1,
            Kind::Symbol(b')' | b']' | b'}') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            Kind::Name | Kind::Text | Kind::Symbol(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        read(text).1.map_or_else(|| text.to_owned(), |rewritten| rewritten.text)
    }

    #[test]
    fn what_the_engine_lacks_becomes_calls() {
        let cases = [
            ("select {{ ref('a') }}", "select {{ ref('a') }}"),
            ("{% set x = [1, {'a': []}] -%}", "{% set x = __value(( __list([1, __dict({'a': __list([])})]) ))-%}"),
            ("{{ a[0] }}{{ x in ['a'] }}", "{{ a[0] }}{{ x in __list(['a']) }}"),
            ("{%- do x.append(1) if y -%}", "{%- do __do(( x.append(1) if y ))-%}"),
            ("{{ '%s-%s' % (a, b.c(1)[0]) ~ 1 }}", "{{ __format('%s-%s' , (a, b.c(1)[0])) ~ 1 }}"),
            (
                "{{ (a.b() - modules.datetime.timedelta(1)).c }}",
                "{{ (__shift(a.b() , '-',  modules.datetime.timedelta(1))).c }}",
            ),
            ("{% set d = a.b - c %}", "{% set d = __shift(a.b , '-',  c) %}"),
            ("{{ (a - b[0]).days }}", "{{ (__shift(a , '-',  b[0])).days }}"),
            ("{{ (a - b - c) }}{{ (a - b * c) }}{{ (a - 1) }}", "{{ (a - b - c) }}{{ (a - b * c) }}{{ (a - 1) }}"),
            ("{{ {'a': {}} }}", "{{ __dict({'a': __dict({})}) }}"),
            (
                "{% macro m(a) %}{{ varargs }}{% endmacro -%} x",
                "{% macro m(a, varargs=none) %}{{ varargs }}{% endmacro -%}{% set m = __macro('m', m) -%} x",
            ),
            (
                "{% test t() %}{{ kwargs }}{% endtest %}",
                "{% macro test_t(kwargs=none) %}{{ kwargs }}{% endmacro %}{% set test_t = __macro('test_t', test_t) %}",
            ),
            ("a{% materialization m, default %}{% set x = [] %}{% endmaterialization %}b", "ab"),
        ];
        for (text, expected) in cases {
            assert_eq!(rewritten(text), expected);
        }
    }

    #[test]
    fn places_are_traced_back() {
        let text = "{% set x = [1] %}{{ naem }} from";
        let (_, rewritten) = read(text);
        let rewritten = rewritten.expect("a list was rewritten");
        let at = |needle: &str| {
            let start = rewritten.text.find(needle).expect("it is there");
            rewritten.origin(start..start + needle.len())
        };
        assert_eq!(&text[at("naem")], "naem");
        assert_eq!(&text[at(" from")], " from");
        assert_eq!(&text[at("__list([1])")], "[1]");
    }

    #[test]
    fn a_block_of_a_file_keeps_the_files_places() {
        let text = "{% snapshot s %}select {{ a }}{% endsnapshot %}";
        let (scan, rewritten) = read_block(text, 16..30);
        let rewritten = rewritten.expect("what is around was left out");
        assert_eq!(rewritten.text, "select {{ a }}");
        assert_eq!(&text[rewritten.origin(10..11)], "a");
        assert_eq!(&text[scan.names[0].clone()], "a");
    }
}
