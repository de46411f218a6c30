//! Sources are read as gently as the profile says: at a pace, not in some hours, and not while something is in the way.

use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::{Session, Started, Test};

/// A run whose words can be read while it lasts.
fn start_told(test: &Test, arguments: &[&str]) -> Started {
    let mut command = test.command(arguments);
    let told = File::create(test.path().join("told")).expect("a file can be made");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(told);
    Started::new(arguments, command.spawn().expect("the binary starts"))
}

fn told(test: &Test) -> String {
    std::fs::read_to_string(test.path().join("told")).expect("what was said")
}

#[track_caller]
fn wait_until_told(test: &Test, clock: &Session, words: &str) {
    for _ in 0..2_000 {
        if told(test).contains(words) {
            return;
        }
        clock.execute("select pg_sleep(0.01)");
    }
    panic!("waited in vain for {words:?}\n{}", told(test));
}

fn limited(test: &Test, limits: &str) {
    test.connection("qvp", &test.place("qvp").replace('}', &format!(", {limits}}}")));
}

fn big() -> Test {
    Test::new()
        .source_sql(
            "qvp",
            "create table big (id bigint primary key, filler text);
            insert into big select n, repeat('x', 1000) from generate_series(1, 4200) as n",
        )
        .file("sources/qvp.yml", "sources: [{name: qvp, tables: [{name: big, key: [id]}]}]\n")
}

#[test]
fn bytes_come_at_their_pace_and_a_pause_file_holds_a_running_copy() {
    let test = big();
    let clock = test.session("target");
    limited(&test, "max_bytes_per_second: 2 MB, pause_file: pause");
    let started = Instant::now();
    test.succeeds(&["run"]);
    // The first of four blocks goes at once, each other one waits for half a second.
    assert!(started.elapsed() > Duration::from_millis(1_400), "{:?}", started.elapsed());

    // A pause that begins in the middle of a COPY, and ends.
    test.on_source("qvp", "update big set filler = repeat('y', 1000)");
    limited(&test, "max_bytes_per_second: 1 MB, pause_file: pause");
    let run = start_told(&test, &["run"]);
    test.session("qvp").wait_until(
        "exists (select from pg_stat_activity where datname = current_database() and query ilike 'copy%big%' and pid <> pg_backend_pid())",
    );
    test.write("pause", "");
    wait_until_told(&test, &clock, "waiting: pause file");
    assert_eq!(test.value("select count(*) from stg_qvp.big where filler like 'y%'"), "0");
    test.remove("pause");
    run.wait().exit(0);
    assert!(told(&test).contains("going on after"), "{}", told(&test));
    assert_eq!(test.value("select count(*) from stg_qvp.big where filler like 'y%'"), "4200");

    // One that was there before, and Ctrl-C: the source was never opened, and the other one is read.
    test.on_source("other", "create table little (id bigint primary key); insert into little values (1)");
    test.write("sources/other.yml", "sources: [{name: other, tables: [{name: little, key: [id]}]}]\n");
    test.write("pause", "");
    let run = start_told(&test, &["run"]);
    wait_until_told(&test, &clock, "waiting: pause file");
    clock.wait_until("to_regclass('stg_other.little') is not null");
    let sessions =
        "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'unimig%'";
    assert_eq!(test.query_source("qvp", sessions), ["0"]);
    run.interrupt();
    run.wait().exit(130);
}

#[test]
fn blackouts_and_a_busy_server_are_waited_for() {
    let test = Test::sample();
    let clock = test.session("target");
    // Limits that nothing reaches.
    let idle = "max_active_sessions: 10000, max_replica_lag: 1s, blackout: \"00:00-00:01 Etc/GMT+12\"";
    limited(&test, idle);
    test.succeeds(&["run", "--select", "stg.qvp.*"]).stderr_lacks("sessions of others");

    // The whole day.
    limited(&test, "blackout: [\"00:00-23:59 UTC\", \"23:58-00:01 UTC\"]");
    let run = start_told(&test, &["run", "--select", "stg.qvp.*"]);
    wait_until_told(&test, &clock, "waiting: blackout");
    run.interrupt();
    run.wait().exit(130);

    // Somebody is at work: a session that waits for a lock is active.
    let holder = test.session("qvp");
    holder.execute("select pg_advisory_lock(5)");
    let database = test.database("qvp");
    let active = std::thread::spawn(move || Session::open(&database).execute("select pg_advisory_lock(5)"));
    holder.wait_until("exists (select from pg_locks where locktype = 'advisory' and not granted)");
    limited(&test, "max_active_sessions: 0");
    let run = start_told(&test, &["run", "--select", "stg.qvp.*"]);
    wait_until_told(&test, &clock, "of others are active, and 0 may be");
    run.interrupt();
    run.wait().exit(130);
    holder.execute("select pg_advisory_unlock(5)");
    active.join().expect("it got the lock");

    // What can't be seen can't be waited for.
    test.on_source("qvp", "grant select on all tables in schema public to reader");
    test.connection(
        "qvp",
        &test.place("qvp").replace("user: unimig", "user: reader").replace('}', &format!(", {idle}}}")),
    );
    let blind = test.run(&["run", "--select", "stg.*"]).exit(1);
    blind.stderr_has("its load can't be watched").stderr_has("grant pg_read_all_stats").stderr_has("profiles.yml:");
    assert_eq!(test.result("stg.svp.labors").status, "ok");

    for (mistake, words) in [
        ("blackout: \"08:00-17:00\"", "is no blackout"),
        ("blackout: \"08:00-17:00 Asia/Nowhere\"", "no time zone that this machine knows"),
        ("max_bytes_per_second: fast", "max_bytes_per_second is \"fast\""),
        ("max_replica_lag: 30", "max_replica_lag: 30s"),
        ("max_active_sessions: 5, max_connections: 2", "at least 3"),
    ] {
        limited(&test, mistake);
        test.run(&["run"]).exit(2).stderr_has(words);
    }
}
