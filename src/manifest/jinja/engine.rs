//! One template engine for all files of a project, shared by threads.
//!
//! Macro files that a template needs are joined into a bundle, which is parsed once and imported by a line before the
//! template's text; so `caller()` works, macros see each other in any order, and a file without macros pays nothing.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::{AutoEscape, Environment, OutputSpanKind, UndefinedBehavior};

use super::mistake;
use super::scan::{Scan, scan};
use super::scope::{MissingName, NAMES, Names, Scope, Shared};
use crate::diagnostic::{Diagnostics, SourceFile};
use crate::project::{self, Project};

pub struct Engine {
    environment: Environment<'static>,
    pub(super) macro_files: Vec<MacroFile>,
    /// Which file defines a macro.
    macros: HashMap<String, usize>,
    /// By template name.
    pub(super) bundles: HashMap<String, Bundle>,
    shared: Arc<Shared>,
    project_name: String,
}

pub(super) struct MacroFile {
    pub file: Arc<SourceFile>,
    /// The text with `<project>.` blanked out, byte for byte as long as the file's.
    text: String,
    pub scan: Scan,
    pub names: Vec<String>,
    /// The files that its macros need, itself among them.
    needs: BTreeSet<usize>,
}

/// Macro files joined into one template.
pub(super) struct Bundle {
    /// Where each file's text begins, ascending.
    pub starts: Vec<(usize, usize)>,
}

/// A template made ready: scanned once, its macros known.
pub struct Plan {
    pub file: Arc<SourceFile>,
    pub scan: Scan,
    /// The template's text where it differs from the file's.
    source: Option<String>,
    /// How many bytes stand before the file's text.
    prelude: usize,
    needs: BTreeSet<usize>,
}

/// A rendered template.
#[derive(Debug, Default)]
pub struct Rendered {
    pub text: String,
    pub pieces: Vec<Piece>,
}

/// A range of rendered text and the range of the file that gave it.
#[derive(Debug)]
pub struct Piece {
    pub output: Range<usize>,
    pub source: Range<usize>,
    pub verbatim: bool,
}

impl Engine {
    /// Reads the project's macros; their syntax errors are among the diagnostics.
    pub fn new(project: &Project, environment: &project::Environment) -> (Self, Diagnostics) {
        let mut engine = Self {
            environment: new_environment(),
            macro_files: Vec::new(),
            macros: HashMap::new(),
            bundles: HashMap::new(),
            shared: Arc::new(Shared {
                env: environment.env.clone(),
                vars: environment.vars.clone(),
                target: environment.target_names().to_value(),
                project_name: project.name.as_str().into(),
            }),
            project_name: project.name.clone(),
        };
        let mut diagnostics = Diagnostics::default();
        for file in &project.macros {
            engine.add_macro_file(file, &mut diagnostics);
        }
        engine.close_needs();
        (engine, diagnostics)
    }

    fn add_macro_file(&mut self, file: &Arc<SourceFile>, diagnostics: &mut Diagnostics) {
        if let Err(error) = self.environment.template_from_named_str("macros", &file.text) {
            diagnostics.push(mistake::syntax(&error, file));
            return;
        }
        let found = scan(&file.text);
        let text = self.blanked(&file.text, &found).unwrap_or_else(|| file.text.clone());
        let is_macro = |at: &Range<usize>| &file.text[at.clone()] == "macro";
        let pairs = found.names.windows(2).filter(|pair| is_macro(&pair[0]));
        let names: Vec<(String, Range<usize>)> =
            pairs.map(|pair| (file.text[pair[1].clone()].to_owned(), pair[1].clone())).collect();
        let index = self.macro_files.len();
        for (name, at) in &names {
            if let Some(first) = self.macros.insert(name.clone(), index) {
                diagnostics.push(mistake::duplicate_macro(name, (file, at), &self.file_or(first, file)));
            }
        }
        let names = names.into_iter().map(|(name, _)| name).collect();
        self.macro_files.push(MacroFile { file: Arc::clone(file), text, scan: found, names, needs: BTreeSet::new() });
    }

    fn file_or(&self, index: usize, current: &Arc<SourceFile>) -> Arc<SourceFile> {
        self.macro_files.get(index).map_or_else(|| Arc::clone(current), |found| Arc::clone(&found.file))
    }

    /// Settles which files each macro file needs, through any number of others.
    fn close_needs(&mut self) {
        let direct: Vec<BTreeSet<usize>> =
            self.macro_files.iter().map(|found| self.files_named(&found.file.text, &found.scan)).collect();
        for (index, found) in self.macro_files.iter_mut().enumerate() {
            let mut waiting = vec![index];
            while let Some(next) = waiting.pop() {
                if found.needs.insert(next) {
                    waiting.extend(&direct[next]);
                }
            }
        }
    }

    fn files_named(&self, text: &str, scan: &Scan) -> BTreeSet<usize> {
        self.macro_names(text, scan).iter().map(|name| self.macros[*name]).collect()
    }

