//! libpq's rules, one sentence each.

use std::collections::HashMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::{ConnectionSettings, Endpoint, SettingsError, resolve};
use crate::postgres::tls::{RootCertificates, TlsMode};

fn written(value: &str) -> Option<String> {
    Some(value.to_owned())
}

/// Settles settings in a home folder with these files and variables.
fn settle(
    settings: &ConnectionSettings,
    home: &TempDir,
    variables: &[(&str, &str)],
) -> Result<Endpoint, SettingsError> {
    let mut variables: HashMap<&str, String> = variables.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    variables.insert("HOME", home.path().display().to_string());
    resolve(settings, &|name| variables.get(name).cloned())
}

fn home(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
    }
    home
}

fn password(endpoint: &Endpoint) -> Option<&str> {
    endpoint.password.as_ref().map(super::Secret::reveal)
}

#[test]
fn what_is_written_wins_over_the_service_over_variables_over_defaults() {
    let home =
        home(&[(".pg_service.conf", "# services\n[other]\nhost=no\n\n[svp]\nhost=service\nport=6000\nuser=su\n")]);
    let settings = ConnectionSettings { service: written("svp"), host: written("written"), ..Default::default() };
    let variables = [("PGHOST", "variable"), ("PGPORT", "7000"), ("PGUSER", "vu"), ("PGDATABASE", "vd")];
    let endpoint = settle(&settings, &home, &variables).expect("an endpoint");
    assert_eq!(endpoint.describe(), "su@written:6000/vd");
}

#[test]
fn the_database_is_named_after_the_user_and_the_port_is_5432_unless_something_says_otherwise() {
    let settings = ConnectionSettings { host: written("h"), user: written("ada"), ..Default::default() };
    let endpoint = settle(&settings, &home(&[]), &[]).expect("an endpoint");
    assert_eq!(endpoint.describe(), "ada@h:5432/ada");
    assert_eq!(endpoint.tls, TlsMode::Prefer);
}

#[test]
fn an_unknown_service_says_where_it_was_looked_for() {
    let settings = ConnectionSettings { service: written("nix"), ..Default::default() };
    let error = settle(&settings, &home(&[]), &[]).expect_err("no such service");
    assert!(error.to_string().contains(".pg_service.conf"), "{error}");
}

#[test]
fn the_password_file_gives_the_first_line_that_fits_with_wildcards_and_escapes() {
    let lines = "# mine\nother:*:*:*:no\nh:5432:d\\:b:*:pa\\:ss:word\n*:*:*:*:last\n";
    let home = home(&[(".pgpass", lines)]);
    let of = |dbname: &str| ConnectionSettings { host: written("h"), dbname: written(dbname), ..Default::default() };
    let endpoint = settle(&of("d:b"), &home, &[]).expect("an endpoint");
    assert_eq!(password(&endpoint), Some("pa:ss:word"));
    let endpoint = settle(&of("x"), &home, &[]).expect("an endpoint");
    assert_eq!(password(&endpoint), Some("last"));
    let endpoint = settle(&of("x"), &home, &[("PGPASSWORD", "mine")]).expect("an endpoint");
    assert_eq!(password(&endpoint), Some("mine"));
}

#[test]
fn a_password_file_that_others_can_read_is_ignored() {
    let home = home(&[(".pgpass", "*:*:*:*:open\n")]);
    std::fs::set_permissions(home.path().join(".pgpass"), Permissions::from_mode(0o640)).expect("a mode");
    let settings = ConnectionSettings { host: written("h"), ..Default::default() };
    assert_eq!(password(&settle(&settings, &home, &[]).expect("an endpoint")), None);
}

#[test]
fn a_socket_looks_its_password_up_as_localhost_and_needs_no_tls() {
    let home = home(&[(".pgpass", "localhost:*:*:*:local\n")]);
    let settings =
        ConnectionSettings { host: written("/run/pg"), sslmode: written("verify-full"), ..Default::default() };
    let endpoint = settle(&settings, &home, &[]).expect("an endpoint");
    assert_eq!((password(&endpoint), &endpoint.tls), (Some("local"), &TlsMode::Disable));
}

#[test]
fn require_verifies_only_when_a_root_certificate_is_there() {
    let settings = ConnectionSettings { host: written("h"), sslmode: written("require"), ..Default::default() };
    assert_eq!(settle(&settings, &home(&[]), &[]).expect("an endpoint").tls, TlsMode::Require);
    let home = home(&[(".postgresql/root.crt", "")]);
    let roots = RootCertificates::File(home.path().join(".postgresql/root.crt"));
    assert_eq!(settle(&settings, &home, &[]).expect("an endpoint").tls, TlsMode::VerifyCa(roots));
}

#[test]
fn verification_without_a_root_certificate_is_refused_and_system_roots_mean_verify_full() {
    let with = |sslmode: Option<&str>, roots: Option<&str>| ConnectionSettings {
        host: written("h"),
        sslmode: sslmode.map(str::to_owned),
        sslrootcert: roots.map(str::to_owned),
        ..Default::default()
    };
    let settle = |settings: &ConnectionSettings| settle(settings, &home(&[]), &[]);
    assert!(matches!(settle(&with(Some("verify-ca"), None)), Err(SettingsError::NoRootCertificate { .. })));
    assert!(matches!(settle(&with(Some("require"), Some("system"))), Err(SettingsError::WeakSystemRoots { .. })));
    let endpoint = settle(&with(None, Some("system"))).expect("an endpoint");
    assert_eq!(endpoint.tls, TlsMode::VerifyFull(RootCertificates::System));
    assert!(matches!(settle(&with(Some("verify"), None)), Err(SettingsError::SslMode(_))));
}

#[test]
fn a_password_is_in_no_debug_output() {
    let settings = ConnectionSettings { host: written("h"), password: written("s3cret"), ..Default::default() };
    let endpoint = settle(&settings, &home(&[]), &[]).expect("an endpoint");
    assert!(!format!("{settings:?} {endpoint:?} {}", endpoint.describe()).contains("s3cret"));
}
