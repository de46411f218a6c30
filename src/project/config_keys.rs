//! Which settings each kind of node may have.

use super::Flavour;
use super::fields::unknown_key;
use crate::diagnostic::{Diagnostic, Severity};

/// What a config configures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigOf {
    Model,
    Seed,
    Snapshot,
    Test,
    UnitTest,
    Source,
    Exposure,
    Analysis,
}

const MODEL: &[&str] = &[
    "materialized",
    "schema",
    "database",
    "alias",
    "enabled",
    "tags",
    "description",
    "meta",
    "unique_key",
    "deletes",
    "deleted_column",
    "adopt",
    "on_conflict",
    "triggers",
    "on_bad_rows",
    "quarantine",
    "incremental_strategy",
    "incremental_predicates",
    "predicates",
    "merge_update_columns",
    "merge_exclude_columns",
    "on_schema_change",
    "on_configuration_change",
    "full_refresh",
    "pre_hook",
    "post_hook",
    "grants",
    "indexes",
    "unlogged",
    "contract",
    "group",
    "access",
    "docs",
    "persist_docs",
    "event_time",
];

const SEED: &[&str] = &[
    "schema",
    "database",
    "alias",
    "enabled",
    "tags",
    "description",
    "meta",
    "column_types",
    "delimiter",
    "quote_columns",
    "full_refresh",
    "pre_hook",
    "post_hook",
    "grants",
    "indexes",
    "unlogged",
    "group",
    "docs",
    "persist_docs",
    "event_time",
];

const SNAPSHOT: &[&str] = &[
    "materialized",
    "schema",
    "database",
    "alias",
    "target_schema",
    "target_database",
    "enabled",
    "tags",
    "description",
    "meta",
    "strategy",
    "unique_key",
    "updated_at",
    "check_cols",
    "hard_deletes",
    "invalidate_hard_deletes",
    "dbt_valid_to_current",
    "snapshot_meta_column_names",
    "quote_columns",
    "pre_hook",
    "post_hook",
    "grants",
    "indexes",
    "unlogged",
    "group",
    "docs",
    "persist_docs",
    "event_time",
];

const TEST: &[&str] = &[
    "enabled",
    "severity",
    "warn_if",
    "error_if",
    "fail_calc",
    "limit",
    "where",
    "store_failures",
    "store_failures_as",
    "schema",
    "database",
    "alias",
    "group",
    "tags",
    "meta",
    "name",
    "description",
];

/// Settings whose value is a map.
pub(super) const MAP_KEYS: &[&str] = &[
    "meta",
    "column_types",
    "grants",
    "contract",
    "docs",
    "persist_docs",
    "freshness",
    "snapshot_meta_column_names",
    "quarantine",
];

impl ConfigOf {
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            ConfigOf::Model => MODEL,
            ConfigOf::Seed => SEED,
            ConfigOf::Snapshot => SNAPSHOT,
            ConfigOf::Test => TEST,
            ConfigOf::UnitTest => &["enabled", "tags", "meta"],
            ConfigOf::Source => {
                &["enabled", "tags", "meta", "event_time", "freshness", "loaded_at_field", "loaded_at_query"]
            }
            ConfigOf::Exposure => &["enabled", "tags", "meta"],
            ConfigOf::Analysis => &["enabled", "tags", "meta", "docs", "group", "description"],
        }
    }

    pub fn what(self) -> &'static str {
        match self {
            ConfigOf::Model => "model config",
            ConfigOf::Seed => "seed config",
            ConfigOf::Snapshot => "snapshot config",
            ConfigOf::Test => "test config",
            ConfigOf::UnitTest => "unit test config",
            ConfigOf::Source => "source config",
            ConfigOf::Exposure => "exposure config",
            ConfigOf::Analysis => "analysis config",
        }
    }
}

/// A setting's name without `+`; dbt spells hooks in two ways.
pub fn canonical(key: &str) -> &str {
    match key.strip_prefix('+').unwrap_or(key).trim() {
        "pre-hook" => "pre_hook",
        "post-hook" => "post_hook",
        other => other,
    }
}

/// A setting that nothing knows. In a dbt project it may be a key of the user's own, which `config.get()` reads there
/// and dbt warns of; ours wants such keys under `meta`, so that a typing error is one.
pub fn unknown_setting(key: &str, (of, flavour): (ConfigOf, Flavour)) -> Diagnostic {
    let bare = canonical(key);
    let diagnostic = unknown_key(bare, of.what(), of.keys());
    let is_own = diagnostic.hint.as_ref().is_some_and(|hint| hint.starts_with("known keys"));
    match flavour {
        _ if !is_own => diagnostic,
        Flavour::Dbt => Diagnostic {
            severity: Severity::Warning,
            ..diagnostic.hint(format!("it is kept as a key of your own, whose place is meta: \"meta: {{{bare}: …}}\""))
        },
        Flavour::Unimig => {
            let known = diagnostic.hint.clone().unwrap_or_default();
            diagnostic.hint(format!("a key of your own stands under meta: \"meta: {{{bare}: …}}\"; {known}"))
        }
    }
}
