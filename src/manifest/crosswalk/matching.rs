//! How rows of several members are found to be one thing: rules in their order, and the verdicts of people.

use super::CrosswalkMember;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{NodeName, Relation};
use crate::manifest::Manifest;
use crate::project::{CrosswalkDecl, MatchOn, MatchRuleDecl, Written};

/// The most rows that rules take for one thing, where nothing is said.
const MAX_CLUSTER: usize = 20;

/// Rules, the surest first, and who has the last word.
#[derive(Debug, Clone)]
pub struct Matching {
    pub rules: Vec<MatchRule>,
    /// Bigger clusters are not joined.
    pub max_cluster: usize,
    /// The seed, its table, and where it is named.
    pub verdicts: Option<(NodeName, Relation, Span)>,
}

/// Rows are one thing where all expressions are equal.
#[derive(Debug, Clone)]
pub struct MatchRule {
    pub name: String,
    /// SQL over the staged row, for each member in their order; members without any do not take part.
    pub on: Vec<Vec<String>>,
    pub declared_at: Span,
}

impl Matching {
    /// Everything that decides which rows are joined.
    pub fn described(&self) -> String {
        let rules: Vec<String> = self.rules.iter().map(|rule| format!("{} {:?}", rule.name, rule.on)).collect();
        let verdicts = self.verdicts.as_ref().map(|(_, relation, _)| relation.to_string()).unwrap_or_default();
        format!("match {} {} {verdicts}", rules.join(" "), self.max_cluster)
    }
}

/// `None` where a crosswalk has neither rules nor verdicts.
pub(super) fn settle(
    manifest: &Manifest,
    (declared, members): (&CrosswalkDecl, &[CrosswalkMember]),
    diagnostics: &mut Diagnostics,
) -> Option<Matching> {
    if declared.matching.is_empty() && declared.verdicts.is_none() {
        return None;
    }
    let rules = declared.matching.iter().map(|written| rule((declared, written), members, diagnostics)).collect();
    let max_cluster = match &declared.max_cluster {
        None => MAX_CLUSTER,
        Some(written) => written.value.parse().ok().filter(|most| *most > 1).unwrap_or_else(|| {
            let message = format!("\"{}\" is no number of rows", written.value);
            let hint = "a cluster has two rows or more";
            diagnostics.push(Diagnostic::error(Code::BadValue, message).at(written.span.clone()).hint(hint));
            MAX_CLUSTER
        }),
    };
    let verdicts = declared.verdicts.as_ref().and_then(|written| verdicts(manifest, written, diagnostics));
    Some(Matching { rules, max_cluster, verdicts })
}

fn rule(
    (declared, written): (&CrosswalkDecl, &MatchRuleDecl),
    members: &[CrosswalkMember],
    diagnostics: &mut Diagnostics,
) -> MatchRule {
    let texts = |of: &[Written<String>]| of.iter().map(|expression| expression.value.clone()).collect::<Vec<_>>();
    let on = match &written.on {
        MatchOn::Every(expressions) => vec![texts(expressions); members.len()],
        MatchOn::Each(each) => {
            let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
            for (name, _) in each.iter().filter(|(name, _)| !names.contains(&name.value.as_str())) {
                let message = format!("crosswalk \"{}\" has no member \"{}\"", declared.name.value, name.value);
                let mistake = Diagnostic::error(Code::UnknownCrosswalk, message).at(name.span.clone());
                diagnostics.push(mistake.did_you_mean(&name.value, names.iter().copied()));
            }
            let of = |member: &str| each.iter().find(|(name, _)| name.value == member);
            names.iter().map(|name| of(name).map(|(_, expressions)| texts(expressions)).unwrap_or_default()).collect()
        }
    };
    let mut lengths: Vec<usize> = on.iter().map(Vec::len).filter(|length| *length > 0).collect();
    lengths.dedup();
    if lengths.len() > 1 {
        let message = format!("rule \"{}\" compares another number of expressions for each member", written.name.value);
        diagnostics.push(Diagnostic::error(Code::BadValue, message).at(written.name.span.clone()));
    }
    MatchRule { name: written.name.value.clone(), on, declared_at: written.name.span.clone() }
}

fn verdicts(
    manifest: &Manifest,
    written: &Written<String>,
    diagnostics: &mut Diagnostics,
) -> Option<(NodeName, Relation, Span)> {
    let name = NodeName::seed(&written.value);
    if let Some(seed) = manifest.seeds.get(&name) {
        return Some((name, seed.relation.clone(), written.span.clone()));
    }
    let known = manifest.seeds.values().map(|seed| seed.seed.as_str());
    let mistake = Diagnostic::error(Code::UnknownRef, format!("seed \"{}\" does not exist", written.value))
        .at(written.span.clone())
        .did_you_mean(&written.value, known);
    let hint = "it is a CSV file with left_source,left_key,right_source,right_key,verdict";
    diagnostics.push(if mistake.hint.is_none() { mistake.hint(hint) } else { mistake });
    None
}
