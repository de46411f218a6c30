//! What a relation carries besides its rows: indexes, grants, comments, logging, and what others hang on it.

use crate::harness::Test;

fn table(test: &Test, config: &str, select: &str) {
    test.write("models/bl/fact.sql", &format!("{{{{ config(materialized='table'{config}) }}}}\n{select}\n"));
}

fn indexes(test: &Test) -> Vec<String> {
    test.query_target(
        "select regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', case when indisunique then 'unique ' else '' end)
        from pg_index where indrelid = 'app.fact'::regclass order by 1",
    )
}

fn readers(test: &Test) -> Vec<String> {
    test.query_target(
        "select grantee || ' ' || privilege_type from information_schema.role_table_grants
        where table_schema = 'app' and table_name in ('fact', 'look') and grantee <> current_user order by 1",
    )
}

#[test]
fn indexes_grants_and_comments_follow_the_config_and_are_left_alone_when_they_do() {
    let test = Test::new();
    test.write(
        "models/bl/fact.yml",
        "version: 2\nmodels:\n  - name: fact\n    description: What happened.\n    columns:\n      - {name: id, description: Its number.}\n",
    );
    let carried = ", persist_docs={'relation': true, 'columns': true}, unlogged=true, grants={'select': ['reader', 'public']},
        indexes=[{'columns': ['id'], 'unique': true}, {'columns': ['lower(label)', 'id']}, {'columns': ['label'], 'type': 'hash'}]";
    table(&test, carried, "select 1 as id, 'one' as label");
    test.succeeds(&["run"]);
    let all = ["btree (lower(label), id)", "hash (label)", "unique btree (id)"];
    assert_eq!(indexes(&test), all);
    assert_eq!(readers(&test), ["PUBLIC SELECT", "reader SELECT"]);
    assert_eq!(test.value("select relpersistence from pg_class where oid = 'app.fact'::regclass"), "u");
    let comment = "select replace(obj_description('app.fact'::regclass), e'\\n', '/')";
    assert_eq!(test.value(comment), "What happened./made by unimig: bl.fact");
    assert_eq!(test.value("select col_description('app.fact'::regclass, 1)"), "Its number.");
    let before = test.query_target("select xmin, oid from pg_class where relname like 'fact%' order by 2");

    test.succeeds(&["run"]);

    test.wrote_nothing();
    assert_eq!(test.query_target("select xmin, oid from pg_class where relname like 'fact%' order by 2"), before);
    // New columns: everything is there again.
    table(&test, carried, "select 1 as id, 'one' as label, 2 as size");
    test.succeeds(&["run"]);
    assert_eq!(indexes(&test), all);
    assert_eq!(readers(&test), ["PUBLIC SELECT", "reader SELECT"]);
    assert_eq!(test.value(comment), "What happened./made by unimig: bl.fact");
    // What is no longer wanted goes; grants go only where grants are spoken of.
    table(&test, ", grants={'insert': 'reader'}", "select 1 as id, 'one' as label, 2 as size");
    test.succeeds(&["run"]);
    assert_eq!(indexes(&test), [""; 0]);
    assert_eq!(readers(&test), ["PUBLIC SELECT", "reader INSERT"]);
    assert_eq!(test.value("select relpersistence from pg_class where oid = 'app.fact'::regclass"), "p");
    table(&test, "", "select 1 as id, 'one' as label, 2 as size");
    test.succeeds(&["run"]);
    assert_eq!(readers(&test), ["PUBLIC SELECT", "reader INSERT"]);
}

