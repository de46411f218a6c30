//! What to say of a selection that matches nothing.

use super::criterion::{Criterion, Method, Spec};
use super::evaluate::Selectable;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::ident::NodeName;
use crate::manifest::Manifest;

/// Of a member of the union that found nothing: each of its criteria that is at fault, or that they have nothing in
/// common. What is asked about the moment may well find nothing.
pub(super) fn report(all: &Selectable<'_>, member: &Spec) -> Vec<Diagnostic> {
    let criteria = member.criteria();
    if criteria.iter().any(|one| one.method.is_momentary()) {
        return Vec::new();
    }
    let empty: Vec<Diagnostic> = criteria
        .iter()
        .filter(|one| all.matching(&one.method).is_empty())
        .map(|one| nothing_matches(all, one))
        .collect();
    if !empty.is_empty() {
        return empty;
    }
    let terms: Vec<String> = criteria.iter().map(|one| format!("\"{}\"", one.written.text())).collect();
    let message = format!("nothing is in all of {}", terms.join(", "));
    let hint = "a comma takes what both sides have in common; a space takes what either has";
    vec![Diagnostic::warning(Code::NothingSelected, message).hint(hint)]
}

fn nothing_matches(all: &Selectable<'_>, criterion: &Criterion) -> Diagnostic {
    let warning = |message: String| Diagnostic::warning(Code::UnknownSelector, message);
    let name = match &criterion.method {
        Method::Bare(name) | Method::Name(name) | Method::Path(name) | Method::File(name) | Method::Fqn(name) => name,
        method => {
            let diagnostic = warning(format!("nothing matches \"{}\"", criterion.written.text()));
            let Some((value, candidates)) = candidates(all, method) else { return diagnostic };
            return match nearest(value, candidates.iter().map(String::as_str)) {
                Some(near) => diagnostic.hint(format!("did you mean \"{near}\"?")),
                None if candidates.is_empty() => diagnostic.hint("the project has none"),
                None => diagnostic.hint(format!("the project has {}", candidates.join(", "))),
            };
        }
    };
    let diagnostic = warning(format!("nothing is named \"{name}\""));
    match hint(all, name) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic.hint("unimig ls shows every name"),
    }
}

fn hint(all: &Selectable<'_>, name: &str) -> Option<String> {
    let last = |node: &NodeName| node.as_str().rsplit('.').next().is_some_and(|stem| stem == name);
    if all.manifest.disabled.keys().any(|node| node.as_str() == name || last(node)) {
        return Some("it is disabled by its config".to_owned());
    }
    if is_file_name(all.manifest, name) {
        return Some(
            "the shell seems to have replaced a wildcard by file names: quote it, as in --select 'bl.*'".to_owned(),
        );
    }
    if let Some(found) = all.facts.iter().find(|node| node.short_name == name) {
        return Some(format!("did you mean \"{}\"?", found.name));
    }
    let names = all.facts.iter().map(|node| node.name.as_str());
    let short = all.facts.iter().map(|node| node.short_name);
    nearest(name, names).or_else(|| nearest(name, short)).map(|name| format!("did you mean \"{name}\"?"))
}

/// What could have been meant, with the value that was written.
fn candidates<'c>(all: &Selectable<'_>, method: &'c Method) -> Option<(&'c str, Vec<String>)> {
    let (value, mut found): (&str, Vec<String>) = match method {
        Method::Tag(tag) => (tag, all.facts.iter().flat_map(|node| node.tags.iter().cloned()).collect()),
        Method::Package(package) => (package, all.facts.iter().map(|node| node.package.to_owned()).collect()),
        Method::Source(source) => {
            (source, all.facts.iter().filter_map(|node| node.source.map(str::to_owned)).collect())
        }
        Method::TestName(kind) => {
            let kinds = all.facts.iter().filter_map(|node| node.test.as_ref()?.kind.map(str::to_owned));
            (kind, kinds.collect())
        }
        Method::Bare(_)
        | Method::Name(_)
        | Method::Fqn(_)
        | Method::Group(_)
        | Method::Access(_)
        | Method::Exposure(_)
        | Method::UnitTest(_)
        | Method::Path(_)
        | Method::File(_)
        | Method::Config(..)
        | Method::TestType(_)
        | Method::ResourceType(_)
        | Method::State(_)
        | Method::Result(_)
        | Method::SourceStatus
        | Method::Version(_)
        | Method::Layer(_)
        | Method::Stale(_) => return None,
    };
    found.sort();
    found.dedup();
    found.truncate(12);
    Some((value, found))
}

/// Whether a term looks like a file of the project, as a shell leaves it behind when it expands a bare `*`.
fn is_file_name(manifest: &Manifest, term: &str) -> bool {
    let files = manifest.models.values().map(|model| model.file.path.as_path());
    let mut first_parts = files.filter_map(|path| path.iter().next());
    let extensions = ["yml", "yaml", "sql", "md", "csv", "toml", "json"];
    let extension = term.rsplit_once('.').map(|(_, extension)| extension);
    let has_wildcard = term.contains(['*', '?', '[']);
    !has_wildcard
        && (term.contains('/')
            || extension.is_some_and(|extension| extensions.contains(&extension))
            || first_parts.any(|part| part == term))
}
