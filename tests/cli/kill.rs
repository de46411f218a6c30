//! Invariant 5: killing it at any instant leaves every target as before or as after, and the next run completes it.

use std::time::{Duration, Instant, SystemTime};

use crate::harness::Test;

const ROUNDS: u32 = 50;

/// Sums that every snapshot of the source shares: no half of a transfer is ever visible there, nor may it be here.
const SOURCE: &str = "
create table accounts (id bigint primary key, held numeric not null, owed numeric not null);
insert into accounts select n, 100, -100 from generate_series(1, 400) as n;
create table ledger (
    id bigint primary key,
    entry text,
    amount numeric not null default 0,
    updated_at timestamptz not null default clock_timestamp()
);
insert into ledger (id, entry) select n, repeat('entry ', 20) || n from generate_series(1, 2000) as n;
";

const TARGET: &str = "create table app.balance (id bigint primary key, held numeric, owed numeric)";

const SOURCES: &str = "
version: 2
sources:
  - name: bank
    connection: bank
    tables:
      - {name: accounts, key: [id]}
      - {name: ledger, key: [id], cdc: {strategy: window, columns: [updated_at], window: 1 second}}
";

/// Each is true in every state that a whole run or no run leaves. Tables that are not there yet are not asked.
const CHECKS: [(&str, &str); 7] = [
    (
        "stg_bank.accounts_live",
        "select coalesce(sum(held), 40000) = 40000 and coalesce(sum(held + owed), 0) = 0 from stg_bank.accounts_live",
    ),
    ("stg_bank.ledger", "select coalesce(sum(amount), 0) = 0 from stg_bank.ledger"),
    (
        "unimig.\"bl.balance\"",
        "select coalesce(sum(held), 40000) = 40000 and coalesce(sum(held + owed), 0) = 0
        and count(*) = (select count(*) from unimig.\"bl.balance\") from app.balance",
    ),
    ("app.totals", "select count(*) = 1 and min(held) = 40000 and min(owed) = -40000 from app.totals"),
    (
        "stg_bank.accounts",
        "select (select count(*) from stg_bank.accounts as row where row._batch_id not in
        (select batch_id from unimig.batch where node = 'stg.bank.accounts')) = 0",
    ),
    (
        "stg_bank.accounts",
        "select (select count(*) from stg_bank.accounts where _batch_id = last.batch_id)
            = last.rows_inserted + last.rows_updated + last.rows_deleted
        from unimig.batch as last where node = 'stg.bank.accounts' order by batch_id desc limit 1",
    ),
    (
        "stg_bank.ledger",
        "select (select count(*) from stg_bank.ledger where _batch_id = last.batch_id)
            = last.rows_inserted + last.rows_updated + last.rows_deleted
        from unimig.batch as last where node = 'stg.bank.ledger' order by batch_id desc limit 1",
    ),
];

fn bank() -> Test {
    Test::new()
        .source_sql("bank", SOURCE)
        .target_sql(TARGET)
        .file("sources/bank.yml", SOURCES)
        .file(
            "models/bl/balance.sql",
            "{{ config(deletes='hard') }}\nselect id, held, owed from {{ source('bank', 'accounts') }}\n",
        )
        .file(
            "models/bl/totals.sql",
            "{{ config(materialized='table') }}\nselect sum(held) as held, sum(owed) as owed from {{ ref('balance') }}\n",
        )
        .file(
            "models/bl/entries.sql",
            "{{ config(materialized='table') }}\nselect id, entry, amount from {{ source('bank', 'ledger') }}\n",
        )
        .file("models/bl/rich.sql", "{{ config(materialized='view') }}\nselect id from {{ ref('balance') }} where held > 100\n")
}

/// The source goes on living: transfers, new and closed accounts, new and changed entries.
fn live_on(test: &Test, random: &mut Random) {
    let (from, to, gone) = (random.below(400) + 1, random.below(400) + 1, random.below(400) + 1);
    let round = random.below(1_000_000_000);
    test.on_source(
        "bank",
        &format!(
            "begin;
             update accounts set held = held - 7, owed = owed + 7 where id = {from};
             update accounts set held = held + 7, owed = owed - 7
             where id = (select id from accounts where exists (select from accounts where id = {from}) order by abs(id - {to}) limit 1);
             with closed as (delete from accounts where id = {gone} and (select count(*) from accounts) > 1 returning held, owed)
             update accounts set held = accounts.held + closed.held, owed = accounts.owed + closed.owed
             from closed
             where accounts.id = (select min(id) from accounts where id <> {gone});
             insert into accounts values ({round} + 1000, 0, 0) on conflict do nothing;
             insert into ledger (id, entry) values ({round} + 10000, 'new');
             update ledger set amount = amount + 5, updated_at = clock_timestamp() where id = {from} + 400;
             update ledger set amount = amount - 5, updated_at = clock_timestamp() where id = {to} + 800;
             commit"
        ),
    );
}

#[track_caller]
fn every_target_is_whole(test: &Test, round: &str) {
    let session = test.session("target");
    for (relation, check) in CHECKS {
        let is_there = format!("select (to_regclass('{relation}') is not null)::text");
        if session.rows(&is_there) == ["true"] {
            let holds = session.rows(check);
            assert!(holds.iter().all(|answer| answer == "t"), "{round}: {check}");
        }
    }
}

#[test]
fn a_run_that_is_killed_at_any_instant_leaves_nothing_half_done() {
    let seed = std::env::var("UNIMIG_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().expect("the clock is past 1970").as_secs());
    let mut random = Random(seed | 1);
    let test = bank();
    let twin = test.twin(TARGET);
    let started = Instant::now();
    twin.succeeds(&["run"]);
    let longest = started.elapsed().mul_f64(1.2);
    let mut killed = 0;

    for round in 0..ROUNDS {
        let place = format!("round {round} of UNIMIG_TEST_SEED={seed}");
        if round % 9 == 8 {
            // A first load may be killed as well as a later one.
            test.wait_until_quiet();
            test.on_target("drop table if exists stg_bank.accounts, stg_bank.ledger cascade");
        }
        live_on(&test, &mut random);
        let run = test.start(&["run"]);
        // The instant is what this test is about.
        std::thread::sleep(random.within(longest));
        killed += u32::from(run.kill());
        every_target_is_whole(&test, &place);
    }

    assert!(killed > ROUNDS / 4, "only {killed} runs were killed before their end");
    let outcome = test.run(&["run"]);
    assert_eq!(outcome.code, Some(0), "UNIMIG_TEST_SEED={seed}\n{}", outcome.transcript());
    every_target_is_whole(&test, "the clean run");
    let untouched = test.twin(TARGET);
    untouched.succeeds(&["run"]);
    assert_eq!(test.live_state(), untouched.live_state(), "UNIMIG_TEST_SEED={seed}");
    test.succeeds(&["run"]);
    test.wrote_nothing();
}

/// Marsaglia's xorshift: the same instants for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn within(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(longest.as_micros()).expect("a run is short").max(1)))
    }
}
