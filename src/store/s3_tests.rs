//! The same over S3: a real server in this process, which checks signatures.

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use futures_util::TryStreamExt;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{PartOptions, PartWriter, Store, StoreError, StoreSettings, Usage, read_part};

struct S3 {
    _folder: TempDir,
    address: SocketAddr,
    _serving: JoinSet<()>,
}

impl S3 {
    async fn serve() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("bucket")).expect("a bucket");
        let files = s3s_fs::FileSystem::new(folder.path()).expect("a file system");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single("k3y", "s3cret"));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { _folder: folder, address, _serving: serving }
    }

    fn settings(&self, url: &str, secret: &str) -> StoreSettings {
        StoreSettings {
            url: url.to_owned(),
            region: None,
            endpoint: Some(format!("http://{}", self.address)),
            access_key_id: Some("k3y".to_owned()),
            secret_access_key: Some(secret.to_owned()),
            session_token: None,
        }
    }

    fn open(&self, url: &str, secret: &str) -> Store {
        Store::open("layer", &self.settings(url, secret), Path::new("/")).expect("a store")
    }
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
    let store = s3.open("oci://namespace@me-jeddah-1/bucket/prod/layer", "s3cret");
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
    let error = s3.open("s3://bucket/prod", "wrong").check_writable().await.expect_err("refused");
    assert!(matches!(error, StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }), "{error:?}");
    assert!(error.is_unreachable());
    let store = s3.open("s3://bucket/prod", "s3cret");
    assert!(matches!(store.get_bytes("nix").await, Err(StoreError::NotFound { .. })));
}
