//! Stores on disk: what is written comes back, and what was altered does not pass.

use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use futures_util::TryStreamExt;
use tempfile::TempDir;

use super::{
    BatchKind, BatchManifest, BatchSnapshot, ManifestColumn, PartEntry, PartOptions, PartWriter, RowHash, Store,
    StoreError, StoreSettings, Usage, batch_prefix, read, read_part, write,
};

const HEADER: &[u8] = b"id,text\n";

fn on_disk() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder, "file://.unimig/layer").expect("a store");
    (folder, store)
}

fn open(folder: &TempDir, url: &str) -> Result<Store, StoreError> {
    Store::open("layer", &StoreSettings { url: url.to_owned(), ..Default::default() }, folder.path())
}

fn options(target_part_bytes: u64) -> PartOptions {
    PartOptions { target_part_bytes, ..PartOptions::new(Bytes::from_static(HEADER)) }
}

/// Rows that do not compress to nothing, a block of a thousand at a time.
fn block(number: u64) -> Bytes {
    let mut text = String::new();
    for row in 0..1000 {
        let id = number * 1000 + row;
        text.push_str(&format!("{id},{:016x}{:016x}\n", id.wrapping_mul(0x9e37_79b9_7f4a_7c15), !id));
    }
    text.into()
}

async fn write_blocks(store: &Store, prefix: &str, blocks: u64, target: u64) -> Result<Vec<PartEntry>, StoreError> {
    let mut writer = PartWriter::new(store, prefix, options(target));
    for number in 0..blocks {
        writer.write(block(number), 1000).await?;
    }
    writer.finish().await
}

async fn csv(store: &Store, prefix: &str, part: &PartEntry) -> Result<Vec<u8>, StoreError> {
    let chunks: Vec<Bytes> = read_part(store, prefix, part).await?.try_collect().await?;
    Ok(chunks.concat())
}

fn file(folder: &TempDir, key: &str) -> PathBuf {
    folder.path().join(".unimig/layer").join(key)
}

