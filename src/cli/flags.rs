//! The call's identity, with what templates see of the command line in `flags`: dbt's names, and dbt's values where
//! nothing is said.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ArgMatches;
use serde_json::{Value, json};

use crate::cli::arguments::{IndirectArgument, LogFormatArgument};
use crate::project::{Invocation, parse_vars};

/// Options that are on or off, and dbt's names for them.
const SWITCHES: &[(&str, &str)] = &[("fail_fast", "FAIL_FAST"), ("quiet", "QUIET"), ("verbose", "DEBUG")];

pub(super) fn invocation(matches: &ArgMatches) -> Invocation {
    let Some((command, options)) = matches.subcommand() else { return Invocation::begin() };
    // dbt calls it so.
    let command = if command == "ls" { "list" } else { command };
    Invocation {
        command: command.to_owned(),
        full_refresh: is_given(options, "full_refresh").unwrap_or_default(),
        store_failures: is_given(options, "store_failures").unwrap_or_default(),
        flags: flags(options),
        ..Invocation::begin()
    }
}

/// [`None`] where the command has no such option.
fn is_given(options: &ArgMatches, option: &str) -> Option<bool> {
    options.try_get_one::<bool>(option).ok().flatten().copied()
}

fn flags(options: &ArgMatches) -> BTreeMap<&'static str, Value> {
    let mut flags: BTreeMap<&'static str, Value> = unchanging();
    for (option, name) in SWITCHES {
        flags.insert(name, is_given(options, option).unwrap_or_default().into());
    }
    // Without `--empty` and `--warn-error` they are nothing in dbt where the command does not know them.
    flags.insert("EMPTY", is_given(options, "empty").into());
    flags.insert("WARN_ERROR", is_given(options, "warn_error").filter(|given| *given).into());
    let chosen = options.try_get_one::<String>("warn_error_options").ok().flatten();
    if let Some(chosen) = chosen.and_then(|text| parse_vars(text).ok()) {
        let given = |now: &str, once: &str| chosen.get(now).or_else(|| chosen.get(once)).cloned().unwrap_or(json!([]));
        let rules = json!({
            "error": given("error", "include"), "warn": given("warn", "exclude"), "silence": given("silence", "silence"),
        });
        flags.insert("WARN_ERROR_OPTIONS", rules);
    }
    let indirect = options.try_get_one::<IndirectArgument>("indirect_selection").ok().flatten();
    let indirect = match indirect.copied().unwrap_or(IndirectArgument::Eager) {
        IndirectArgument::Eager => "eager",
        IndirectArgument::Cautious => "cautious",
        IndirectArgument::Buildable => "buildable",
        IndirectArgument::Empty => "empty",
    };
    flags.insert("INDIRECT_SELECTION", indirect.into());
    let format = match options.try_get_one::<LogFormatArgument>("log_format").ok().flatten() {
        Some(LogFormatArgument::Json) => "json",
        Some(LogFormatArgument::Text) | None => "default",
    };
    flags.insert("LOG_FORMAT", format.into());
    let profiles = options.try_get_one::<PathBuf>("profiles_dir").ok().flatten();
    flags.insert("PROFILES_DIR", profiles.map(|folder| folder.display().to_string()).into());
    let target = options.try_get_one::<PathBuf>("target_path").ok().flatten();
    flags.insert("TARGET_PATH", target.map(|folder| folder.display().to_string()).into());
    flags.insert("INVOCATION_COMMAND", typed().into());
    flags
}

/// What dbt shows and nobody can change here.
fn unchanging() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("CACHE_SELECTED_ONLY", json!(false)),
        ("INTROSPECT", json!(true)),
        ("LOG_CACHE_EVENTS", json!(false)),
        ("LOG_PATH", json!(null)),
        ("NO_PRINT", json!(null)),
        ("PARTIAL_PARSE", json!(false)),
        ("PRINTER_WIDTH", json!(80)),
        ("SEND_ANONYMOUS_USAGE_STATS", json!(false)),
        ("STATIC_PARSER", json!(true)),
        ("USE_COLORS", json!(true)),
        ("USE_EXPERIMENTAL_PARSER", json!(false)),
        ("VERSION_CHECK", json!(true)),
        ("WARN_ERROR_OPTIONS", json!({ "error": [], "warn": [], "silence": [] })),
        ("WRITE_JSON", json!(true)),
    ])
}

/// The command line as it was typed, with the tool's own name.
fn typed() -> String {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("unimig".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}
