//! Projects as dbt has them: `dbt_project.yml`, sources that nobody stages.

use crate::diagnostic::Code;
use crate::ident::NodeName;
use crate::manifest::{FreshnessAfter, Materialization, Period};
use crate::project::ConstraintKind;
use crate::project::fixture::Fixture;

const DBT_PROJECT: &str = "name: shop
config-version: 2
version: '1.0'
profile: shop
model-paths: [models]
analysis-paths: [analyses]
require-dbt-version: ['>=1.0.0', '<2.0.0']
clean-targets: [target, dbt_packages]
query-comment: null
flags: {send_anonymous_usage_stats: false}
dispatch: [{macro_namespace: dbt_utils, search_order: [shop, dbt_utils]}]
on-run-start: \"select 1\"
vars: {shop: {country: SA}, country: US}
models:
  shop:
    stg: {+schema: staging}
    marts: {materialized: table, +meta: {owner: me}}
sources:
  shop: {+enabled: true}
";

const SOURCES: &str = "version: 2
sources:
  - name: raw
    schema: \"{{ target.schema }}_raw\"
    database: shop
    loader: fivetran
    loaded_at_field: loaded_at
    freshness: {warn_after: {count: 12, period: hour}, error_after: {count: 1, period: day}}
    tables:
      - name: orders
        identifier: Orders
        freshness: {warn_after: {count: 1, period: hour}}
        columns: [{name: id, data_tests: [unique]}]
      - name: quiet
        freshness: null
        quoting: {identifier: false}
        identifier: Quiet
      - {name: gone, config: {enabled: false}}
  - name: web
    tables: [{name: hits}]
";

fn dbt_project() -> Fixture {
    let fixture = Fixture::new().without("unimig.yml").file("dbt_project.yml", DBT_PROJECT);
    fixture
        .file("models/sources.yml", SOURCES)
        .file("models/stg/orders.sql", "select * from {{ source('raw', 'orders') }}")
        .file("models/bl/hits.sql", "select * from {{ source('web', 'hits') }}")
        .file("models/marts/totals.sql", "select '{{ var('country') }}' as country from {{ ref('orders') }}")
}

#[test]
fn a_dbt_project_is_read_with_dbts_defaults() {
    let resolved = dbt_project().resolved();
    let model = |name: &str| &resolved.manifest.models[&NodeName::model(name)];

    assert_eq!(model("orders").relation.to_string(), "app_staging.orders");
    assert_eq!(model("orders").depends_on, [NodeName::table("raw", "orders")]);
    assert_eq!(model("hits").materialization, Materialization::View, "bl is a folder like any other");
    assert_eq!(model("totals").materialization, Materialization::Table);
    assert_eq!(resolved.project.vars["country"], "SA", "the package's own variable wins");
    assert_eq!(resolved.project.on_run_start[0].value, "select 1");
    assert_eq!(resolved.project.dispatch[0].search_order, ["shop", "dbt_utils"]);
}

#[test]
fn sources_that_nobody_stages_are_tables_of_the_target() {
    let resolved = dbt_project().resolved();
    let table = |source: &str, table: &str| &resolved.manifest.tables[&NodeName::table(source, table)];

    assert_eq!(table("raw", "orders").relation.to_string(), "app_raw.\"Orders\"");
    assert_eq!(table("raw", "quiet").relation.to_string(), "app_raw.quiet");
    assert_eq!(table("web", "hits").relation.to_string(), "web.hits", "the schema is the source's name");
    let orders = table("raw", "orders").properties.freshness.clone().expect("it has limits");
    assert_eq!(orders.warn_after, Some(FreshnessAfter { count: 1, period: Period::Hour }));
    assert_eq!(orders.error_after, Some(FreshnessAfter { count: 1, period: Period::Day }), "from the source");
    assert_eq!(table("raw", "orders").properties.loaded_at_field.as_deref(), Some("loaded_at"));
    assert_eq!(table("raw", "quiet").properties.freshness, None);
    assert!(resolved.manifest.disabled.contains_key(&NodeName::table("raw", "gone")));
    assert!(resolved.manifest.tests.contains_key(&NodeName::test("source_unique_raw_orders_id")));
}

