//! `selectors.yml` and pipelines: dbt's maps become a [`Spec`].

use std::path::PathBuf;
use std::sync::Arc;

use super::criterion::{Group, Indirect, Relatives, Spec};
use super::parse::{Terms, Within, bad, one};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::project::{PipelineDecl, Reader, SelectorDecl, Yaml, YamlValue};

/// Keys of a criterion that is written out.
const KEYS: &[&str] = &[
    "method",
    "value",
    "children",
    "parents",
    "children_depth",
    "parents_depth",
    "childrens_parents",
    "indirect_selection",
    "exclude",
];

/// Every definition is read, so that a mistake is told before somebody needs the selector.
pub(super) fn check(terms: Terms<'_>) -> Result<(), Diagnostics> {
    let mut mistakes = Diagnostics::default();
    let mut default: Option<&SelectorDecl> = None;
    for (at, selector) in terms.manifest.selectors.iter().enumerate() {
        let earlier = terms.manifest.selectors[..at].iter().find(|other| other.name.value == selector.name.value);
        if let Some(first) = earlier {
            let message = format!("selector \"{}\" is declared twice", selector.name.value);
            let diagnostic = Diagnostic::error(Code::DuplicateName, message).at(selector.name.span.clone());
            mistakes.push(diagnostic.related(first.name.span.clone(), "first declared here"));
        }
        match default.filter(|_| selector.is_default) {
            Some(first) => mistakes.push(
                bad("two selectors are the default one", &selector.name.span)
                    .related(first.name.span.clone(), "the other one")
                    .hint("leave \"default: true\" with one of them"),
            ),
            None if selector.is_default => default = Some(selector),
            None => {}
        }
        mistakes.append(of_selector(terms, selector, &[]).err().unwrap_or_default());
    }
    for pipeline in &terms.manifest.pipelines {
        mistakes.append(of_pipeline(terms, pipeline, &[]).err().unwrap_or_default());
    }
    // A circle is met from each of its selectors.
    mistakes.0.dedup_by(|later, earlier| later.span == earlier.span && later.code == earlier.code);
    if mistakes.has_errors() { Err(mistakes) } else { Ok(()) }
}

/// The selection that is taken when the command line names none.
pub(super) fn default(terms: Terms<'_>) -> Result<Option<Spec>, Diagnostics> {
    let default = terms.manifest.selectors.iter().find(|selector| selector.is_default);
    default.map(|selector| of_selector(terms, selector, &[])).transpose()
}

/// `--selector`.
pub(super) fn of_option(terms: Terms<'_>, name: &str) -> Result<Spec, Diagnostics> {
    let file = Arc::new(SourceFile { path: PathBuf::from("--selector"), text: name.to_owned(), written: None });
    named(terms, ("selector", name), &Span::whole(&file), &[])
}

/// What a name of a selector or pipeline stands for.
pub(super) fn named(
    terms: Terms<'_>,
    (kind, name): (&str, &str),
    written: &Span,
    within: Within<'_>,
) -> Result<Spec, Diagnostics> {
    let step = format!("{kind} {name}");
    if let Some(start) = within.iter().position(|outer| *outer == step) {
        let circle: Vec<&str> = within[start..].iter().chain([&step]).map(String::as_str).collect();
        let message = format!("selections name each other in a circle: {}", circle.join(" → "));
        return Err(one(bad(message, written).hint("break the circle: one of these has to say what it means")));
    }
    let within: Vec<String> = within.iter().cloned().chain([step]).collect();
    let (selectors, pipelines) = (&terms.manifest.selectors, &terms.manifest.pipelines);
    match kind {
        "pipeline" => match pipelines.iter().find(|pipeline| pipeline.name.value == name) {
            Some(pipeline) => of_pipeline(terms, pipeline, &within),
            None => Err(one(unknown((kind, name), written, pipelines.iter().map(|known| known.name.value.as_str())))),
        },
        _ => match selectors.iter().find(|selector| selector.name.value == name) {
            Some(selector) => of_selector(terms, selector, &within),
            None => Err(one(unknown((kind, name), written, selectors.iter().map(|known| known.name.value.as_str())))),
        },
    }
}