    /// The macros that a template's code mentions.
    fn macro_names<'t>(&self, text: &'t str, scan: &Scan) -> BTreeSet<&'t str> {
        if self.macros.is_empty() {
            return BTreeSet::new();
        }
        let members = scan.members.iter().filter(|(object, _)| self.is_project(text, object)).map(|(_, name)| name);
        let names = scan.names.iter().chain(members).map(|at| &text[at.clone()]);
        names.filter(|name| self.macros.contains_key(*name)).collect()
    }

    fn is_project(&self, text: &str, object: &Range<usize>) -> bool {
        text[object.clone()].strip_suffix('.').is_some_and(|object| object == self.project_name)
    }

    /// `<project>.macro` becomes blanks and `macro`; places stay.
    fn blanked(&self, text: &str, scan: &Scan) -> Option<String> {
        let mut blanked = None;
        for (object, _) in scan.members.iter().filter(|(object, _)| self.is_project(text, object)) {
            blanked.get_or_insert_with(|| text.to_owned()).replace_range(object.clone(), &" ".repeat(object.len()));
        }
        blanked
    }

    /// Reads a template's code; nothing is rendered yet.
    pub fn plan(&self, file: &Arc<SourceFile>) -> Plan {
        let found = scan(&file.text);
        let names = self.macro_names(&file.text, &found);
        let needs: BTreeSet<usize> =
            names.iter().flat_map(|name| self.macro_files[self.macros[*name]].needs.iter().copied()).collect();
        let blanked = self.blanked(&file.text, &found);
        let (source, prelude) = if names.is_empty() {
            (blanked, 0)
        } else {
            let list: Vec<&str> = names.into_iter().collect();
            let prelude = format!("{{% from \"{}\" import {} %}}", bundle_name(&needs), list.join(", "));
            let text = blanked.as_deref().unwrap_or(&file.text);
            (Some(format!("{prelude}{text}")), prelude.len())
        };
        Plan { file: Arc::clone(file), scan: found, source, prelude, needs }
    }

    /// Parses the macro bundles that the plans need, each once.
    pub fn add_bundles<'p>(&mut self, plans: impl IntoIterator<Item = &'p Plan>) {
        for plan in plans {
            if plan.needs.is_empty() {
                continue;
            }
            let name = bundle_name(&plan.needs);
            if self.bundles.contains_key(&name) {
                continue;
            }
            let mut text = String::new();
            let mut starts = Vec::new();
            for index in &plan.needs {
                starts.push((text.len(), *index));
                text.push_str(&self.macro_files[*index].text);
                text.push('\n');
            }
            // Each file was parsed alone before, so the joined text parses too.
            if self.environment.add_template_owned(name.clone(), text).is_ok() {
                self.bundles.insert(name, Bundle { starts });
            }
        }
    }

    /// Renders a template; mistakes that do not stop the render (an unset variable) come beside the text.
    pub fn render(&self, plan: &Plan, names: Arc<dyn Names>) -> (Option<Rendered>, Diagnostics) {
        let missing = Mutex::new(Vec::new());
        let scope = Arc::new(Scope { names, shared: Arc::clone(&self.shared), missing });
        let source = plan.source.as_deref().unwrap_or(&plan.file.text);
        let rendered = self
            .environment
            .template_from_named_str(TEMPLATE, source)
            .and_then(|template| template.render_with_spans(minijinja::Value::from_dyn_object(Arc::clone(&scope))));
        let missing = scope.missing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut diagnostics = Diagnostics::default();
        for name in distinct(&missing) {
            diagnostics.push(mistake::missing_name(name, plan, self));
        }
        match rendered {
            Ok((text, spans)) => (Some(Rendered { text, pieces: pieces(&spans, plan.prelude) }), diagnostics),
            Err(error) => {
                diagnostics.push(mistake::render(&error, plan, self));
                (None, diagnostics)
            }
        }
    }

    /// Every name that a call could mean.
    pub(super) fn callable_names(&self) -> impl Iterator<Item = &str> {
        self.macros.keys().map(String::as_str).chain(NAMES.iter().copied())
    }

    pub(super) fn is_macro(&self, name: &str) -> bool {
        self.macros.contains_key(name)
    }
}

impl Plan {
    /// A range of the template's text as a range of the file's.
    pub(super) fn in_file(&self, range: Range<usize>) -> Range<usize> {
        range.start.saturating_sub(self.prelude)..range.end.saturating_sub(self.prelude)
    }
}

/// The name under which templates are rendered; bundles have others.
pub(super) const TEMPLATE: &str = "template";

fn new_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // Errors then name what is undefined; a release build would leave it out.
    environment.set_debug(true);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    for filter in ["as_number", "as_bool", "as_native", "as_text"] {
        environment.add_filter(filter, |value: minijinja::Value| value);
    }
    environment
}

fn bundle_name(needs: &BTreeSet<usize>) -> String {
    let indexes: Vec<String> = needs.iter().map(usize::to_string).collect();
    format!("macros {}", indexes.join(" "))
}

fn distinct(missing: &[MissingName]) -> Vec<&MissingName> {
    let mut seen: Vec<&MissingName> = Vec::new();
    for name in missing {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

fn pieces(spans: &[minijinja::OutputSpan], prelude: usize) -> Vec<Piece> {
    spans
        .iter()
        .filter(|span| span.name() == TEMPLATE && span.source_range().start >= prelude)
        .map(|span| Piece {
            output: span.output_range(),
            source: span.source_range().start - prelude..span.source_range().end - prelude,
            verbatim: span.kind() == OutputSpanKind::Raw,
        })
        .collect()
}
