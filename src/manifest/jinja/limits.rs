//! What one template may cost, so that none hangs, fills the memory or overflows the stack. No sane project meets these
//! limits: a loop over 100,000 rows stays far below.
//!
//! The engine counts steps and bytes of a render; how deep an expression nests is counted here, before the engine reads
//! it by recursion.

use std::ops::Range;

use minijinja::value::Value;
use minijinja::{Error, ErrorKind, State};

use super::scan::{Kind, Token};
use crate::diagnostic::{Code, Diagnostic};

/// Of one render: one for each operation, one for each 64 bytes that it makes.
pub(super) const MOST_STEPS: u64 = 20_000_000;

/// What a template may give.
pub(super) const MOST_TEXT_BYTES: usize = 32 << 20;

/// Operators, calls and brackets that stand in each other, as `a ~ b ~ c` stands in two.
const MOST_NESTED: usize = 1_000;

/// An item that is kept, with the room that a growing list has to spare.
const STEPS_PER_ITEM: u64 = 2;

/// What a text may be padded to.
const MOST_WIDTH: usize = 1_000_000;

/// What is counted of one bracket that is open, and of the code outside of all.
#[derive(Debug, Default)]
struct Level {
    /// Of the element that is being read: its operators, and the deepest bracket in it.
    operators: usize,
    inner: usize,
    /// Of the elements before it.
    deepest: usize,
}

impl Level {
    fn nested(&self) -> usize {
        self.operators + self.inner
    }

    fn end_element(&mut self) {
        self.deepest = self.deepest.max(self.nested());
        (self.operators, self.inner) = (0, 0);
    }
}

/// The place in a piece of code where it nests deeper than a template may.
pub(super) fn too_deep(text: &str, tokens: &[Token]) -> Option<Range<usize>> {
    let mut levels = vec![Level::default()];
    for token in tokens {
        match token.kind {
            Kind::Symbol(b',') => levels.last_mut()?.end_element(),
            Kind::Symbol(b'(' | b'[' | b'{') => {
                levels.last_mut()?.operators += 1;
                levels.push(Level::default());
            }
            Kind::Symbol(b')' | b']' | b'}') if levels.len() > 1 => {
                let mut closed = levels.pop()?;
                closed.end_element();
                let level = levels.last_mut()?;
                level.inner = level.inner.max(closed.deepest);
            }
            Kind::Symbol(b'0' | b')' | b']' | b'}') | Kind::Text => {}
            Kind::Symbol(_) => levels.last_mut()?.operators += 1,
            Kind::Name => {
                if matches!(&text[token.range.clone()], "and" | "or" | "not" | "if" | "else" | "in" | "is") {
                    levels.last_mut()?.operators += 1;
                }
            }
        }
        let is_too_deep = levels.len() > MOST_NESTED || levels.last()?.nested() > MOST_NESTED;
        if is_too_deep {
            return Some(token.range.clone());
        }
    }
    None
}

/// `{% if %}` with one `{% elif %}` after the other, each of which stands in the one before it.
#[derive(Debug, Default)]
pub(super) struct Branches(Vec<usize>);

impl Branches {
    /// Counts a statement; whether it is one too many.
    pub fn too_many(&mut self, word: &str) -> bool {
        match word {
            "if" => self.0.push(0),
            "endif" => drop(self.0.pop()),
            "elif" => {
                if let Some(branches) = self.0.last_mut() {
                    *branches += 1;
                    return *branches > MOST_NESTED;
                }
            }
            _ => {}
        }
        false
    }
}

/// Code that [`too_deep`] or the engine's own count of brackets and blocks refuses.
pub(super) fn nests_too_deep() -> Diagnostic {
    Diagnostic::error(Code::TemplateLimit, "the template nests too deep here")
        .label(format!("more than {MOST_NESTED} operators, 50 brackets or 100 blocks in each other"))
        .hint("compute it in steps, with {% set %}; a long list of texts is joined by ['a', 'b'] | join")
}

/// A render that took too many steps or made too much.
pub(super) fn too_much_work() -> Diagnostic {
    let message =
        format!("the template takes more than {MOST_STEPS} steps, of which each 64 bytes that it makes are one");
    Diagnostic::error(Code::TemplateLimit, message)
        .hint("let the server do it: generate_series() makes rows, and a join replaces a loop in a loop")
}

/// A render that gave too much.
pub(super) fn too_much_text(bytes: usize) -> Diagnostic {
    let (given, most) = (bytes >> 20, MOST_TEXT_BYTES >> 20);
    Diagnostic::error(Code::TemplateLimit, format!("the template gives {given} MiB of text; it may give {most} MiB"))
        .hint("put the values into a seed or a table, and join it")
}

/// Takes steps for bytes that are about to be made, so that what is too much is never made.
pub(super) fn pay_for_bytes(state: &State<'_, '_>, bytes: usize) -> Result<(), Error> {
    state.consume_fuel(u64::try_from(bytes / 64).unwrap_or(u64::MAX))
}

/// Takes steps for items that are looked at.
pub(super) fn pay_for_items(state: &State<'_, '_>, items: usize) -> Result<(), Error> {
    state.consume_fuel(u64::try_from(items / 8).unwrap_or(u64::MAX))
}

/// The items of anything that has some, each of which is paid for before it is kept.
pub(super) fn collected(state: &State<'_, '_>, value: &Value) -> Result<Vec<Value>, Error> {
    let mut items = Vec::new();
    for item in value.try_iter()? {
        state.consume_fuel(STEPS_PER_ITEM)?;
        items.push(item);
    }
    Ok(items)
}

/// Refuses to pad a text to any width.
pub(super) fn check_width(width: usize) -> Result<usize, Error> {
    match width <= MOST_WIDTH {
        true => Ok(width),
        false => {
            let refused = format!("a text is padded to {MOST_WIDTH} characters at most");
            Err(Error::new(ErrorKind::InvalidOperation, refused))
        }
    }
}

/// Refuses widths in `'%9s'` and `'{:9}'`.
pub(super) fn check_format(text: &str) -> Result<(), Error> {
    let (mut in_braces, mut in_spec, mut width) = (false, false, 0_usize);
    for letter in text.chars() {
        match letter {
            '{' | '}' => (in_braces, in_spec, width) = (letter == '{', false, 0),
            '%' => (in_spec, width) = (true, 0),
            ':' if in_braces => (in_spec, width) = (true, 0),
            '0'..='9' if in_spec => {
                width = width.saturating_mul(10).saturating_add(letter as usize - '0' as usize);
                check_width(width)?;
            }
            '<' | '>' | '=' | '^' | '-' | '+' | ' ' | '#' | '.' | ',' | '_' | '*' => width = 0,
            _ => in_spec = in_spec && in_braces,
        }
    }
    Ok(())
}