fn unknown<'k>((kind, name): (&str, &str), at: &Span, known: impl Iterator<Item = &'k str> + Clone) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::UnknownSelector, format!("{kind} \"{name}\" does not exist"))
        .at(at.clone())
        .did_you_mean(name, known.clone());
    let place = if kind == "pipeline" { "pipelines of the project file" } else { "selectors.yml" };
    let known: Vec<&str> = known.collect();
    match (&diagnostic.hint, known.is_empty()) {
        (Some(_), _) => diagnostic,
        (None, true) => diagnostic.hint(format!("{place}: there are none yet")),
        (None, false) => diagnostic.hint(format!("{place} has {}", known.join(", "))),
    }
}

fn of_pipeline(terms: Terms<'_>, pipeline: &PipelineDecl, within: Within<'_>) -> Result<Spec, Diagnostics> {
    let within = entered(("pipeline", &pipeline.name.value), within);
    let steps = pipeline.steps.iter().map(|step| terms.union(&located(&step.value, &step.span), &within));
    joined(steps, terms.indirect).map(Spec::Union)
}

fn of_selector(terms: Terms<'_>, selector: &SelectorDecl, within: Within<'_>) -> Result<Spec, Diagnostics> {
    let within = entered(("selector", &selector.name.value), within);
    let mut definition = Definition { terms, reader: Reader::new(Arc::clone(&selector.file)), within: &within };
    definition.read(&selector.definition)
}

/// The way so far with the name on it, once.
fn entered((kind, name): (&str, &str), within: Within<'_>) -> Vec<String> {
    let step = format!("{kind} {name}");
    let mut way = within.to_vec();
    if way.last() != Some(&step) {
        way.push(step);
    }
    way
}

fn joined(members: impl Iterator<Item = Result<Spec, Diagnostics>>, indirect: Indirect) -> Result<Group, Diagnostics> {
    let mut mistakes = Diagnostics::default();
    let mut found = Vec::new();
    for member in members {
        match member {
            Ok(spec) => found.push(spec),
            Err(mistake) => mistakes.append(mistake),
        }
    }
    if mistakes.has_errors() { Err(mistakes) } else { Ok(Group { members: found, indirect }) }
}

/// A text of a YAML file with its own place, without the quotes around it.
fn located(value: &str, span: &Span) -> Span {
    match span.text().find(value) {
        Some(offset) if !value.is_empty() => {
            let start = span.range.start + offset;
            Span::new(&span.file, start..start + value.len())
        }
        // Templates and escapes make another text than the one in the file.
        Some(_) | None => {
            let file = Arc::new(SourceFile { path: span.path().to_path_buf(), text: value.to_owned(), written: None });
            Span::new(&file, 0..value.len())
        }
    }
}

/// A definition being read.
struct Definition<'d> {
    terms: Terms<'d>,
    reader: Reader,
    within: Within<'d>,
}

