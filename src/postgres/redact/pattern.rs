//! Fits a text to a pattern with kept and hidden holes.
//!
//! A hidden hole takes as much as it can, so that a value that imitates the rest of the pattern hides itself; a kept
//! hole must look like a name, a type or a number.

/// The longest text that a kept hole may hold: a type with its modifiers, or a few column names.
const KEPT_MAX_BYTES: usize = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hole {
    Kept,
    Hidden,
}

/// The text with its hidden holes as `…`, if it fits the whole pattern.
pub fn fit(pattern: &str, text: &str) -> Option<String> {
    let Some((start, hole, rest)) = next_hole(pattern) else {
        return (pattern == text).then(|| text.to_owned());
    };
    let text = text.strip_prefix(start)?;
    let literal = next_hole(rest).map_or(rest, |(literal, _, _)| literal);
    let ends = ends(text, literal);
    let fitted = match hole {
        Hole::Kept => ends.into_iter().find_map(|end| keep(text, end, rest)),
        Hole::Hidden => ends.into_iter().rev().find_map(|end| Some(format!("…{}", fit(rest, &text[end..])?))),
    };
    fitted.map(|fitted| format!("{start}{fitted}"))
}

fn keep(text: &str, end: usize, rest: &str) -> Option<String> {
    let kept = &text[..end];
    // A colon and a space announce a value wherever the server quotes one.
    let plausible = !kept.is_empty() && end <= KEPT_MAX_BYTES && !kept.contains('\n') && !kept.contains(": ");
    if plausible { Some(format!("{kept}{}", fit(rest, &text[end..])?)) } else { None }
}

/// Every place where a hole before this literal can end.
fn ends(text: &str, literal: &str) -> Vec<usize> {
    if literal.is_empty() {
        return vec![text.len()];
    }
    text.match_indices(literal).map(|(at, _)| at).collect()
}

fn next_hole(pattern: &str) -> Option<(&str, Hole, &str)> {
    let at = pattern.find('{')?;
    let (start, rest) = pattern.split_at(at);
    rest.strip_prefix("{}")
        .map(|rest| (start, Hole::Kept, rest))
        .or_else(|| rest.strip_prefix("{…}").map(|rest| (start, Hole::Hidden, rest)))
}
