//! Tables as they are first declared: one block of YAML each, and the file around them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::propose::{Cdc, Deletes, Proposal, Sizes, propose};
use super::scalar::{list, scalar};
use super::{FoundColumn, FoundTable, LeftOut, rails};
use crate::project::yaml_value;

/// What is said of a source before its tables.
#[derive(Debug, Clone)]
pub struct SourceHead<'a> {
    pub name: &'a str,
    pub connection: &'a str,
    pub schema: &'a str,
    pub sizes: Sizes,
}

/// The longest name for which `<name>_live` is still a name.
const LONGEST_NAME_BYTES: usize = 58;

/// What holds where a table does not say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Defaults {
    pub cdc: Value,
    pub deletes: Value,
}

/// Whether two maps agree in these keys; lengths of time are people's to choose.
fn agree(keys: &[&str], written: &str, default: &Value) -> bool {
    let written = yaml_value(written).unwrap_or_default();
    keys.iter().all(|key| written.get(key) == default.get(key))
}

/// A new file that declares every table that can be copied.
pub fn declare(head: &SourceHead<'_>, tables: &[FoundTable]) -> String {
    let chosen = proposed(tables);
    let proposals: Vec<Proposal> = chosen.iter().map(|table| propose(table, head.sizes)).collect();
    let cdc = most_common(proposals.iter().map(|proposal| proposal.cdc.to_string()), Cdc::Full.to_string());
    let deletes = proposals.iter().map(|proposal| proposal.deletes.to_string());
    let deletes = most_common(deletes, Deletes::Full.to_string());
    let mut lines = first_lines(head);
    if rails::is_rails(tables) {
        lines.push("    # the database of a Rails application".to_owned());
    }
    lines.extend(left_out_lines(tables).iter().map(|line| format!("    {line}")));
    lines.push(format!("    cdc: {cdc}"));
    if deletes != Deletes::Full.to_string() {
        lines.push(format!("    deletes: {deletes}"));
    }
    if !chosen.is_empty() {
        lines.push("    tables:".to_owned());
    }
    let defaults =
        Defaults { cdc: yaml_value(&cdc).unwrap_or_default(), deletes: yaml_value(&deletes).unwrap_or_default() };
    for (at, (table, proposal)) in chosen.iter().zip(&proposals).enumerate() {
        if at > 0 {
            lines.push(String::new());
        }
        let remarks = rails::notes(table, rails::is_rails(tables));
        lines.extend(block((table, proposal, &remarks), &defaults).iter().map(|line| format!("      {line}")));
    }
    lines.join("\n") + "\n"
}

fn first_lines(head: &SourceHead<'_>) -> Vec<String> {
    vec![
        format!("# Drafted by: unimig generate sources {}", scalar(head.connection)),
        "# It is yours: edit what you like. The same command shows what has changed at the source since, and with"
            .to_owned(),
        "# --write adds it without touching the rest.".to_owned(),
        "version: 2".to_owned(),
        String::new(),
        "sources:".to_owned(),
        format!("  - name: {}", scalar(head.name)),
        format!("    connection: {}", scalar(head.connection)),
        format!("    schema: {}", scalar(head.schema)),
    ]
}

/// Tables that are declared unless somebody says otherwise, in the order of names.
pub(super) fn proposed(tables: &[FoundTable]) -> Vec<&FoundTable> {
    let chosen = tables.iter().filter(|table| table.is_table && !table.is_partition);
    chosen.filter(|table| rails::left_out(table).is_none()).collect()
}

fn left_out_lines(tables: &[FoundTable]) -> Vec<String> {
    let whole = || tables.iter().filter(|table| table.is_table && !table.is_partition);
    let line = |why: LeftOut| {
        let names: Vec<&String> =
            whole().filter(|table| rails::left_out(table) == Some(why)).map(|table| &table.name).collect();
        (!names.is_empty()).then(|| format!("# left out, {}: {}", why.as_str(), list(names)))
    };
    LeftOut::ALL.into_iter().filter_map(line).collect()
}

/// The first of those that occur most often, or what holds anyway.
fn most_common(values: impl Iterator<Item = String>, usual: String) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let of_usual = counts.get(&usual).copied().unwrap_or(0);
    let (best, count) =
        counts.into_iter().fold((usual.clone(), of_usual), |best, next| if next.1 > best.1 { next } else { best });
    if count > of_usual { best } else { usual }
}

/// One item of `tables:`, a line each, the first with its dash.
pub(super) fn block(
    (table, proposal, remarks): (&FoundTable, &Proposal, &[String]),
    defaults: &Defaults,
) -> Vec<String> {
    let mut lines = Vec::new();
    let short = short_name(&table.name);
    lines.push(format!("- name: {}", scalar(short)));
    lines.extend(proposal.reasons.iter().chain(remarks).flat_map(|remark| comment(remark)));
    if short != table.name {
        lines.push(format!("  identifier: {}", scalar(&table.name)));
    }
    lines.extend(described(table.comment.as_ref()).map(|text| format!("  description: {text}")));
    if !table.key.is_empty() {
        lines.push(format!("  key: {}", list(&table.key)));
    }
    let (cdc, deletes) = (proposal.cdc.to_string(), proposal.deletes.to_string());
    if !agree(&["strategy", "columns"], &cdc, &defaults.cdc) {
        lines.push(format!("  cdc: {cdc}"));
    }
    if !agree(&["detect", "column"], &deletes, &defaults.deletes) {
        lines.push(format!("  deletes: {deletes}"));
    }
    lines.push("  columns:".to_owned());
    lines.extend(table.columns.iter().map(|item| format!("    - {}", column(item))));
    lines
}

/// `{name: id, data_type: bigint}`
pub(super) fn column(column: &FoundColumn) -> String {
    let description = described(column.comment.as_ref()).map(|text| format!(", description: {text}"));
    format!(
        "{{name: {}, data_type: {}{}}}",
        scalar(&column.name),
        scalar(&column.data_type),
        description.unwrap_or_default()
    )
}

/// A comment of the database; one that would be read as a template is left where it is.
fn described(comment: Option<&String>) -> Option<String> {
    let comment = comment.filter(|text| !text.trim().is_empty())?;
    let is_template = ["{{", "{%", "{#"].iter().any(|open| comment.contains(open));
    (!is_template).then(|| scalar(comment))
}

/// Comment lines of at most 120 characters where they stand.
fn comment(remark: &str) -> Vec<String> {
    const WIDTH: usize = 108;
    let mut lines: Vec<String> = Vec::new();
    for word in remark.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(format!("  # {word}")),
        }
    }
    lines
}

/// What a table is called here, where its own name leaves no room for `_live`.
pub(super) fn short_name(name: &str) -> &str {
    let mut end = name.len().min(LONGEST_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}
