//! Projects as they grow in practice, of any size, and projects of trivial models.

use std::fmt::Write as _;
use std::path::Path;

use tempfile::TempDir;

const PER_FOLDER: usize = 20;
const MACRO: &str = "{% macro cents(x) %}({{ x }} / 100.0){% endmacro %}\n";
const PROJECT: &str = "name: shop\nversion: \"1.0\"\nprofile: shop\nvars: {country: SA}\n";
const PROFILE: &str = "shop:
  target: dev
  outputs:
    dev:
      type: embedded
      dbname: shop
      schema: app
      connections:
        svp: {type: embedded, dbname: svp}
      stores:
        layer: {url: \"file://.unimig/layer\"}
";
const SOURCE: &str = "version: 2
sources:
  - name: svp
    tables:
      - {name: labors, key: [id]}
      - {name: occupations, key: [id]}
";
const DBT_SOURCE: &str = "version: 2
sources:
  - name: svp
    tables:
      - name: labors
      - name: occupations
";
/// dbt wants a host and port of their own, and version 2 a host that is no folder.
const DBT_PROFILE: &str = "shop:
  target: dev
  outputs:
    dev:
      type: postgres
      host: \"{{ env_var('BENCH_HOST') }}\"
      port: \"{{ env_var('BENCH_PORT') | as_number }}\"
      user: unimig
      password: unimig
      dbname: \"{{ env_var('BENCH_DATABASE') }}\"
      schema: app
      threads: 4
";
/// The server's folder and the database come from the environment, so that one project serves every run.
const TRIVIAL_PROFILE: &str = "trivial:
  target: dev
  outputs:
    dev:
      type: postgres
      host: \"{{ env_var('BENCH_HOST') }}\"
      user: unimig
      dbname: \"{{ env_var('BENCH_DATABASE') }}\"
      schema: app
      threads: 4
";

/// Folders of 20 models, each with one or two refs, a macro and a source here and there, and one YAML file.
pub fn project(models: usize) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    write(&root.join("unimig.yml"), PROJECT)?;
    write(&root.join("profiles.yml"), PROFILE)?;
    write(&root.join("sources/svp.yml"), SOURCE)?;
    write_models(root, models, "materialized='merge', unique_key='id'")?;
    Ok(folder)
}

/// The same models as a project that dbt reads too.
pub fn dbt_project(models: usize) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    write(&root.join("dbt_project.yml"), PROJECT)?;
    write(&root.join("profiles.yml"), DBT_PROFILE)?;
    write(&root.join("models/sources.yml"), DBT_SOURCE)?;
    write_models(root, models, "materialized='table'")?;
    Ok(folder)
}

/// Models of the form `select 7 as id`, one table each, as a project that dbt reads too.
pub fn trivial_dbt_project(models: usize) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let project = "name: shop\nversion: \"1.0\"\nprofile: shop\nmodels:\n  shop: {+materialized: table}\n";
    write(&root.join("dbt_project.yml"), project)?;
    write(&root.join("profiles.yml"), DBT_PROFILE)?;
    for index in 0..models {
        write(&root.join(model_path(index)), &format!("select {index} as id\n"))?;
    }
    Ok(folder)
}

fn write_models(root: &Path, models: usize, config: &str) -> anyhow::Result<()> {
    write(&root.join("macros/cents.sql"), MACRO)?;
    for index in 0..models {
        write(&root.join(model_path(index)), &model(index, config))?;
    }
    for first in (0..models).step_by(PER_FOLDER) {
        let path = format!("models/bl/f{}/models.yml", first / PER_FOLDER);
        write(&root.join(path), &properties(first..models.min(first + PER_FOLDER)))?;
    }
    Ok(())
}

/// Models of the form `select 7 as id` and no YAML; the materialization is set for all of them.
pub fn trivial_project(models: usize, config: &str) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let project =
        format!("name: trivial\nversion: \"1.0\"\nprofile: trivial\nmodels:\n  trivial:\n    bl: {{{config}}}\n");
    write(&root.join("unimig.yml"), &project)?;
    write(&root.join("profiles.yml"), TRIVIAL_PROFILE)?;
    for index in 0..models {
        write(&root.join(model_path(index)), &format!("select {index} as id\n"))?;
    }
    Ok(folder)
}

/// How the models of a project of views hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// No model reads another.
    Alone,
    /// Each reads the one before it and one further back.
    Linked,
}

/// Models that are views, without sources.
pub fn view_project(models: usize, shape: Shape) -> anyhow::Result<TempDir> {
    let folder = trivial_project(models, "+materialized: view")?;
    for index in 0..models {
        let sql = view_sql(index, shape, |parent| format!("{{{{ ref('m{parent}') }}}}"));
        write(&folder.path().join(model_path(index)), &sql)?;
    }
    Ok(folder)
}

/// The SELECT of such a model, its parents named as the caller names them.
pub fn view_sql(index: usize, shape: Shape, name: impl Fn(usize) -> String) -> String {
    let (Shape::Linked, Some(near), Some(far)) = (shape, index.checked_sub(1), index.checked_sub(7)) else {
        return format!("select {index} as id, 1.0 as amount, 'x' as name\n");
    };
    format!(
        "with b as (
    select id, count(*) as visits from {} group by id
)

select a.id, a.amount, upper(a.name) as name, coalesce(b.visits, 0) as visits
from {} as a
left join b on b.id = a.id
",
        name(far),
        name(near)
    )
}

fn model_path(index: usize) -> String {
    format!("models/bl/f{}/m{index}.sql", index / PER_FOLDER)
}

fn model(index: usize, config: &str) -> String {
    let parent = |back: usize| match index.checked_sub(back) {
        Some(parent) => format!("{{{{ ref('m{parent}') }}}}"),
        None => "{{ source('svp', 'labors') }}".to_owned(),
    };
    let amount = if index.is_multiple_of(10) { "{{ cents('a.amount') }}" } else { "a.amount" };
    format!(
        "{{{{ config({config}) }}}}

with a as (
    select id, amount, name from {}
),

b as (
    select id, count(*) as visits from {}
    where created_at > '2024-01-01'
    group by id
)

select
    a.id,
    {amount} as amount,
    upper(a.name) as name,
    coalesce(b.visits, 0) as visits
from a
left join b on b.id = a.id
",
        parent(1),
        parent(7)
    )
}

fn properties(models: std::ops::Range<usize>) -> String {
    let mut yaml = "version: 2\nmodels:\n".to_owned();
    for index in models {
        let _ = write!(
            yaml,
            "  - name: m{index}
    description: The model of number {index}
    config: {{tags: [generated]}}
    columns:
      - name: id
        description: The key
        data_tests: [unique, not_null]
      - name: amount
        data_tests:
          - accepted_values: {{arguments: {{values: [1, 2, 3]}}}}
"
        );
    }
    yaml
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    Ok(fs_err::write(path, text)?)
}
