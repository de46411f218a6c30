//! Ephemeral models become CTEs of the models that refer to them, through any number of others, as dbt does it.

use std::collections::BTreeMap;

use super::tokens::tokens;
use super::{Compiled, CompiledSql, SqlBuilder};
use crate::ident::NodeName;
use crate::manifest::{Manifest, ephemeral_cte};

/// The text with the ephemeral models that it needs in front of it.
pub fn inject(manifest: &Manifest, all: &BTreeMap<NodeName, Compiled>, compiled: &Compiled) -> CompiledSql {
    let mut gathering = Gathering { manifest, all, open: Vec::new(), needed: Vec::new() };
    for parent in &compiled.depends_on {
        gathering.add(parent);
    }
    let needed = gathering.needed;
    if needed.is_empty() {
        return compiled.sql.clone();
    }
    let text = &compiled.sql.text;
    let start = with_end(text);
    let mut builder = SqlBuilder::new();
    // A query has one WITH: where the model writes its own, the ephemeral models go to the head of its list.
    builder = match start {
        Some(start) => builder.slice(&compiled.sql, 0..start).text("\n"),
        None => builder.text("with "),
    };
    for (place, (model, sql)) in needed.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        builder = builder.text(separator).text(&ephemeral_cte(model)).text(" as (\n").sql(sql).text("\n)");
    }
    match start {
        Some(start) => builder.text(",").slice(&compiled.sql, start..text.len()).finish(),
        None => builder.text("\n").sql(&compiled.sql).finish(),
    }
}

/// Where the list of a query's own WITH begins.
fn with_end(text: &str) -> Option<usize> {
    let tokens = tokens(text);
    let with = tokens.first().filter(|token| token.is_word(text, "with"))?;
    let recursive = tokens.get(1).filter(|token| token.is_word(text, "recursive"));
    Some(recursive.unwrap_or(with).range.end)
}

/// Ephemeral models being put in order.
struct Gathering<'a> {
    manifest: &'a Manifest,
    all: &'a BTreeMap<NodeName, Compiled>,
    /// Models whose parents are being added: meeting one again is a cycle, which the graph reports.
    open: Vec<&'a NodeName>,
    needed: Vec<(&'a str, &'a CompiledSql)>,
}

impl<'a> Gathering<'a> {
    /// Adds an ephemeral model after those that it needs itself.
    fn add(&mut self, name: &NodeName) {
        let Some((model, compiled)) = self.manifest.models.get(name).zip(self.all.get(name)) else { return };
        let is_there = self.needed.iter().any(|(there, _)| *there == model.model);
        if is_there || self.open.contains(&name) || !self.manifest.is_ephemeral(name) {
            return;
        }
        self.open.push(&model.name);
        for parent in &compiled.depends_on {
            self.add(parent);
        }
        self.open.pop();
        self.needed.push((&model.model, compiled.own_sql.as_ref().unwrap_or(&compiled.sql)));
    }
}
