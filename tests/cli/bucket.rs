//! The layer in a bucket: what a killed run leaves there that no listing shows.

use std::time::{Duration, Instant};

use crate::harness::{S3, Test};

/// A table of 4000 rows that gzip can't make much smaller, whose last one waits at a gate.
const SOURCE: &str = "
create table noise as
select
    id::bigint,
    (select string_agg(md5(random()::text || id || number), '') from generate_series(1, 200) as number) as filler
from generate_series(1, 4000) as id;
create function gate(id bigint) returns bigint language plpgsql as $$
begin
    if id = 4000 then perform pg_advisory_xact_lock_shared(42); end if;
    return id;
end $$;
create view gated as select gate(id) as id, filler from noise";

#[test]
fn an_upload_that_was_killed_half_way_is_aborted_by_the_next_run() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let s3 = runtime.block_on(S3::serve());
    let test = Test::new()
        .source_sql("qvp", SOURCE)
        .file("sources/qvp.yml", "sources: [{name: qvp, tables: [{name: gated, key: [id]}]}]\n");
    test.succeeds(&["parse"]);
    let profile = std::fs::read_to_string(test.path().join("profiles.yml")).expect("a profile");
    let place = format!(
        "url: \"oci://namespace@me-jeddah-1/bucket/layer\", endpoint: \"http://{}\", access_key_id: k3y, \
         secret_access_key: s3cret",
        s3.address
    );
    let test = test.own_profile().file("profiles.yml", &profile.replace("url: \"file://.unimig/layer\"", &place));
    let states = || {
        let listed = test.succeeds(&["layer", "ls", "--output", "json"]).json();
        let batches = listed["batches"].as_array().expect("a list").clone();
        batches.iter().map(|batch| batch["state"].as_str().expect("a word").to_owned()).collect::<Vec<_>>()
    };
    let gate = test.session("qvp");
    gate.execute("select pg_advisory_lock(42)");

    let run = test.start(&["run"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while states() != ["incomplete"] {
        assert!(Instant::now() < deadline, "no piece was sent");
    }
    assert!(run.kill());
    gate.execute("select pg_advisory_unlock(42)");
    test.wait_until_quiet();

    assert!(s3.open_uploads() > 0, "the upload is open, and only its note is listed");
    test.succeeds(&["layer", "verify"]).stderr_has("0 parts in 0 batches");
    test.succeeds(&["run"]);
    assert_eq!((s3.open_uploads(), states()), (0, vec!["loaded".to_owned()]));
    assert_eq!(test.value("select count(*) from stg_qvp.gated"), "4000");
}
