//! The application's triggers, and tables of kinds that a merge meets.

use crate::harness::Test;

const ITEM: &str = "create table app.item (id integer primary key, code text, calls integer not null default 0);
    create function app.call() returns trigger language plpgsql as
    'begin new.calls = coalesce(new.calls, 0) + 1; return new; end';
    create trigger first_call before insert or update on app.item for each row execute function app.call();
    create trigger last_call before insert or update on app.item for each row execute function app.call();
    create trigger never before insert on app.item for each row execute function app.call();
    alter table app.item disable trigger never;
    alter table app.item enable always trigger last_call";

fn item(test: &Test, config: &str, rows: u32) {
    let model = format!(
        "{{{{ config({config}) }}}}\nselect n as id, 'item ' || n as code from generate_series(1, {rows}) as n\n"
    );
    test.write("models/bl/item.sql", &model);
}

fn enabled(test: &Test) -> Vec<String> {
    let sql = "select tgname, tgenabled from pg_trigger where tgrelid = 'app.item'::regclass order by 1";
    test.query_target(sql)
}

#[test]
fn triggers_fire_unless_the_model_turns_them_off_and_are_as_they_were_after_it() {
    let test = Test::new().target_sql(ITEM);
    let before = ["first_call|O", "last_call|A", "never|D"];
    item(&test, "triggers='off'", 3);
    let plan = test.succeeds(&["plan"]);
    assert!(plan.stdout.contains("triggers that are off meanwhile: first_call, last_call"), "{}", plan.stdout);
    test.succeeds(&["run"]);
    assert_eq!(
        (test.value("select sum(calls) from app.item"), enabled(&test)),
        ("0".to_owned(), before.map(str::to_owned).to_vec())
    );

    item(&test, "", 5);
    assert!(test.succeeds(&["plan"]).stdout.contains("triggers that fire: first_call, last_call"));
    test.succeeds(&["run"]);
    assert_eq!(test.value("select string_agg(calls::text, ',' order by id) from app.item"), "0,0,0,2,2");

    // A process that fails in between leaves them on.
    test.on_target("alter table app.item add constraint small check (id < 7)");
    item(&test, "triggers='off'", 9);
    test.run(&["run"]).exit(1).stderr_has("check \"small\" (id): 3");
    assert_eq!(enabled(&test), before);
    item(&test, "", 6);
    test.write("models/bl/item.yml", "models: [{name: item, config: {triggers: off, on_schema_change: fail}}]\n");
    test.succeeds(&["run"]);
    assert_eq!(test.value("select calls from app.item where id = 6"), "0");
    test.write("models/bl/item.yml", "models: [{name: item, config: {on_schema_change: sync_all_columns}}]\n");
    test.run(&["parse"]).exit(2).stderr_has("the application's table is never altered").stderr_has("item.yml:1");
    test.remove("models/bl/item.yml");
    item(&test, "triggers='maybe'", 9);
    test.run(&["parse"]).exit(2).stderr_has("\"triggers\" must be on or off");
}

#[test]
fn partitioned_tables_and_parents_of_others_are_merged_into_as_any_table() {
    let test = Test::new()
        .target_sql(
            "create table app.event (
                id integer, day date not null, code text, long text generated always as (code || '!') stored, primary key (id, day)
             ) partition by range (day);
             create table app.event_25 partition of app.event for values from ('2025-01-01') to ('2026-01-01');
             create table app.event_26 partition of app.event for values from ('2026-01-01') to ('2027-01-01');
             create table app.base (id integer primary key, code text);
             create table app.derived (more text) inherits (app.base);
             insert into app.derived values (-1, 'mine', 'more')",
        )
        .file(
            "models/bl/event.sql",
            "{{ config(on_bad_rows='quarantine', deletes='hard') }}
             select n as id, date '2025-12-30' + n as day, 'x' as code from generate_series(1, 5) as n\n",
        )
        .file("models/bl/base.sql", "select n as id, 'x' as code from generate_series(1, 3) as n\n");
    for _ in 0..2 {
        test.succeeds(&["run"]);
        assert_eq!(
            test.value("select count(*), (select count(*) from app.event_26), min(long) from app.event"),
            "5|4|x!"
        );
        assert_eq!(test.query_target("select id, code from app.base order by id"), ["-1|mine", "1|x", "2|x", "3|x"]);
    }
    test.wrote_nothing();
    let model = "{{ config(on_bad_rows='quarantine', deletes='hard') }}
        select n as id, date '2025-12-30' + n as day, 'y' as code from generate_series(1, 4) as n\n";
    test.write("models/bl/event.sql", model);
    test.succeeds(&["run"]);
    assert_eq!(test.result("bl.event").wrote(), (0, 4, 1));
}

#[test]
fn row_security_rules_and_views_are_refused_with_their_reason() {
    let test = Test::new()
        .target_sql(
            "create table app.hidden (id integer primary key, code text);
             create table app.ruled (id integer primary key, code text);
             create rule log_it as on insert to app.ruled do also notify ruled;
             create view app.shown as select 1 as id",
        )
        .file("models/bl/ruled.sql", "select 1 as id, 'x' as code\n");
    test.run(&["run"]).exit(1).stderr_has("error[unfit-target]: rule \"log_it\" of app.ruled rewrites what is written");
    test.remove("models/bl/ruled.sql");
    test.write("models/bl/shown.sql", "select 1 as id\n");
    test.run(&["run"]).exit(2).stderr_has("the target has no table app.shown");
    test.remove("models/bl/shown.sql");

    // Row security of a role that is no superuser: its owner, forced.
    test.write(
        "models/bl/hidden.sql",
        "{{ config(pre_hook='set local role row_secured') }}\nselect 1 as id, 'x' as code\n",
    );
    test.on_target(
        "do $$ begin create role row_secured; exception when duplicate_object or unique_violation then null; end $$;
         grant usage, create on schema app to row_secured;
         alter table app.hidden owner to row_secured;
         alter table app.hidden enable row level security, force row level security",
    );
    test.run(&["run"]).exit(1).stderr_has("row security of app.hidden applies to role \"row_secured\"");
    assert_eq!(test.value("select count(*) from app.hidden"), "0");
}