#[test]
fn what_is_wrong_with_a_plain_source_is_told_at_its_place() {
    let fixture = dbt_project()
        .file(
            "models/sources.yml",
            "sources:\n  - name: raw\n    database: other\n    tables:\n      - name: orders\n        freshness: {warn_after: {count: 1, period: week}}\n",
        )
        .file("models/bl/hits.sql", "select * from {{ source('raw', 'order') }}");
    insta::assert_snapshot!(fixture.resolve_errors(), @r#"
    error[bad-value]: database "other" is not the target's, "shop"
     --> models/sources.yml:3:15
      |
    3 |     database: other
      |               ^^^^^
      |
      = hint: a plain source lies in the target database; to copy tables from another one, give the source a connection

    error[bad-config]: {"count":1,"period":"week"} is no length of time
     --> models/sources.yml:6:9
      |
    6 |         freshness: {warn_after: {count: 1, period: week}}
      |         ^^^^^^^^^
      |
      = hint: write it as in "freshness: {warn_after: {count: 12, period: hour}}"; the other keys are error_after and filter, periods are minute, hour and day

    error[unknown-source]: source "raw" has no table "order"
     --> models/bl/hits.sql:1:33
      |
    1 | select * from {{ source('raw', 'order') }}
      |                                 ^^^^^
      |
      = hint: did you mean "orders"?
    "#);
}

#[test]
fn settings_are_laid_over_one_another_as_in_dbt() {
    let fixture = dbt_project()
        .file(
            "dbt_project.yml",
            "name: shop
models:
  +tags: [all]
  +post-hook: outermost
  shop:
    +meta: {owner: me, team: a}
    +enabled: \"{{ target.name == 'dev' }}\"
    marts:
      +tags: mart
      +grants: {select: [reader]}
      +post-hook: [\"grant select on {{ this }} to reader\"]
      own_key: 1
",
        )
        .file(
            "models/marts/marts.yml",
            "models:
  - name: totals
    config:
      +meta: {team: b}
      grants: {+select: writer}
      full_refresh: \"{{ var('fresh', false) }}\"
",
        )
        .file(
            "models/marts/totals.sql",
            "{{ config(post_hook={'sql': 'vacuum', 'transaction': false}, tags='own') }} select 1 as a",
        );
    let resolved = fixture.resolved();
    let totals = &resolved.manifest.models[&NodeName::model("totals")];

    assert_eq!(totals.tags, ["all", "mart", "own"]);
    assert_eq!(
        serde_json::Value::Object(totals.config.clone()),
        serde_json::json!({
            "enabled": true,
            "full_refresh": false,
            "grants": {"select": ["reader", "writer"]},
            "meta": {"owner": "me", "team": "b"},
            "own_key": 1,
            "post_hook": [
                "outermost",
                "grant select on {{ this }} to reader",
                {"sql": "vacuum", "transaction": false},
            ],
        })
    );
}

const BESIDE: &str = "groups:
  - {name: finance, owner: {email: f@example.com}}
models:
  - name: totals
    group: finance
    access: private
    deprecation_date: 2027-01-01
    constraints: [{type: primary_key, columns: [id]}]
    columns:
      - {name: id, data_type: bigint, quote: true, constraints: [{type: not_null}], config: {tags: [k], meta: {a: 1}}}
exposures:
  - name: weekly
    type: dashboard
    maturity: high
    owner: {name: Me}
    config: {tags: [board]}
    depends_on: [ref('totals'), \"{{ source('raw', 'orders') }}\"]
macros:
  - {name: m, description: A macro., arguments: [{name: x, type: int}]}
analyses:
  - {name: look, description: A look.}
";

#[test]
fn exposures_groups_and_analyses_are_in_the_manifest() {
    let fixture = dbt_project()
        .file("models/marts/beside.yml", BESIDE)
        .file("analyses/deep/look.sql", "create table x as select * from {{ ref('totals') }}; select 1");
    let manifest = fixture.resolved().manifest;

    let weekly = &manifest.exposures[&NodeName::exposure("weekly")];
    assert_eq!(weekly.depends_on, [NodeName::model("totals"), NodeName::table("raw", "orders")]);
    assert_eq!(weekly.tags, ["board"]);
    let look = &manifest.analyses[&NodeName::analysis("look")];
    assert_eq!((look.description.as_str(), look.depends_on.as_slice()), ("A look.", &[NodeName::model("totals")][..]));
    assert_eq!(manifest.groups["finance"].owner.email.as_deref(), Some("f@example.com"));
    let totals = &manifest.models[&NodeName::model("totals")];
    assert_eq!((totals.access(), totals.deprecation_date.as_deref()), ("private", Some("2027-01-01")));
    assert_eq!(totals.constraints[0].kind.value, ConstraintKind::PrimaryKey);
    assert_eq!(totals.columns[0].constraints[0].kind.value, ConstraintKind::NotNull);
    assert_eq!((totals.columns[0].tags.as_slice(), &totals.columns[0].meta["a"]), (&["k".to_owned()][..], &1.into()));
}

#[test]
fn what_is_wrong_in_property_files_is_told_at_its_place() {
    let codes = |path: &str, text: &str| {
        let beside = BESIDE.split("analyses:").next().unwrap_or_default();
        let mistakes = dbt_project().file("models/marts/beside.yml", beside).file(path, text).try_resolve().err();
        let mistakes = mistakes.map(|mistakes| mistakes.0).unwrap_or_default();
        mistakes.iter().map(|mistake| (mistake.code, mistake.message.clone())).collect::<Vec<_>>()
    };
    let one = |code: Code, message: &str| vec![(code, message.to_owned())];

    assert_eq!(
        codes("models/x.sql", "select * from {{ ref('totals') }}"),
        one(Code::UnknownRef, "model \"x\" reads \"totals\", which is private to group \"finance\"")
    );
    assert_eq!(
        codes("models/x.sql", "{{ config(group='finanse') }} select 1 as a"),
        one(Code::BadConfig, "model \"x\" is in group \"finanse\", which does not exist")
    );
    let exposure = "exposures: [{name: x, type: dashboard, owner: {name: a}, depends_on: [ref('total')]}]";
    assert_eq!(codes("models/x.yml", exposure), one(Code::UnknownRef, "model or seed \"total\" does not exist"));
    let exposure = "exposures: [{name: x, type: poster, owner: {}}]";
    assert_eq!(
        codes("models/x.yml", exposure),
        [
            (Code::BadValue, "\"poster\" is none of the values here".to_owned()),
            (Code::MissingKey, "owner needs the key \"name\"".to_owned()),
        ]
    );
    let constraint = "models: [{name: hits, constraints: [{type: primary}]}]";
    assert_eq!(codes("models/x.yml", constraint), one(Code::BadValue, "\"primary\" is no type of constraint"));
}
