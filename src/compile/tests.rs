//! Templates as SQL: edges, ephemeral models, places kept.

use std::collections::BTreeMap;

use super::{CompileFacts, Compiled, Compiler, SqlBuilder, dependencies};
use crate::diagnostic::Diagnostics;
use crate::graph::Graph;
use crate::ident::NodeName;
use crate::project::fixture::{Fixture, shown};

fn compile_with(fixture: &Fixture, facts: &CompileFacts) -> Result<BTreeMap<NodeName, Compiled>, Diagnostics> {
    let resolved = fixture.resolved();
    Compiler::new(&resolved.project, &resolved.manifest, &resolved.environment, facts).compile_all()
}

pub(super) fn compiled(fixture: &Fixture) -> BTreeMap<NodeName, Compiled> {
    compile_with(fixture, &CompileFacts::default())
        .unwrap_or_else(|mistakes| unreachable!("the project is sound:\n{}", shown(&mistakes)))
}

fn errors(fixture: &Fixture) -> String {
    shown(&compile_with(fixture, &CompileFacts::default()).expect_err("the project is broken"))
}

pub(super) fn of<'c>(all: &'c BTreeMap<NodeName, Compiled>, model: &str) -> &'c Compiled {
    &all[&NodeName::model(model)]
}

pub(super) fn edges(compiled: &Compiled) -> Vec<&str> {
    compiled.depends_on.iter().map(NodeName::as_str).collect()
}

#[test]
fn names_become_relations() {
    let fixture = Fixture::with_source()
        .file("models/stg/svp/labors.sql", "select id from {{ source('svp', 'labors') }} where id > 0;")
        .file("seeds/status.csv", "code\n")
        .file(
            "models/bl/person.sql",
            "{{ config(schema='Mine') }}\nselect * from {{ source('svp', 'labors') }}\njoin {{ source('svp', 'labors', deleted=true) }} using (id)\njoin {{ ref('status') }} using (id) -- {{ this }} {{ this.schema }} {{ target.schema }} {{ var('country') }}\nwhere true;\n",
        );
    let all = compiled(&fixture);
    assert_eq!(
        of(&all, "person").sql.text,
        "select * from stg_svp.labors_live\njoin stg_svp.labors using (id)\njoin app.status using (id) -- \"Mine\".person Mine app SA\nwhere true"
    );
    assert_eq!(edges(of(&all, "person")), ["seed.status", "stg.svp.labors"]);
    let extraction = &all[&NodeName::stage("svp", "labors")];
    assert_eq!(extraction.sql.text, "select id from public.labors where id > 0");
    assert!(extraction.depends_on.is_empty());
}

#[test]
fn a_position_is_mapped_into_the_users_file() {
    let text = "{{ config(tags='x') }}\nselect 'الف', naem\nfrom {{ source('svp', 'labors') }}";
    let fixture = Fixture::with_source().file("models/bl/person.sql", text);
    let all = compiled(&fixture);
    let sql = &of(&all, "person").sql;
    let position = |needle: &str| sql.text[..sql.text.find(needle).expect("it is there")].chars().count() + 1;
    let span = sql.locate(position("naem")).expect("a place");
    assert_eq!((span.text(), span.line_column()), ("naem", (2, 15)));
    let span = sql.locate(position("labors_live")).expect("a place");
    assert_eq!(span.text(), "source('svp', 'labors')");
    assert_eq!(sql.locate(10_000).map(|span| span.line_column().0), Some(3));
    let wrapped = SqlBuilder::new().text("create view x as\n").sql(sql).text(" -- end").finish();
    let shifted = position("naem") + "create view x as\n".len();
    assert_eq!(wrapped.locate(shifted).map(|span| span.text().to_owned()).as_deref(), Some("naem"));
    assert_eq!(wrapped.locate(1), None);
}

