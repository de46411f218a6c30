//! A real server of S3 in this process, which checks signatures and refuses what OCI's S3 door refuses.

use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Its key is `k3y` with the secret `s3cret`, its one bucket is `bucket`.
pub struct S3 {
    folder: TempDir,
    pub address: SocketAddr,
    _serving: JoinSet<()>,
}

impl S3 {
    pub async fn serve() -> Self {
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
                    let answer = service_fn(move |request: Request<Incoming>| {
                        let service = service.clone();
                        async move {
                            let is_abort = request.method() == "DELETE" && is_about_upload(&request);
                            let response = match refused_by_oci(&request) {
                                Some(words) => Ok(refusal(words)),
                                None => service.call(request.map(s3s::Body::from)).await,
                            };
                            let is_denied = |response: &Response<_>| response.status() == StatusCode::FORBIDDEN;
                            response.map(|response| match is_abort && is_denied(&response) {
                                true => no_such_upload(),
                                false => response,
                            })
                        }
                    });
                    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        Self { folder, address, _serving: serving }
    }

    /// The files of uploads that are open: the server's own beside its bucket.
    pub fn open_uploads(&self) -> usize {
        let files = std::fs::read_dir(self.folder.path()).expect("the server's folder");
        let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(".upload")).count()
    }
}

/// What OCI's S3 door does not take, and s3s would: chunked signatures, trailers, checksum headers of S3's own on an
/// upload, buckets in the host's name, and a bulk delete without MD5.
fn refused_by_oci(request: &Request<Incoming>) -> Option<&'static str> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_checksum = |name: &str| name.starts_with("x-amz-checksum-") || name.starts_with("x-amz-sdk-checksum");
    let is_bulk_delete = request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "delete"));
    let has_checksum = request.headers().keys().any(|name| is_checksum(name.as_str()));
    if header("content-encoding").contains("aws-chunked") || header("x-amz-content-sha256").starts_with("STREAMING-") {
        Some("a chunked signature")
    } else if !header("x-amz-trailer").is_empty() || (has_checksum && !is_bulk_delete) {
        Some("a checksum header")
    } else if !request.uri().path().starts_with("/bucket") {
        Some("a bucket that is not in the path")
    } else if is_bulk_delete && header("content-md5").is_empty() {
        Some("a bulk delete without MD5")
    } else {
        None
    }
}

fn refusal(words: &'static str) -> Response<s3s::Body> {
    let mut response = Response::new(s3s::Body::from(format!("OCI does not take {words}")));
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    response
}

fn is_about_upload(request: &Request<Incoming>) -> bool {
    request.uri().query().is_some_and(|query| query.contains("uploadId="))
}

/// What S3 says of an upload that is completed or aborted already, where s3s-fs says that access is denied.
fn no_such_upload() -> Response<s3s::Body> {
    let mut response = Response::new(s3s::Body::from("<Error><Code>NoSuchUpload</Code></Error>".to_owned()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
