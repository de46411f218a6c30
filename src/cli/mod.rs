//! The command line: arguments in, text or JSON out, an exit code at the end.

mod arguments;
mod check;
mod crosswalk;
mod dbt_options;
mod demo;
mod docs;
mod flags;
mod generate;
mod layer;
mod log;
mod look;
mod man;
mod operation;
mod places;
mod plan;
mod quarantine;
mod reads;
mod retry;
mod runs;
mod schema;
mod sequences;
mod show;
mod source;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use clap_complete::generate as complete;
use tokio_util::sync::CancellationToken;

use crate::cli::arguments::{Arguments, Command, Globals, Output};
use crate::diagnostic::{Diagnostics, Severity};
use crate::ops::OpError;
use crate::ops::retry::LastRun;
use crate::ops::warnings::WarningRules;
use crate::ops::workspace::{Selection, Workspace, WorkspaceOptions};
use crate::postgres::install_crypto_provider;
use crate::project::{self, Invocation};
use crate::report::{Terminal, artifacts};

/// Interrupted by a person, as shells count it.
const INTERRUPTED: u8 = 130;

/// Of each thread. Templates are read by recursion, and long ones that programs wrote need more than the usual 2 MB;
/// memory is taken only where it is used.
const STACK_BYTES: usize = 256 << 20;

/// Parses the arguments of the process and carries the command out.
pub fn main() -> ExitCode {
    let matches = dbt_options::with_options(Arguments::command()).get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let invocation = flags::invocation(&matches);
    install_crypto_provider();
    let (format, level) = (arguments.globals.format(), arguments.globals.level());
    log::start(format, level);
    let terminal = Terminal::of_process().with_log(format, level);
    dbt_options::tell(&matches, terminal);
    let door = Door { globals: arguments.globals, terminal, invocation };
    // The way in has the stack of a worker: a template is read by either.
    let way_in = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || carry_out(&door, arguments.command));
    match way_in.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => could_not_start(terminal, &error),
    }
}

fn carry_out(door: &Door, command: Command) -> ExitCode {
    let workers = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build_global();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build();
    let runtime = match (workers, runtime) {
        (Ok(()), Ok(runtime)) => runtime,
        (Err(error), _) => return could_not_start(door.terminal, &error),
        (_, Err(error)) => return could_not_start(door.terminal, &error),
    };
    let code = runtime.block_on(async {
        match dispatch(door, command).await {
            Ok(code) => code,
            Err(error) => door.refuse(&error),
        }
    });
    runtime.shutdown_background();
    ExitCode::from(code)
}

fn could_not_start(terminal: Terminal, error: &dyn std::error::Error) -> ExitCode {
    terminal.complain(&format!("error: could not start: {error}"));
    ExitCode::from(1)
}

async fn dispatch(door: &Door, command: Command) -> Result<u8, OpError> {
    refuse_list_forms(door.globals.output, &command)?;
    match command {
        Command::Init(init) => places::init(door, &init),
        Command::Demo(demo) => demo::demo(door, &demo).await,
        Command::Debug => look::debug(door).await,
        Command::Parse => look::parse(door),
        Command::Ls(list) => look::list(door, &list).await,
        Command::Compile(arguments) => look::compile(door, &arguments).await,
        Command::Build(build) => runs::build(door, &build).await,
        Command::Plan(arguments) => plan::plan(door, &arguments).await,
        Command::Apply(arguments) => plan::apply(door, &arguments).await,
        Command::Check(arguments) => check::check(door, &arguments).await,
        Command::Run(run) => runs::run(door, &run).await,
        Command::Test(test) => runs::test(door, &test).await,
        Command::Seed(seed) => runs::seed(door, &seed).await,
        Command::Snapshot(snapshot) => runs::snapshot(door, &snapshot).await,
        Command::Retry(retry) => retry::retry(door, &retry).await,
        Command::Show(show) => show::show(door, &show).await,
        Command::Source(source) => source::source(door, &source).await,
        Command::Layer(arguments) => layer::layer(door, &arguments).await,
        Command::Crosswalk(arguments) => crosswalk::crosswalk(door, &arguments).await,
        Command::Why(arguments) => why::why(door, &arguments).await,
        Command::Quarantine(arguments) => quarantine::quarantine(door, &arguments).await,
        Command::Sequences(arguments) => sequences::sequences(door, &arguments).await,
        Command::RunOperation(operation) => operation::run_operation(door, &operation).await,
        Command::Docs(docs) => docs::docs(door, &docs).await,
        Command::Generate(arguments) => generate::generate(door, &arguments).await,
        Command::Deps(deps) => places::deps(door, &deps),
        Command::Schema(schema) => schema::schema(door, &schema),
        Command::Clean => places::clean(door),
        Command::Server(server) => places::server(door, server.action).await,
        Command::Psql(psql) => places::psql(door, &psql).await,
        Command::Man(arguments) => man::man(door, &arguments),
        Command::Completions(completions) => {
            complete(completions.shell, &mut Arguments::command(), "unimig", &mut std::io::stdout());
            Ok(0)
        }
    }
}

/// Some forms of output are those of a list of nodes.
fn refuse_list_forms(output: Output, command: &Command) -> Result<(), OpError> {
    match (output, command) {
        (Output::Text | Output::Json, _) | (_, Command::Ls(_)) => Ok(()),
        (Output::Name | Output::Path | Output::Selector, _) => Err(OpError::Usage {
            message: "this command prints text or json".to_owned(),
            hint: Some("--output name, path and selector are forms of unimig ls".to_owned()),
        }),
    }
}

/// What every command has in common.
struct Door {
    globals: Globals,
    terminal: Terminal,
    invocation: Invocation,
}

