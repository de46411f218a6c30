//! Order, cycles and selection on small projects.

use super::{Dependencies, Graph, Wish, select};
use crate::diagnostic::Diagnostics;
use crate::ident::NodeName;
use crate::manifest::Manifest;
use crate::project::fixture::{Fixture, shown};

fn fixture() -> Fixture {
    Fixture::with_source()
        .file("models/bl/person.sql", "select 1 as id from {{ source('svp', 'labors') }}")
        .file("models/bl/visit.sql", "select 1 as id from {{ ref('person') }}")
        .file("models/bl/report.sql", "select 1 as id from {{ ref('visit') }}, {{ source('svp', 'occupations') }}")
        .file("models/bl/off.sql", "{{ config(enabled=false) }} select 1")
        .file("models/bl/p.yml", "models: [{name: person, columns: [{name: id, tests: [unique]}]}]")
}

fn graph() -> (Manifest, Graph) {
    let manifest = fixture().resolved().manifest;
    let graph = Graph::build(&manifest, &Dependencies::new()).expect("no cycles");
    (manifest, graph)
}

fn chosen(terms: &[&str], without: &[&str]) -> Result<Vec<String>, Diagnostics> {
    let (manifest, graph) = graph();
    let owned = |terms: &[&str]| terms.iter().map(|term| (*term).to_owned()).collect::<Vec<_>>();
    let wish = Wish { select: &owned(terms), exclude: &owned(without), ..Wish::default() };
    let chosen = select(&graph, &manifest, &wish)?;
    Ok(chosen.nodes.into_iter().map(|node| node.to_string()).collect())
}

fn refused(terms: &[&str], without: &[&str]) -> String {
    shown(&chosen(terms, without).expect_err("nothing matches"))
}

fn of(terms: &[&str]) -> Vec<String> {
    chosen(terms, &[]).expect("it matches")
}

#[test]
fn parents_come_first() {
    let (_, graph) = graph();
    let order: Vec<&str> = graph.topological_order().iter().map(NodeName::as_str).collect();
    assert_eq!(
        order,
        ["stg.svp.labors", "bl.person", "bl.visit", "stg.svp.occupations", "bl.report", "test.unique_person_id"]
    );
    let visit = NodeName::model("visit");
    assert_eq!(graph.parents(&visit), [&NodeName::model("person")]);
    assert_eq!(graph.children(&visit), [&NodeName::model("report")]);
    assert_eq!(graph.ancestors(&visit).len(), 2);
    assert_eq!(graph.descendants(&NodeName::stage("svp", "labors")).len(), 4);
}

#[test]
fn ordering_edges_order_and_nothing_else() {
    let (_, graph) = graph();
    let name = NodeName::model;
    let occupations = NodeName::stage("svp", "occupations");
    let edges = vec![(occupations.clone(), name("person")), (name("report"), name("person")), (name("x"), name("y"))];
    let (graph, dropped) = graph.with_ordering_edges(edges);
    assert_eq!(dropped, [(name("report"), name("person"))]);
    assert_eq!(graph.predecessors(&name("person")).len(), 2);
    assert_eq!(graph.parents(&name("person")).len(), 1);
    let order = graph.topological_order();
    let place = |node: &NodeName| order.iter().position(|name| name == node);
    assert!(place(&occupations) < place(&name("person")));
}

