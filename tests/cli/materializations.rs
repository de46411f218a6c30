//! Tables, views, ephemeral models and seeds: relations that unimig makes itself, and what others hang on them.

use crate::harness::Test;

fn table(test: &Test, select: &str) {
    test.write("models/bl/fact.sql", &format!("{{{{ config(materialized='table') }}}}\n{select}\n"));
}

fn view(test: &Test, select: &str) {
    test.write("models/bl/look.sql", &format!("{{{{ config(materialized='view') }}}}\n{select}\n"));
}

#[test]
fn a_table_is_replaced_in_place_under_a_users_view_and_grants() {
    let test = Test::new();
    table(&test, "select 1 as id, 'one' as label");
    test.succeeds(&["run"]);
    test.on_target("create view app.mine as select label from app.fact; grant select on app.fact to reader");
    table(&test, "select 2 as id, 'two' as label union all select 3, 'three'");

    test.succeeds(&["run"]);

    assert_eq!(test.query_target("select label from app.mine order by 1"), ["three", "two"]);
    assert_eq!(test.value("select has_table_privilege('reader', 'app.fact', 'select')"), "t");
}

#[test]
fn a_table_whose_columns_change_spares_what_others_hang_on_it() {
    let test = Test::new();
    table(&test, "select 1 as id, 'one' as label");
    test.succeeds(&["run"]);
    test.on_target("create view app.mine as select label from app.fact");
    table(&test, "select 1 as id");

    test.run(&["run"]).exit(1).stderr_has("depend");

    assert_eq!(test.query_target("select label from app.mine"), ["one"]);
    test.on_target("drop view app.mine");
    test.succeeds(&["run"]);
    assert_eq!(test.query_target("select * from app.fact"), ["1"]);
}

#[test]
fn equal_rows_in_another_order_are_no_change() {
    let test = Test::new();
    table(&test, "select n as id from generate_series(1, 50) as n");
    test.succeeds(&["run"]);
    let before = test.physical_state();
    table(&test, "select n as id from generate_series(1, 50) as n order by n desc");

    test.succeeds(&["run"]);

    assert_eq!(test.physical_state(), before);
    table(&test, "select n as id from generate_series(1, 50) as n union all select 50");
    test.succeeds(&["run"]);
    assert_eq!(test.value("select count(*) from app.fact"), "51");
}

#[test]
fn a_view_follows_its_select_though_its_columns_change() {
    let test = Test::new();
    for (select, row) in
        [("select 1 as id, 'one' as label", "1|one"), ("select 'one' as label", "one"), ("select 1.5 as label", "1.5")]
    {
        view(&test, select);
        test.succeeds(&["run"]);
        assert_eq!(test.query_target("select * from app.look"), [row]);
    }
}

#[test]
fn a_view_that_others_need_is_not_dropped() {
    let test = Test::new();
    view(&test, "select 1 as id, 'one' as label");
    test.succeeds(&["run"]);
    test.on_target("create view app.mine as select label from app.look");
    view(&test, "select 1 as id");

    test.run(&["run"]).exit(1).stderr_has("depend");

    assert_eq!(test.query_target("select label from app.mine"), ["one"]);
}

#[test]
fn a_model_changes_between_table_and_view() {
    let test = Test::new();
    table(&test, "select 1 as id");
    test.succeeds(&["run"]);
    test.write("models/bl/fact.sql", "{{ config(materialized='view') }}\nselect 2 as id\n");
    test.succeeds(&["run"]);
    assert_eq!(test.value("select relkind from pg_class where oid = 'app.fact'::regclass"), "v");
    table(&test, "select 3 as id");
    test.succeeds(&["run"]);
    assert_eq!(test.query_target("select * from app.fact"), ["3"]);
}

#[test]
fn ephemeral_models_stand_in_the_statements_of_others_alone() {
    let test =
        Test::new().file("models/bl/first.sql", "{{ config(materialized='ephemeral') }}\nselect 1 as id\n").file(
            "models/bl/second.sql",
            "{{ config(materialized='ephemeral') }}\nselect id + 1 as id from {{ ref('first') }}\n",
        );
    table(&test, "select a.id, b.id as other from {{ ref('second') }} as a cross join {{ ref('first') }} as b");

    test.succeeds(&["run"]);

    assert_eq!(test.query_target("select * from app.fact"), ["2|1"]);
    assert_eq!(test.tables(), ["app.fact"]);
}

