//! A diagnostic as text with a caret, as compilers draw it.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Severity, Span};

/// Whether the text goes to a terminal that shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Colour,
}

/// `error[code]: message`, the lines of the file with a caret, and the hint.
pub fn render(diagnostic: &Diagnostic, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    let paths: Vec<String> = diagnostic
        .span
        .iter()
        .chain(diagnostic.related.iter().map(|(span, _)| span))
        .map(|span| span.path().display().to_string())
        .collect();
    let places = diagnostic
        .span
        .iter()
        .map(|span| (span, diagnostic.label.as_str(), AnnotationKind::Primary))
        .chain(diagnostic.related.iter().map(|(span, label)| (span, label.as_str(), AnnotationKind::Context)));
    for ((span, label, kind), path) in places.zip(&paths) {
        if span.shown_text().is_empty() {
            group = group.element(Origin::path(path.as_str()));
            continue;
        }
        let annotation = kind.span(shown_range(span));
        let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
        group = group.element(Snippet::source(span.shown_text()).path(path.as_str()).annotation(annotation));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    renderer.render(&[group]).to_string()
}

/// A caret needs at least one character and ends inside the text; spans over many lines are cut to the first.
fn shown_range(span: &Span) -> std::ops::Range<usize> {
    let text = span.shown_text();
    let mut start = span.range.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let mut end = span.range.end.clamp(start, line_end);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    start..end
}