#[test]
fn a_cycle_is_shown_as_a_path() {
    let fixture = Fixture::new()
        .file("models/bl/a.sql", "select 1 from {{ ref('b') }}")
        .file("models/bl/b.sql", "select 1\nfrom {{ ref('c') }}")
        .file("models/bl/c.sql", "select 1 from {{ ref('a') }}")
        .file("models/bl/d.sql", "select 1 from {{ ref('a') }}")
        .file("models/bl/e.sql", "select 1 from {{ ref('e') }}");
    let manifest = fixture.resolved().manifest;
    insta::assert_snapshot!(shown(&Graph::build(&manifest, &Dependencies::new()).expect_err("a cycle")), @r##"
    error[cycle]: models read each other in a circle: bl.a → bl.b → bl.c → bl.a
     --> models/bl/a.sql:1:23
      |
    1 | select 1 from {{ ref('b') }}
      |                       ^ reads bl.b
      |
     ::: models/bl/b.sql:2:14
      |
    2 | from {{ ref('c') }}
      |              - reads bl.c
      |
     ::: models/bl/c.sql:1:23
      |
    1 | select 1 from {{ ref('a') }}
      |                       - reads bl.a
      |
      = hint: break the circle: one of these has to read something else

    error[cycle]: models read each other in a circle: bl.e → bl.e
     --> models/bl/e.sql:1:23
      |
    1 | select 1 from {{ ref('e') }}
      |                       ^ reads bl.e
      |
      = hint: break the circle: one of these has to read something else
    "##);
}

#[test]
fn wildcards_and_generations_select() {
    let test = "test.unique_person_id";
    assert_eq!(of(&[]).len(), 6);
    assert_eq!(of(&["bl.*"]), ["bl.person", "bl.visit", "bl.report", test]);
    assert_eq!(of(&["stg.svp.?abors"]), ["stg.svp.labors"]);
    assert_eq!(of(&["bl.[pv]*"]), ["bl.person", "bl.visit", test]);
    assert_eq!(of(&["bl.[!p-q]*"]), ["bl.visit", "bl.report", test], "a test stands in the folder of its YAML file");
    assert_eq!(of(&["test:*"]), [test]);
    assert_eq!(of(&["+bl.visit"]), ["stg.svp.labors", "bl.person", "bl.visit", test]);
    assert_eq!(of(&["1+bl.visit+1"]), ["bl.person", "bl.visit", "bl.report", test]);
    assert_eq!(of(&["bl.person+"]), ["bl.person", "bl.visit", "bl.report", test]);
    assert_eq!(of(&["@bl.visit"]).len(), 6);
    assert_eq!(of(&["bl.report", "stg.svp.labors"]), ["stg.svp.labors", "bl.report"]);
    assert_eq!(of(&["bl.report stg.svp.labors"]), ["stg.svp.labors", "bl.report"]);
    assert_eq!(of(&["+bl.report,+bl.visit,layer:bl"]), ["bl.person", "bl.visit", test]);
    assert_eq!(of(&["layer:stg"]), ["stg.svp.labors", "stg.svp.occupations"]);
    assert_eq!(chosen(&[], &["test.*", "+bl.visit"]).expect("some"), ["stg.svp.occupations", "bl.report"]);
}

#[test]
fn a_selection_that_means_nothing_is_refused() {
    insta::assert_snapshot!(refused(&["bl.perzon", "pers", "bl.off", "unimig.yml", "tag:x"], &["nope+"]), @r##"
    error[unknown-selector]: nothing is named "bl.perzon"
     |
     = hint: did you mean "bl.person"?

    error[unknown-selector]: nothing is named "pers"
     |
     = hint: did you mean "person"?

    error[unknown-selector]: nothing is named "bl.off"
     |
     = hint: it is disabled by its config

    error[unknown-selector]: nothing is named "unimig.yml"
     |
     = hint: the shell seems to have replaced a wildcard by file names: quote it, as in --select 'bl.*'

    error[unknown-selector]: nothing matches "tag:x"
     |
     = hint: the project has none

    error[unknown-selector]: nothing is named "nope"
     |
     = hint: unimig ls shows every name
    "##);
    insta::assert_snapshot!(refused(&["bl.visit"], &["bl.*"]), @r##"
    error[nothing-selected]: the selection is empty
     |
     = hint: what is excluded takes away everything that is selected
    "##);
    assert_eq!(of(&["zzz", "bl.visit"]), ["bl.visit"], "a term that matches nothing takes nothing away");
}
