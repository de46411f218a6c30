//! Big tables are read by several sessions of one snapshot, and the biggest begin first.

use crate::harness::Test;

/// A table of about 40 MB of pages and one of 600 rows in them, and a partitioned one.
fn big() -> Test {
    Test::new()
        .source_sql(
            "qvp",
            "create table big (id bigint primary key, filler text);
            alter table big alter filler set storage plain;
            insert into big select n, repeat('x', 7000) from generate_series(1, 5200) as n;
            create table small (id bigint primary key);
            insert into small select generate_series(1, 10);
            create table parted (id bigint primary key, filler text) partition by range (id);
            create table parted_low (filler text, id bigint not null);
            alter table parted attach partition parted_low for values from (minvalue) to (4600);
            create table parted_high partition of parted for values from (4600) to (maxvalue);
            alter table parted_low alter filler set storage plain;
            insert into parted select n, repeat('y', 7000) from generate_series(1, 4700) as n",
        )
        .file(
            "sources/qvp.yml",
            "sources: [{name: qvp, tables: [{name: small, key: [id]}, {name: big, key: [id]}, {name: parted, key: [id]}]}]\n",
        )
}

fn parts(test: &Test, table: &str) -> Vec<(u64, String)> {
    let folder = test.path().join(".unimig/layer/qvp").join(table);
    let batch = std::fs::read_dir(folder).expect("the layer has the table").next().expect("a batch").expect("a folder");
    let manifest = std::fs::read_to_string(batch.path().join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let part = |part: &serde_json::Value| {
        (part["rows"].as_u64().expect("a count"), part["name"].as_str().expect("a name").to_owned())
    };
    manifest["parts"].as_array().expect("parts").iter().map(part).collect()
}

#[test]
fn several_sessions_read_every_row_of_a_big_table_once() {
    let test = big();
    test.connection("qvp", &test.place("qvp").replace('}', ", max_connections: 3}"));

    test.succeeds(&["run", "--threads", "1"]);

    for (table, rows) in [("big", 5200), ("parted", 4700)] {
        let parts = parts(&test, table);
        assert!(parts.len() >= 2, "{table} was read by one session");
        assert_eq!(parts.iter().map(|part| part.0).sum::<u64>(), rows);
        let names: Vec<String> = (0..parts.len()).map(|number| format!("part-{number:05}.csv.gz")).collect();
        assert_eq!(parts.iter().map(|part| part.1.as_str()).collect::<Vec<_>>(), names);
        let digest = format!("select md5(string_agg(id || filler, ',' order by id)) from {table}");
        let copied = digest.replace(&format!("from {table}"), &format!("from stg_qvp.{table}"));
        assert_eq!(test.query_source("qvp", &digest), test.query_target(&copied));
    }
    assert_eq!(parts(&test, "small").len(), 1);
    let order = "select node from unimig.step order by started_at";
    assert_eq!(test.query_target(order), ["stg.qvp.big", "stg.qvp.parted", "stg.qvp.small"]);
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

#[test]
fn a_connection_without_sessions_to_spare_is_enough() {
    let test = big();
    test.connection("qvp", &test.place("qvp").replace('}', ", max_connections: 2}"));

    test.succeeds(&["run", "--threads", "3"]);

    assert_eq!(test.value("select count(*) from stg_qvp.big"), "5200");
    assert_eq!(test.value("select count(*) from stg_qvp.parted"), "4700");
}

#[test]
fn a_source_that_shares_no_snapshot_is_read_table_by_table_and_says_so() {
    let test = big();
    test.on_source(
        "qvp",
        "revoke execute on function pg_export_snapshot() from public;
         grant select on all tables in schema public to reader",
    );
    test.connection("qvp", &test.place("qvp").replace("user: unimig", "user: reader"));

    test.succeeds(&["run"]).stderr_has("the source shares no snapshot");

    assert_eq!(parts(&test, "big").len(), 1);
    assert_eq!(test.value("select count(*) from stg_qvp.big"), "5200");
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

/// Columns that the planner believes to be wide, so that few rows are many bytes.
const WIDE: &str = "''::varchar(999) as a, ''::varchar(999) as b, ''::varchar(999) as c, ''::varchar(999) as d, \
                    ''::varchar(999) as e, ''::varchar(999) as f, ''::varchar(999) as g, ''::varchar(999) as h";

#[test]
fn what_has_no_pages_to_cut_is_cut_along_its_key_and_loses_no_row() {
    let test = Test::new()
        .source_sql(
            "qvp",
            &format!(
                "create table big as select id::bigint from generate_series(1, 20000) as id;
                create index on big (id);
                create table late (id bigint unique);
                insert into late values (-3), (99999), (null);
                analyze big, late;
                create view seen as select id, {WIDE} from big union all select id, {WIDE} from late;
                create view hidden as select row_number() over (order by id desc) as place, id, {WIDE} from big;
                create table parted (code text primary key, like seen) partition by range (code);
                create table parted_low partition of parted for values from (minvalue) to ('k10000')
                    with (autovacuum_enabled = off);
                create table parted_high partition of parted for values from ('k10000') to (maxvalue)
                    with (autovacuum_enabled = off);
                insert into parted (code, id) select 'k' || lpad(id::text, 5, '0'), id from big;
                analyze parted (code);
                grant select on seen, hidden, parted to reader"
            ),
        )
        .file(
            "sources/qvp.yml",
            "sources: [{name: qvp, tables: [{name: seen, key: [id]}, {name: hidden, key: [place]}, \
             {name: parted, key: [code]}]}]\n",
        );
    let place = test.place("qvp").replace("user: unimig", "user: reader");
    test.connection("qvp", &place.replace('}', ", max_connections: 3}"));

    let refused = test.run(&["run", "--select", "stg.qvp.seen"]).exit(1);
    refused.stderr_has("the key (id) of stg.qvp.seen is NULL or not unique");
    test.on_source("qvp", "delete from late where id is null");
    std::fs::remove_dir_all(test.path().join(".unimig/layer")).expect("a layer");
    test.succeeds(&["run", "--threads", "1"]);

    for (table, rows) in [("seen", 20_002), ("parted", 20_000)] {
        let parts = parts(&test, table);
        assert!(parts.len() >= 2, "{table} was read by one session");
        assert_eq!(parts.iter().map(|part| part.0).sum::<u64>(), rows);
        let digest = format!("select md5(string_agg(id::text, ',' order by id)) from {table}");
        let copied = digest.replace(&format!("from {table}"), &format!("from stg_qvp.{table}"));
        assert_eq!(test.query_source("qvp", &digest), test.query_target(&copied));
    }
    assert_eq!(parts(&test, "hidden").len(), 1, "each slice of a numbering costs as much as the whole");
    test.succeeds(&["run"]);
    test.wrote_nothing();
}
