//! One template engine for all files of a project, shared by threads.
//!
//! A template that may call macros gets a prelude: an importer, with which macros are read when they are first called.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use minijinja::{AutoEscape, Environment, Error, ErrorKind, OutputSpanKind, State, UndefinedBehavior, Value};

use super::library::{Library, MacroFiles, Package};
use super::rewrite::{self, Rewritten};
use super::scan::Scan;
use super::scope::{Entry, MissingName, Names, Said, Scope, Shared};
use super::server::NeedsServer;
use super::values::{method, print, to_list};
use super::{limits, mistake};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile, Span};
use crate::project::{self, DispatchRule, Project, Vars, built_in_macros};

pub struct Engine {
    environment: Environment<'static>,
    shared: Arc<Shared>,
    /// The folders of packages, for which package a file belongs to.
    folders: Vec<(PathBuf, Package)>,
}

/// A template made ready: scanned once.
pub struct Plan {
    pub file: Arc<SourceFile>,
    pub scan: Scan,
    /// The template's text where it differs from the file's.
    source: Option<String>,
    rewritten: Option<Rewritten>,
    /// How many bytes stand before the file's text.
    prelude: usize,
    package: Package,
}

/// Hands the render a macro that reads templates of macros.
const PRELUDE: &str =
    "{% macro __load(__file) %}{% import __file as __module %}{% endmacro %}{% do __importer(__load) %}";

/// What is rendered when a macro is called by its name.
pub(super) const CALL: &str = "{{ __entry() }}";

/// How a render ended.
#[derive(Debug)]
pub struct Render {
    /// Absent where a mistake stopped it.
    pub rendered: Option<Rendered>,
    pub diagnostics: Diagnostics,
    /// It stopped because it asks a server and there is none; rendered again with one, it may succeed.
    pub needs_server: bool,
    /// It was only read, and asked a server: what it makes of the answer is not known yet.
    pub asked: bool,
    /// What the template tells people.
    pub said: Vec<Said>,
    /// What a macro gave that was called by its name.
    pub given: Option<Value>,
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

impl Render {
    /// It was not begun.
    fn refused(mistake: Diagnostic) -> Self {
        Self {
            rendered: None,
            diagnostics: Diagnostics(vec![mistake]),
            needs_server: false,
            asked: false,
            said: Vec::new(),
            given: None,
        }
    }
}

impl Engine {
    /// Reads the macros of the project, of its packages and those that come along; their syntax errors are among the
    /// diagnostics.
    pub fn new(project: &Project, environment: &project::Environment) -> (Self, Diagnostics) {
        let own = project.macros.iter().map(|file| (project.package_of(&file.path).to_owned(), Arc::clone(file)));
        let built_in = built_in_macros().iter().filter(|built_in| !project.has_package(built_in.package));
        let built_in = built_in.map(|built_in| (built_in.package.to_owned(), Arc::clone(&built_in.file)));
        let files = own.chain(built_in).collect();
        let order = |rule: &DispatchRule| (rule.macro_namespace.clone(), rule.search_order.clone());
        let dispatch = project.dispatch.iter().map(order).collect();
        let macros = MacroFiles { root: project.name.clone(), files, dispatch };
        Self::with_macros(&macros, project, environment)
    }

    /// The same with the macros of packages.
    pub fn with_macros(
        macros: &MacroFiles,
        project: &Project,
        environment: &project::Environment,
    ) -> (Self, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let mut engine = new_environment();
        let library = Library::new(macros, &mut engine, &mut diagnostics);
        let shared = Arc::new(Shared {
            env: environment.env.clone(),
            vars: environment.vars.clone(),
            package_vars: package_vars(project, &library),
            target: environment.target_names().to_value(),
            dbname: environment.target_names().dbname,
            invocation: environment.invocation.clone(),
            project_name: project.name.as_str().into(),
            library,
        });
        let place = |package: &project::Package| Some((package.folder.clone(), shared.library.package(&package.name)?));
        let folders = project.packages.iter().filter_map(place).collect();
        (Self { environment: engine, shared, folders }, diagnostics)
    }