#[tokio::test]
async fn what_is_put_is_listed_read_counted_and_deleted() {
    let (folder, store) = on_disk();
    store.put("svp/labors/1/a", Bytes::from("one")).await.expect("put");
    store.put("svp/labors2/1/b", Bytes::from("two!")).await.expect("put");
    assert_eq!(std::fs::read(file(&folder, "svp/labors/1/a")).expect("a file"), b"one");

    let keys: Vec<String> = store.list("svp/labors").await.expect("listed").into_iter().map(|o| o.key).collect();
    assert_eq!(keys, ["svp/labors/1/a"]);
    assert_eq!(store.usage("").await.expect("usage"), Usage { objects: 2, bytes: 7 });
    assert_eq!(store.get_bytes("svp/labors2/1/b").await.expect("read"), "two!");

    store.delete(&["svp/labors/1/a".to_owned(), "never/there".to_owned()]).await.expect("deleted");
    assert!(matches!(store.get("svp/labors/1/a").await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn a_writable_store_is_as_before_after_the_check() {
    let (_folder, store) = on_disk();
    store.check_writable().await.expect("writable");
    assert_eq!(store.usage("").await.expect("usage"), Usage::default());
}

#[tokio::test]
async fn rows_come_back_byte_for_byte_from_parts_that_each_begin_with_the_header() {
    let (_folder, store) = on_disk();
    let parts = write_blocks(&store, "svp/labors/1", 400, 1024 * 1024).await.expect("written");
    assert!(parts.len() > 2, "{parts:?}");
    assert_eq!(parts.iter().map(|part| part.rows).sum::<u64>(), 400_000);

    let mut rows = Vec::new();
    for part in &parts {
        let text = csv(&store, "svp/labors/1", part).await.expect("read");
        assert_eq!(text.len() as u64, part.csv_bytes);
        rows.extend_from_slice(text.strip_prefix(HEADER).expect("a header"));
    }
    let expected: Vec<u8> = (0..400).flat_map(|number| block(number).to_vec()).collect();
    assert!(rows == expected);
}

#[tokio::test]
async fn a_part_is_what_gunzip_and_sha256sum_say_it_is() {
    let (folder, store) = on_disk();
    let parts = write_blocks(&store, "a/b/1", 300, u64::MAX).await.expect("written");
    let path = file(&folder, "a/b/1/part-00000.csv.gz");
    assert_eq!(std::fs::metadata(&path).expect("a file").len(), parts[0].bytes);
    let sum = Command::new("sha256sum").arg(&path).output().expect("sha256sum");
    assert!(String::from_utf8_lossy(&sum.stdout).starts_with(&parts[0].sha256));
    let text = Command::new("gzip").arg("-dc").arg(&path).output().expect("gzip");
    assert!(text.stdout == csv(&store, "a/b/1", &parts[0]).await.expect("read"));
}

#[tokio::test]
async fn a_table_without_rows_has_no_part() {
    let (_folder, store) = on_disk();
    assert_eq!(write_blocks(&store, "a/b/1", 0, 1).await.expect("written"), []);
    assert_eq!(store.usage("").await.expect("usage"), Usage::default());
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_no_part_under_its_name() {
    let (_folder, store) = on_disk();
    let mut writer = PartWriter::new(&store, "a/b/1", options(u64::MAX));
    for number in 0..300 {
        writer.write(block(number), 1000).await.expect("written");
    }
    writer.abandon().await;
    assert_eq!(store.usage("").await.expect("usage"), Usage::default());
}

#[tokio::test]
async fn a_part_that_was_altered_cut_or_removed_is_found_out() {
    let (folder, store) = on_disk();
    let parts = write_blocks(&store, "a/b/1", 300, u64::MAX).await.expect("written");
    let path = file(&folder, "a/b/1/part-00000.csv.gz");
    let written = std::fs::read(&path).expect("a file");

    let mut altered = written.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    std::fs::write(&path, &altered).expect("altered");
    let error = csv(&store, "a/b/1", &parts[0]).await.expect_err("altered");
    assert!(matches!(&error, StoreError::Altered { object, .. } if object == "a/b/1/part-00000.csv.gz"), "{error}");

    std::fs::write(&path, &written[..middle]).expect("cut");
    let error = csv(&store, "a/b/1", &parts[0]).await.expect_err("cut");
    assert!(matches!(error, StoreError::Truncated { found, .. } if found == middle as u64), "{error}");

    std::fs::remove_file(&path).expect("removed");
    assert!(matches!(csv(&store, "a/b/1", &parts[0]).await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn an_object_that_never_was_gzip_is_named() {
    let (_folder, store) = on_disk();
    store.put("a/b/1/part-00000.csv.gz", Bytes::from("id\n1\n")).await.expect("put");
    let part = PartEntry {
        name: "part-00000.csv.gz".to_owned(),
        bytes: 5,
        sha256: super::compress::hex(&<sha2::Sha256 as sha2::Digest>::digest(b"id\n1\n")),
        ..PartEntry::default()
    };
    let error = csv(&store, "a/b/1", &part).await.expect_err("no gzip");
    assert!(matches!(&error, StoreError::BadGzip { .. }) && error.to_string().contains("part-00000"), "{error}");
}

fn manifest() -> BatchManifest {
    BatchManifest {
        format_version: BatchManifest::FORMAT_VERSION,
        source: "svp".to_owned(),
        table: "Labors/2".to_owned(),
        batch_id: 7,
        extracted_at: "2026-11-22T02:14:07Z".parse().expect("a time"),
        snapshot: BatchSnapshot {
            id: Some("00000003-0000001B-1".to_owned()),
            source_clock: "2026-11-22T02:14:06Z".parse().expect("a time"),
            oldest_transaction_at: None,
        },
        kind: BatchKind::Full,
        window: None,
        ranges: None,
        digest: None,
        row_hash: RowHash::Columns,
        columns: vec![ManifestColumn {
            name: "id".to_owned(),
            data_type: "bigint".to_owned(),
            stg_type: "bigint".to_owned(),
        }],
        key: vec!["id".to_owned()],
        rows: 0,
        parts: Vec::new(),
        tool_version: "0.1.0".to_owned(),
    }
}

#[tokio::test]
async fn a_batch_exists_once_its_manifest_does() {
    let (_folder, store) = on_disk();
    assert!(matches!(read(&store, "svp", "Labors/2", 7).await, Err(StoreError::NotFound { .. })));
    write(&store, &manifest()).await.expect("written");
    assert_eq!(read(&store, "svp", "Labors/2", 7).await.expect("read"), manifest());
    assert_eq!(store.list("").await.expect("listed")[0].key, "svp/%4cabors%2f2/7/manifest.json");
}

#[tokio::test]
async fn a_manifest_of_a_later_format_is_refused() {
    let (_folder, store) = on_disk();
    let key = format!("{}/manifest.json", batch_prefix("svp", "t", 1));
    store.put(&key, Bytes::from(r#"{"format_version": 2, "other": true}"#)).await.expect("put");
    let error = read(&store, "svp", "t", 1).await.expect_err("a later format");
    assert!(error.to_string().contains("format version 2, expected 1"), "{error}");
}

/// A file system of one megabyte, unmounted when this goes.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path()).status();
        assert!(mount.is_ok_and(|status| status.success()), "this test mounts a tmpfs, which needs root");
        Self(folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_named_and_leaves_no_part() {
    let disk = SmallDisk::mount();
    let store = open(&disk.0, "file://layer").expect("a store");
    let error = write_blocks(&store, "a/b/1", 400, u64::MAX).await.expect_err("full");
    assert!(matches!(&error, StoreError::DiskFull { store, .. } if store == "layer"), "{error:?}");
    assert!(error.to_string().contains("hint: free some space"));
    assert_eq!(store.usage("").await.expect("usage"), Usage::default());

    let error = store.put("x", Bytes::from(vec![1; 2_000_000])).await.expect_err("full");
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
}

#[test]
fn urls_that_name_no_place_are_refused_and_no_secret_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in ["layer", "ftp://x", "s3://", "oci://ns/bucket", "oci://@r/bucket", "oci://ns@r"] {
        assert!(matches!(open(&folder, url), Err(StoreError::Url { .. })), "{url}");
    }
    let settings = StoreSettings {
        url: "oci://ns@me-jeddah-1/bucket/prod".to_owned(),
        access_key_id: Some("k3y".to_owned()),
        secret_access_key: Some("s3cret".to_owned()),
        ..Default::default()
    };
    let store = Store::open("layer", &settings, Path::new("/")).expect("a store");
    let shown = format!("{settings:?} {store:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("k3y"));
}
