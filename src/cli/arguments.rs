//! What can be typed. The help texts are written for somebody who has never used the tool.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::cli::crosswalk::CrosswalkArguments;
use crate::cli::docs::DocsArguments;
use crate::cli::generate::GenerateArguments;
use crate::cli::layer::LayerArguments;
use crate::cli::look::CompileArguments;
use crate::cli::man::ManArguments;
use crate::cli::operation::OperationArguments;
use crate::cli::plan::{ApplyArguments, PlanArguments};
use crate::cli::quarantine::QuarantineArguments;
use crate::cli::reads::ReadArguments;
use crate::cli::retry::DeferArguments;
use crate::cli::schema::SchemaArguments;
use crate::cli::sequences::SequencesArguments;
use crate::cli::show::ShowArguments;
use crate::cli::source::SourceArguments;
use crate::cli::why::WhyArguments;
use crate::graph::Indirect;
use crate::manifest::ResourceType;
use crate::ops::run::Verb;
use crate::ops::workspace::Selection;
use crate::plan::OnError;
use crate::report::log::{LogFormat, LogLevel};

/// Merge live PostgreSQL applications into a new one.
///
/// A project is a folder of SQL models: each is one SELECT, and unimig writes the statements around it. Source tables
/// are copied through gzipped CSV into staging, models are merged from there into the target's own tables, and running
/// anything twice changes nothing the second time.
#[derive(Debug, Parser)]
#[command(name = "unimig", version, propagate_version = true, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub(super) struct Globals {
    /// The folder with unimig.yml; without it, the nearest one upward from here
    #[arg(long, global = true, value_name = "DIR", env = "UNIMIG_PROJECT_DIR")]
    pub project_dir: Option<PathBuf>,
    /// The folder with profiles.yml; without it, the project's own, then ~/.unimig
    #[arg(long, global = true, value_name = "DIR", env = "UNIMIG_PROFILES_DIR")]
    pub profiles_dir: Option<PathBuf>,
    /// The folder for artifacts and compiled SQL, instead of the project's target-path
    #[arg(long, global = true, value_name = "DIR")]
    pub target_path: Option<PathBuf>,
    /// The output of profiles.yml to use, such as dev or prod
    #[arg(short, long, global = true, value_name = "NAME")]
    pub target: Option<String>,
    /// Values for var() in models, as YAML: '{cutover_on: "2027-01-15"}'
    #[arg(long, global = true, value_name = "YAML")]
    pub vars: Option<String>,
    /// What goes to stdout
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Take warnings for errors: those of the project, and tests that would warn
    #[arg(long, global = true)]
    pub warn_error: bool,
    /// Choose among warnings by code, as YAML: '{error: all, warn: [unknown-key], silence: [unknown-selector]}'
    #[arg(long, global = true, value_name = "YAML", conflicts_with = "warn_error")]
    pub warn_error_options: Option<String>,
    /// Say more about what happens inside: the same as --log-level debug
    #[arg(short, long, alias = "debug", short_alias = 'd', global = true)]
    pub verbose: bool,
    /// Say nothing but what went wrong: the same as --log-level error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// How grave a line on stderr must be to be shown
    #[arg(long, global = true, value_enum, value_name = "LEVEL", conflicts_with_all = ["verbose", "quiet"], env = "UNIMIG_LOG_LEVEL")]
    pub log_level: Option<LogLevelArgument>,
    /// What lines on stderr look like; json is one object a line, with ts, level and event
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormatArgument::Text, env = "UNIMIG_LOG_FORMAT")]
    pub log_format: LogFormatArgument,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogLevelArgument {
    Debug,
    Info,
    Warn,
    Error,
}

impl Globals {
    /// What the three ways to say it come to.
    pub fn level(&self) -> LogLevel {
        match (self.log_level, self.verbose, self.quiet) {
            (Some(LogLevelArgument::Debug), ..) | (None, true, _) => LogLevel::Debug,
            (Some(LogLevelArgument::Error), ..) | (None, false, true) => LogLevel::Error,
            (Some(LogLevelArgument::Warn), ..) => LogLevel::Warn,
            (Some(LogLevelArgument::Info), ..) | (None, false, false) => LogLevel::Info,
        }
    }

