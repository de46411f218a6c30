//! The same person in both systems: rules, verdicts, and what of it lasts.

use super::{ids, project};
use crate::harness::Test;

const MATCHED: &str = "
crosswalks:
  - name: person
    target: {table: person, column: id}
    members:
      - {source: svp, table: people}
      - {source: qvp, table: people}
    match:
      - {name: national_id, on: national_id}
      - {name: email, on: {svp: lower(email), qvp: lower(email)}}
      - {name: name_and_id, on: [name, id % 2]}
    max_cluster: 3
    verdicts: person_verdicts
";

const HEADER: &str = "left_source,left_key,right_source,right_key,verdict\n";

/// Both systems have forty people with the same national ids, unless the SQL says otherwise.
fn matched(sql: &str) -> Test {
    let test = project(MATCHED).file("seeds/person_verdicts.csv", HEADER);
    test.on_source("qvp", "update people set id = 1000 - id, name = 'q' || id, email = upper(email)");
    for source in ["svp", "qvp"] {
        test.on_source(
            source,
            "update people set national_id = null, email = null, name = id::text where least(id, 1000 - id) > 6",
        );
    }
    test.on_source("qvp", sql);
    test.write(
        "models/bl/person.sql",
        "select distinct on (target_id) target_id as id, member as name from {{ xref('person') }} order by 1, 2",
    );
    test
}

fn id(test: &Test, member: &str, key: i64) -> String {
    test.value(&format!("select target_id from unimig.\"xref.person.{member}\" where id = {key}"))
}

#[test]
fn rows_that_rules_join_share_an_id_in_whatever_order_they_come() {
    let test = matched(
        "update people set national_id = null where id = 998;
         update people set national_id = 'x', email = null where id = 997",
    );
    test.succeeds(&["build"]);
    assert_eq!(id(&test, "qvp", 999), id(&test, "svp", 1), "by the national id");
    assert_eq!(id(&test, "qvp", 998), id(&test, "svp", 2), "by the mail address, whatever its case");
    assert_ne!(id(&test, "qvp", 997), id(&test, "svp", 3));
    let first = ids(&test);
    test.succeeds(&["build"]);
    test.wrote_nothing();
    let found = test.succeeds(&["why", "person", &id(&test, "svp", 2)]).stdout;
    assert!(found.contains("2 keys\n  qvp 998\n  svp 2\n  svp 2 and qvp 998: rule email"), "{found}");
    assert!(!found.contains('@'), "{found}");
    test.succeeds(&["why", "person", &id(&test, "svp", 2), "--show-values"]).stdout_has("email is p2@example.org");
    test.run(&["why", "person", "99999"]).exit(2).stderr_has("has the id 99999");

    // Another order of the same rows, from the beginning.
    for source in ["svp", "qvp"] {
        test.on_source(
            source,
            "create table other as select * from people;
             truncate people;
             insert into people select * from other order by md5(id::text)",
        );
    }
    test.on_target(
        "drop schema unimig cascade; drop schema stg_svp cascade; drop schema stg_qvp cascade; truncate app.person;
         alter sequence app.person_id_seq restart with 1",
    );
    test.succeeds(&["build"]);
    assert_eq!(ids(&test), first);

    // Rules never change an id: two that are found to be one later wait for a verdict.
    test.on_source("qvp", "update people set national_id = 'N3' where id = 997");
    test.succeeds(&["build"]).stderr_has("1 matches are of rows that have two ids already: a verdict must decide");
    assert_eq!(ids(&test), first);
    // What no longer matches stays one, and a new row joins it.
    test.on_source("qvp", "update people set national_id = 'y', email = null where id = 999; insert into people values (7000, 'new', 'N1', null)");
    test.succeeds(&["build"]);
    assert_eq!(id(&test, "qvp", 7000), id(&test, "svp", 1));
    assert_eq!(ids(&test).len(), first.len() + 1);
}

#[test]
fn verdicts_join_and_split_and_keep_the_oldest_id() {
    let test = matched("update people set national_id = 'x', email = null where id = 997");
    test.succeeds(&["build"]);
    let before = ids(&test);
    let (one, two, apart) = (id(&test, "svp", 1), id(&test, "svp", 3), id(&test, "qvp", 997));

    test.write(
        "seeds/person_verdicts.csv",
        &format!("{HEADER}svp,1,qvp,999,different\nqvp,997,svp,3,same\nsvp,4,qvp,1,same\n"),
    );
    test.succeeds(&["build"]).stderr_has("1 verdicts speak of keys that are not there");
    assert_eq!(test.result("xref.person").wrote(), (0, 2, 0));
    assert_eq!(
        (id(&test, "svp", 1), id(&test, "svp", 3), id(&test, "qvp", 997)),
        (one.clone(), two.clone(), two.clone())
    );
    let torn = id(&test, "qvp", 999);
    assert!(torn != one && !before.iter().any(|line| line.ends_with(&format!("|{torn}"))), "{torn} is new");
    let changed = format!("qvp 997: from {apart} to {two}, by a verdict");
    test.succeeds(&["why", "person", &two]).stdout_has(&changed).stdout_has("a verdict,");
    let after = ids(&test);
    test.succeeds(&["build"]);
    test.wrote_nothing();
    assert_eq!(ids(&test), after);
    assert_eq!(after.iter().filter(|line| !before.contains(line)).count(), 2, "nobody else was touched");

    test.write(
        "seeds/person_verdicts.csv",
        &format!("{HEADER}svp,1,svp,2,same\nsvp,2,qvp,998,same\nqvp,998,svp,1,different\n"),
    );
    test.run(&["build"]).exit(1).stderr_has("1 verdicts call rows the same that others call different");
    test.write("seeds/person_verdicts.csv", &format!("{HEADER}svp,1,abc,2,same\nsvp,2,qvp,998,maybe\n"));
    test.run(&["build"]).exit(1).stderr_has("2 verdicts of app.person_verdicts name no member");
    assert_eq!(ids(&test), after);
}

#[test]
fn clusters_that_are_too_big_are_not_joined_and_told() {
    let test = matched("update people set email = 'office@example.org' where id > 995");
    test.on_source("svp", "update people set email = 'office@example.org', national_id = null where id < 4");
    test.succeeds(&["build"]).stderr_has("rows or clusters are not joined: they would be more than 3 together");
    assert_ne!(id(&test, "svp", 1), id(&test, "svp", 2));
    test.write("crosswalks/person.yml", &MATCHED.replace("on: national_id", "on: nationality"));
    test.run(&["build"]).exit(1).stderr_has("match rule \"national_id\": column \"nationality\" does not exist");
    test.write("crosswalks/person.yml", &MATCHED.replace("{svp: lower(email)", "{svo: lower(email)"));
    test.run(&["compile"]).exit(2).stderr_has("crosswalk \"person\" has no member \"svo\"");
    test.write(
        "crosswalks/person.yml",
        &MATCHED.replace("person_verdicts", "verdict").replace("max_cluster: 3", "max_cluster: 1"),
    );
    test.run(&["compile"])
        .exit(2)
        .stderr_has("seed \"verdict\" does not exist")
        .stderr_has("\"1\" is no number of rows");
}
