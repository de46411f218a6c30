//! Columns that tell of changes should lead an index at the source: where they do not, people are told what that costs.

use crate::harness::Test;

const TABLES: &str = "
create table big (
    id bigint primary key,
    filler text,
    created_at timestamptz not null,
    updated_at timestamptz
);
alter table big alter filler set storage plain;
insert into big
select n, repeat('x', 7000), now() - n * interval '1 hour', case when n % 2 = 0 then now() - n * interval '1 hour' end
from generate_series(1, 5200) as n;
create index big_created_at on big (created_at);
create index big_partly on big (updated_at) where id > 5;
create index big_second on big (id, updated_at);
create table small (like big including all);
analyze big
";

const SOURCES: &str = "
sources:
  - name: qvp
    cdc: {strategy: window, columns: [created_at, updated_at], window: 2 hours}
    tables: [{name: big, key: [id]}, {name: small, key: [id]}]
";

#[test]
fn a_window_without_an_index_is_told_with_its_cost_and_one_with_indexes_uses_them() {
    let test = Test::new().source_sql("qvp", TABLES).file("sources/qvp.yml", SOURCES);
    let words = "no index of public.big begins with updated_at: every run reads all 40 MiB of it for an estimated ";
    // The first time everything is read, whatever the indexes.
    test.succeeds(&["run"]).stderr_lacks("no index of");

    let run = test.succeeds(&["run"]);
    assert_eq!(run.stderr.matches(words).count(), 1, "{}", run.transcript());
    run.stderr_has("rows, at an estimated cost of ").stderr_lacks("public.small");
    test.succeeds(&["debug"]).stdout_has(words);
    test.succeeds(&["check"]).stderr_has(words);
    let notes = test.succeeds(&["check", "--output", "json"]).json()["notes"].to_string();
    assert!(notes.contains(words), "{notes}");

    test.on_source("qvp", "create index big_updated_at on big (updated_at); analyze big");
    let scans = "select seq_scan from pg_stat_user_tables where relname = 'big'";
    test.wait_until_quiet();
    let before = test.query_source("qvp", scans);
    for arguments in [&["run"][..], &["debug"], &["check"]] {
        let outcome = test.succeeds(arguments);
        assert!(!outcome.stdout.contains("no index of"), "{}", outcome.transcript());
        outcome.stderr_lacks("no index of");
    }
    test.wait_until_quiet();
    assert_eq!(test.query_source("qvp", scans), before);
}