#[test]
fn a_custom_schema_is_appended_for_what_unimig_makes() {
    let test = Test::new().file(
        "models/bl/fact.sql",
        "{{ config(materialized='table', schema='extra', alias='other') }}\nselect 1 as id\n",
    );

    test.succeeds(&["run"]);

    assert_eq!(test.tables(), ["app_extra.other"]);
}

#[test]
fn a_seed_takes_the_narrowest_types_that_fit() {
    let test = Test::new()
        .file("seeds/codes.csv", "\u{feff}code,amount,day,flag,label\n007,1.50,2026-01-02,true,\"a \"\"b\"\"\nc\"\n008,2,2026-01-03,false,\n")
        .file("seeds/wide.csv", "id;big\n1;9999999999\n")
        .file(
            "seeds/seeds.yml",
            "version: 2\nseeds:\n  - name: wide\n    config: {delimiter: ';', column_types: {id: numeric}}\n",
        );

    test.succeeds(&["seed"]);

    assert_eq!(
        test.query_target("select row(pg_typeof(code), pg_typeof(amount), pg_typeof(day), pg_typeof(flag), pg_typeof(label))::text from app.codes limit 1"),
        ["(text,numeric,date,boolean,text)"]
    );
    assert_eq!(test.query_target("select label from app.codes where code = '008'"), ["∅"]);
    assert_eq!(test.value("select amount from app.codes where code = '007'"), "1.50");
    assert_eq!(test.value("select pg_typeof(id) || ' ' || pg_typeof(big) from app.wide"), "numeric bigint");
    let before = test.physical_state();
    test.succeeds(&["seed"]);
    assert_eq!(test.physical_state(), before);
}

#[test]
fn a_seed_follows_its_file() {
    let test = Test::new().file("seeds/codes.csv", "code,label\n1,one\n");
    test.succeeds(&["seed"]);
    test.write("seeds/codes.csv", "code,label\n1,uno\n2,due\n");
    test.succeeds(&["seed"]);
    assert_eq!(test.query_target("select * from app.codes order by 1"), ["1|uno", "2|due"]);
    test.write("seeds/codes.csv", "code,name,extra\n1,uno,x\n");

    test.succeeds(&["seed"]);

    assert_eq!(test.query_target("select name, extra from app.codes"), ["uno|x"]);
}

#[test]
fn a_seed_that_is_no_csv_is_told_with_its_line() {
    let test = Test::new().file("seeds/codes.csv", "code,label\n1,one\n2\n");

    test.run(&["seed"]).exit(1).stderr_has("line 3").stderr_has("seeds/codes.csv");

    assert_eq!(test.tables(), Vec::<String>::new());
}

#[test]
fn an_extension_type_stays_where_the_target_knows_it_and_is_text_elsewhere() {
    let source = "create extension citext; create table people (id integer primary key, email citext); insert into people values (1, 'A@b')";
    let yaml =
        "version: 2\nsources:\n  - name: src\n    connection: src\n    tables:\n      - {name: people, key: [id]}\n";
    let with =
        Test::new().source_sql("src", source).target_sql("create extension citext").file("sources/src.yml", yaml);
    let without = Test::new().source_sql("src", source).file("sources/src.yml", yaml);
    for (test, data_type) in [(with, "citext"), (without, "text")] {
        test.succeeds(&["run"]);
        assert_eq!(
            test.value("select pg_typeof(email) || ' ' || email from stg_src.people"),
            format!("{data_type} A@b")
        );
        test.succeeds(&["run"]);
        test.wrote_nothing();
    }
}

#[test]
fn an_extraction_of_ones_own_replaces_the_generated_one() {
    let test = Test::sample();
    test.write(
        "models/stg/qvp/applicants.sql",
        "select id, upper(name) as name, email, amount, extra, id * 2 as twice from {{ source('qvp', 'applicants') }} where id <= 10\n",
    );

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.qvp.applicants").wrote(), (10, 0, 0));
    assert_eq!(test.query_target("select name, twice from stg_qvp.applicants where id = 10"), ["APPLICANT 10|20"]);
}

const FACT: &str = "{{ config(materialized='materialized_view', indexes=[{'columns': ['id'], 'unique': true}], grants={'select': ['public']}) }}
select id, id * 2 as twice from {{ ref('base') }}
";