#[test]
fn a_table_whose_columns_change_keeps_what_hangs_on_it() {
    let test = Test::new();
    table(&test, "", "select 1 as id, 'one' as label");
    test.write(
        "models/bl/look.sql",
        "{{ config(materialized='view', grants={'select': 'reader'}) }}\nselect id from {{ ref('fact') }}\n",
    );
    test.write("models/bl/over.sql", "{{ config(materialized='view') }}\nselect label from {{ ref('fact') }}\n");
    test.succeeds(&["run"]);
    test.on_target(
        "create index mine on app.fact (id); create index theirs on app.fact (label);
        alter table app.fact add constraint positive check (id > 0), add constraint one unique (id);
        grant update on app.fact to reader",
    );
    table(&test, "", "select 1.5 as weight, 1 as id");

    test.succeeds(&["run", "--select", "bl.fact"]).stderr_has("\"theirs\"").stderr_has("view app.over");

    assert_eq!(indexes(&test), ["btree (id)", "unique btree (id)"]);
    assert_eq!(readers(&test), ["reader SELECT", "reader UPDATE"]);
    assert_eq!(test.query_target("select * from app.look"), ["1"]);
    assert_eq!(test.value("select count(*) from pg_constraint where conname = 'positive'"), "1");
    assert_eq!(test.value("select to_regclass('app.over') is null"), "t");
    test.write("models/bl/over.sql", "{{ config(materialized='view') }}\nselect weight from {{ ref('fact') }}\n");
    test.succeeds(&["run"]);
    assert_eq!(test.query_target("select * from app.over"), ["1.5"]);
    test.on_target("create view app.theirs_too as select * from app.over");
    table(&test, "", "select 1 as id");
    test.run(&["run", "--select", "bl.fact"]).exit(1).stderr_has("not-ours").stderr_has("app.theirs_too depends on it");
    assert_eq!(test.query_target("select * from app.theirs_too"), ["1.5"]);
}

#[test]
fn a_view_and_a_seed_carry_what_their_config_says() {
    let test = Test::new().file(
        "seeds/code.yml",
        "version: 2\nseeds:\n  - name: code\n    config:\n      grants: {select: [reader]}\n      indexes: [{columns: [id], unique: true}]\n      quote_columns: false\n",
    );
    test.write("seeds/code.csv", "ID,Label\n1,one\n");
    test.write(
        "models/bl/look.sql",
        "{{ config(materialized='view', grants={'select': ['reader']}) }}\nselect 1 as id\n",
    );
    test.succeeds(&["seed"]);
    test.succeeds(&["run"]);
    assert_eq!(readers(&test), ["reader SELECT"]);
    assert_eq!(test.query_target("select id, label from app.code"), ["1|one"]);
    assert_eq!(test.value("select count(*) from pg_index where indrelid = 'app.code'::regclass and indisunique"), "1");
    assert_eq!(test.value("select has_table_privilege('reader', 'app.code', 'select')"), "t");
}

#[test]
fn what_the_config_names_and_the_server_does_not_know_is_told_at_the_config() {
    let test = Test::new();
    table(&test, ", grants={'select': 'nobody_here'}", "select 1 as id");
    test.run(&["run"]).exit(1).stderr_has("sql-error").stderr_has("models/bl/fact.sql:1").stderr_has("does not exist");
    table(&test, ", grants={'fly': 'reader'}", "select 1 as id");
    test.run(&["run"]).exit(2).stderr_has("a relation has no privilege \"fly\"");
    table(&test, ", indexes=[{'unique': true}]", "select 1 as id");
    test.run(&["run"]).exit(2).stderr_has("an index needs \"columns\"");
}

#[test]
fn a_select_that_breaks_its_contract_is_told_column_by_column() {
    let test = Test::new();
    test.write(
        "models/bl/fact.yml",
        "version: 2\nmodels:\n  - name: fact\n    config: {contract: {enforced: true}}\n    columns:\n      - {name: id, data_type: int, constraints: [{type: not_null}, {type: check, expression: id > 0}]}\n      - {name: label, data_type: varchar(5)}\n",
    );
    table(&test, "", "select 1 as id, 'one'::varchar as label");
    test.succeeds(&["run"]);
    test.succeeds(&["run"]);
    test.wrote_nothing();
    let types = "select string_agg(format_type(atttypid, atttypmod), ' ' order by attnum)
        from pg_attribute where attrelid = 'app.fact'::regclass and attnum > 0";
    assert_eq!(test.value(types), "integer character varying(5)");

    table(&test, "", "select 1::bigint as id, 2 as more");
    test.run(&["run"])
        .exit(1)
        .stderr_has("broken-contract")
        .stderr_has("id      integer            bigint   data type mismatch")
        .stderr_has("label   character varying  -        missing in definition")
        .stderr_has("more    -                  integer  missing in contract");
    table(&test, "", "select 1 as id, 'far too long'::varchar as label");
    test.run(&["run"]).exit(1).stderr_has("value too long");
    assert_eq!(test.query_target("select label from app.fact"), ["one"]);
    table(&test, "", "select 0 as id, 'one'::varchar as label");
    test.run(&["run"]).exit(1).stderr_has("fact_id_check");
    table(&test, ", contract='yes'", "select 1 as id, 'one'::varchar as label");
    test.run(&["run"]).exit(2).stderr_has("\"contract\" must be a map");
}
