//! Invariant 10: nothing that unimig did not create is dropped, truncated or written over, whatever the flag.

use crate::harness::{Outcome, Test};

const FLAGS: [&[&str]; 3] = [&["run"], &["run", "--full-refresh"], &["run", "--full-refresh", "--on-error", "skip"]];

fn refuses(test: &Test, arguments: &[&str]) -> Outcome {
    test.run(arguments).exit(1).stderr_has("not-ours").stderr_has("unimig did not make it")
}

#[test]
fn a_table_in_the_way_of_a_table_model_is_refused() {
    let test = Test::sample()
        .target_sql("create table app.audit (id bigint, entry text); insert into app.audit values (-1, 'mine')");

    for flags in FLAGS {
        refuses(&test, flags);
    }

    assert_eq!(test.query_target("select * from app.audit"), ["-1|mine"]);
    assert_eq!(test.result("bl.audit").status, "failed");
}

#[test]
fn a_view_in_the_way_of_a_view_model_is_refused() {
    let test = Test::sample().target_sql("create view app.people as select 7 as id, 'mine'::text as name");

    for flags in FLAGS {
        refuses(&test, flags);
    }

    assert_eq!(test.query_target("select * from app.people"), ["7|mine"]);
}

#[test]
fn a_materialized_view_and_a_partitioned_table_are_refused_too() {
    let test = Test::sample().target_sql(
        "create materialized view app.people as select 7 as id;
         create table app.audit (id bigint, entry text) partition by list (id)",
    );

    for flags in FLAGS {
        refuses(&test, flags);
        assert_eq!(
            (test.result("bl.people").status, test.result("bl.audit").status),
            ("failed".into(), "failed".into())
        );
    }

    assert_eq!(test.query_target("select * from app.people"), ["7"]);
}

#[test]
fn a_table_in_the_way_of_a_copy_is_refused() {
    let test = Test::sample().target_sql(
        "create schema stg_qvp;
         create table stg_qvp.applicants (
             id bigint primary key, name text, email text, amount numeric, extra json,
             _inserted_at timestamptz, _updated_at timestamptz, _deleted_at timestamptz, _batch_id bigint
         );
         insert into stg_qvp.applicants (id, name) values (-1, 'mine')",
    );

    for flags in FLAGS {
        refuses(&test, flags);
    }

    assert_eq!(test.query_target("select id, name from stg_qvp.applicants"), ["-1|mine"]);
}

#[test]
fn a_relation_in_the_way_of_a_live_view_is_left_alone() {
    let test =
        Test::sample().target_sql("create schema stg_qvp; create view stg_qvp.applicants_live as select 7 as id");

    for flags in FLAGS {
        refuses(&test, flags);
    }

    assert_eq!(test.query_target("select * from stg_qvp.applicants_live"), ["7"]);
    assert_eq!(test.result("stg.qvp.applicants").status, "failed");
}

#[test]
fn a_view_of_somebody_in_the_way_of_a_live_view_is_left_alone_though_its_columns_fit() {
    let test = Test::sample().target_sql(
        "create schema stg_qvp;
         create view stg_qvp.applicants_live as
         select -1::bigint as id, 'mine'::text as name, null::text as email, null::numeric as amount, null::json as extra",
    );

    for flags in FLAGS {
        refuses(&test, flags);
    }

    assert_eq!(test.query_target("select id, name from stg_qvp.applicants_live"), ["-1|mine"]);
}

#[test]
fn a_table_in_the_way_of_a_seed_is_refused() {
    let test = Test::sample()
        .target_sql("create table app.codes (code integer, label text); insert into app.codes values (-1, 'mine')");

    for flags in [&["seed"][..], &["seed", "--full-refresh"]] {
        refuses(&test, flags);
    }

    assert_eq!(test.query_target("select * from app.codes"), ["-1|mine"]);
}

#[test]
fn a_model_that_becomes_a_table_does_not_take_the_applications_table() {
    let test = Test::sample();
    test.succeeds(&["run"]);
    test.write("models/bl/person.sql", "{{ config(materialized='table') }}\nselect 1 as id\n");

    for flags in FLAGS {
        refuses(&test, flags);
    }

    assert_eq!(test.value("select count(*) from app.person"), "90");
}

#[test]
fn a_merge_never_removes_rows_of_the_application() {
    let test = Test::sample()
        .target_sql("insert into app.person (id, name, note) values (-1, 'mine', 'note'), (5, 'mine too', 'note')");
    test.write(
        "models/bl/person.sql",
        "{{ config(deletes='hard') }}\nselect id, name from {{ source('qvp', 'applicants') }}\n",
    );
    test.succeeds(&["run"]);
    test.on_source("qvp", "delete from applicants where id in (5, 6)");

    test.succeeds(&["run"]);

    assert_eq!(test.result("bl.person").wrote(), (0, 0, 1));
    assert_eq!(
        test.query_target("select id, name, note from app.person where id in (-1, 5, 6) order by id"),
        ["-1|mine|note", "5|mine too|note"]
    );
}

#[test]
fn a_relation_of_another_process_is_taken_over_only_when_that_is_gone_and_kept_no_history() {
    let model =
        |alias: &str, id: u32| format!("{{{{ config(materialized='table', alias='{alias}') }}}}\nselect {id} as id\n");
    let test = Test::new();
    test.write("models/bl/one.sql", &model("report", 1));
    test.write(
        "snapshots/past.sql",
        "{% snapshot past %}{{ config(unique_key='id', strategy='check', check_cols='all') }}select 1 as id{% endsnapshot %}\n",
    );
    test.succeeds(&["build"]);
    test.on_target("comment on table app.report is e'read by all\\nmade by unimig: bl.one'");

    // The model that made it is still there, and builds elsewhere now.
    test.write("models/bl/one.sql", &model("moved", 1));
    test.write("models/bl/two.sql", &model("report", 2));
    test.run(&["run"])
        .exit(1)
        .stderr_has("not-ours")
        .stderr_has("app.report was made by bl.one, and bl.two would replace it")
        .stderr_has("models/bl/two.sql:1:4");
    assert_eq!(test.query_target("select (select id from app.report), (select id from app.moved)"), ["1|1"]);
    assert_eq!((test.result("bl.one").status, test.result("bl.two").status), ("ok".into(), "failed".into()));

    // It is gone: the model was renamed.
    test.remove("models/bl/one.sql");
    test.succeeds(&["run"]);
    assert_eq!(test.query_target("select id from app.report"), ["2"]);
    let comment = "select replace(obj_description('app.report'::regclass), e'\\n', '/')";
    assert_eq!(test.value(comment), "read by all/made by unimig: bl.two");

    // What was kept can't be made again.
    test.remove("snapshots/past.sql");
    test.write("models/bl/two.sql", &model("past", 2));
    test.run(&["run", "--full-refresh"])
        .exit(1)
        .stderr_has("app.past was made by snapshot.past, and bl.two would replace it")
        .stderr_has("can't be made again");
    assert_eq!(test.query_target("select id, dbt_valid_to is null from app.past"), ["1|t"]);
}
