//! Thirty days in the life of two sources, a day being a second or two: whatever they do meanwhile and whatever happens to
//! the runs, after each day's run the copies equal the sources, and another run writes nothing.
//!
//! `UNIMIG_STORM_SEED` and `UNIMIG_STORM_DAYS` try other lives.

mod chance;
mod source;

use std::fmt::Write;

use crate::harness::{Started, Test};
use chance::Chance;
use source::{Life, TABLES};

const SEED: u64 = 20_261_124;
const DAYS: u64 = 30;

const SOURCE_YAML: &str = "
  - name: SOURCE
    drift: {dropped: warn}
    tables:
      - {name: people, key: [id], cdc: {strategy: full}}
      - name: visits
        key: [id]
        cdc: {strategy: window, columns: [created_at, updated_at], window: 1 second}
      - name: labors
        key: [country, number]
        cdc: {strategy: window, columns: [updated_at], window: 1 second}
        deletes: {detect: sweep, every: 1 millisecond}
      - name: marks
        key: [id]
        cdc: {strategy: watermark, columns: [updated_at], overlap: 500 milliseconds}
        deletes: {detect: [column, sweep], column: deleted_at, every: 1 millisecond}
      - {name: stock, key: [code], cdc: {strategy: compare, rows_per_range: 10}}
      - {name: notes, cdc: {strategy: full}}
      - {name: events, key: [id], cdc: {strategy: append, columns: [id], overlap: 20}}
";

fn given(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn thirty_days_of_storm_end_each_evening_with_copies_that_equal_their_sources() {
    let (seed, days) = (given("UNIMIG_STORM_SEED", SEED), given("UNIMIG_STORM_DAYS", DAYS));
    let yaml = ["qvp", "svp"].iter().fold("sources:".to_owned(), |mut yaml, source| {
        yaml.push_str(&SOURCE_YAML.replace("SOURCE", source));
        yaml
    });
    let test =
        Test::new().source_sql("qvp", source::SCHEMA).source_sql("svp", source::SCHEMA).file("sources/both.yml", &yaml);
    let mut chance = Chance::new(seed);
    let mut lives = ["qvp", "svp"].map(|source| Life::new(&test, source));
    let mut survived = (0, 0, 0);
    for day in 1..=days {
        for life in &mut lives {
            life.change_schema(day);
        }
        match chance.of(10) {
            // A day without a run.
            0 => live(&mut lives, &mut chance, 60),
            1..=3 => survived.0 += u32::from(killed(&test, &mut lives, &mut chance)),
            4 | 5 => survived.1 += u32::from(cut_off(&test, &mut lives, &mut chance)),
            6 => survived.2 += u32::from(lost_its_layer(&test, &mut lives, &mut chance)),
            _ => {
                let run = test.start(&["run", "--threads", "4"]);
                live(&mut lives, &mut chance, 60);
                run.wait().exit(0);
            }
        }
        if chance.of(8) == 0 {
            continue;
        }
        for life in &mut lives {
            life.rest(&mut chance);
        }
        test.succeeds(&["run"]).stderr_lacks("are not in the copy");
        assert_eq!(differences(&test), "", "on day {day} of the storm with seed {seed}");
        let before = test.state();
        test.succeeds(&["run"]);
        test.wrote_nothing();
        assert_eq!(test.state(), before, "a second run on day {day} with seed {seed}");
    }
    let all = survived.0 > 0 && survived.1 > 0 && survived.2 > 0;
    assert!(days < DAYS || all, "no run was killed, cut off or lost its layer: {survived:?}");
}

fn live(lives: &mut [Life; 2], chance: &mut Chance, moments: u64) {
    for _ in 0..moments {
        lives[usize::from(chance.of(2) == 1)].act(chance);
    }
}

/// The process is killed after a while. Tells whether it was still running.
fn killed(test: &Test, lives: &mut [Life; 2], chance: &mut Chance) -> bool {
    let run: Started = test.start(&["run"]);
    wait_for_sessions(test);
    let moments = chance.of(300);
    live(lives, chance, moments);
    let was_running = run.kill();
    test.wait_until_quiet();
    was_running
}

/// The servers end its sessions after a while. Tells whether there were any.
fn cut_off(test: &Test, lives: &mut [Life; 2], chance: &mut Chance) -> bool {
    let run = test.start(&["run"]);
    wait_for_sessions(test);
    let moments = chance.of(200);
    live(lives, chance, moments);
    let ended = test.query_target(&format!("select pg_terminate_backend(pid) {}", sessions(test)));
    live(lives, chance, 10);
    // Steps that lost their session are begun again, and succeed or not.
    run.wait();
    !ended.is_empty()
}

/// A file takes the place of a source's folder in the layer after a while. Tells whether the run failed.
fn lost_its_layer(test: &Test, lives: &mut [Life; 2], chance: &mut Chance) -> bool {
    let layer = test.path().join(".unimig/layer");
    let source = if chance.of(2) == 0 { "qvp" } else { "svp" };
    let (folder, aside) = (layer.join(source), layer.join("aside"));
    let run = test.start(&["run"]);
    wait_for_sessions(test);
    let moments = chance.of(30);
    live(lives, chance, moments);
    // There may be no folder yet, and a new one may be made meanwhile.
    let was_there = std::fs::rename(&folder, &aside).is_ok();
    let _ = std::fs::write(&folder, "in the way");
    live(lives, chance, 30);
    let outcome = run.wait();
    if folder.is_file() {
        std::fs::remove_file(&folder).expect("the file can be removed");
    }
    if was_there {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::rename(&aside, &folder).expect("the folder can be put back");
    }
    assert!(matches!(outcome.code, Some(0 | 1 | 3)), "{}", outcome.transcript());
    outcome.code != Some(0)
}

fn sessions(test: &Test) -> String {
    let prefix = test.database("");
    format!("from pg_stat_activity where starts_with(datname, '{prefix}') and starts_with(application_name, 'unimig')")
}

fn wait_for_sessions(test: &Test) {
    test.session("target").wait_until(&format!("exists (select {})", sessions(test)));
}

/// Names each table whose live rows are not those of its source.
fn differences(test: &Test) -> String {
    let mut found = String::new();
    for source in ["qvp", "svp"] {
        for (table, live) in TABLES {
            let columns = test.query_source(
                source,
                &format!(
                    "select string_agg(quote_ident(attname), ', ' order by attname) from pg_attribute
                    where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped"
                ),
            );
            let digest = |relation: &str, condition: &str| {
                format!(
                    "select count(*) || ' rows ' || md5(coalesce(string_agg(image, ',' order by image collate \"C\"), ''))
                    from (select row({})::text as image from {relation} where {condition}) as images",
                    columns[0]
                )
            };
            let at_source = test.query_source(source, &digest(table, live));
            let copied = test.query_target(&digest(&format!("stg_{source}.{table}_live"), "true"));
            if at_source != copied {
                let _ = writeln!(found, "{source}.{table}: {} at the source, {} in the copy", at_source[0], copied[0]);
            }
        }
    }
    found
}
