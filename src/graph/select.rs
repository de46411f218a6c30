//! `--select` and `--exclude`: names with wildcards and `+` become the nodes that they mean.

use std::collections::BTreeSet;

use super::Graph;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::ident::NodeName;
use crate::manifest::Manifest;

/// One term: `2+bl.person+1` is the node with two generations before and one after it.
#[derive(Debug, PartialEq, Eq)]
struct Term<'t> {
    pattern: &'t str,
    /// Generations; [`usize::MAX`] is all of them.
    before: usize,
    after: usize,
}

/// The nodes that any term of `select` names (all, when there is none) without those of `exclude`, parents first.
pub fn select(
    graph: &Graph,
    manifest: &Manifest,
    select: &[String],
    exclude: &[String],
) -> Result<Vec<NodeName>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut chosen: BTreeSet<&NodeName> = BTreeSet::new();
    if select.is_empty() {
        chosen.extend(graph.topological_order());
    }
    for term in select {
        match matching(graph, term) {
            nodes if nodes.is_empty() => diagnostics.push(nothing_matches(graph, manifest, term)),
            nodes => chosen.extend(nodes),
        }
    }
    for term in exclude {
        match matching(graph, term) {
            nodes if nodes.is_empty() => diagnostics.push(nothing_matches(graph, manifest, term)),
            nodes => chosen.retain(|node| !nodes.contains(node)),
        }
    }
    if chosen.is_empty() && !diagnostics.has_errors() && !graph.topological_order().is_empty() {
        let diagnostic = Diagnostic::error(Code::NothingSelected, "the selection is empty");
        diagnostics.push(diagnostic.hint("--exclude takes away everything that --select names"));
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(graph.topological_order().iter().filter(|name| chosen.contains(name)).cloned().collect())
}

fn matching<'g>(graph: &'g Graph, written: &str) -> BTreeSet<&'g NodeName> {
    let term = parse(written);
    let pattern = term.pattern.replacen(':', ".", 1);
    let mut nodes: BTreeSet<&NodeName> = BTreeSet::new();
    for name in graph.topological_order().iter().filter(|name| matches(&pattern, name.as_str())) {
        nodes.insert(name);
        nodes.extend(graph.ancestors_within(name, term.before));
        nodes.extend(graph.descendants_within(name, term.after));
    }
    nodes
}

fn parse(written: &str) -> Term<'_> {
    let generations = |digits: &str| if digits.is_empty() { Some(usize::MAX) } else { digits.parse().ok() };
    let mut term = Term { pattern: written.trim(), before: 0, after: 0 };
    if let Some((digits, rest)) = term.pattern.split_once('+')
        && let Some(before) = generations(digits)
    {
        term = Term { pattern: rest, before, ..term };
    }
    if let Some((rest, digits)) = term.pattern.rsplit_once('+')
        && let Some(after) = generations(digits)
    {
        term = Term { pattern: rest, after, ..term };
    }
    term
}

/// Shell wildcards: `*` any run (dots too), `?` one character, `[a-c]` or `[!a-c]` one of a set.
fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    let mut letters = name.chars();
    match first {
        '*' => {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.rev().any(|at| matches(rest, &name[at..]))
        }
        '?' => letters.next().is_some() && matches(rest, letters.as_str()),
        '[' => match (rest.split_once(']'), letters.next()) {
            (Some((set, rest)), Some(letter)) => in_set(set, letter) && matches(rest, letters.as_str()),
            (Some(_), None) | (None, _) => false,
        },
        plain => letters.next() == Some(plain) && matches(rest, letters.as_str()),
    }
}

fn in_set(set: &str, letter: char) -> bool {
    let (set, wanted) = match set.strip_prefix(['!', '^']) {
        Some(set) => (set, false),
        None => (set, true),
    };
    let letters: Vec<char> = set.chars().collect();
    let mut found = false;
    let mut at = 0;
    while at < letters.len() {
        if letters.get(at + 1) == Some(&'-') && at + 2 < letters.len() {
            found |= (letters[at]..=letters[at + 2]).contains(&letter);
            at += 3;
        } else {
            found |= letters[at] == letter;
            at += 1;
        }
    }
    found == wanted
}

fn nothing_matches(graph: &Graph, manifest: &Manifest, written: &str) -> Diagnostic {
    let pattern = parse(written).pattern;
    let diagnostic = Diagnostic::error(Code::UnknownSelector, format!("nothing is named \"{pattern}\""));
    if manifest.disabled.keys().any(|name| name.as_str() == pattern) {
        return diagnostic.hint("it is disabled by its config");
    }
    if is_file_name(manifest, pattern) {
        return diagnostic
            .hint("the shell seems to have replaced a wildcard by file names: quote it, as in --select 'bl.*'");
    }
    let names = || graph.topological_order().iter().map(NodeName::as_str);
    let suffix = format!(".{pattern}");
    if let Some(name) = names().find(|name| name.ends_with(&suffix)) {
        return diagnostic.hint(format!("did you mean \"{name}\"?"));
    }
    match nearest(pattern, names()) {
        Some(name) => diagnostic.hint(format!("did you mean \"{name}\"?")),
        None => diagnostic.hint("unimig ls shows every name"),
    }
}

/// Whether a term looks like a file of the project, as a shell leaves it behind when it expands a bare `*`.
fn is_file_name(manifest: &Manifest, term: &str) -> bool {
    let files = manifest.models.values().map(|model| model.file.path.as_path());
    let mut first_parts = files.filter_map(|path| path.iter().next());
    let extensions = ["yml", "yaml", "sql", "md", "csv", "toml", "json"];
    let extension = term.rsplit_once('.').map(|(_, extension)| extension);
    term.contains('/')
        || extension.is_some_and(|extension| extensions.contains(&extension))
        || first_parts.any(|part| part == term)
}
