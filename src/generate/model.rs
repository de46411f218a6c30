//! A first SELECT for a table of the target, from the columns of a staged table that have the same names.

use super::scalar::scalar;
use super::types;
use crate::ident::Ident;

/// A table of the target that no model fills yet.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub table: Ident,
    /// Set where it is not the target's own.
    pub schema: Option<Ident>,
    pub columns: Vec<WantedColumn>,
    pub primary_key: Vec<Ident>,
}

#[derive(Debug, Clone)]
pub struct WantedColumn {
    pub name: Ident,
    pub data_type: String,
    pub may_be_null: bool,
    pub filling: Filling,
}

/// What fills a column of a new row that a model does not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    Nothing,
    Default,
    Identity,
    /// It is computed, and cannot be given.
    Expression,
}

/// A staged table whose name fits.
#[derive(Debug, Clone)]
pub struct Offered {
    pub source: String,
    pub table: String,
    pub columns: Vec<OfferedColumn>,
}

#[derive(Debug, Clone)]
pub struct OfferedColumn {
    pub name: Ident,
    /// In staging.
    pub data_type: String,
}

impl Offered {
    /// Of the same name, or of one that differs in case only.
    fn column(&self, name: &Ident) -> Option<&OfferedColumn> {
        let exact = self.columns.iter().find(|column| column.name == *name);
        let folded = |column: &&OfferedColumn| column.name.as_str().eq_ignore_ascii_case(name.as_str());
        exact.or_else(|| self.columns.iter().find(folded))
    }

    fn in_common(&self, wanted: &Wanted) -> usize {
        wanted.columns.iter().filter(|column| is_given(column) && self.column(&column.name).is_some()).count()
    }
}

fn is_given(column: &WantedColumn) -> bool {
    column.filling != Filling::Expression
}

/// The draft from the table with the most columns in common; [`None`] where none has any.
pub fn model(wanted: &Wanted, offered: &[Offered]) -> Option<String> {
    let best = offered.iter().rev().max_by_key(|offered| offered.in_common(wanted))?;
    if best.in_common(wanted) == 0 {
        return None;
    }
    let from = format!("{}.{}", best.source, best.table);
    let mut lines =
        vec![format!("-- Drafted by unimig from {}, by the names of columns. Read it before it runs.", said(&from))];
    for other in offered.iter().filter(|other| !std::ptr::eq(*other, best)) {
        let (name, common) = (format!("{}.{}", other.source, other.table), other.in_common(wanted));
        lines.push(format!("-- {} has {common} of its columns, too.", said(&name)));
    }
    lines.extend(key_remarks(wanted, best));
    lines.push(config(wanted));
    lines.push("select".to_owned());
    lines.extend(select_list(wanted, best, &from));
    lines.push(format!(
        "from {{{{ source({}, {}) }}}} as {}",
        literal(&best.source),
        literal(&best.table),
        name(&alias(best))
    ));
    Some(lines.join("\n") + "\n")
}

fn key_remarks(wanted: &Wanted, best: &Offered) -> Vec<String> {
    if wanted.primary_key.is_empty() {
        return vec!["-- The table has no primary key: name the columns that identify a row in unique_key.".to_owned()];
    }
    let missing = wanted.primary_key.iter().filter(|column| best.column(column).is_none());
    let line = |column: &Ident| {
        format!("-- Key column {} is not given below: name another unique_key.", said(column.as_str()))
    };
    missing.map(line).collect()
}

fn config(wanted: &Wanted) -> String {
    let mut settings = vec!["materialized='merge'".to_owned()];
    settings.extend(wanted.schema.as_ref().map(|schema| format!("schema={}", literal(schema.as_str()))));
    if file_stem(&wanted.table) != wanted.table.as_str() {
        settings.push(format!("alias={}", literal(wanted.table.as_str())));
    }
    let key: Vec<String> = wanted.primary_key.iter().map(|column| literal(column.as_str())).collect();
    if !key.is_empty() {
        settings.push(format!("unique_key=[{}]", key.join(", ")));
    }
    format!("{{{{ config({}) }}}}", settings.join(", "))
}

/// Columns that match, then as comments those that do not.
fn select_list(wanted: &Wanted, best: &Offered, from: &str) -> Vec<String> {
    let (mut given, mut missing) = (Vec::new(), Vec::new());
    for column in wanted.columns.iter().filter(|column| is_given(column)) {
        match best.column(&column.name) {
            Some(offered) => given.push(expression(column, offered, best)),
            None => missing.push(remark(column, from)),
        }
    }
    let last = given.len() - 1;
    let given = given.into_iter().enumerate().map(|(at, text)| match at == last {
        true => format!("    {text}"),
        false => format!("    {text},"),
    });
    given.chain(missing).collect()
}

fn expression(column: &WantedColumn, offered: &OfferedColumn, best: &Offered) -> String {
    let read = format!("{}.{}", name(&alias(best)), name(&offered.name));
    let converted = converted(&read, &types::canonical(&offered.data_type), &types::canonical(&column.data_type));
    match converted == read && offered.name == column.name {
        true => read,
        false => format!("{converted} as {}", name(&column.name)),
    }
}

/// A cast to text with a length would cut what is too long, so the length is left to the target, which refuses it.
fn converted(read: &str, from: &str, to: &str) -> String {
    let times = ["timestamp with time zone", "timestamp without time zone"];
    if from == to || (types::is_text(from) && types::is_text(to)) {
        read.to_owned()
    } else if times.contains(&from) && times.contains(&to) {
        format!("{read} at time zone 'UTC'")
    } else if types::is_text(to) {
        format!("{read}::text")
    } else {
        format!("{read}::{}", raw(to))
    }
}

fn remark(column: &WantedColumn, from: &str) -> String {
    let what = match (column.filling, column.may_be_null) {
        (Filling::Identity, _) => "identity, which numbers new rows",
        (Filling::Default, true) => "may be NULL, has a default",
        (Filling::Default, false) => "not NULL, has a default",
        (Filling::Nothing, true) => "may be NULL",
        (Filling::Nothing, false) => "not NULL and without a default: new rows need it",
        (Filling::Expression, _) => "computed",
    };
    let (name, data_type) = (said(column.name.as_str()), said(&column.data_type));
    format!("    -- {name}: no such column in {}; {data_type}, {what}", said(from))
}

/// A file name that holds the table's, letters and digits only.
pub fn file_stem(table: &Ident) -> String {
    let is_safe = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let safe = |letter: char| if is_safe(letter) { letter } else { '_' };
    table.as_str().chars().flat_map(char::to_lowercase).map(safe).collect()
}

fn alias(offered: &Offered) -> Ident {
    Ident::from_catalog(offered.table.clone())
}

/// A name in SQL that is a template, too.
fn name(ident: &Ident) -> String {
    raw(&ident.to_string())
}

/// A text in a comment, in one line.
fn said(text: &str) -> String {
    raw(&if text.contains(char::is_control) { scalar(text) } else { text.to_owned() })
}

fn raw(text: &str) -> String {
    let is_template = ["{{", "{%", "{#"].iter().any(|open| text.contains(open));
    if is_template { format!("{{% raw %}}{text}{{% endraw %}}") } else { text.to_owned() }
}

/// A text constant of a template.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}
