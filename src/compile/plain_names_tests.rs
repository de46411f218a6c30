//! Plain names in SQL: what they mean, and what becomes of them.

use super::Compiled;
use super::tests::{compiled, edges, of};
use crate::project::fixture::{Fixture, PROJECT};

fn project() -> Fixture {
    Fixture::with_source()
        .file(
            "unimig.yml",
            &format!("{PROJECT}models: {{shop: {{marts: {{+schema: marts, +materialized: table}}}}}}\n"),
        )
        .file("models/marts/customers.sql", "select 1 as id")
        .file("models/marts/named.sql", "{{ config(alias='named_otherwise') }} select 1 as id")
        .file("models/light.sql", "{{ config(materialized='ephemeral') }} select 1 as id")
        .file("models/twin.sql", "select 1 as id")
        .file("seeds/codes.csv", "code\n1\n")
}

fn reading(sql: &str) -> Compiled {
    of(&compiled(&project().file("models/reader.sql", sql)), "reader").clone()
}

fn text(sql: &str) -> String {
    reading(sql).sql.text
}

#[test]
fn plain_names_become_the_relations_of_the_environment() {
    assert_eq!(text("select * from customers"), "select * from app_marts.customers");
    assert_eq!(text("select * from marts.Customers as c"), "select * from app_marts.customers as c");
    assert_eq!(text("select named.id from named"), "select named.id from app_marts.named_otherwise as named");
    assert_eq!(text("select n.id from \"named\" n"), "select n.id from app_marts.named_otherwise n");
    assert_eq!(text("select * from labors"), "select * from stg_svp.labors_live as labors");
    assert_eq!(
        text("select 1 from svp.labors, twin join customers on true"),
        "select 1 from stg_svp.labors_live as labors, twin join app_marts.customers on true"
    );
    assert_eq!(
        text("select (select max(id) from customers) from codes where exists (select from named)"),
        "select (select max(id) from app_marts.customers) from codes where exists (select from app_marts.named_otherwise as named)"
    );
    assert_eq!(
        text("select * from light"),
        "with __dbt__cte__light as (\nselect 1 as id\n)\nselect * from __dbt__cte__light as light"
    );
    assert_eq!(
        edges(&reading("select 1 from svp.labors, twin, customers, codes")),
        ["bl.customers", "bl.twin", "seed.codes", "stg.svp.labors"]
    );
}

#[test]
fn what_is_no_table_of_the_project_stays_as_it_is() {
    for sql in [
        "with customers as (select 1 as id) select customers.id, 'from customers' from customers",
        "select customers.id /* from customers */ from app.person as customers",
        "select id as customers from elsewhere.customers",
        "select * from app_marts.customers",
        "select 1 from generate_series(1, 2) as customers",
        "select * from reader",
        "select \"Customers\".id from \"Customers\"",
        "select extract(year from customers) from twin as t(customers)",
    ] {
        assert_eq!(text(sql), sql);
    }
    assert_eq!(
        text("with customers as (select * from customers) select * from customers"),
        "with customers as (select * from app_marts.customers) select * from customers"
    );
    assert_eq!(text("select * from {{ ref('customers') }} join customers on true").matches("app_marts").count(), 2);
}

#[test]
fn a_name_that_two_sources_have_is_nobodys() {
    let fixture = project()
        .file("sources/more.yml", "sources: [{name: web, schema: web, tables: [{name: labors}, {name: hits}]}]")
        .file("models/reader.sql", "select 1 from labors, hits, web.labors, svp.labors as l");
    let all = compiled(&fixture);

    assert_eq!(of(&all, "reader").sql.text, "select 1 from labors, web.hits, web.labors, stg_svp.labors_live as l");
    assert_eq!(edges(of(&all, "reader")), ["source.web.hits", "source.web.labors", "stg.svp.labors"]);
}

#[test]
fn places_are_kept_around_a_name_that_was_replaced() {
    let reader = reading("-- é\nselect\n  customers.nothing from customers, named where x");
    let place = |word: &str| {
        let at = reader.sql.text.find(word).expect("the text has it");
        let characters = reader.sql.text[..at].chars().count() + 1;
        let span = reader.sql.locate(characters).expect("a place");
        (span.line_column(), span.text().to_owned())
    };

    assert_eq!(place("nothing"), ((3, 13), "nothing".to_owned()));
    assert_eq!(place("app_marts.customers"), ((3, 26), "customers".to_owned()));
    assert_eq!(place("named_otherwise"), ((3, 37), "named".to_owned()));
    assert_eq!(place("where x"), ((3, 43), "where".to_owned()));
}