impl Definition<'_> {
    fn read(&mut self, yaml: &Yaml) -> Result<Spec, Diagnostics> {
        let span = self.reader.span(&yaml.range);
        match &yaml.value {
            YamlValue::Text(text) => {
                let text_span = located(text, &span);
                if text.contains(char::is_whitespace) || text.contains(',') {
                    self.terms.union(&text_span, self.within)
                } else {
                    self.terms.term(&text_span, self.within)
                }
            }
            YamlValue::Map(entries) => {
                let has = |key: &str| entries.iter().any(|(entry, _)| entry.name == key);
                match ["union", "intersection"].into_iter().find(|key| has(key)) {
                    Some(operator) => self.operator(yaml, operator),
                    None => self.criterion(yaml),
                }
            }
            YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::List(_) => {
                let message = format!("expected a selection, found {}", yaml.value.kind());
                let hint = "a definition is a text such as tag:nightly, or a map with union, intersection or method";
                Err(one(Diagnostic::error(Code::WrongType, message).at(span).hint(hint)))
            }
        }
    }

    fn operator(&mut self, yaml: &Yaml, operator: &'static str) -> Result<Spec, Diagnostics> {
        let fields = self.reader.fields(yaml, "selector definition", &[operator]);
        let members = fields.and_then(|fields| fields.get(operator));
        let members = members.map(|list| self.reader.list(list).to_vec()).unwrap_or_default();
        self.mistakes()?;
        let is_exclude = |item: &&Yaml| matches!(&item.value, YamlValue::Map(entries) if entries.len() == 1 && entries[0].0.name == "exclude");
        let (excludes, members): (Vec<&Yaml>, Vec<&Yaml>) = members.iter().partition(is_exclude);
        if let [_, second, ..] = excludes.as_slice() {
            let message = format!("\"{operator}\" has two \"exclude\"");
            let at = self.reader.span(&second.range);
            return Err(one(bad(message, &at).hint("put everything to leave out into one list")));
        }
        let group = joined(members.into_iter().map(|member| self.read(member)), Indirect::Eager)?;
        let included = if operator == "union" { Spec::Union(group) } else { Spec::Intersection(group) };
        match excludes.first() {
            Some(exclude) => self.without(included, exclude),
            None => Ok(included),
        }
    }

    /// `included` without what the map's `exclude` lists.
    fn without(&mut self, included: Spec, yaml: &Yaml) -> Result<Spec, Diagnostics> {
        let YamlValue::Map(entries) = &yaml.value else { return Ok(included) };
        let Some((_, list)) = entries.iter().find(|(key, _)| key.name == "exclude") else { return Ok(included) };
        let items = self.reader.list(list).to_vec();
        self.mistakes()?;
        let group = joined(items.iter().map(|item| self.read(item)), Indirect::Eager)?;
        Ok(Spec::Difference(vec![included, Spec::Union(group)]))
    }

    /// `{tag: nightly}`, or `method` and `value` with what belongs to them.
    fn criterion(&mut self, yaml: &Yaml) -> Result<Spec, Diagnostics> {
        let span = self.reader.span(&yaml.range);
        if let YamlValue::Map(entries) = &yaml.value
            && let [(key, value)] = entries.as_slice()
            && !KEYS.contains(&key.name.as_str())
        {
            let at = self.reader.span(&(key.range.start..value.range.end.max(key.range.end)));
            let plain = (&at, Relatives::default(), self.terms.indirect);
            return self.terms.criterion((Some(&key.name), &value.to_json()), plain, self.within);
        }
        let Some(fields) = self.reader.fields(yaml, "selector definition", KEYS) else {
            return self.mistakes().map(|()| Spec::Difference(Vec::new()));
        };
        let method = self.reader.required(&fields, "method").and_then(|method| self.reader.text(method));
        let value = self.reader.required(&fields, "value").map(|value| (value.to_json(), value.range.clone()));
        let relatives = Relatives {
            childrens_parents: fields.get("childrens_parents").is_some_and(|yaml| self.is_true(yaml)),
            parents: self.generations(fields.get("parents"), fields.get("parents_depth")),
            children: self.generations(fields.get("children"), fields.get("children_depth")),
        };
        if relatives.childrens_parents && relatives.children > 0 {
            let message = "\"childrens_parents\" and \"children\" stand together";
            self.reader.report(bad(message, &span).hint("\"childrens_parents\" already takes the children"));
        }
        let indirect = fields.get("indirect_selection").and_then(|yaml| self.indirect(yaml));
        self.mistakes()?;
        let (Some(method), Some((value, range))) = (method, value) else { return Ok(Spec::Difference(Vec::new())) };
        let at = self.reader.span(&range);
        let plain = (&at, relatives, indirect.unwrap_or(self.terms.indirect));
        let included = self.terms.criterion((Some(&method), &value), plain, self.within)?;
        self.without(included, yaml)
    }

    fn is_true(&mut self, yaml: &Yaml) -> bool {
        self.reader.boolean(yaml) == Some(true)
    }

    /// No depth, or 0, is all generations, as in dbt.
    fn generations(&mut self, wanted: Option<&Yaml>, depth: Option<&Yaml>) -> usize {
        let is_wanted = wanted.is_some_and(|yaml| self.is_true(yaml));
        let depth = depth.and_then(|yaml| match yaml.to_json().as_u64() {
            Some(0) => None,
            Some(depth) => usize::try_from(depth).ok(),
            None => {
                let at = self.reader.span(&yaml.range);
                self.reader.report(bad(format!("\"{}\" is no number of generations", at.text()), &at));
                None
            }
        });
        if is_wanted { depth.unwrap_or(usize::MAX) } else { 0 }
    }

    fn indirect(&mut self, yaml: &Yaml) -> Option<Indirect> {
        let word = self.reader.text(yaml)?;
        let found = Indirect::of(&word);
        if found.is_none() {
            let at = self.reader.span(&yaml.range);
            let diagnostic = bad(format!("\"{word}\" is no indirect selection"), &at);
            self.reader.report(diagnostic.hint(format!("it is one of {}", Indirect::WORDS.join(", "))));
        }
        found
    }

    fn mistakes(&mut self) -> Result<(), Diagnostics> {
        let mistakes = std::mem::take(&mut self.reader.diagnostics);
        if mistakes.has_errors() { Err(mistakes) } else { Ok(()) }
    }
}
