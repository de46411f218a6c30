//! Snapshots: `{% snapshot %}` blocks and YAML entries with `relation:` become files of one SELECT each, and their config
//! is settled here. On the way they are models whose materialization is [`Materialization::Snapshot`].
//!
//! [`Materialization::Snapshot`]: super::Materialization::Snapshot

use std::sync::Arc;

use serde_json::Value;

use super::config::Settled;
use super::jinja::{BlockKind, blocks};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::ident::Ident;
use crate::project::{ModelFile, Project, Setting, SnapshotDecl};

/// A table that keeps every version of a SELECT's rows, each with the time in which it was valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotConfig {
    /// Columns or expressions, as SQL. Never empty.
    pub unique_key: Vec<String>,
    pub strategy: SnapshotStrategy,
    pub hard_deletes: HardDeletes,
    /// What stands in `dbt_valid_to` of a current row, as SQL; NULL without it.
    pub valid_to_current: Option<String>,
    pub names: MetaNames,
}

/// How a new version of a row is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotStrategy {
    /// The expression is later than the current version's beginning.
    Timestamp { updated_at: String },
    /// One of the columns differs.
    Check { columns: CheckColumns, updated_at: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckColumns {
    All,
    /// As SQL. Never empty.
    Some(Vec<String>),
}

/// What becomes of the current version of a key that the SELECT no longer gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HardDeletes {
    #[default]
    Ignore,
    /// It ends.
    Invalidate,
    /// It ends, and a version that says so begins.
    NewRecord,
}

/// `snapshot_meta_column_names`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaNames {
    pub scd_id: Ident,
    pub updated_at: Ident,
    pub valid_from: Ident,
    pub valid_to: Ident,
    pub is_deleted: Ident,
}

impl Default for MetaNames {
    fn default() -> Self {
        Self {
            scd_id: Ident::from_catalog("dbt_scd_id"),
            updated_at: Ident::from_catalog("dbt_updated_at"),
            valid_from: Ident::from_catalog("dbt_valid_from"),
            valid_to: Ident::from_catalog("dbt_valid_to"),
            is_deleted: Ident::from_catalog("dbt_is_deleted"),
        }
    }
}

/// The snapshots of a project, each as a file whose text is its SELECT alone, at its place in the real file.
pub(super) fn files(project: &Project, diagnostics: &mut Diagnostics) -> Vec<ModelFile> {
    let mut files = Vec::new();
    for model in &project.snapshots {
        let found = blocks(&model.file.text);
        if let Some(unclosed) = found.unclosed {
            let mistake = Diagnostic::error(Code::BadJinja, "this block does not end")
                .at(Span::new(&model.file, unclosed))
                .hint("end it with {% endsnapshot %}");
            diagnostics.push(mistake);
        }
        for block in found.found.into_iter().filter(|block| block.kind == BlockKind::Snapshot) {
            let text = blanked(&model.file.text, std::slice::from_ref(&block.body));
            let written = Some(Arc::clone(&model.file));
            let file = Arc::new(SourceFile { path: model.file.path.clone(), text, written });
            files.push(ModelFile { folders: model.folders.clone(), stem: block.name, file });
        }
    }
    files.extend(project.declared.snapshots.iter().filter_map(of_relation));
    files
}

/// `relation: ref('x')` is a SELECT of everything in it, written around the words of the YAML file.
fn of_relation(declared: &SnapshotDecl) -> Option<ModelFile> {
    const BEFORE: &str = "select*from {{";
    let relation = declared.relation.as_ref()?;
    let (file, range) = (&relation.span.file, relation.span.range.clone());
    let written = file.text[range.clone()].trim_matches(['"', '\'']);
    let quote = usize::from(written.len() < range.len());
    let room = range.start + quote - file.text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let text = if room >= BEFORE.len() && written == relation.value {
        let inner = range.start + quote..range.start + quote + written.len();
        let mut text = blanked(&file.text[..inner.end], std::slice::from_ref(&inner));
        text.replace_range(inner.start - BEFORE.len()..inner.start, BEFORE);
        text + "}}"
    } else {
        format!("{BEFORE}{}}}}}", relation.value)
    };
    let file = Arc::new(SourceFile { path: file.path.clone(), text, written: None });
    Some(ModelFile { folders: Vec::new(), stem: declared.property.name.value.clone(), file })
}

