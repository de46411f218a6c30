//! Finds the named blocks of a file: `{% macro %}`, `{% test %}`, `{% snapshot %}`, `{% docs %}`, `{% materialization %}`.
//!
//! Nothing is rendered; what a block's body means is its reader's affair.

use std::ops::Range;

use super::scan::{Code, Kind, Token, codes, tokens};

/// What a block defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockKind {
    Macro,
    /// Also written `data_test`.
    Test,
    Snapshot,
    Docs,
    Materialization,
}

/// One block, with the places of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub kind: BlockKind,
    pub name: String,
    pub name_at: Range<usize>,
    /// Between the parentheses after the name, else what stands after it: `, adapter='postgres'`.
    pub arguments: Range<usize>,
    /// Between the two tags.
    pub body: Range<usize>,
    /// With the tags.
    pub whole: Range<usize>,
}

/// The blocks of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    /// In the file's order; a block inside another is part of that one's body.
    pub found: Vec<Block>,
    /// The tag of a block that nothing ends.
    pub unclosed: Option<Range<usize>>,
    /// Whether there is code outside of all blocks.
    pub has_other_code: bool,
}

impl BlockKind {
    /// By the word that opens it.
    fn opened_by(word: &str) -> Option<Self> {
        Some(match word {
            "macro" => BlockKind::Macro,
            "test" | "data_test" => BlockKind::Test,
            "snapshot" => BlockKind::Snapshot,
            "docs" => BlockKind::Docs,
            "materialization" => BlockKind::Materialization,
            _ => return None,
        })
    }

    /// By the word that ends it.
    fn closed_by(word: &str) -> Option<Self> {
        word.strip_prefix("end").and_then(Self::opened_by)
    }
}

/// Reads a file's blocks.
pub fn blocks(text: &str) -> Blocks {
    let mut blocks = Blocks::default();
    let mut open: Option<(Block, usize)> = None;
    for code in codes(text) {
        let tokens = tokens(text, code.inside.clone());
        let word = if code.is_statement { keyword(text, &tokens).map(|(_, word)| word) } else { None };
        match &mut open {
            None => match word.and_then(BlockKind::opened_by) {
                Some(kind) => open = Some((opened(text, kind, (&code, &tokens)), 1)),
                None => blocks.has_other_code = true,
            },
            Some((block, depth)) => {
                let Some(word) = word else { continue };
                if BlockKind::opened_by(word) == Some(block.kind) {
                    *depth += 1;
                } else if BlockKind::closed_by(word) == Some(block.kind) {
                    *depth -= 1;
                }
                if *depth == 0 {
                    block.body.end = code.whole.start;
                    block.whole.end = code.whole.end;
                    blocks.found.extend(open.take().map(|(block, _)| block));
                }
            }
        }
    }
    blocks.unclosed = open.map(|(block, _)| block.whole);
    blocks
}

/// The word that a statement starts with, and which token it is.
pub(super) fn keyword<'t>(text: &'t str, tokens: &[Token]) -> Option<(usize, &'t str)> {
    let at = tokens.iter().position(|token| !matches!(token.kind, Kind::Symbol(b'-' | b'+')))?;
    (tokens[at].kind == Kind::Name).then(|| (at, &text[tokens[at].range.clone()]))
}

/// Where a statement's code ends before the sign of whitespace control.
pub(super) fn code_end(text: &str, code: &Code) -> usize {
    let signed = text[code.inside.clone()].ends_with(['-', '+']);
    if signed { code.inside.end - 1 } else { code.inside.end }
}

fn opened(text: &str, kind: BlockKind, (code, tokens): (&Code, &[Token])) -> Block {
    let word = tokens.iter().position(|token| token.kind == Kind::Name).unwrap_or_default();
    let end = code_end(text, code);
    let name_at = match tokens.get(word + 1) {
        Some(token) if token.kind == Kind::Name => token.range.clone(),
        Some(_) | None => end..end,
    };
    let is_call = tokens.get(word + 2).is_some_and(|token| token.kind == Kind::Symbol(b'('));
    let close = tokens.iter().rposition(|token| token.kind == Kind::Symbol(b')'));
    let arguments = match close {
        Some(close) if is_call => tokens[word + 2].range.end..tokens[close].range.start,
        Some(_) | None => name_at.end..end,
    };
    Block {
        kind,
        name: text[name_at.clone()].to_owned(),
        name_at,
        arguments,
        body: code.whole.end..code.whole.end,
        whole: code.whole.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_their_parts() {
        let text = "{% docs orders %}{{ not code' }}{% enddocs %} x\n{%- test is_even(model, column_name) -%}select 1{%- endtest %}\
                    {% macro a() %}{% if x %}{% endif %}{% endmacro %}{% materialization m, adapter='postgres' %}{% endmaterialization %}";
        let found = blocks(text);
        let parts: Vec<_> = found
            .found
            .iter()
            .map(|block| (block.kind, block.name.as_str(), &text[block.arguments.clone()], &text[block.body.clone()]))
            .collect();
        assert_eq!(
            parts,
            [
                (BlockKind::Docs, "orders", " ", "{{ not code' }}"),
                (BlockKind::Test, "is_even", "model, column_name", "select 1"),
                (BlockKind::Macro, "a", "", "{% if x %}{% endif %}"),
                (BlockKind::Materialization, "m", ", adapter='postgres' ", ""),
            ]
        );
        assert_eq!((found.unclosed, found.has_other_code), (None, false));
        let found = blocks("{{ x }}{% macro a() %}");
        assert_eq!((found.unclosed, found.has_other_code), (Some(7..22), true));
    }
}
