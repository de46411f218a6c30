//! Options that dbt has and that change nothing here: they are taken, and it is said that they have no effect, so that a
//! command line which was written for dbt can be used as it is.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::report::Terminal;

/// About reading projects faster, which is not needed.
const READING: &str = "every file is read each time";
/// About what dbt remembers of relations during a run.
const CACHE: &str = "nothing is cached";

/// Each option, and why it does nothing.
const OPTIONS: &[(&str, &str)] = &[
    ("partial-parse", READING),
    ("no-partial-parse", READING),
    ("static-parser", READING),
    ("no-static-parser", READING),
    ("use-experimental-parser", READING),
    ("no-use-experimental-parser", READING),
    ("cache-selected-only", CACHE),
    ("no-cache-selected-only", CACHE),
    ("populate-cache", CACHE),
    ("no-populate-cache", CACHE),
    ("log-cache-events", CACHE),
    ("no-log-cache-events", CACHE),
    ("send-anonymous-usage-stats", "nothing is ever sent"),
    ("no-send-anonymous-usage-stats", "nothing is ever sent"),
    ("version-check", "require-dbt-version is always checked"),
    ("use-colors-file", "there is no log file"),
    ("no-use-colors-file", "there is no log file"),
    ("show-all-deprecations", "there are none"),
    ("no-show-all-deprecations", "there are none"),
];

/// The command with these options, which its help does not show.
pub(super) fn with_options(command: Command) -> Command {
    let argument = |(name, _): &(&'static str, &str)| {
        Arg::new(*name).long(*name).hide(true).global(true).action(ArgAction::SetTrue)
    };
    command.args(OPTIONS.iter().map(argument))
}

/// Says which of them were given.
pub(super) fn tell(matches: &ArgMatches, terminal: Terminal) {
    for (name, why) in OPTIONS.iter().filter(|(name, _)| matches.get_flag(name)) {
        terminal.warn(&format!("warning: --{name} has no effect here: {why}"));
    }
}
