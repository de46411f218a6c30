//! The SELECT of a model as its unit test sees it: rendered with the test's answers, every relation that it reads given.

use std::collections::{BTreeMap, BTreeSet};

use super::Compiled;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ident::NodeName;
use crate::manifest::{Manifest, UnitTestNode};

/// What became of each template.
type Results = Vec<(NodeName, Result<Compiled, Diagnostics>)>;

/// Takes the results of unit tests out of all; the mistakes of a model that is broken itself are told once.
pub(super) fn take(manifest: &Manifest, results: Results) -> (Results, BTreeMap<NodeName, Compiled>) {
    let broken: BTreeSet<NodeName> =
        results.iter().filter(|(_, result)| result.is_err()).map(|(name, _)| name.clone()).collect();
    let mut others = Vec::with_capacity(results.len());
    let mut tests = BTreeMap::new();
    for (name, result) in results {
        let Some(test) = manifest.unit_tests.get(&name) else {
            others.push((name, result));
            continue;
        };
        match result.and_then(|compiled| given_everything(manifest, test, compiled)) {
            Ok(compiled) => {
                tests.insert(name, compiled);
            }
            Err(_) if broken.contains(&test.model) => {}
            Err(mistakes) => others.push((name, Err(mistakes))),
        }
    }
    (others, tests)
}

/// A unit test reads nothing of the target.
fn given_everything(manifest: &Manifest, test: &UnitTestNode, compiled: Compiled) -> Result<Compiled, Diagnostics> {
    let is_given = |node: &NodeName| test.given.iter().any(|given| given.input == *node);
    let missing = compiled.depends_on.iter().filter(|node| **node != test.model && !is_given(node));
    let mistakes: Vec<Diagnostic> = missing.map(|node| not_given(manifest, test, node)).collect();
    if mistakes.is_empty() {
        return Ok(Compiled { depends_on: vec![test.model.clone()], ..compiled });
    }
    Err(Diagnostics(mistakes))
}

fn not_given(manifest: &Manifest, test: &UnitTestNode, node: &NodeName) -> Diagnostic {
    let input = match manifest.facts(node) {
        Some(facts) => match facts.source {
            Some(source) => format!("source('{source}', '{}')", facts.short_name),
            None => format!("ref('{}')", facts.short_name),
        },
        None => node.to_string(),
    };
    let message = format!("unit test \"{}\" gives no rows for {input}, which \"{}\" reads", test.test, test.model);
    Diagnostic::error(Code::BadUnitTest, message)
        .at(test.declared_at.clone())
        .hint(format!("add to given: {{input: {input}, rows: []}}"))
}
