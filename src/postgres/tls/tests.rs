//! The six modes against a real server with a certificate, on a loopback address of the test's own.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tokio_postgres::error::SqlState;

use super::{ClientCertificate, RootCertificates, TlsMode};
use crate::postgres::fixture::binaries;
use crate::postgres::server::{Borrowed, PrivateServer};
use crate::postgres::{Endpoint, Pool, PostgresError, Role};

/// A server that speaks TLS, and nothing but TLS, over TCP.
struct TlsServer {
    folder: TempDir,
    endpoint: Endpoint,
    borrowed: Option<Borrowed>,
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output();
    let output = output.expect("this test makes certificates with openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn copy_for_server(from: &Path, data: &Path, name: &str) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (to, owner) = (data.join(name), std::fs::metadata(data).expect("the cluster"));
    std::fs::copy(from, &to).expect("a copy");
    std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    chown(&to, Some(owner.uid()), Some(owner.gid())).expect("an owner");
}

impl TlsServer {
    /// `server.crt` is for `names`, signed by `ca.crt`; `own.crt` is self-signed.
    async fn with_certificate(names: &str, file: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("a mode");
        let path = folder.path();
        let address = address();
        let names = names.replace("{address}", &address);
        openssl(path, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca");
        openssl(path, "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server");
        std::fs::write(path.join("ext"), format!("subjectAltName={names}\n")).expect("a file");
        openssl(
            path,
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.crt",
        );
        openssl(path, "req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=client");
        openssl(
            path,
            "x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out client.crt",
        );
        let own = format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.crt -days 2 -subj /CN=own -addext subjectAltName={names}"
        );
        openssl(path, &own);

        let server = PrivateServer::at(&path.join(".unimig"), binaries());
        server.borrow().await.expect("a cluster").give_back().await.expect("given back");
        let data = server.home().join("data");
        copy_for_server(&path.join(format!("{file}.crt")), &data, "server.crt");
        copy_for_server(&path.join(format!("{file}.key")), &data, "server.key");
        copy_for_server(&path.join("ca.crt"), &data, "client_ca.crt");
        std::fs::write(data.join("pg_hba.conf"), "local all all trust\nhostssl all all 127.0.0.0/8 trust\n")
            .expect("hba");
        std::fs::write(
            data.join("postgresql.auto.conf"),
            format!("ssl = on\nssl_ca_file = 'client_ca.crt'\nlisten_addresses = '{address}'\n"),
        )
        .expect("settings");
        let borrowed = server.borrow().await.expect("a server");
        let endpoint = Endpoint { host: address, ..server.endpoint("postgres") };
        Self { folder, endpoint, borrowed: Some(borrowed) }
    }

    fn file(&self, name: &str) -> RootCertificates {
        RootCertificates::File(PathBuf::from(self.folder.path()).join(name))
    }

    /// Whether a session of this mode is encrypted, if there is one.
    async fn session(&self, tls: TlsMode) -> Result<bool, PostgresError> {
        let endpoint = Endpoint { tls, ..self.endpoint.clone() };
        let lease = Pool::new("t", endpoint, Role::Target, 1).lease("a").await?;
        lease.canceller().cancel().await?;
        let statement = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
        let row = match lease.query_one(statement, &[]).await {
            // The cancel came while the next statement was running already.
            Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => lease.query_one(statement, &[]).await,
            answered => answered,
        };
        Ok(row.map_err(|error| PostgresError::server("ask", error))?.get(0))
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        if let Some(borrowed) = self.borrowed.take() {
            let _ = borrowed.give_back_blocking();
        }
    }
}

/// Every address of 127/8 is this machine; one of its own keeps the usual port free of strangers.
fn address() -> String {
    use std::sync::atomic::{AtomicU8, Ordering};
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let process = std::process::id();
    format!("127.{}.{}.{}", 64 + (process >> 8) % 128, process % 256, NEXT.fetch_add(1, Ordering::Relaxed))
}

#[tokio::test]
async fn each_mode_means_what_it_means_to_libpq() {
    let server = TlsServer::with_certificate("DNS:elsewhere.example", "server").await;
    let disabled = server.session(TlsMode::Disable).await;
    assert!(matches!(disabled, Err(PostgresError::Authentication { .. })), "{disabled:?}");
    for mode in [TlsMode::Allow, TlsMode::Prefer, TlsMode::Require, TlsMode::VerifyCa(server.file("ca.crt"))] {
        assert!(server.session(mode.clone()).await.expect("a session"), "{mode:?}");
    }
    let strangers = server.session(TlsMode::VerifyCa(server.file("own.crt"))).await;
    assert!(matches!(strangers, Err(PostgresError::Tls { .. })), "{strangers:?}");
    let other_name = server.session(TlsMode::VerifyFull(server.file("ca.crt"))).await;
    assert!(matches!(other_name, Err(PostgresError::Tls { .. })), "{other_name:?}");
    let no_file = server.session(TlsMode::VerifyCa(server.file("nix.crt"))).await;
    assert!(matches!(no_file, Err(PostgresError::Tls { .. })), "{no_file:?}");
}

#[tokio::test]
async fn a_client_shows_its_certificate() {
    let server = TlsServer::with_certificate("DNS:elsewhere.example", "server").await;
    let file = |name: &str| PathBuf::from(server.folder.path()).join(name);
    let shown = |certificate: &str, key: &str| {
        let client = ClientCertificate { certificate: file(certificate), key: file(key) };
        let endpoint = Endpoint { tls: TlsMode::Require, client_certificate: Some(client), ..server.endpoint.clone() };
        async move {
            let lease = Pool::new("t", endpoint, Role::Target, 1).lease("a").await?;
            let statement = "select client_dn from pg_stat_ssl where pid = pg_backend_pid()";
            let row = lease.query_one(statement, &[]).await.map_err(|error| PostgresError::server("ask", error))?;
            Ok::<Option<String>, PostgresError>(row.get(0))
        }
    };

    assert_eq!(shown("client.crt", "client.key").await.expect("a session").as_deref(), Some("/CN=client"));
    let no_file = shown("client.crt", "nix.key").await;
    assert!(matches!(no_file, Err(PostgresError::Tls { .. })), "{no_file:?}");
}

#[tokio::test]
async fn a_server_is_known_by_its_address_or_by_its_own_certificate() {
    for file in ["server", "own"] {
        let server = TlsServer::with_certificate("IP:{address}", file).await;
        let roots = if file == "own" { "own.crt" } else { "ca.crt" };
        assert!(server.session(TlsMode::VerifyFull(server.file(roots))).await.expect("a session"), "{file}");
    }
}

#[tokio::test]
async fn a_self_signed_certificate_is_its_own_root_and_still_must_have_the_hosts_name() {
    let server = TlsServer::with_certificate("DNS:localhost", "own").await;
    assert!(server.session(TlsMode::VerifyCa(server.file("own.crt"))).await.expect("a session"));
    let wrong_name = server.session(TlsMode::VerifyFull(server.file("own.crt"))).await;
    assert!(matches!(wrong_name, Err(PostgresError::Tls { .. })), "{wrong_name:?}");
    let strangers = server.session(TlsMode::VerifyCa(server.file("ca.crt"))).await;
    assert!(matches!(strangers, Err(PostgresError::Tls { .. })), "{strangers:?}");
}