    /// Reads a template's code; nothing is rendered yet.
    pub fn plan(&self, file: &Arc<SourceFile>) -> Plan {
        self.planned(file, rewrite::read(&file.text), self.package_of(file))
    }

    /// The package in whose folder a file is.
    fn package_of(&self, file: &SourceFile) -> Package {
        let found = self.folders.iter().find(|(folder, _)| file.path.starts_with(folder));
        found.map_or(Package::ROOT, |(_, package)| *package)
    }

    /// The same for a file of a package.
    pub fn plan_in(&self, package: &str, file: &Arc<SourceFile>) -> Plan {
        let package = self.library().package(package).unwrap_or(Package::ROOT);
        self.planned(file, rewrite::read(&file.text), package)
    }

    /// The same for the body of one block of a file; places stay the file's.
    pub fn plan_block(&self, file: &Arc<SourceFile>, body: Range<usize>) -> Plan {
        self.planned(file, rewrite::read_block(&file.text, body), self.package_of(file))
    }

    fn planned(&self, file: &Arc<SourceFile>, (scan, rewritten): (Scan, Option<Rewritten>), package: Package) -> Plan {
        let calls_macros = scan.names.iter().any(|name| self.library().mentions(&file.text[name.clone()]));
        let prelude = if calls_macros { PRELUDE } else { "" };
        let text = rewritten.as_ref().map_or(file.text.as_str(), |rewritten| &rewritten.text);
        let source = (calls_macros || rewritten.is_some()).then(|| [prelude, text].concat());
        Plan { file: Arc::clone(file), scan, source, rewritten, prelude: prelude.len(), package }
    }

    /// Whether the package or the project defines the macro; those that come along do not count.
    pub fn overrides(&self, package: &str, name: &str) -> bool {
        let package = self.library().package(package).unwrap_or(Package::ROOT);
        self.library().find(name, package).is_some()
    }

    /// Whether a template or any macro of the project mentions a name.
    pub fn mentions(&self, plan: &Plan, name: &str) -> bool {
        let mentions = |text: &str, scan: &Scan| scan.names.iter().any(|at| &text[at.clone()] == name);
        mentions(&plan.file.text, &plan.scan) || self.library().mentioned().contains(name)
    }

    pub(super) fn library(&self) -> &Library {
        &self.shared.library
    }

    /// Renders a template; mistakes that do not stop the render (an unset variable) come beside the text.
    pub fn render(&self, plan: &Plan, names: Arc<dyn Names>) -> Render {
        self.render_scope(plan, Scope::new(names, &self.shared, plan.package))
    }

    /// Calls a macro by its name, with its package before a dot or without; the arguments are keyword arguments.
    pub fn call(&self, name: &str, args: &[(&str, Value)], names: Arc<dyn Names>) -> Render {
        let file = Arc::new(SourceFile { path: name.into(), text: CALL.to_owned(), written: None });
        let plan = self.planned(&file, (Scan::default(), None), Package::ROOT);
        let source = Some([PRELUDE, CALL].concat());
        let plan = Plan { source, prelude: PRELUDE.len(), ..plan };
        let mut scope = Scope::new(names, &self.shared, Package::ROOT);
        let args = args.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let args: Vec<Value> = vec![minijinja::value::Kwargs::from_iter(args).into()];
        scope.entry = Some(Entry { name: name.to_owned(), args });
        self.render_scope(&plan, scope)
    }

    fn render_scope(&self, plan: &Plan, scope: Scope) -> Render {
        if let Some(place) = &plan.scan.too_deep {
            let mistake = limits::nests_too_deep().at(Span::new(&plan.file, place.clone()));
            return Render::refused(mistake);
        }
        let scope = Arc::new(scope);
        let source = plan.source.as_deref().unwrap_or(&plan.file.text);
        let rendered = self
            .environment
            .template_from_named_str(TEMPLATE, source)
            .and_then(|template| template.render_with_spans(Value::from_dyn_object(Arc::clone(&scope))));
        let notes = std::mem::take(&mut *scope.notes());
        let mut diagnostics = Diagnostics::default();
        for name in distinct(&notes.missing) {
            diagnostics.push(mistake::missing_name(name, plan, self));
        }
        let mut needs_server = false;
        let rendered = match rendered {
            Ok((text, _)) if text.len() > limits::MOST_TEXT_BYTES => {
                diagnostics.push(limits::too_much_text(text.len()).at(Span::whole(&plan.file)));
                None
            }
            Ok((text, spans)) => Some(Rendered { text, pieces: pieces(&spans, plan) }),
            Err(error) => {
                needs_server = mistake::cause::<NeedsServer>(&error).is_some();
                diagnostics.push(mistake::render(&error, plan, self));
                None
            }
        };
        Render { rendered, diagnostics, needs_server, asked: notes.asked, said: notes.said, given: notes.given }
    }

