//! The same over S3: a real server in this process, which checks signatures.

#[path = "../../tests/cli/harness/s3.rs"]
mod server;

use std::path::Path;

use bytes::Bytes;
use futures_util::TryStreamExt;

use self::server::S3;
use super::upload::Upload;
use super::{PartOptions, PartWriter, Store, StoreError, StoreSettings, Usage, batches, read_part, remove_batch};

fn open(s3: &S3, url: &str, secret: &str) -> Store {
    let settings = StoreSettings {
        url: url.to_owned(),
        region: None,
        endpoint: Some(format!("http://{}", s3.address)),
        access_key_id: Some("k3y".to_owned()),
        secret_access_key: Some(secret.to_owned()),
        session_token: None,
    };
    Store::open("layer", &settings, Path::new("/")).expect("a store")
}

/// Bytes that gzip cannot make smaller, in rows.
fn noise(rows: u64, seed: u64) -> Bytes {
    let mut state = seed | 1;
    let mut text = String::new();
    for _ in 0..rows {
        for _ in 0..8 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(&format!("{state:016x}"));
        }
        text.push('\n');
    }
    text.into()
}

#[tokio::test]
async fn parts_of_many_pieces_come_back_from_a_bucket_as_they_were() {
    let s3 = S3::serve().await;
    let store = open(&s3, "oci://namespace@me-jeddah-1/bucket/prod/layer", "s3cret");
    store.check_writable().await.expect("writable");
    let prefix = super::batch_prefix("svp", "Labors/2", 1);
    let header = Bytes::from_static(b"text\n");
    let mut writer = PartWriter::new(&store, &prefix, PartOptions::new(header));
    let mut expected = b"text\n".to_vec();
    for seed in 1..=20 {
        let rows = noise(8000, seed);
        expected.extend_from_slice(&rows);
        writer.write(rows, 8000).await.expect("written");
    }
    let parts = writer.finish().await.expect("finished");
    assert!(parts.len() == 1 && parts[0].bytes > 8 * 1024 * 1024, "{parts:?}");

    let listed = store.list("svp").await.expect("listed");
    assert_eq!(listed[0].key, "svp/%4cabors%2f2/1/part-00000.csv.gz");
    let chunks: Vec<Bytes> =
        read_part(&store, &prefix, &parts[0]).await.expect("a part").try_collect().await.expect("read");
    assert!(chunks.concat() == expected);

    store.delete(&[listed[0].key.clone(), "never/there".to_owned()]).await.expect("deleted");
    assert_eq!(store.usage("").await.expect("usage"), Usage::default());
}

#[tokio::test]
async fn a_wrong_secret_and_a_missing_object_are_told_apart() {
    let s3 = S3::serve().await;
    let error = open(&s3, "s3://bucket/prod", "wrong").check_writable().await.expect_err("refused");
    assert!(matches!(error, StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }), "{error:?}");
    assert!(error.is_unreachable());
    let store = open(&s3, "s3://bucket/prod", "s3cret");
    assert!(matches!(store.get_bytes("nix").await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn batches_without_a_manifest_are_found_in_a_bucket_and_removed() {
    let s3 = S3::serve().await;
    let store = open(&s3, "oci://namespace@me-jeddah-1/bucket/prod/layer", "s3cret");
    let put = async |key: &str| store.put(key, Bytes::from_static(b"bytes")).await.expect("put");
    for key in ["100/manifest.json", "100/part-00000.csv.gz", "200/part-00000.csv.gz", "300/manifest.json"] {
        put(&format!("svp/labors/{key}")).await;
    }
    put("svp/labors_2/400/part-00000.csv.gz").await;
    put("svp/labors/README/part-00000.csv.gz").await;

    let found = batches(&store, "svp", "labors", None).await.expect("listed");
    let told: Vec<_> = found.iter().map(|batch| (batch.batch_id, batch.has_manifest, batch.bytes())).collect();
    assert_eq!(told, [(100, true, 10), (200, false, 5), (300, true, 5)]);
    let later = batches(&store, "svp", "labors", Some(100)).await.expect("listed");
    assert_eq!(later, found[1..]);
    remove_batch(&store, "svp", "labors", &found[1]).await.expect("removed");
    remove_batch(&store, "svp", "labors", &found[0]).await.expect("removed");
    assert_eq!(batches(&store, "svp", "labors", None).await.expect("listed"), found[2..]);
    assert_eq!(store.usage("").await.expect("usage").objects, 3);
}

#[tokio::test]
async fn an_upload_that_was_killed_is_aborted_with_the_leftovers_of_its_batch() {
    let s3 = S3::serve().await;
    let store = open(&s3, "oci://namespace@me-jeddah-1/bucket/prod/layer", "s3cret");
    let put = async |prefix: &str, pieces: u64| {
        let mut upload = Upload::begin(&store, &format!("{prefix}/part-00000.csv.gz")).await.expect("begun");
        for seed in 0..pieces {
            upload.write(noise(40_000, seed)).await.expect("written");
        }
        upload
    };
    let keys = async || {
        let listed = store.list("svp").await.expect("listed");
        listed.into_iter().map(|object| object.key).collect::<Vec<_>>()
    };
    let found = async || batches(&store, "svp", "labors", None).await.expect("listed");

    // Nothing is left of one that ends, and a small one is one request.
    put("svp/labors/100", 3).await.complete().await.expect("completed");
    put("svp/labors/200", 1).await.complete().await.expect("completed");
    put("svp/labors/300", 3).await.abort().await;
    assert_eq!(keys().await, ["svp/labors/100/part-00000.csv.gz", "svp/labors/200/part-00000.csv.gz"]);
    assert_eq!(s3.open_uploads(), 0);

    // Dropped as when the process is killed: the upload is open, and no object shows it but its note.
    drop(put("svp/labors/400", 3).await);
    assert!(s3.open_uploads() > 0);
    let left = found().await.pop().expect("the fourth");
    assert!(left.batch_id == 400 && !left.has_manifest && left.objects.len() == 1, "{left:?}");
    let note = store.get_bytes("svp/labors/400/part-00000.csv.gz.upload").await.expect("a note");
    remove_batch(&store, "svp", "labors", &left).await.expect("removed");
    assert_eq!((s3.open_uploads(), found().await.len()), (0, 2));

    // One that is gone already is no obstacle.
    store.put("svp/labors/400/part-00000.csv.gz.upload", note).await.expect("put");
    let left = found().await.pop().expect("the note");
    remove_batch(&store, "svp", "labors", &left).await.expect("removed");
    assert_eq!(keys().await.len(), 2);
}
