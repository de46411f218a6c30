//! The layer: out of space, not writable, or altered between extraction and load.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Outcome, Test, files_below};

fn parts(test: &Test) -> Vec<PathBuf> {
    let files = files_below(&test.path().join(".unimig/layer"));
    files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "gz")).collect()
}

/// Lets a run extract, damages what it wrote, and lets it load.
fn load_after(damage: impl FnOnce(&Path)) -> (Test, Outcome) {
    let test = Test::sample();
    test.on_source("qvp", "create table kept as table applicants; delete from applicants");
    test.succeeds(&["run", "--select", "stg.qvp.applicants"]);
    let known = parts(&test);
    test.on_source("qvp", "insert into applicants overriding system value select * from kept");
    // An empty copy is truncated before its first rows come, and that must wait for whoever reads it.
    let reader = test.session("target");
    reader.execute("begin; lock table stg_qvp.applicants in access share mode");
    let run = test.start(&["run", "--select", "stg.qvp.applicants"]);
    test.session("target")
        .wait_until("exists (select from pg_locks where not granted and relation = 'stg_qvp.applicants'::regclass)");

    let new: Vec<PathBuf> = parts(&test).into_iter().filter(|path| !known.contains(path)).collect();
    assert_eq!(new.len(), 1, "one batch was extracted");
    damage(&new[0]);
    reader.execute("rollback");
    let outcome = run.wait();
    (test, outcome)
}

#[track_caller]
fn is_refused_and_mended((test, outcome): (Test, Outcome), words: &str) {
    outcome.exit(1).stderr_has(words).stderr_has("qvp/applicants/").stderr_has("part-00000.csv.gz");
    assert_eq!(test.value("select count(*) from stg_qvp.applicants"), "0");
    test.succeeds(&["run", "--select", "stg.qvp.applicants"]);
    assert_eq!(test.value("select count(*) from stg_qvp.applicants"), "50");
}

#[test]
fn an_altered_part_is_refused_by_name() {
    let damaged = load_after(|part| {
        let mut bytes = std::fs::read(part).expect("the part is there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(part, bytes).expect("the part can be written");
    });

    is_refused_and_mended(damaged, "was altered");
}

#[test]
fn a_truncated_part_is_refused_by_name() {
    let damaged = load_after(|part| {
        let bytes = std::fs::read(part).expect("the part is there");
        std::fs::write(part, &bytes[..bytes.len() / 2]).expect("the part can be written");
    });

    is_refused_and_mended(damaged, "its manifest says");
}

#[test]
fn a_part_that_is_gone_is_refused_by_name() {
    let damaged = load_after(|part| std::fs::remove_file(part).expect("the part is there"));

    is_refused_and_mended(damaged, "does not exist");
}

#[test]
fn a_store_that_cannot_be_written_is_told() {
    let test = Test::sample();
    test.write(".unimig/layer", "a file in the way of the folder");

    let outcome = test.run(&["run"]);

    assert!([Some(1), Some(3)].contains(&outcome.code), "{}", outcome.transcript());
    outcome.stderr_has("store \"layer\"");
    assert_eq!(test.tables(), ["app.person"]);
}

#[test]
fn a_full_disk_below_the_layer_is_told_and_changes_nothing() {
    let test = Test::sample();
    let disk = SmallDisk::mount(&test.path().join(".unimig/layer"));
    test.on_source(
        "qvp",
        "insert into audit_log select n, (select string_agg(md5(random()::text), '') from generate_series(1, 200) where n > 0)
         from generate_series(1000, 2500) as n",
    );

    test.run(&["run"]).exit(1).stderr_has("no space left").stderr_has("hint: free some space");

    assert_eq!(test.result("stg.qvp.audit_log").status, "failed");
    assert_eq!(test.result("stg.svp.labors").wrote(), (40, 0, 0));
    let manifests = files_below(&test.path().join(".unimig/layer/qvp/audit_log"));
    assert!(manifests.iter().all(|path| !path.ends_with("manifest.json")), "{manifests:?}");
    drop(disk);
    test.succeeds(&["run"]);
    assert_eq!(test.result("stg.qvp.audit_log").wrote(), (1701, 0, 0));
}

#[test]
fn a_batch_that_is_pruned_by_half_is_none_any_more_and_its_rest_goes_later() {
    let test = Test::sample();
    for _ in 0..2 {
        test.succeeds(&["run", "--select", "stg.qvp.applicants"]);
    }
    let oldest = parts(&test).into_iter().min().expect("two batches");
    let folder = oldest.parent().expect("a batch").to_path_buf();
    let prune = ["layer", "prune", "--keep-batches", "1"];
    let disk = SmallDisk::mount(&folder.join("in the way"));

    test.run(&prune).exit(1).stderr_has("could not delete \"qvp/applicants/").stderr_has("busy");

    assert_eq!(files_below(&folder).len(), 0, "its manifest went first, and then its parts");
    test.succeeds(&["layer", "verify"]).stderr_has("1 part in 1 batch");
    drop(disk);
    test.succeeds(&prune).stdout_has("removed 1 batch");
    assert!(!folder.exists());
    test.succeeds(&["run", "--select", "stg.qvp.applicants"]);
    test.wrote_nothing();
}

/// A file system of 1 MiB.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder can be made");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder).status();
        let is_mounted = mounted.is_ok_and(|status| status.success());
        assert!(is_mounted, "this test mounts a disk of 1 MiB, which needs root: run it as root, or in a container");
        Self(folder.to_path_buf())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A mount that stays is seen by whoever removes the folder.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
