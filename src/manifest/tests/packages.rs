//! Packages: their nodes, config, variables and macros beside the project's own.

use crate::ident::NodeName;
use crate::manifest::Materialization;
use crate::project::fixture::Fixture;

const PROJECT: &str = "name: shop
version: '1.0'
profile: shop
vars: {money: {currency: SAR}, country: SA}
models:
  shop: {+tags: [own]}
  money: {+schema: coins, rates: {+materialized: table}}
dispatch: [{macro_namespace: money, search_order: [shop, money]}]
";

fn with_package() -> Fixture {
    let fixture =
        Fixture::new().file("unimig.yml", PROJECT).file("packages.yml", "packages: [{local: ./inner/../money}]");
    let fixture = fixture
        .file("money/dbt_project.yml", "name: money\nvars: {currency: USD, since: '2024'}\nmodels: {money: {+materialized: ephemeral, bl: {+alias: b}}}")
        .file("money/macros/m.sql", "{% macro label() %}{{ return(adapter.dispatch('label', 'money')()) }}{% endmacro %}{% macro default__label() %}theirs{% endmacro %}")
        .file("macros/m.sql", "{% macro default__label() %}ours{% endmacro %}");
    fixture
        .file("money/models/rates/rate.sql", "{{ config(tags=[var('currency') ~ var('since') ~ var('country')]) }} select 1 as rate")
        .file("money/models/bl/view.sql", "select * from {{ ref('rate') }}")
        .file("models/bl/own.sql", "{{ config(materialized='view', tags=[money.label(), dbt.type_string(), dbt_utils.group_by(2)]) }} select * from {{ ref('money', 'rate') }}")
}

#[test]
fn a_packages_nodes_stand_beside_the_projects_with_their_own_config_and_variables() {
    let manifest = with_package().resolved().manifest;

    let rate = &manifest.models[&NodeName::model("rate")];
    assert_eq!((rate.package.as_str(), rate.folders.join("/")), ("money", "rates".to_owned()));
    assert_eq!(rate.materialization, Materialization::Table, "the project's config lies over the package's");
    assert_eq!(rate.relation.to_string(), "app_coins.rate");
    assert_eq!(rate.tags, ["SAR2024SA"]);
    let view = &manifest.models[&NodeName::model("view")];
    assert_eq!(view.materialization, Materialization::Ephemeral);
    assert_eq!(view.relation.to_string(), "app_coins.b");
    let own = &manifest.models[&NodeName::model("own")];
    assert_eq!(
        (own.package.as_str(), own.tags.clone()),
        ("shop", ["group by 1, 2", "ours", "own", "text"].map(String::from).to_vec())
    );
}

#[test]
fn a_name_of_the_wrong_package_is_pointed_at_the_right_one() {
    let fixture = with_package()
        .file("models/bl/one.sql", "select * from {{ ref('shop', 'rate') }}")
        .file("models/bl/two.sql", "select * from {{ ref('mony', 'rate') }}");

    let shown = fixture.resolve_errors();

    for said in ["ref('money', 'rate')", "package \"mony\" does not exist", "did you mean \"money\""] {
        assert!(shown.contains(said), "{said} is not in:\n{shown}");
    }
    let shown = fixture.file("unimig.yml", &PROJECT.replace("  money: {+s", "  mony: {+s")).resolve_errors();
    assert!(shown.contains("model config has no key \"mony\""), "{shown}");
}

#[test]
fn packages_that_are_not_there_are_told_with_what_to_do() {
    let packages = "packages:
  - local: nowhere
  - {package: acme/other, version: 1.0.0}
  - {package: dbt-labs/dbt_utils, version: [\">=1.0.0\", \"<2.0.0\"]}
  - {git: \"https://git.example.org/x.git\", revision: main}
";
    let shown = Fixture::new().file("packages.yml", packages).resolve_errors();

    assert_eq!(shown.matches("error[unknown-package]").count(), 3, "{shown}");
    for said in ["\"nowhere\" is no package", "does not ask dbt's hub", "unimig deps installs it"] {
        assert!(shown.contains(said), "{said} is not in:\n{shown}");
    }
}

#[test]
fn macros_of_the_project_name_schemas_and_relations() {
    let macros = "{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- if node.resource_type == 'seed' -%} seeds_of_{{ target.name }}
  {%- else -%} {{ generate_schema_name_for_env(custom_schema_name, node) }}x {%- endif -%}
{%- endmacro %}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
  {{ custom_alias_name or node.name.upper() ~ node.config.get('materialized') ~ node.fqn | length }}
{%- endmacro %}";
    let fixture = Fixture::new()
        .file("macros/names.sql", macros)
        .file("models/bl/a/one.sql", "{{ config(materialized='table', schema='extra') }} select 1")
        .file("models/bl/two.sql", "{{ config(materialized='view', alias='named') }} select 1")
        .file("models/bl/three.sql", "{{ config(materialized='merge', schema='theirs') }} select 1 as id")
        .file("seeds/four.csv", "id\n1\n");

    let manifest = fixture.resolved().manifest;

    let relation = |name: &str| manifest.models[&NodeName::model(name)].relation.to_string();
    assert_eq!(relation("one"), "appx.\"ONEtable4\"");
    assert_eq!(relation("two"), "appx.named");
    assert_eq!(relation("three"), "theirs.three", "the application's table is where it is");
    assert_eq!(manifest.seeds[&NodeName::seed("four")].relation.to_string(), "seeds_of_dev.\"FOURNone2\"");
}
