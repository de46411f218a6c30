//! What is ours in a selection, and what is wrong in one; `tests/dbt` compares the rest with dbt.

use super::{Wish, select};
use crate::diagnostic::Diagnostics;
use crate::graph::{Dependencies, Graph};
use crate::project::fixture::{Fixture, PROJECT, shown};

fn chosen(fixture: &Fixture, wish: &Wish<'_>) -> Result<Vec<String>, Diagnostics> {
    let manifest = fixture.resolved().manifest;
    let graph = Graph::build(&manifest, &Dependencies::new())?;
    Ok(select(&graph, &manifest, wish)?.nodes.iter().map(ToString::to_string).collect())
}

fn by(fixture: &Fixture, terms: &[&str]) -> Result<Vec<String>, Diagnostics> {
    let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
    chosen(fixture, &Wish { select: &terms, ..Wish::default() })
}

fn named(fixture: &Fixture, name: &str) -> Result<Vec<String>, Diagnostics> {
    chosen(fixture, &Wish { selector: Some(name), ..Wish::default() })
}

fn project(pipelines: &str, selectors: &str) -> Fixture {
    let fixture = Fixture::with_source()
        .file("unimig.yml", &format!("{PROJECT}{pipelines}"))
        .file(
            "models/bl/person.sql",
            "{{ config(tags=['nightly']) }} select 1 as id from {{ source('svp', 'labors') }}",
        )
        .file("models/bl/visit.sql", "select 1 as id from {{ ref('person') }}");
    match selectors {
        "" => fixture,
        selectors => fixture.file("selectors.yml", selectors),
    }
}

#[test]
fn a_pipeline_selects_what_its_steps_select() {
    let project = project(
        "pipelines: {nightly: {steps: ['stg.*', 'tag:nightly', 'selector:late']}, all: {steps: ['pipeline:nightly+']}}\n",
        "selectors: [{name: late, definition: visit}]",
    );
    assert_eq!(by(&project, &["pipeline:nightly,layer:bl"]).expect("sound"), ["bl.person", "bl.visit"]);
    assert_eq!(by(&project, &["pipeline:all"]).expect("sound").len(), 4);
    assert_eq!(by(&project, &["+selector:late"]).expect("sound").len(), 3);
}

#[test]
fn a_default_selector_is_taken_when_nothing_is_selected() {
    let project =
        project("", "selectors: [{name: late, default: true, definition: {tag: '{{ var(\"no\", \"nightly\") }}'}}]");
    assert_eq!(chosen(&project, &Wish::default()).expect("sound"), ["bl.person"]);
    assert_eq!(by(&project, &["visit"]).expect("sound"), ["bl.visit"]);
}

#[test]
fn what_is_wrong_in_a_term_is_shown_at_its_place() {
    let project = project("", "");
    let refused = |term: &str| shown(&by(&project, &["visit", term]).expect_err("it is wrong"));
    insta::assert_snapshot!(refused("tga:nightly"), @r##"
    error[bad-selector]: there is no selector method "tga"
     --> --select:1:7
      |
    1 | visit tga:nightly
      |       ^^^^^^^^^^^
      |
      = hint: did you mean "tag"?
    "##);
    insta::assert_snapshot!(refused("tag:nightly,@visit+"), @r##"
    error[bad-selector]: "@visit+" has both "@" and a "+" behind it
     --> --select:1:19
      |
    1 | visit tag:nightly,@visit+
      |                   ^^^^^^^
      |
      = hint: "@" already takes what reads the node, and everything that these read
    "##);
    for (term, message) in [
        ("99999999999999999999999+visit", "is too large a number of generations"),
        ("visit,,person", "selects nothing: it has no value"),
        ("tag:", "selects nothing: it has no value"),
        ("test_type:uniq", "is no value of selector method \"test_type\""),
        ("stale:soon", "is no span of time"),
        ("source:a.b.c.d", "has too many parts"),
        ("config:x", "needs the name of a setting"),
        ("tag.x:y", "takes nothing behind a dot"),
        ("version:latest", "no model of this project has any"),
        ("state:modified", "needs the manifest.json of an earlier run"),
        ("result:error", "needs the run_results.json of an earlier run"),
        ("metric:x", "unimig has no metric"),
        ("selector:nope", "selector \"nope\" does not exist"),
        ("pipeline:nope", "pipeline \"nope\" does not exist"),
    ] {
        assert!(refused(term).contains(message), "{term}: {}", refused(term));
    }
    assert!(shown(&by(&project, &[""]).expect_err("empty")).contains("the selection is written, and empty"));
}

#[test]
fn what_is_wrong_in_selectors_yml_is_shown_at_its_place() {
    let refused = |definitions: &str| {
        let project = project("", &format!("selectors:\n{definitions}\n"));
        shown(&named(&project, "a").expect_err("it is wrong"))
    };
    insta::assert_snapshot!(refused("  - {name: a, definition: 'selector:b'}\n  - {name: b, definition: {union: ['selector:a', visit]}}"), @r##"
    error[bad-selector]: selections name each other in a circle: selector a → selector b → selector a
     --> selectors.yml:3:37
      |
    3 |   - {name: b, definition: {union: ['selector:a', visit]}}
      |                                     ^^^^^^^^^^
      |
      = hint: break the circle: one of these has to say what it means

    error[bad-selector]: selections name each other in a circle: selector b → selector a → selector b
     --> selectors.yml:2:28
      |
    2 |   - {name: a, definition: 'selector:b'}
      |                            ^^^^^^^^^^
      |
      = hint: break the circle: one of these has to say what it means
    "##);
    for (definitions, message) in [
        ("  - {name: a, definition: {method: tga, value: x}}", "there is no selector method \"tga\""),
        ("  - {name: a, definition: {method: tag}}", "needs the key \"value\""),
        ("  - {name: a, definition: {union: [a], intersection: [b]}}", "has no key \"intersection\""),
        ("  - {name: a, definition: [visit]}", "expected a selection, found a list"),
        ("  - {name: a, definition: {union: [visit, {exclude: [x]}, {exclude: [y]}]}}", "has two \"exclude\""),
        ("  - {name: a, definition: visit}\n  - {name: a, definition: visit}", "is declared twice"),
        (
            "  - {name: a, default: true, definition: visit}\n  - {name: b, default: true, definition: visit}",
            "two selectors are the default one",
        ),
        (
            "  - {name: a, definition: {method: tag, value: x, children: true, children_depth: many}}",
            "is no number of generations",
        ),
        ("  - {name: a, definition: {method: tag, value: x, indirect_selection: all}}", "is no indirect selection"),
        ("  - {name: b, definition: visit}", "selector \"a\" does not exist"),
    ] {
        assert!(refused(definitions).contains(message), "{definitions}: {}", refused(definitions));
    }
}