#[test]
fn macros_see_each_other_and_their_callers() {
    let fixture = Fixture::with_source()
        .file("macros/a.sql", "{% macro twice(x) %}{{ plus(x, x) }}{% endmacro %}{% macro wrap() %}<{{ caller() }}>{% endmacro %}")
        .file("macros/b.sql", "{% macro plus(x, y) %}{{ x }} + {{ shop.quoted(y) }}{% endmacro %}")
        .file("macros/c.sql", "{% macro quoted(x) %}'{{ x }}'{% endmacro %}{% macro people() %}{{ ref('person') }}{% endmacro %}{% macro loop_back() %}{{ twice(1) }}{% endmacro %}")
        .file("models/bl/person.sql", "select 1 as id")
        .file(
            "models/bl/visit.sql",
            "select {{ twice('a') }}, {{ shop.twice(2) }}, {% call wrap() %}{{ ref('person') }}{% endcall %} from {{ people() }}",
        );
    let all = compiled(&fixture);
    assert_eq!(
        of(&all, "visit").sql.text,
        "select a + 'a',      2 + '2', <app.person> from app.person".replace("     2", "2")
    );
    assert_eq!(edges(of(&all, "visit")), ["bl.person"]);
    let span = of(&all, "visit").sql.locate("select a".len()).expect("a place");
    assert_eq!(span.text(), "twice('a')");
}

#[test]
fn is_incremental_answers_what_the_server_knows() {
    let fixture = Fixture::new().file("models/bl/a.sql", "select 1 {% if is_incremental() %}where new{% endif %}");
    assert_eq!(of(&compiled(&fixture), "a").sql.text, "select 1");
    let facts = CompileFacts { incremental: [NodeName::model("a")].into_iter().collect(), ..CompileFacts::default() };
    let all = compile_with(&fixture, &facts).expect("a sound project");
    assert_eq!((of(&all, "a").sql.text.as_str(), of(&all, "a").incremental), ("select 1 where new", true));
}

#[test]
fn config_can_be_read_back() {
    let fixture = Fixture::new()
        .file("models/bl/a.sql", "{{ config(unique_key='id') }}select '{{ config.get('unique_key') }}{{ config.get('meta').x }}{{ config.get('no', 'd') }}'")
        .file("models/bl/a.yml", "models: [{name: a, config: {meta: {x: 5}}}]");
    assert_eq!(of(&compiled(&fixture), "a").sql.text, "select 'id5d'");
}

#[test]
fn plain_table_names_are_edges_too() {
    let fixture = Fixture::with_source()
        .file("models/bl/person.sql", "select 1 as id")
        .file("models/bl/city.sql", "select 1 as id")
        .file("models/bl/shadow.sql", "with person as (select 1 as id from city) select * from person")
        .file("models/bl/inner_one.sql", "with person as (select * from person) select * from person")
        .file("models/bl/recursive.sql", "with recursive person as (select 1 union select 2 from person) select * from person")
        .file("models/bl/visit.sql", "select (select count(*) from app.\"person\") from STG_svp.Labors_live, city c where exists (select from stg_svp.occupations)")
        .file("models/bl/own.sql", "select * from app.own union select 'person' from elsewhere.person")
        .file("models/bl/odd.sql", "select sum(x) over (order by y rows current row exclude ties) from person");
    let all = compiled(&fixture);
    assert_eq!(edges(of(&all, "shadow")), ["bl.city"]);
    assert_eq!(edges(of(&all, "inner_one")), ["bl.person"]);
    assert_eq!(edges(of(&all, "recursive")), [""; 0]);
    assert_eq!(edges(of(&all, "visit")), ["bl.city", "bl.person", "stg.svp.labors", "stg.svp.occupations"]);
    assert_eq!(edges(of(&all, "own")), [""; 0]);
    assert_eq!(
        edges(of(&all, "odd")),
        [""; 0],
        "the parser does not know EXCLUDE: the name is not seen, and nobody is told off"
    );
}

#[test]
fn ephemeral_models_become_ctes() {
    let ephemeral = "{{ config(materialized='ephemeral') }}\n";
    let fixture = Fixture::with_source()
        .file("models/bl/base.sql", &format!("{ephemeral}select bad_name from {{{{ source('svp', 'labors') }}}}"))
        .file(
            "models/bl/middle.sql",
            &format!("{ephemeral}with a as (select 1) select * from {{{{ ref('base') }}}}, a -- end"),
        )
        .file("models/bl/plain.sql", "-- first\nselect * from {{ ref('middle') }}")
        .file("models/bl/mixed.sql", "with recursive a as (select 1) select * from a, {{ ref('base') }}");
    let all = compiled(&fixture);
    assert_eq!(
        of(&all, "plain").sql.text,
        "with __dbt__cte__base as (\nselect bad_name from stg_svp.labors_live\n), __dbt__cte__middle as (\nwith a as (select 1) select * from __dbt__cte__base, a\n)\n-- first\nselect * from __dbt__cte__middle"
    );
    assert_eq!(
        of(&all, "mixed").sql.text,
        "with recursive\n__dbt__cte__base as (\nselect bad_name from stg_svp.labors_live\n), a as (select 1) select * from a, __dbt__cte__base"
    );
    assert_eq!(edges(of(&all, "plain")), ["bl.middle"]);
    let span = of(&all, "plain").sql.locate("with __dbt__cte__base as (\nselect b".len()).expect("a place");
    assert_eq!((span.path().to_str(), span.text()), (Some("models/bl/base.sql"), "bad_name"));
}

