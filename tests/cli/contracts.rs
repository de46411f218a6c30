//! Enforced contracts: declared columns and constraints make the table, and a SELECT that breaks them changes nothing.

use crate::harness::Test;

const PROPERTIES: &str = "models:
  - name: kinds
    config: {contract: {enforced: true}}
    columns:
      - {name: id, data_type: int, constraints: [{type: primary_key}]}
      - {name: label, data_type: varchar(20)}
  - name: fact
    config: {contract: {enforced: true}}
    constraints:
      - {type: check, name: not_too_much, expression: amount < 1000}
      - {type: unique, columns: [code, kind_id]}
      - {type: foreign_key, columns: [kind_id], to: ref('kinds'), to_columns: [id]}
    columns:
      - {name: id, data_type: integer, constraints: [{type: not_null}, {type: primary_key}]}
      - {name: amount, data_type: 'numeric(10, 2)', constraints: [{type: check, expression: amount >= 0}]}
      - {name: code, data_type: string, constraints: [{type: not_null}]}
      - {name: kind_id, data_type: smallint}
      - {name: seen_at, data_type: timestamptz}
  - name: look
    config: {contract: {enforced: true}}
    columns: [{name: id, data_type: int}, {name: code, data_type: varchar}]
  - name: grown
    config: {contract: {enforced: true}}
    columns:
      - {name: id, data_type: bigint, constraints: [{type: unique}]}
      - {name: size, data_type: numeric, constraints: [{type: not_null}]}
";

const FACT: &str = "select 'a' as code, 1 as id, 1.5 as amount, 7 as kind_id, timestamptz '2026-01-01' as seen_at";

fn fact(test: &Test, select: &str) {
    test.write("models/bl/fact.sql", &format!("{{{{ config(materialized='table') }}}}\n{select}\n"));
}

fn kinds(test: &Test, id: u32) {
    let config = "{{ config(materialized='table') }}";
    test.write("models/bl/kinds.sql", &format!("{config}\nselect 'usual' as label, {id} as id\n"));
}

fn grown(test: &Test, size: &str) {
    let config = "{{ config(materialized='incremental', on_schema_change='fail') }}";
    test.write("models/bl/grown.sql", &format!("{config}\nselect {size}::numeric as size, {size}::bigint as id\n"));
}

fn project() -> Test {
    let test = Test::new()
        .file("models/bl/all.yml", PROPERTIES)
        .file("models/bl/look.sql", "{{ config(materialized='view') }}\nselect id, code from {{ ref('fact') }}\n");
    fact(&test, FACT);
    kinds(&test, 7);
    grown(&test, "1");
    test
}

fn constraints(test: &Test, table: &str) -> Vec<String> {
    test.query_target(&format!(
        "select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
        where conrelid = '{table}'::regclass and contype <> 'n' order by 1"
    ))
}

const OF_FACT: [&str; 5] = [
    "fact_amount_check CHECK ((amount >= (0)::numeric))",
    "fact_code_kind_id_key UNIQUE (code, kind_id)",
    "fact_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES app.kinds(id)",
    "fact_pkey PRIMARY KEY (id)",
    "not_too_much CHECK ((amount < (1000)::numeric))",
];

#[test]
fn a_contract_makes_the_table_and_a_second_run_leaves_it() {
    let test = project();

    test.succeeds(&["run"]);

    let columns =
        "select attname || ' ' || format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end
        from pg_attribute where attrelid = 'app.fact'::regclass and attnum > 0 order by attnum";
    let typed = [
        "id integer not null",
        "amount numeric(10,2)",
        "code text not null",
        "kind_id smallint",
        "seen_at timestamp with time zone",
    ];
    assert_eq!(test.query_target(columns), typed);
    assert_eq!(constraints(&test, "app.fact"), OF_FACT);
    assert_eq!(test.value("select amount from app.fact"), "1.50");
    let before =
        test.query_target("select oid, xmin from pg_class where relnamespace = 'app'::regnamespace order by 1");
    test.remove("models/bl/grown.sql");
    test.write("models/bl/all.yml", PROPERTIES.split("  - name: grown").next().expect("there is a first part"));
    test.succeeds(&["run"]);
    test.wrote_nothing();
    let after = test.query_target("select oid, xmin from pg_class where relnamespace = 'app'::regnamespace order by 1");
    assert_eq!(after, before);
    // Another contract makes the table anew, though the columns stay; none takes the constraints away.
    let properties = PROPERTIES.split("  - name: grown").next().expect("there is a first part");
    test.write("models/bl/all.yml", &properties.replace("amount < 1000", "amount < 2000"));
    test.run(&["plan", "--diff"]).stdout_has("its contract changed");
    test.succeeds(&["run"]);
    assert_eq!(constraints(&test, "app.fact")[4], "not_too_much CHECK ((amount < (2000)::numeric))");
    assert_eq!(constraints(&test, "app.fact").len(), 5);
    test.write("models/bl/all.yml", &properties.replace("enforced: true", "enforced: false"));
    test.succeeds(&["run"]);
    assert_eq!(constraints(&test, "app.fact"), [""; 0]);
}

