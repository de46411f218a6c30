//! Targets that refer to one another: order, circles, and a table that refers to itself.

use crate::harness::Test;

#[test]
fn a_circle_of_references_is_closed_in_the_run_that_opens_it() {
    for deferrable in ["", " deferrable initially deferred"] {
        let test = Test::new().target_sql(&format!(
            "create table app.team (id integer primary key, name text, leader_id integer, parent_id integer references app.team{deferrable});
             create table app.member (id integer primary key, team_id integer not null references app.team{deferrable});
             alter table app.team add constraint leads foreign key (leader_id) references app.member{deferrable}"
        ));
        let write = |teams: &str| {
            test.write(
                "models/bl/team.sql",
                &format!("select n as id, 'team ' || n as name, n * 10 as leader_id, nullif({teams} + 1 - n, n) as parent_id from generate_series(1, {teams}) as n\n"),
            );
            test.write(
                "models/bl/member.sql",
                &format!("select n * 10 as id, n as team_id from generate_series(1, {teams}) as n\n"),
            );
        };
        write("4");

        test.succeeds(&["run"]).stderr_has("4 rows of bl.team were left without a reference to this one");

        assert_eq!(
            test.query_target("select id, leader_id, parent_id from app.team order by id"),
            ["1|10|4", "2|20|3", "3|30|2", "4|40|1"]
        );
        test.succeeds(&["run"]);
        test.wrote_nothing();
        // Old rows that refer to new ones, within the table and around the circle.
        write("5");
        test.succeeds(&["run"]);
        assert_eq!(
            test.value("select count(*) from app.team where leader_id = id * 10 and coalesce(parent_id, 3) = 6 - id"),
            "5"
        );
        test.succeeds(&["run"]);
        test.wrote_nothing();
        // The circle is never closed to a row that nobody gives.
        test.write("models/bl/team.sql", "select 1 as id, 'team 1' as name, 70 as leader_id\n");
        test.run(&["run"]).exit(1).stderr_has("foreign key \"leads\" (leader_id): 1");
        test.write(
            "models/bl/team.sql",
            "{{ config(on_bad_rows='quarantine') }}\nselect 1 as id, 'first' as name, 70 as leader_id\n",
        );
        test.succeeds(&["run"]).stderr_has("1 row is in quarantine");
        assert_eq!(test.value("select leader_id from app.team where id = 1"), "10");
    }
}

#[test]
fn a_unique_value_goes_from_an_old_row_to_a_new_one() {
    let test = Test::new()
        .target_sql("create table app.seat (id integer primary key, code text unique)")
        .file("models/bl/seat.sql", "select 1 as id, 'a' as code\n");
    test.succeeds(&["run"]);
    test.write("models/bl/seat.sql", "select 1 as id, 'b' as code union all select 2, 'a'\n");

    test.succeeds(&["run"]);

    assert_eq!(test.query_target("select id, code from app.seat order by id"), ["1|b", "2|a"]);
}
