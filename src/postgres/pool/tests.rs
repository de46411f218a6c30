//! Leases on a real server.

use crate::postgres::fixture::TestDatabase;
use crate::postgres::{Pool, PostgresError, Role};

#[tokio::test]
async fn a_lease_shows_its_process_to_others() {
    let database = TestDatabase::new().await;
    let pool = database.pool(2);
    let lease = pool.lease("stg.svp.labors").await.expect("a lease");
    let name: String = lease.query_one("select current_setting('application_name')", &[]).await.expect("a name").get(0);
    assert!(name.starts_with("unimig 2") && name.ends_with("Z stg.svp.labors"), "{name}");
}

#[tokio::test]
async fn a_session_that_is_given_back_is_used_again_and_a_discarded_one_is_not() {
    let database = TestDatabase::new().await;
    let pool = database.pool(1);
    let pid = async |lease: &crate::postgres::Lease| -> i32 {
        lease.query_one("select pg_backend_pid()", &[]).await.expect("a pid").get(0)
    };
    let first = pool.lease("a").await.expect("a lease");
    let first_pid = pid(&first).await;
    drop(first);
    let second = pool.lease("b").await.expect("a lease");
    assert_eq!(pid(&second).await, first_pid);
    second.batch_execute("begin").await.expect("a transaction");
    second.discard();
    let third = pool.lease("c").await.expect("a lease");
    assert_ne!(pid(&third).await, first_pid);
}

#[tokio::test]
async fn a_session_that_the_server_closed_is_replaced() {
    let database = TestDatabase::new().await;
    let (pool, admin) = (database.pool(1), database.session().await);
    let lease = pool.lease("a").await.expect("a lease");
    let pid: i32 = lease.query_one("select pg_backend_pid()", &[]).await.expect("a pid").get(0);
    drop(lease);
    admin.execute("select pg_terminate_backend($1, 5000)", &[&pid]).await.expect("closed");
    let lease = pool.lease("b").await.expect("another session");
    lease.batch_execute("select 1").await.expect("an answer");
}

#[tokio::test]
async fn a_running_statement_is_cancelled_from_elsewhere() {
    let database = TestDatabase::new().await;
    let pool = database.pool(1);
    let lease = pool.lease("a").await.expect("a lease");
    let canceller = lease.canceller();
    let cancel = async {
        let admin = database.session().await;
        let running = "select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active' \
                       and datname = current_database()";
        while admin.query_opt(running, &[]).await.expect("activity").is_none() {}
        canceller.cancel().await.expect("asked");
    };
    let (result, ()) = tokio::join!(lease.batch_execute("select pg_sleep(60)"), cancel);
    let error = PostgresError::server("sleep", result.expect_err("cancelled"));
    assert!(matches!(error, PostgresError::Cancelled { .. }), "{error}");
}

#[tokio::test]
async fn a_time_limit_is_told_apart_from_a_cancel() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    let error = session.batch_execute("set statement_timeout = 20; select pg_sleep(60)").await.expect_err("a limit");
    assert_eq!(PostgresError::server("sleep", error).to_string(), "could not sleep: statement timeout reached");
}

#[tokio::test]
async fn each_way_of_not_getting_in_has_its_own_error() {
    let database = TestDatabase::new().await;
    let lease = async |endpoint| Pool::new("svp", endpoint, Role::Source, 1).lease("a").await.expect_err("no session");
    let absent = lease(database.endpoint.with_dbname("nix")).await;
    assert!(matches!(absent, PostgresError::UnknownDatabase { .. }), "{absent}");
    let stranger = crate::postgres::Endpoint { user: "nobody_known".to_owned(), ..database.endpoint.clone() };
    let stranger = lease(stranger).await;
    assert!(matches!(stranger, PostgresError::Authentication { .. }), "{stranger}");
    let nowhere = crate::postgres::Endpoint { host: "/nowhere".to_owned(), ..database.endpoint.clone() };
    let nowhere = lease(nowhere).await;
    assert!(matches!(nowhere, PostgresError::Unreachable { .. }), "{nowhere}");
    assert!(absent.is_unreachable() && stranger.is_unreachable() && nowhere.is_unreachable());
    assert!(nowhere.to_string().contains("\"svp\"") && nowhere.to_string().contains("/nowhere:5432"));
}
