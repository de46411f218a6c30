//! Where the items of a YAML list stand in the lines of a file, so that a file can be changed in places.

use std::ops::Range;

use crate::project::{Yaml, YamlValue};

/// One item of a list, in whole lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// The byte at which its first line begins.
    pub line_start: usize,
    /// The first line's blanks.
    pub indent: String,
    /// The byte after its last line.
    pub end: usize,
}

/// The block item that this value is, with the dash before it; [`None`] where it is not laid out so.
pub(super) fn block_item(text: &str, yaml: &Yaml) -> Option<Item> {
    let first = first_byte(text, yaml);
    let before = text.get(..first)?.trim_end();
    let dash = before.strip_suffix('-')?.len();
    let line_start = line_start(text, dash);
    let indent = text.get(line_start..dash)?;
    if !indent.chars().all(|letter| letter == ' ') {
        return None;
    }
    Some(Item { line_start, indent: indent.to_owned(), end: end_of_block(text, dash, indent.len()) })
}

/// Where the line of a value's first byte begins, and its blanks.
pub(super) fn line_of(text: &str, yaml: &Yaml) -> (usize, String) {
    let start = line_start(text, first_byte(text, yaml));
    let blanks = text[start..].chars().take_while(|letter| *letter == ' ').collect();
    (start, blanks)
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// A block map begins with its first key, a map in braces with its brace.
fn first_byte(text: &str, yaml: &Yaml) -> usize {
    match &yaml.value {
        YamlValue::Map(entries) if !text[yaml.range.start..].starts_with('{') => {
            entries.first().map_or(yaml.range.start, |(key, _)| key.range.start)
        }
        YamlValue::Map(_)
        | YamlValue::List(_)
        | YamlValue::Null
        | YamlValue::Bool(_)
        | YamlValue::Number(_)
        | YamlValue::Text(_) => yaml.range.start,
    }
}

/// What is indented deeper than the dash belongs to its item; blank lines at its end don't.
fn end_of_block(text: &str, dash: usize, indent: usize) -> usize {
    let mut end = dash;
    let mut at = line_start(text, dash);
    for (number, line) in text[at..].split_inclusive('\n').enumerate() {
        let content = line.trim_end();
        let depth = line.len() - line.trim_start_matches(' ').len();
        if number > 0 && !content.trim().is_empty() && depth <= indent {
            break;
        }
        at += line.len();
        if number == 0 || !content.trim().is_empty() {
            end = at;
        }
    }
    end
}

/// The byte of the bracket that closes the list in brackets whose first is at `open`.
pub(super) fn closing_bracket(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut is_comment = false;
    let mut before = ' ';
    let mut letters = text.get(open..)?.char_indices();
    while let Some((at, letter)) = letters.next() {
        match (quote, letter) {
            _ if is_comment => is_comment = letter != '\n',
            (Some('"'), '\\') => {
                letters.next();
            }
            (Some(mark), _) if mark == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if " \t\n,[{:".contains(before) => quote = Some(letter),
            (None, '#') if before.is_whitespace() => is_comment = true,
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + at);
                }
            }
            (None, _) => {}
        }
        before = letter;
    }
    None
}

/// The comment lines directly above a line, nearest first, without their blanks.
pub(super) fn comments_above(text: &str, line_start: usize) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    let mut end = line_start;
    while end > 0 {
        let start = self::line_start(text, end - 1);
        let line = text[start..end].trim();
        if !line.starts_with('#') {
            break;
        }
        found.push((start..end, line));
        end = start;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_brackets_ends_where_its_own_bracket_closes() {
        let text = "columns: [{name: \"a]\\\"\"}, [b, 'c]'], # ]\n  {name: it's}]  # rest ]";
        let open = text.find('[').expect("a bracket");
        assert_eq!(closing_bracket(text, open), Some(text.find("]  # rest").expect("the last")));
        assert_eq!(closing_bracket("[a, [b]", 0), None);
    }

    #[test]
    fn an_item_ends_before_what_is_not_indented_deeper_than_its_dash() {
        let text = "tables:\n  - name: a\n    key: [id]\n    # of a\n\n\n  # of b\n  - name: b\n";
        let dash = text.find('-').expect("a dash");
        let end = end_of_block(text, dash, 2);
        assert!(text[..end].ends_with("# of a\n"), "{:?}", &text[..end]);
    }
}
