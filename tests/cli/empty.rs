//! `--empty`: relations with their columns and without rows, while what holds rows of its own is left alone.

use crate::harness::Test;

const MODELS: [(&str, &str); 6] = [
    ("audit", "{{ config(materialized='table') }}\nselect id, entry from {{ source('qvp', 'audit_log') }}\n"),
    // A name without an alias qualifies columns; one with an alias keeps it; plain names are read empty too.
    (
        "joined",
        "{{ config(materialized='table') }}\nselect person.id, c.label, audit_log.entry from {{ ref('person') }}\njoin {{ ref('codes') }} as c on c.code = person.id\ncross join qvp.audit_log\n",
    ),
    ("plain", "{{ config(materialized='view') }}\nselect p.id from app.person p where p.id > 0\n"),
    ("tidy", "{{ config(materialized='table') }}\nselect t.name from {{ ref('tidy_person') }} t\n"),
    (
        "grown",
        "{{ config(materialized='incremental') }}\nselect id from {{ ref('person') }}{% if is_incremental() %} where id > (select coalesce(max(id), 0) from {{ this }}){% endif %}\n",
    ),
    ("rendered", "{{ config(materialized='table') }}\nselect '{{ ref('codes').render() }}'::text as name\n"),
];

#[test]
fn an_empty_build_makes_columns_and_leaves_the_rows_of_others_alone() {
    let test = Test::sample();
    for (name, sql) in MODELS {
        test.write(&format!("models/bl/{name}.sql"), sql);
    }
    test.write("snapshots/kept.sql", "{% snapshot kept %}\n{{ config(unique_key='id', strategy='check', check_cols='all', hard_deletes='new_record') }}\nselect id, name from {{ ref('person') }}\n{% endsnapshot %}\n");
    test.write("tests/nobody.sql", "select * from {{ ref('person') }} where false\n");
    test.write("tests/some.sql", "select 1 where not exists (select from {{ ref('person') }})\n");
    test.succeeds(&["build"]);
    let count = |relation: &str| test.value(&format!("select count(*) from {relation}"));
    let kept = ["app.person", "app.kept", "app.codes", "stg_qvp.audit_log"];
    let before: Vec<String> = kept.iter().map(|relation| test.rows_digest(relation)).collect();
    assert_eq!(
        ["app.audit", "app.joined", "app.plain", "app.tidy", "app.grown"].map(count),
        ["200", "400", "90", "90", "90"]
    );
    test.on_source("qvp", "update applicants set name = 'other' where id < 10; delete from audit_log where id < 10");

    let outcome = test.succeeds(&["build", "--empty"]);

    outcome.stderr_has("bl.person").stderr_has("left as it is: --empty writes no rows to it");
    assert_eq!(kept.iter().map(|relation| test.rows_digest(relation)).collect::<Vec<_>>(), before);
    assert_eq!(["app.audit", "app.joined", "app.plain", "app.tidy"].map(count), ["0", "0", "0", "0"]);
    assert_eq!(
        (count("app.grown"), test.value("select name from app.rendered")),
        ("90".to_owned(), "app.codes".to_owned())
    );
    let columns = "select string_agg(attname::text, ' ' order by attnum) from pg_attribute where attrelid = 'app.joined'::regclass and attnum > 0 and not attisdropped";
    assert_eq!(test.value(columns), "id label entry");

    // A new incremental table is made without rows, and the next run fills everything as if nothing had been.
    test.on_target("drop table app.grown");
    test.succeeds(&["run", "--empty", "--select", "bl.grown"]);
    assert_eq!(count("app.grown"), "0");
    test.succeeds(&["build"]);
    assert_eq!(["app.audit", "app.joined", "app.plain", "app.grown"].map(count), ["200", "400", "90", "90"]);
}