impl Door {
    /// Loads the project and shows its warnings.
    fn workspace(&self) -> Result<Workspace, OpError> {
        self.workspace_with(None)
    }

    /// The project as its files say it, whether its names can be looked up or not: what is missing may be drafted.
    fn unresolved_workspace(&self) -> Result<Workspace, OpError> {
        let workspace = Workspace::load_unresolved(&self.workspace_options()?)?;
        self.show_warnings(&workspace)?;
        Ok(workspace)
    }

    /// The same with a query of the command line as one more model.
    fn workspace_with(&self, inline: Option<&str>) -> Result<Workspace, OpError> {
        self.load(&WorkspaceOptions { inline: inline.map(str::to_owned), ..self.workspace_options()? })
    }

    /// The project as the last run saw it, where the command line says nothing else.
    fn workspace_of(&self, last: &LastRun) -> Result<Workspace, OpError> {
        let given = self.workspace_options()?;
        let vars = if self.globals.vars.is_some() { given.vars.clone() } else { last.vars() };
        let target = given.target.clone().or_else(|| last.target().map(str::to_owned));
        self.load(&WorkspaceOptions { vars, target, ..given })
    }

    fn workspace_options(&self) -> Result<WorkspaceOptions, OpError> {
        Ok(WorkspaceOptions {
            project_dir: self.globals.project_dir.clone(),
            profiles_dir: self.globals.profiles_dir.clone(),
            target_path: self.globals.target_path.clone(),
            target: self.globals.target.clone(),
            vars: self.vars()?,
            invocation: self.invocation.clone(),
            inline: None,
        })
    }

    fn load(&self, options: &WorkspaceOptions) -> Result<Workspace, OpError> {
        let workspace = Workspace::load(options)?;
        self.show_warnings(&workspace)?;
        Ok(workspace)
    }

    fn show_warnings(&self, workspace: &Workspace) -> Result<(), OpError> {
        let rules = self.warnings()?;
        for warning in workspace.warnings.0.iter().filter(|warning| !rules.silences(warning)) {
            self.terminal.show(warning);
        }
        if workspace.warnings.0.iter().any(|warning| rules.refuses(warning)) {
            return Err(OpError::usage("the project has warnings", "--warn-error takes them for errors"));
        }
        Ok(())
    }

    /// `--warn-error` and `--warn-error-options`.
    fn warnings(&self) -> Result<WarningRules, OpError> {
        match (&self.globals.warn_error_options, self.globals.warn_error) {
            (Some(text), _) => WarningRules::parse(text),
            (None, true) => Ok(WarningRules::every_warning_is_an_error()),
            (None, false) => Ok(WarningRules::default()),
        }
    }

    /// `--vars`.
    fn vars(&self) -> Result<project::Vars, OpError> {
        match &self.globals.vars {
            Some(text) => Ok(project::parse_vars(text)?),
            None => Ok(project::Vars::default()),
        }
    }

    fn is_json(&self) -> bool {
        match self.globals.output {
            Output::Json => true,
            Output::Text | Output::Name | Output::Path | Output::Selector => false,
        }
    }

    /// Shows the terms of a selection that matched nothing, or refuses them.
    fn warn_of(&self, selection: &Selection) -> Result<(), OpError> {
        let rules = self.warnings()?;
        selection.refuse_warnings(&rules)?;
        for warning in selection.take_warnings().0.iter().filter(|warning| !rules.silences(warning)) {
            self.terminal.show(warning);
        }
        Ok(())
    }

    /// Shows why a command could not be carried out, and gives its exit code.
    fn refuse(&self, error: &OpError) -> u8 {
        match error {
            OpError::Hook(diagnostics) => diagnostics.0.iter().for_each(|diagnostic| self.terminal.show(diagnostic)),
            OpError::Project(diagnostics) => self.refuse_project(diagnostics),
            OpError::Usage { message, hint } => {
                self.terminal.complain(&format!("error: {message}"));
                if let Some(hint) = hint {
                    self.terminal.complain(&format!("hint: {hint}"));
                }
            }
            OpError::Postgres(_)
            | OpError::State(_)
            | OpError::Server(_)
            | OpError::Store(_)
            | OpError::File { .. } => self.say_with_causes(error),
        }
        error.exit_code()
    }

    fn refuse_project(&self, diagnostics: &Diagnostics) {
        for diagnostic in &diagnostics.0 {
            self.terminal.show(diagnostic);
            self.terminal.complain("");
        }
        let errors = diagnostics.0.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        let noun = if errors == 1 { "mistake" } else { "mistakes" };
        self.terminal.complain(&format!("{errors} {noun}; nothing was changed"));
        if self.is_json() {
            let errors: Vec<serde_json::Value> = diagnostics.0.iter().map(artifacts::diagnostic).collect();
            self.terminal.print(&serde_json::json!({ "diagnostics": errors }).to_string());
        }
    }

    fn say_with_causes(&self, error: &OpError) {
        self.terminal.complain(&format!("error: {error}"));
        let mut said = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let text = cause.to_string();
            if !said.contains(&text) {
                self.terminal.complain(&format!("  because: {text}"));
            }
            said = text;
            source = cause.source();
        }
    }
}

/// Cancelled by Ctrl-C or SIGTERM; a second one ends the process at once, and the servers roll back by themselves.
#[expect(clippy::exit, reason = "a person who asks twice wants out now")]
fn stop_signal(terminal: Terminal) -> CancellationToken {
    let token = CancellationToken::new();
    let heard = token.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        terminal.say("stopping: cancelling what runs on the servers; once more to leave at once");
        heard.cancel();
        wait_for_signal().await;
        std::process::exit(i32::from(INTERRUPTED));
    });
    token
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