    pub fn format(&self) -> LogFormat {
        match self.log_format {
            LogFormatArgument::Text => LogFormat::Text,
            LogFormatArgument::Json => LogFormat::Json,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormatArgument {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    Text,
    Json,
    /// Of ls: what ref() and source() take
    Name,
    /// Of ls: the file of each node
    Path,
    /// Of ls: what dbt's --select takes
    Selector,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a small project that runs as it is
    Init(InitArguments),
    /// Watch two source systems being merged into a third, on a private PostgreSQL
    Demo(DemoArguments),
    /// Check each connection and store: reachable, version, privileges, latency
    Debug,
    /// Read the project and report every mistake, without a server
    Parse,
    /// List what a selection means, without a server
    #[command(visible_alias = "list")]
    Ls(ListArguments),
    /// Write every model as plain SQL to target/compiled, without a server
    Compile(CompileArguments),
    /// Seeds, staging, models and tests in one go: each test runs as soon as what it tests is there
    Build(BuildArguments),
    /// Say what a build would do, in which order and why, before it does it
    ///
    /// Every step of a plan runs when it is built: each SELECT is executed, and only what differs is written. So the
    /// plan tells where something has changed and where a step will most likely find nothing to write.
    ///
    /// With --diff the steps are carried out in one transaction that is rolled back, in order, so that each sees what
    /// those before it would leave. That takes the locks of a run: rows that would be updated are locked, a view that
    /// changes and is read later is locked whole until the end, and other unimig processes wait for the targets. A step
    /// that no later one reads is undone at once. A step that has to wait longer than a second for a lock is left out and
    /// told, so that nobody waits behind a plan that waits. Sources are not read. Sequences that defaults draw from move on, as with every
    /// transaction that is rolled back.
    Plan(PlanArguments),
    /// Carry out a saved plan, unless code, inputs or tables have moved since
    Apply(ApplyArguments),
    /// Have the server look at every model without data: columns, types, and mistakes at their lines
    Check(CheckArguments),
    /// Copy source tables to staging, and merge models into the target
    Run(BuildArguments),
    /// Run data tests: each looks for rows that should not be
    Test(RunArguments),
    /// Load the CSV files of seeds/ into tables
    Seed(RunArguments),
    /// Bring new versions of rows into the tables of snapshots, which keep the old ones
    Snapshot(RunArguments),
    /// Repeat the last build, run, test or seed with what failed or was skipped in it
    Retry(RetryArguments),
    /// Print the first rows of what models, seeds, source tables or tests give, or of a query of your own
    Show(ShowArguments),
    /// Look after the layer: list its batches, prove them against their manifests, remove old ones
    Layer(LayerArguments),
    /// Carry the ids of a crosswalk elsewhere and back, as CSV
    Crosswalk(CrosswalkArguments),
    /// Say which rows of the sources an id of the target stands for, and what joined them
    Why(WhyArguments),
    /// Look at rows that were set aside because their copy refuses them
    Quarantine(QuarantineArguments),
    /// See that the application can go on numbering rows where models insert their own ids
    Sequences(SequencesArguments),
    /// Call a macro by itself, in a transaction on the target
    RunOperation(OperationArguments),
    /// Look at source tables: how old their data is
    Source(SourceArguments),
    /// Write what the target's catalog says of every relation, for tools that read dbt's catalog.json
    Docs(DocsArguments),
    /// Draft declarations of sources, and models, from the catalogs of live databases
    Generate(GenerateArguments),
    /// Fetch the packages that packages.yml names, with git
    Deps(DepsArguments),
    /// Print JSON Schemas of the project's YAML files, by which editors complete and check them
    Schema(SchemaArguments),
    /// Remove target/ and the other folders that clean-targets names
    Clean,
    /// Start, stop or look at the project's private PostgreSQL
    Server(ServerArguments),
    /// Open psql on the target, or on a connection of the profile
    Psql(PsqlArguments),
    /// Write manual pages, one a command, into a folder
    Man(ManArguments),
    /// Print a completion script for your shell
    Completions(CompletionsArguments),
}

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// Where to make the project
    #[arg(default_value = ".")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct DepsArguments {
    /// Ask each branch or tag anew, instead of installing the commits of package-lock.yml
    #[arg(long)]
    pub upgrade: bool,
}

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// How much data: 1 is about 200,000 rows in both sources
    #[arg(long, default_value_t = 1.0, value_name = "N")]
    pub scale: f64,
    /// First change a few rows of the sources, as their applications would
    #[arg(long)]
    pub change: bool,
    /// Where the demo's project is, or will be written; without it, --project-dir or unimig-demo
    pub folder: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct SelectionArguments {
    /// What to take: names such as bl.person, tag:nightly, path:models/bl, with * wildcards; +name adds what it reads,
    /// name+ what reads it
    #[arg(short, long, visible_alias = "models", alias = "model", short_alias = 'm', num_args = 1.., value_name = "TERM")]
    pub select: Vec<String>,
    /// What to leave out, written the same way
    #[arg(long, num_args = 1.., value_name = "TERM")]
    pub exclude: Vec<String>,
    /// A selection that selectors.yml names
    #[arg(long, value_name = "NAME", conflicts_with_all = ["select", "exclude"])]
    pub selector: Option<String>,
    /// When a test comes with what it tests
    #[arg(long, value_enum, default_value_t = IndirectArgument::Eager, value_name = "HOW")]
    pub indirect_selection: IndirectArgument,
    /// Only nodes of these kinds
    #[arg(long, alias = "resource-types", num_args = 1.., value_enum, value_name = "KIND")]
    pub resource_type: Vec<ResourceTypeArgument>,
    /// No nodes of these kinds
    #[arg(long, alias = "exclude-resource-types", num_args = 1.., value_enum, value_name = "KIND")]
    pub exclude_resource_type: Vec<ResourceTypeArgument>,
    /// The folder with the artifacts of an earlier run, for state:, result: and source_status:
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// With --output json, which keys of the manifest to print, such as name or config.materialized
    #[arg(long, num_args = 1.., value_name = "KEY")]
    pub output_keys: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum IndirectArgument {
    /// When anything that it reads is selected
    Eager,
    /// When everything that it reads is selected
    Cautious,
    /// When everything that it reads is selected, or is read by what is selected
    Buildable,
    /// Only when it is named itself
    Empty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum ResourceTypeArgument {
    Analysis,
    Exposure,
    Model,
    Seed,
    Snapshot,
    /// Source tables and their copies in staging
    Source,
    /// Data tests
    #[value(alias = "data_test")]
    Test,
    UnitTest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlannedCommand {
    Build,
    Run,
    Test,
    Seed,
    Snapshot,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Print the columns and types of everything that was looked at
    #[arg(long)]
    pub columns: bool,
    /// Use the saved catalog of the target and the project's private server instead of the target
    #[arg(long, conflicts_with = "save_catalog")]
    pub offline: bool,
    /// Also write the target's catalog to target_catalog.json, for --offline
    #[arg(long)]
    pub save_catalog: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// How many processes run at once; without it, as the profile says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// What becomes of the models below a failed process
    #[arg(long, value_enum, default_value_t = OnErrorArgument::Continue, value_name = "WHAT")]
    pub on_error: OnErrorArgument,
    /// How long to wait for a target that another process holds, such as 30s or 5m; 0 leaves at once
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = duration)]
    pub lock_wait: Duration,
    /// Read whole tables whatever their strategy, and rebuild incremental models from the start
    #[arg(short = 'f', long)]
    pub full_refresh: bool,
    /// Stop at the first failure: what runs is cancelled, what waits is skipped
    #[arg(short = 'x', long)]
    pub fail_fast: bool,
    #[command(flatten)]
    pub defer: DeferArguments,
    /// Also write the results as JUnit XML, which CI servers show
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Keep the failing rows of tests in tables of the target, one a test
    #[arg(long)]
    pub store_failures: bool,
}

#[derive(Debug, Args)]
pub(super) struct RetryArguments {
    /// The folder of the run_results.json to repeat; without it, target/
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// How many processes run at once; without it, as the run to repeat had it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct BuildArguments {
    /// Make relations without rows: models read columns only; staging, merged tables and snapshots stay as they are
    #[arg(long)]
    pub empty: bool,
    #[command(flatten)]
    pub run: RunArguments,
    #[command(flatten)]
    pub reads: ReadArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnErrorArgument {
    /// Models run on the last good copy of a source table that failed, and say how old it is
    Continue,
    /// Everything below a failed process is skipped
    Skip,
}

#[derive(Debug, Args)]
pub(super) struct ServerArguments {
    #[command(subcommand)]
    pub action: ServerAction,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ServerAction {
    /// Start the server and leave it running
    Start,
    /// Stop the server
    Stop,
    /// Say whether it runs, and where
    Status,
}

#[derive(Debug, Args)]
pub(super) struct PsqlArguments {
    /// A connection of the profile; without it, the target
    pub connection: Option<String>,
    /// Arguments for psql, after --
    #[arg(last = true)]
    pub arguments: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    pub shell: Shell,
}

impl From<SelectionArguments> for Selection {
    fn from(arguments: SelectionArguments) -> Self {
        let kinds = |kinds: Vec<ResourceTypeArgument>| kinds.into_iter().map(ResourceType::from).collect();
        Self {
            select: arguments.select,
            exclude: arguments.exclude,
            selector: arguments.selector,
            indirect: arguments.indirect_selection.into(),
            resource_types: kinds(arguments.resource_type),
            exclude_resource_types: kinds(arguments.exclude_resource_type),
            state: arguments.state,
            ..Self::default()
        }
    }
}

impl From<IndirectArgument> for Indirect {
    fn from(argument: IndirectArgument) -> Self {
        match argument {
            IndirectArgument::Eager => Self::Eager,
            IndirectArgument::Cautious => Self::Cautious,
            IndirectArgument::Buildable => Self::Buildable,
            IndirectArgument::Empty => Self::Empty,
        }
    }
}

impl From<ResourceTypeArgument> for ResourceType {
    fn from(argument: ResourceTypeArgument) -> Self {
        match argument {
            ResourceTypeArgument::Analysis => Self::Analysis,
            ResourceTypeArgument::Exposure => Self::Exposure,
            ResourceTypeArgument::Model => Self::Model,
            ResourceTypeArgument::Seed => Self::Seed,
            ResourceTypeArgument::Snapshot => Self::Snapshot,
            ResourceTypeArgument::Source => Self::Source,
            ResourceTypeArgument::Test => Self::Test,
            ResourceTypeArgument::UnitTest => Self::UnitTest,
        }
    }
}

impl From<PlannedCommand> for Verb {
    fn from(command: PlannedCommand) -> Self {
        match command {
            PlannedCommand::Build => Self::Build,
            PlannedCommand::Run => Self::Run,
            PlannedCommand::Test => Self::Test,
            PlannedCommand::Seed => Self::Seed,
            PlannedCommand::Snapshot => Self::Snapshot,
        }
    }
}

impl From<OnErrorArgument> for OnError {
    fn from(argument: OnErrorArgument) -> Self {
        match argument {
            OnErrorArgument::Continue => Self::Continue,
            OnErrorArgument::Skip => Self::Skip,
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| "write a time such as 30s, 5m or 1h".to_owned())?;
    Duration::try_from(span).map_err(|_| "a time can't be negative".to_owned())
}