#[test]
fn a_materialized_view_is_made_refreshed_and_made_anew() {
    let test = Test::new()
        .target_sql("create table app.input (id int); insert into app.input values (1), (2)")
        .file("models/bl/base.sql", "{{ config(materialized='table') }}\nselect id from app.input\n")
        .file("models/bl/fact.sql", FACT)
        .file(
            "models/bl/above.sql",
            "{{ config(materialized='view') }}\nselect sum(twice) as all_of_it from {{ ref('fact') }}\n",
        );
    let oid = || test.value("select 'app.fact'::regclass::oid");
    let indexes =
        "select string_agg(pg_get_indexdef(indexrelid), ' ') from pg_index where indrelid = 'app.fact'::regclass";
    let has_status = |status: &str| assert_eq!(test.result("bl.fact").status, status);

    test.succeeds(&["check"]);
    test.succeeds(&["run"]);
    let about = "select relkind::text || ' ' || obj_description(oid) || ' ' || has_table_privilege('pg_monitor', oid, 'select') from pg_class where oid = 'app.fact'::regclass";
    assert_eq!(test.value(about), "m made by unimig: bl.fact true");
    assert!(test.value(indexes).contains("CREATE UNIQUE INDEX"));
    let first = oid();

    // Nothing new, then a row that is.
    test.succeeds(&["run"]);
    has_status("unchanged");
    test.on_target("insert into app.input values (3)");
    test.succeeds(&["plan", "--diff"]).stdout_has("made anew or refreshed");
    test.succeeds(&["run"]);
    has_status("ok");
    assert_eq!((test.value("select all_of_it from app.above"), oid()), ("12".to_owned(), first.clone()));

    // Other indexes: left alone, refused, made in place.
    let other = FACT.replace("['id'], 'unique': true", "['twice']");
    let on_change = |what: &str| {
        let config = format!("materialized_view', on_configuration_change='{what}'");
        test.write("models/bl/fact.sql", &other.replace("materialized_view'", &config));
    };
    on_change("continue");
    test.succeeds(&["run"]).stderr_has("on_configuration_change is continue");
    on_change("fail");
    test.run(&["run"]).exit(1).stderr_has("schema-changed").stderr_has("fact.sql:1:");
    on_change("apply");
    test.succeeds(&["run"]);
    assert!(!test.value(indexes).contains("UNIQUE") && test.value(indexes).contains("(twice)"));
    assert_eq!(oid(), first);

    // What it reads is made again with other columns, and it comes back with its indexes.
    test.write("models/bl/base.sql", "{{ config(materialized='table') }}\nselect id, 'x' as more from app.input\n");
    test.succeeds(&["run", "--select", "base"]);
    assert!(test.value(indexes).contains("(twice)"));
    assert_eq!(test.value("select all_of_it from app.above"), "12");

    // Another SELECT, and --full-refresh, make it anew.
    let second = oid();
    test.write("models/bl/fact.sql", &other.replace("id * 2", "id * 3"));
    test.succeeds(&["run"]);
    assert_eq!(test.value("select all_of_it from app.above"), "18");
    let third = oid();
    test.succeeds(&["run", "--full-refresh"]);
    assert!(second != third && third != oid());

    // It gives way to a table, and a table to it.
    test.write("models/bl/fact.sql", &other.replace("materialized_view", "table"));
    test.succeeds(&["run"]);
    test.write("models/bl/fact.sql", &other);
    test.succeeds(&["run"]);
    assert_eq!(test.value(about), "m made by unimig: bl.fact true");
}

#[test]
fn a_mistake_in_a_seed_is_shown_at_its_line() {
    let test = Test::new()
        .file("seeds/codes.csv", "code,label\n1,one\n2\n")
        .file("seeds/seeds.yml", "seeds: [{name: codes, config: {column_types: {code: integer}}}]\n");

    test.run(&["seed"]).exit(1).stderr_has("seeds/codes.csv:3:1").stderr_has("line 3 has 1 fields");
    test.run(&["check"]).stderr_has("seeds/codes.csv:3:1");
    test.write("seeds/codes.csv", "code,label\n1,one\n2,two\nx,three\n");
    test.run(&["seed"]).exit(1).stderr_has("seeds/codes.csv:4:1").stderr_has("invalid input syntax for type integer");
}