#[test]
fn a_circle_of_ephemeral_models_is_left_to_the_graph() {
    let ephemeral = "{{ config(materialized='ephemeral') }}";
    let fixture = Fixture::new()
        .file("models/bl/a.sql", &format!("{ephemeral}select * from {{{{ ref('b') }}}}"))
        .file("models/bl/b.sql", &format!("{ephemeral}select * from {{{{ ref('a') }}}}"));
    let all = compiled(&fixture);
    assert!(Graph::build(&fixture.resolved().manifest, &dependencies(&all)).is_err());
}

#[test]
fn what_is_not_one_select_is_shown_at_its_place() {
    let fixture = Fixture::new()
        .file("models/bl/a.sql", "{{ config(tags='x') }}\ninsert into t values (1)")
        .file("models/bl/b.sql", "select 1;\nselect 2")
        .file("models/bl/c.sql", "-- nothing")
        .file("tests/d.sql", "select 1 from x; drop table x");
    insta::assert_snapshot!(errors(&fixture), @r##"
    error[not-one-select]: model "a" is not one SELECT: it begins with INSERT
     --> models/bl/a.sql:2:1
      |
    2 | insert into t values (1)
      | ^^^^^^
      |
      = hint: write one SELECT; unimig writes the statements around it

    error[not-one-select]: model "b" is not one SELECT: it has more than one statement
     --> models/bl/b.sql:2:1
      |
    2 | select 2
      | ^^^^^^
      |
      = hint: write one SELECT; unimig writes the statements around it

    error[not-one-select]: model "c" is not one SELECT: it has no SQL
     --> models/bl/c.sql:1:1
      |
    1 | -- nothing
      | ^
      |
      = hint: write one SELECT; unimig writes the statements around it

    error[not-one-select]: test "tests/d.sql" is not one SELECT: it has more than one statement
     --> tests/d.sql:1:18
      |
    1 | select 1 from x; drop table x
      |                  ^^^^
      |
      = hint: write one SELECT; unimig writes the statements around it
    "##);
}

#[test]
fn names_that_only_a_running_render_asks_for_are_looked_up_too() {
    let fixture = Fixture::new().file(
        "models/bl/a.sql",
        "select 1 {% if execute %} from {{ ref('nowhere') }}, {{ source('x', 'y') }} {% endif %}",
    );
    insta::assert_snapshot!(errors(&fixture), @r##"
    error[unknown-ref]: model or seed "nowhere" does not exist
     --> models/bl/a.sql:1:40
      |
    1 | select 1 {% if execute %} from {{ ref('nowhere') }}, {{ source('x', 'y') }} {% endif %}
      |                                        ^^^^^^^

    error[unknown-source]: source "x" does not exist
     --> models/bl/a.sql:1:65
      |
    1 | select 1 {% if execute %} from {{ ref('nowhere') }}, {{ source('x', 'y') }} {% endif %}
      |                                                                 ^
    "##);
}

#[test]
fn a_loop_over_a_hundred_thousand_rows_stays_below_the_limits() {
    let spine = "{% macro day(at) %}date '2000-01-01' + {{ at }}{% endmacro %}{% set rows = [] %}\
                 {% for at in range(100000) %}{% do rows.append(day(at) ~ ' as day') %}{% endfor %}\
                 select {{ rows | join(' union all select ') }}";
    let fixture = Fixture::with_source().file("models/bl/spine.sql", spine);

    let all = compiled(&fixture);

    assert!(of(&all, "spine").sql.text.ends_with("date '2000-01-01' + 99999 as day"));
}
