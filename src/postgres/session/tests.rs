//! What a session is given, asked of a real server.

use jiff::Timestamp;

use super::{application_name, major_version};
use crate::ident::Ident;
use crate::postgres::fixture::TestDatabase;
use crate::postgres::{Role, Session, SessionOptions, connect};

async fn show(session: &Session, setting: &str) -> String {
    session.query_one("select current_setting($1)", &[&setting]).await.expect("a setting").get(0)
}

#[tokio::test]
async fn every_session_pins_what_changes_the_text_of_a_value() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    let pinned = [
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, YMD"),
        ("IntervalStyle", "postgres"),
        ("TimeZone", "UTC"),
        ("extra_float_digits", "1"),
        ("bytea_output", "hex"),
        ("xmloption", "content"),
        ("lc_monetary", "C"),
        ("client_connection_check_interval", "1s"),
        ("default_transaction_read_only", "off"),
    ];
    for (setting, expected) in pinned {
        assert_eq!(show(&session, setting).await, expected, "{setting}");
    }
}

#[tokio::test]
async fn a_source_session_cannot_write_and_does_not_wait_long_for_locks() {
    let database = TestDatabase::new().await;
    let session =
        connect("svp", &database.endpoint, Role::Source, &SessionOptions::default()).await.expect("a session");
    assert_eq!(show(&session, "lock_timeout").await, "30s");
    let error = session.batch_execute("create table t ()").await.expect_err("read-only");
    assert_eq!(error.code().map(|code| code.code()), Some("25006"));
}

#[tokio::test]
async fn a_target_session_looks_names_up_in_the_schemas_it_was_given() {
    let database = TestDatabase::new().await;
    let schema = |name: &str| Ident::new(name).expect("a name");
    let options = SessionOptions { search_path: vec![schema("Uni PACC"), schema("public")], ..Default::default() };
    let session = connect("t", &database.endpoint, Role::Target, &options).await.expect("a session");
    assert_eq!(show(&session, "search_path").await, "\"Uni PACC\", public");
}

#[test]
fn an_application_name_tells_since_when_and_is_cut_between_letters() {
    let since: Timestamp = "2026-11-22T02:14:07Z".parse().expect("a time");
    assert_eq!(application_name("stg.svp.labors", since), "unimig 20261122T021407Z stg.svp.labors");
    let long = application_name(&format!("stg.svp.a{}", "ع".repeat(40)), since);
    assert!(long.len() <= 63 && long.ends_with('ع'));
}

#[test]
fn the_major_version_is_read_from_every_spelling() {
    let versions = [("15.18 (Debian 15.18-0+deb12u1)", 15), ("9.6.24", 9), ("18beta1", 18), ("", 0)];
    for (text, expected) in versions {
        assert_eq!(major_version(text), expected, "{text}");
    }
}
