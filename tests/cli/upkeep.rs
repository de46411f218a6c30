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

const HANGING: &[&str] = &[
    "select relrowsecurity || ' ' || relforcerowsecurity || ' ' || relreplident::text || ' ' || relowner::regrole
        from pg_class where oid = 'app.fact'::regclass",
    "select policyname || ' ' || permissive || ' ' || cmd || ' ' || roles::text || ' ' || coalesce(qual, '') || ' ' || coalesce(with_check, '')
        from pg_policies where tablename = 'fact' order by 1",
    "select grantee || ' ' || column_name || ' ' || privilege_type from information_schema.column_privileges
        where table_name in ('fact', 'look') and grantee in ('reader', 'owner_of_fact') and column_name not in ('size', 'weight') order by table_name, 1",
    "select pubname || ' ' || attnames::text || ' ' || rowfilter from pg_publication_tables where tablename = 'fact'",
    "select rulename from pg_rules where tablename = 'fact'",
    "select stxname || ' ' || coalesce(obj_description(oid, 'pg_statistic_ext'), '') from pg_statistic_ext where stxrelid = 'app.fact'::regclass",
    "select attname || ' ' || attnotnull || ' ' || coalesce(col_description(attrelid, attnum), '') || ' ' || coalesce(pg_get_expr(adbin, adrelid), '')
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid in ('app.fact'::regclass, 'app.look'::regclass) and attnum > 0 and attname not in ('size', 'weight') order by 1",
    "select relname || ' ' || replace(coalesce(obj_description(oid), ''), e'\\n', '/') || ' ' || coalesce(reloptions::text, '')
        from pg_class where relnamespace = 'app'::regnamespace and relname in ('fact', 'look', 'fact_id') order by 1",
    "select coalesce(relacl::text, '') || ' ' || relowner::regrole from pg_class where oid = 'app.look'::regclass",
    "select tgname || ' ' || tgenabled::text from pg_trigger where tgrelid = 'app.fact'::regclass and not tgisinternal",
    "select indexrelid::regclass || ' ' || indisreplident || ' ' || indisclustered from pg_index where indrelid = 'app.fact'::regclass",
];

const HUNG_ON: &str = "create role owner_of_fact; grant usage, create on schema app to owner_of_fact;
        alter default privileges in schema app grant insert on tables to reader;
        alter table app.fact enable row level security, force row level security, alter id set not null, alter label set default 'none',
            alter label set statistics 50, set (fillfactor = 70);
        create policy mine on app.fact as restrictive for select to reader using (id = 1);
        create policy theirs on app.fact with check (id < 10);
        comment on policy mine on app.fact is 'why';
        grant select (id), update (label) on app.fact to reader;
        create unique index fact_id on app.fact (id);
        comment on index app.fact_id is 'by number';
        alter table app.fact replica identity using index fact_id, cluster on fact_id;
        create publication told for table app.fact (id) where (id > 0);
        create rule kept as on delete to app.fact do instead nothing;
        create statistics app.both on id, label from app.fact;
        comment on statistics app.both is 'together';
        comment on column app.fact.label is 'its label';
        comment on table app.fact is e'theirs, too\\nmade by unimig: bl.fact';
        create function app.nothing() returns trigger language plpgsql as 'begin return new; end';
        create trigger asleep before update on app.fact for each row execute function app.nothing();
        alter table app.fact disable trigger asleep;
        alter table app.fact owner to owner_of_fact;
        alter view app.look set (security_barrier = true, security_invoker = true);
        comment on view app.look is e'a look\\nmade by unimig: bl.look';
        comment on column app.look.id is 'its number';
        grant select on app.look to reader; grant update (id) on app.look to reader;
        alter view app.look owner to owner_of_fact";

fn hanging(test: &Test) -> Vec<Vec<String>> {
    HANGING.iter().map(|statement| test.query_target(statement)).collect()
}

#[test]
fn what_guards_and_carries_rows_comes_back_with_a_table_that_is_made_again() {
    let test = Test::new();
    table(&test, "", "select 1 as id, 'one' as label");
    test.write("models/bl/look.sql", "{{ config(materialized='view') }}\nselect id from {{ ref('fact') }}\n");
    test.succeeds(&["run"]);
    test.on_target(HUNG_ON);
    let before = hanging(&test);
    for (rows, statement) in before.iter().zip(HANGING) {
        assert!(!rows.is_empty(), "{statement}");
    }

    table(&test, "", "select 1 as id, 2 as size, 'one' as label");
    test.succeeds(&["run", "--select", "bl.fact"]).stderr_lacks("was dropped");

    for ((before, after), statement) in before.iter().zip(hanging(&test)).zip(HANGING) {
        assert_eq!(*before, after, "{statement}");
    }
    // A view that is replaced in place keeps its options and the words above the mark.
    test.write("models/bl/look.sql", "{{ config(materialized='view') }}\nselect id + 0 as id from {{ ref('fact') }}\n");
    test.succeeds(&["run", "--select", "bl.look"]);
    assert_eq!(hanging(&test), before);

    // One that has to wait for its model keeps them too.
    test.write("models/bl/look.sql", "{{ config(materialized='view') }}\nselect id, size from {{ ref('fact') }}\n");
    test.succeeds(&["run", "--select", "bl.look"]);
    let before = hanging(&test);
    table(&test, "", "select 1 as id, 'one' as label, 4 as weight");
    test.succeeds(&["run", "--select", "bl.fact"]).stderr_has("view app.look");
    test.write("models/bl/look.sql", "{{ config(materialized='view') }}\nselect id, weight from {{ ref('fact') }}\n");
    test.succeeds(&["run"]);
    assert_eq!(hanging(&test), before);
    assert_eq!(test.value("select count(*) from unimig.set_aside"), "0");

    // Rows are not bared by a policy that no longer fits, and a subscriber does not go without them unnoticed.
    table(&test, "", "select 2 as size, 'one' as label");
    test.run(&["run", "--select", "bl.fact"])
        .exit(1)
        .stderr_has("not-ours")
        .stderr_has("app.fact has to be made again, and would lose its policy \"mine\", which does not fit");
    assert_eq!(hanging(&test), before);
    test.on_target("drop policy mine on app.fact; drop policy theirs on app.fact");
    test.run(&["run", "--select", "bl.fact"]).exit(1).stderr_has("would lose its publication \"told\"");
    test.on_target("create table app.pointing (id int references app.fact (id)); drop publication told");
    test.run(&["run", "--select", "bl.fact"])
        .exit(1)
        .stderr_has("and constraint pointing_id_fkey on table pointing depends on it");
    assert_eq!(test.query_target("select id from app.fact"), ["1"]);
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