#[test]
fn a_select_that_breaks_its_contract_changes_nothing() {
    let test = project();
    test.succeeds(&["run"]);
    let before = test.rows_digest("app.fact");

    fact(&test, "select 'a' as code, 1 as id, now()::date as amount, 7 as kind_id, 'x' as other");
    let refused = test.run(&["run", "--select", "fact"]).exit(1);

    let refused =
        refused.stderr_has("error[broken-contract]: the SELECT of model \"fact\" breaks the model's contract");
    let refused = refused.stderr_has("column   contract                  SELECT  reason");
    let refused = refused.stderr_has("amount   numeric                   date    data type mismatch");
    let refused = refused.stderr_has("seen_at  timestamp with time zone  -       missing in definition");
    let refused = refused.stderr_has("other    -                         text    missing in contract");
    refused.stderr_has("models/bl/fact.sql:1:4");
    test.run(&["check"]).exit(2).stderr_has("error[broken-contract]").stderr_has("other    -");
    // A row that a constraint refuses.
    for (broken, said) in [("1 as id", "null::int as id"), ("1.5 as", "-1 as"), ("'a' as code", "null::text as code")] {
        fact(&test, &FACT.replace(broken, said));
        test.run(&["run", "--select", "fact"]).exit(1);
        assert_eq!(test.rows_digest("app.fact"), before, "{said}");
    }
    fact(&test, FACT);
    grown(&test, "null");
    test.run(&["run", "--select", "grown"]).exit(1);
    assert_eq!(test.query_target("select id || ' ' || size from app.grown"), ["1 1"]);
    grown(&test, "2");
    test.succeeds(&["run", "--select", "grown"]);
    assert_eq!(test.query_target("select id || ' ' || size from app.grown order by 1"), ["1 1", "2 2"]);
    assert_eq!(constraints(&test, "app.grown"), ["grown_id_key UNIQUE (id)"]);
    test.write("models/bl/look.sql", "{{ config(materialized='view') }}\nselect code from {{ ref('fact') }}\n");
    test.run(&["run", "--select", "look"]).exit(1).stderr_has("missing in definition");
    let wrong = PROPERTIES.replace("data_type: timestamptz", "data_type: timestampz");
    test.write("models/bl/all.yml", &wrong);
    test.run(&["run", "--select", "fact"])
        .exit(1)
        .stderr_has("type \"timestampz\" does not exist")
        .stderr_has("all.yml:18:");
    test.run(&["check"]).exit(2).stderr_has("type \"timestampz\" does not exist").stderr_has("model \"look\"");
}

#[test]
fn a_table_that_contracts_refer_to_gets_other_rows() {
    let test = project();
    test.succeeds(&["run", "--exclude", "grown"]);
    test.write(
        "models/bl/kinds.sql",
        "{{ config(materialized='table') }}\nselect 'more' as label, id from (values (7), (8)) as kind (id)\n",
    );
    test.succeeds(&["run", "--select", "kinds"]);
    assert_eq!(constraints(&test, "app.fact"), OF_FACT);

    // The key no longer holds until the table that refers to it is built again.
    kinds(&test, 8);
    fact(&test, &FACT.replace("7 as kind_id", "8 as kind_id"));
    test.succeeds(&["run", "--exclude", "grown"]);

    assert_eq!(constraints(&test, "app.fact"), OF_FACT);
    assert_eq!(test.query_target("select kind_id from app.fact"), ["8"]);
}

#[test]
fn a_constraint_that_the_server_refuses_is_told_where_it_stands() {
    let test = project();
    for (right, wrong, said, line) in [
        ("expression: amount >= 0", "expression: amont >= 0", "column \"amont\" does not exist", "all.yml:15:"),
        (
            "columns: [code, kind_id]",
            "columns: [code, kind]",
            "column \"kind\" named in key does not exist",
            "all.yml:11:",
        ),
        ("to_columns: [id]", "to_columns: [label]", "no unique constraint matching", "all.yml:12:"),
        ("expression: amount < 1000", "expression: exists (select 1)", "cannot use subquery", "all.yml:10:"),
    ] {
        test.write("models/bl/all.yml", &PROPERTIES.replace(right, wrong));
        test.run(&["run", "--select", "kinds", "fact"])
            .exit(1)
            .stderr_has("sql-error")
            .stderr_has(said)
            .stderr_has(line);
    }
    test.write("models/bl/all.yml", PROPERTIES);
    test.succeeds(&["run"]);
    assert_eq!(constraints(&test, "app.fact"), OF_FACT);
}

#[test]
fn a_merged_model_has_a_contract_and_aliases_of_types_can_be_switched_off() {
    let yaml = |id: &str, alias_types: bool| {
        format!(
            "models:\n  - name: person\n    config: {{contract: {{enforced: true, alias_types: {alias_types}}}}}\n    columns: [{{name: id, data_type: {id}}}, {{name: label, data_type: string}}]\n"
        )
    };
    let test = Test::new()
        .target_sql("create table app.person (id bigint primary key, label text)")
        .file(
            "models/bl/person.sql",
            "{{ config(materialized='merge', unique_key='id') }}\nselect 1::bigint as id, 'one' as label\n",
        )
        .file("models/bl/person.yml", &yaml("bigint", true));
    test.succeeds(&["run"]);
    assert_eq!(test.query_target("select * from app.person"), ["1|one"]);

    test.write("models/bl/person.yml", &yaml("date", true));
    test.run(&["run"]).exit(1).stderr_has("broken-contract").stderr_has("data type mismatch");
    test.write("models/bl/person.yml", &yaml("bigint", false));
    test.run(&["run"]).exit(1).stderr_has("type \"string\" does not exist").stderr_has("person.yml:4:");
    assert_eq!(test.query_target("select * from app.person"), ["1|one"]);
}