    /// Whether a call may mean a macro of the project or, with a namespace, of that package.
    pub fn has_macro(&self, namespace: Option<&str>, name: &str) -> bool {
        match namespace {
            None => self.library().find(name, Package::ROOT).is_some(),
            Some(namespace) => {
                let package = self.library().package(namespace);
                package.is_some_and(|package| self.library().find_in(package, name).is_some())
            }
        }
    }

    /// The kinds of tests that macros define.
    pub fn test_names(&self) -> impl Iterator<Item = &str> {
        self.library().macro_names().filter_map(|name| name.strip_prefix("test_"))
    }

    /// Every name that a call could mean.
    pub(super) fn callable_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.library().macro_names().collect();
        for name in super::context::names() {
            names.push(name);
        }
        names
    }
}

impl Plan {
    /// A range of the template's text as a range of the file's.
    pub(super) fn in_file(&self, range: Range<usize>) -> Range<usize> {
        let range = range.start.saturating_sub(self.prelude)..range.end.saturating_sub(self.prelude);
        match &self.rewritten {
            Some(rewritten) => rewritten.origin(range),
            None => range,
        }
    }

    /// The text that the engine reads, without the prelude.
    pub(super) fn text(&self) -> &str {
        self.source.as_deref().map_or(&self.file.text, |source| &source[self.prelude..])
    }
}

/// What `var()` gives in the files of packages.
fn package_vars(project: &Project, library: &Library) -> HashMap<usize, Vars> {
    let vars = |package: &project::Package| Some((library.package(&package.name)?.0, package.vars.clone()));
    project.packages.iter().filter_map(vars).collect()
}

/// The name under which templates are rendered; those of macros have others.
pub(super) const TEMPLATE: &str = "template";

fn new_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // Errors then name what is undefined; a release build would leave it out.
    environment.set_debug(true);
    environment.set_fuel(Some(limits::MOST_STEPS));
    // As in dbt, what is not there has no members either; only printing it is a mistake.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_unknown_method_callback(method);
    environment.add_filter("list", to_list);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(write_value);
    for filter in ["as_number", "as_bool", "as_native", "as_text"] {
        environment.add_filter(filter, |value: Value| value);
    }
    environment
}

/// Tells what is undefined from the nothing that `x if y` gives without an `else`, which the engine's values hide.
static STRICT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment
});

/// `{{ value }}`, as Python prints it.
fn write_value(out: &mut minijinja::Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        // What was made of an answer that is not there yet is nothing yet.
        if state.lookup("__asked").is_some_and(|asked| asked.is_true()) {
            return Ok(());
        }
        let told = STRICT.render_str("{{ value }}", minijinja::context! { value });
        return told.map(drop).map_err(|_| Error::from(ErrorKind::UndefinedError));
    }
    if value.as_str().is_some() {
        return minijinja::escape_formatter(out, state, value);
    }
    let printed = print(value);
    limits::pay_for_bytes(state, printed.len())?;
    out.write_str(&printed).map_err(Error::from)
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

fn pieces(spans: &[minijinja::OutputSpan], plan: &Plan) -> Vec<Piece> {
    spans
        .iter()
        .filter(|span| span.name() == TEMPLATE && span.source_range().start >= plan.prelude)
        .map(|span| Piece {
            output: span.output_range(),
            source: plan.in_file(span.source_range()),
            verbatim: span.kind() == OutputSpanKind::Raw,
        })
        .collect()
}
