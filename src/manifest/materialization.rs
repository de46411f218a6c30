//! Settings of an incremental model, as dbt has them, settled from its config.
//!
//! Keys and predicates stay the SQL that the user wrote: in dbt a key may be an expression.

use serde_json::Value;

use super::config::Settled;
use crate::diagnostic::{Code, Diagnostic};
use crate::ident::Ident;

/// How the rows of a SELECT come into a table that unimig owns and keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncrementalConfig {
    /// Columns or expressions that match rows, as SQL. Empty: rows are only added.
    pub unique_key: Vec<String>,
    pub strategy: IncrementalStrategy,
    pub updates: MergeUpdates,
    /// Conditions on the rows of the table that are looked at, as SQL.
    pub predicates: Vec<String>,
    pub on_schema_change: OnSchemaChange,
    pub refresh: Refresh,
}

/// `incremental_strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IncrementalStrategy {
    #[default]
    Append,
    DeleteInsert,
    Merge,
}

/// Which columns a merge writes in a row that is there already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MergeUpdates {
    #[default]
    All,
    Only(Vec<Ident>),
    /// Compared without regard to case, as in dbt.
    AllBut(Vec<Ident>),
}

/// `on_schema_change`: what becomes of columns that the SELECT has and the table lacks, or the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnSchemaChange {
    /// The table's columns are written; others of the SELECT are left out.
    #[default]
    Ignore,
    AppendNewColumns,
    SyncAllColumns,
    Fail,
}

/// Settings of a materialized view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaterializedViewConfig {
    pub on_configuration_change: OnConfigurationChange,
    pub refresh: Refresh,
}

/// `on_configuration_change`: what becomes of a materialized view whose indexes are not those of its config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConfigurationChange {
    #[default]
    Apply,
    /// It is left as it is, rows included.
    Continue,
    Fail,
}

/// `full_refresh`, which wins over `--full-refresh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refresh {
    #[default]
    AsAsked,
    Always,
    Never,
}

impl Refresh {
    /// Whether the relation is made anew, when the command line asks for it or not.
    pub fn applies(self, asked: bool) -> bool {
        match self {
            Self::AsAsked => asked,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// A name as SQL reads it: bare ones are folded to lower case.
pub(super) fn sql_name(written: &str) -> String {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => written.to_lowercase(),
    }
}

impl Settled {
    pub(super) fn incremental(&mut self) -> IncrementalConfig {
        let unique_key = self.fragments("unique_key");
        let strategy = self.incremental_strategy(unique_key.is_empty());
        let only = self.columns("merge_update_columns");
        let all_but = self.columns("merge_exclude_columns");
        let updates = match (only.is_empty(), all_but.is_empty()) {
            (true, true) => MergeUpdates::All,
            (false, true) => MergeUpdates::Only(only),
            (true, false) => MergeUpdates::AllBut(all_but),
            (false, false) => {
                self.both_lists();
                MergeUpdates::All
            }
        };
        let mut predicates = self.fragments("incremental_predicates");
        if predicates.is_empty() {
            predicates = self.fragments("predicates");
        }
        let on_schema_change = self.on_schema_change();
        IncrementalConfig { unique_key, strategy, updates, predicates, on_schema_change, refresh: self.refresh() }
    }

    fn incremental_strategy(&mut self, without_key: bool) -> IncrementalStrategy {
        let usual = if without_key { IncrementalStrategy::Append } else { IncrementalStrategy::DeleteInsert };
        match self.text("incremental_strategy").as_deref() {
            None | Some("default") => usual,
            Some("append") => IncrementalStrategy::Append,
            Some("delete+insert" | "delete_insert") => IncrementalStrategy::DeleteInsert,
            Some("merge") => IncrementalStrategy::Merge,
            Some("microbatch") => {
                self.refuse("incremental_strategy", "dbt's \"microbatch\" is not supported");
                if let Some(mistake) = self.mistakes.0.last_mut() {
                    let hint = "use delete+insert or merge with a unique_key, and is_incremental() to read what is new";
                    mistake.hint = Some(hint.to_owned());
                }
                usual
            }
            Some(other) => {
                self.bad_choice("incremental_strategy", other, &["append", "delete+insert", "merge"]);
                usual
            }
        }
    }

    pub(super) fn materialized_view(&mut self) -> MaterializedViewConfig {
        let on_configuration_change = match self.text("on_configuration_change").as_deref() {
            None | Some("apply") => OnConfigurationChange::Apply,
            Some("continue") => OnConfigurationChange::Continue,
            Some("fail") => OnConfigurationChange::Fail,
            Some(other) => {
                self.bad_choice("on_configuration_change", other, &["apply", "continue", "fail"]);
                OnConfigurationChange::Apply
            }
        };
        MaterializedViewConfig { on_configuration_change, refresh: self.refresh() }
    }

    pub(super) fn on_schema_change(&mut self) -> OnSchemaChange {
        match self.text("on_schema_change").as_deref() {
            None | Some("ignore") => OnSchemaChange::Ignore,
            Some("append_new_columns") => OnSchemaChange::AppendNewColumns,
            Some("sync_all_columns") => OnSchemaChange::SyncAllColumns,
            Some("fail") => OnSchemaChange::Fail,
            Some(other) => {
                let choices = ["ignore", "append_new_columns", "sync_all_columns", "fail"];
                self.bad_choice("on_schema_change", other, &choices);
                OnSchemaChange::Ignore
            }
        }
    }

    pub(super) fn refresh(&mut self) -> Refresh {
        match self.switch("full_refresh") {
            None => Refresh::AsAsked,
            Some(true) => Refresh::Always,
            Some(false) => Refresh::Never,
        }
    }

    /// True or false, if it is stated.
    pub(super) fn switch(&mut self, key: &str) -> Option<bool> {
        let setting = self.get(key)?.clone();
        match &setting.value {
            Value::Bool(value) => Some(*value),
            Value::Null | Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.bad(&setting, format!("\"{key}\" must be true or false"));
                None
            }
        }
    }

    /// One piece of SQL or a list of them.
    pub(super) fn fragments(&mut self, key: &str) -> Vec<String> {
        let Some(setting) = self.get(key).cloned() else { return Vec::new() };
        let mut fragments = self.texts(&setting);
        fragments.retain(|fragment| !fragment.trim().is_empty());
        fragments
    }

    /// Column names as SQL reads them.
    pub(super) fn columns(&mut self, key: &str) -> Vec<Ident> {
        let Some(setting) = self.get(key).cloned() else { return Vec::new() };
        let mut columns = Vec::new();
        for written in self.texts(&setting) {
            match Ident::new(sql_name(&written)) {
                Ok(column) => columns.push(column),
                Err(error) => {
                    self.bad(&setting, error.to_string());
                }
            }
        }
        columns
    }

    fn both_lists(&mut self) {
        if let Some(setting) = self.get("merge_exclude_columns").cloned() {
            let message = "\"merge_update_columns\" and \"merge_exclude_columns\" exclude each other";
            self.bad(&setting, message.to_owned()).hint = Some("keep one of them".to_owned());
        }
    }

    /// Refuses a setting's value.
    pub(super) fn refuse(&mut self, key: &str, message: &str) {
        let mut mistake = Diagnostic::error(Code::BadConfig, message);
        mistake.span = self.get(key).map(|setting| setting.span.clone());
        self.mistakes.push(mistake);
    }
}