/// The text with everything but the ranges made blank, byte for byte as long, lines kept.
fn blanked(text: &str, kept: &[std::ops::Range<usize>]) -> String {
    let is_kept = |at: usize| kept.iter().any(|range| range.contains(&at));
    let blank = |(at, letter): (usize, char)| match letter {
        _ if is_kept(at) => letter.to_string(),
        '\n' => "\n".to_owned(),
        other => " ".repeat(other.len_utf8()),
    };
    text.char_indices().map(blank).collect()
}

impl Settled {
    pub(super) fn snapshot(&mut self) -> Option<SnapshotConfig> {
        let unique_key = self.fragments("unique_key");
        if unique_key.is_empty() {
            self.lacks("unique_key", "a snapshot needs \"unique_key\": what identifies a row");
        }
        let updated_at = self.text("updated_at");
        let strategy = match (self.text("strategy").as_deref(), updated_at) {
            (Some("timestamp"), Some(updated_at)) => Some(SnapshotStrategy::Timestamp { updated_at }),
            (Some("timestamp"), None) => {
                self.lacks("strategy", "the strategy \"timestamp\" needs \"updated_at\"");
                None
            }
            (Some("check"), updated_at) => {
                self.check_columns().map(|columns| SnapshotStrategy::Check { columns, updated_at })
            }
            (Some(other), _) => {
                self.bad_choice("strategy", other, &["timestamp", "check"]);
                None
            }
            (None, _) => {
                self.lacks("strategy", "a snapshot needs \"strategy\": timestamp or check");
                None
            }
        };
        let hard_deletes = self.hard_deletes();
        let valid_to_current = self.text("dbt_valid_to_current").filter(|text| !text.trim().is_empty());
        let names = self.meta_names();
        let strategy = strategy.filter(|_| !unique_key.is_empty())?;
        Some(SnapshotConfig { unique_key, strategy, hard_deletes, valid_to_current, names })
    }

    fn lacks(&mut self, key: &str, message: &str) {
        let mut mistake = Diagnostic::error(Code::BadConfig, message);
        mistake.span = self.get(key).map(|setting| setting.span.clone());
        self.mistakes.push(mistake);
    }

    fn check_columns(&mut self) -> Option<CheckColumns> {
        if let Some(Setting { value: Value::String(text), .. }) = self.get("check_cols")
            && text == "all"
        {
            return Some(CheckColumns::All);
        }
        let columns = self.fragments("check_cols");
        if columns.is_empty() {
            self.lacks("strategy", "the strategy \"check\" needs \"check_cols\": a list of columns, or all");
            return None;
        }
        Some(CheckColumns::Some(columns))
    }

    fn hard_deletes(&mut self) -> HardDeletes {
        let legacy = self.switch("invalidate_hard_deletes");
        match self.text("hard_deletes").as_deref() {
            None if legacy == Some(true) => HardDeletes::Invalidate,
            None | Some("ignore") => HardDeletes::Ignore,
            Some(_) if legacy.is_some() => {
                self.lacks("hard_deletes", "\"hard_deletes\" and \"invalidate_hard_deletes\" exclude each other");
                HardDeletes::Ignore
            }
            Some("invalidate") => HardDeletes::Invalidate,
            Some("new_record") => HardDeletes::NewRecord,
            Some(other) => {
                self.bad_choice("hard_deletes", other, &["ignore", "invalidate", "new_record"]);
                HardDeletes::Ignore
            }
        }
    }

    fn meta_names(&mut self) -> MetaNames {
        let mut names = MetaNames::default();
        let Some(setting) = self.get("snapshot_meta_column_names").cloned() else { return names };
        let Value::Object(entries) = &setting.value else {
            self.bad(&setting, "\"snapshot_meta_column_names\" must be a map".to_owned());
            return names;
        };
        for (key, value) in entries {
            let place = match key.as_str() {
                "dbt_scd_id" => &mut names.scd_id,
                "dbt_updated_at" => &mut names.updated_at,
                "dbt_valid_from" => &mut names.valid_from,
                "dbt_valid_to" => &mut names.valid_to,
                "dbt_is_deleted" => &mut names.is_deleted,
                other => {
                    self.bad(&setting, format!("a snapshot has no column \"{other}\" to be named"));
                    continue;
                }
            };
            match value.as_str().map(|name| Ident::new(super::materialization::sql_name(name))) {
                Some(Ok(name)) => *place = name,
                Some(Err(_)) | None => {
                    self.bad(&setting, format!("the name of \"{key}\" must be a column's name"));
                }
            }
        }
        names
    }
}
